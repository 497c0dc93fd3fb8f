"""Measure a voice beside its base: whose it sounds, and what it kept.

    python recipes/measure_voice.py --voice out/poems/poems/1 \
        --base savedmodels/verse/1 --corpus poems --others OTHER.jsonl.gz \
        --photographs PHOTOS.tar --captions PHOTOS.jsonl \
        --run-dir out/measured

Both write for the same photographs. A classifier of human poems, of the corpus
against others, says whose theirs sound like; all of them are read alike, in
lower case, without marks and line breaks, and cut to one length
(`visualpoet/evaluation/voice_classifier.py`). Captions, which no voice has
seen, judge relevance where they are in its script; so does the joint space,
each model's own. `--form limerick` lets eSpeak count syllables and rhymes.
Needs the extra `evaluate`.
"""

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.progress import track

import visualpoet
from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus.caption_files import read_caption_file
from visualpoet.corpus.scripts import find_script
from visualpoet.corpus.words import list_words
from visualpoet.evaluation import pronunciation
from visualpoet.evaluation import relevance
from visualpoet.evaluation import voice_classifier
from visualpoet.evaluation.form_shares import measure_form
from visualpoet.evaluation.memorisation import CopiedRuns
from visualpoet.features import photographs
from visualpoet.finetuning.corpus import VoiceCorpus
from visualpoet.finetuning.corpus import read_corpus
from visualpoet.finetuning.trying import measure_copied
from visualpoet.generator.forms import PATTERNS
from visualpoet.poet import Poet
from visualpoet.run_options import option

_HELD_OUT = ("validation", "test")


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure a voice beside its base."""

    voice: pathlib.Path = option(pathlib.Path("out/voice/1"), "exported model")
    base: pathlib.Path = option(
        pathlib.Path("savedmodels/verse"), "model that it was made of"
    )
    corpus: pathlib.Path = option(
        pathlib.Path("poems"), "poems that it was made of, as for fine_tune.py"
    )
    others: tuple[pathlib.Path, ...] = option(
        (), "human poems of others, for the classifier; none for no classifier"
    )
    photographs: tuple[pathlib.Path, ...] = option(
        (), "folders and tar archives of photographs"
    )
    captions: str = option(
        "",
        "what is said of the photographs, as for fine_tune.py; those that it "
        "calls validation or test are written for, if there are any",
    )
    num_photographs: int = option(100, "most photographs to write for")
    form: str = option(
        "", "of the voice's poems; as exported if empty, as the base's are"
    )
    candidates: int = option(0, "a poem is the best of; as exported if 0")
    sentences: bool = option(True, "measure with the sentence embedding too")
    seed: int = option(0, "of the poems and the draws")
    run_dir: pathlib.Path = option(pathlib.Path("out/measured"), "output")
    resume: bool = option(False, "write again into --run-dir")


@dataclasses.dataclass(frozen=True)
class Measured:
    """What is measured.

    Attributes:
        corpus: The poems of the voice.
        contents: Photographs by name.
        captions: Of all photographs, or of none.
        poets: `voice` and `base`.
        poems: What each wrote, a poem a photograph.
    """

    corpus: VoiceCorpus
    contents: Mapping[str, bytes]
    captions: Sequence[Sequence[str]]
    poets: Mapping[str, Poet]
    poems: Mapping[str, Sequence[str]]

    def shares_script(self, texts: Sequence[str]) -> bool:
        """Returns whether texts are written as the corpus is."""
        return find_script(texts) == self.corpus.script


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    files = [p for p in (config.corpus, *config.others) if p.is_file()]
    run = runs.RunDirectory(config.run_dir, config, files)
    poets = {
        "voice": visualpoet.load(config.voice),
        "base": visualpoet.load(config.base),
    }
    measured = _prepare(config, run, poets)
    results = {
        "photographs": len(measured.contents),
        "joint_space": {
            who: _measure_joint_space(measured, who) for who in poets
        },
        "relevance": _measure_relevance(config, measured),
        "classifier": _classify(config, measured),
        "copied": measure_copied(measured.poems["voice"], measured.corpus),
        "form": _measure_form(config, measured),
    }
    run.write_json("results.json", results)
    for line in _table(results):
        run.log(line)


def _prepare(config, run, poets) -> Measured:
    form = config.form or poets["voice"].options["form"]
    corpus = read_corpus(config.corpus, form.partition("-")[0], force=True)
    captions = _read_captions(config)
    contents = _draw_photographs(config, captions)
    poems = {
        who: _write(config, run, poet, who, contents)
        for who, poet in poets.items()
    }
    known = [captions[pathlib.Path(n).name] for n in contents if captions]
    return Measured(corpus, contents, known, poets, poems)


def _read_captions(config):
    """Captions by the photograph's name, without folders."""
    if not config.captions:
        return {}
    photos, _ = read_caption_file(pathlib.Path(config.captions))
    held_out = [photo for photo in photos if photo.split in _HELD_OUT]
    return {
        pathlib.Path(photo.image).name: photo.captions or (photo.label,)
        for photo in held_out or photos
    }


def _draw_photographs(config, captions):
    read = photographs.read_photographs
    names = [
        name
        for name, _ in read(config.photographs)
        if not captions or pathlib.Path(name).name in captions
    ]
    if len(names) < 2:
        raise ValueError(
            "expected --photographs, with captions where --captions is given. "
            f"Received: {len(names)}"
        )
    rng = np.random.default_rng(config.seed)
    drawn = set(rng.permutation(names)[: config.num_photographs].tolist())
    return {n: content for n, content in read(config.photographs) if n in drawn}


def _write(config, run, poet, who, contents):
    forms = poet.options.get("forms", {})
    options = {"seed": config.seed}
    if config.form in forms or who == "voice":
        options["form"] = config.form
    if config.candidates:
        options["candidates"] = config.candidates
    sources = track(list(contents.values()), f"{who} writes")
    written = poet.write(sources, **options)
    with (config.run_dir / "poems.jsonl").open(
        "w" if who == "voice" else "a", encoding="utf-8"
    ) as stream:
        for name, poem in zip(contents, written):
            row = {"by": who, "photograph": name, **poem.to_dict()}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    run.log(f"{len(written)} poems of the {who}")
    return [poem.poem for poem in written]


def _measure_joint_space(measured, who):
    """Cosines in the model's own joint space, which it ranks by."""
    poet = measured.poets[who]
    images = poet.embed_images(list(measured.contents.values()))
    poems = poet.embed_poems(measured.poems[who])
    own, others = relevance.own_and_others(poems @ images.T)
    return {"own": own, "shuffled": others}


def _measure_relevance(config, measured) -> dict[str, dict[str, float]]:
    """Shares of poems with the own photograph among the first tenth."""
    captions = measured.captions
    said = [text for texts in captions for text in texts]
    if not said or not measured.shares_script(said):
        return {}
    similarities = relevance.make_similarities(captions, config.sentences)
    others = min(99, len(captions) - 1)
    return {
        who: relevance.share_hits(
            relevance.find_hits(similarities, poems, others, config.seed)
        )
        for who, poems in measured.poems.items()
    }


def _classify(config, measured) -> dict[str, Any]:
    """Shares of texts that a classifier calls the corpus's own."""
    if not config.others:
        return {}
    alike = {
        who: poems
        for who, poems in measured.poems.items()
        if measured.shares_script(poems)
    }
    written = [poem for poems in alike.values() for poem in poems]
    reading = voice_classifier.find_reading(
        written, measured.corpus.is_unspaced
    )
    own, others = _read_human(config, measured, reading)
    classifier = voice_classifier.train_classifier(
        own["train"], others["train"]
    )
    texts = {
        **{who: reading.read(poems) for who, poems in alike.items()},
        "own_held_out": own["held out"],
        "others_held_out": others["held out"],
    }
    shares = {
        who: voice_classifier.share_own(classifier, some)
        for who, some in texts.items()
    }
    right = shares["own_held_out"], 1 - shares["others_held_out"]
    return {
        "accuracy": sum(right) / 2,
        "texts": {who: len(some) for who, some in texts.items()},
        "words": reading.words,
        **shares,
    }


def _read_human(config, measured, reading):
    """Human texts of the corpus and of others, to learn from and held out."""
    whole = dataclasses.replace(reading, words=10**6)
    known = CopiedRuns(whole.read(measured.corpus.known_texts()))
    rng = np.random.default_rng(config.seed)
    read = [read_corpus(path, "", force=True) for path in config.others]
    own, others = {}, {}
    for name, splits in (("train", ("train",)), ("held out", _HELD_OUT)):
        own[name] = reading.cut(_texts([measured.corpus], splits))
        others[name] = voice_classifier.draw_others(
            _texts(read, splits), len(own[name]), reading, known, rng
        )
    return own, others


def _texts(corpora, splits):
    return [t for corpus in corpora for s in splits for t in corpus.texts(s)]


def _measure_form(config, measured) -> dict[str, float]:
    if config.form not in PATTERNS:
        return {}
    poems = [
        [
            list_words(line, measured.corpus.is_unspaced)
            for line in poem.split("\n")
        ]
        for poem in measured.poems["voice"]
    ]
    hear = (
        pronunciation.hear_characters
        if measured.corpus.is_unspaced
        else pronunciation.transcribe
    )
    return measure_form(poems, PATTERNS[config.form].pattern, hear)


def _table(results):
    """The lines that are printed."""
    yield f"{'':32}{'voice':>8}{'base':>8}"
    classifier = results["classifier"]
    rows = {
        "called the corpus's own": classifier,
        "own photograph, TF-IDF": _column(results["relevance"], "tfidf"),
        "own photograph, sentences": _column(results["relevance"], "sentences"),
        "joint space, own photograph": _column(results["joint_space"], "own"),
        "joint space, another one": _column(results["joint_space"], "shuffled"),
    }
    for title, values in rows.items():
        if values:
            yield f"{title:32}{_cell(values, 'voice')}{_cell(values, 'base')}"
    if classifier:
        yield (
            f"classifier: {classifier['accuracy']:.3f} of held-out human poems "
            f"right; own called own {classifier['own_held_out']:.3f}, "
            f"others {classifier['others_held_out']:.3f}"
        )
    yield f"copied from the corpus: {results['copied']}"
    if results["form"]:
        yield f"in form: {results['form']}"


def _column(measured, name):
    return {who: row[name] for who, row in measured.items() if name in row}


def _cell(values, who):
    return f"{values[who]:8.3f}" if who in values else 8 * " "


if __name__ == "__main__":
    main(run_options.parse_config(Config))
