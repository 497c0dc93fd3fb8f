"""Measure the poems of an exported poet, beside human poems.

    python recipes/evaluate.py --photographs PHOTOS.tar --model out/poet/1 \
        --generator out/generator/generator.keras --run-dir out/evaluation

`--guidance-curve 0 1 1.4 1.8` also writes for the first photographs with each
of these weights of the photograph: the balance of fit and language.
`--against out/before/poems.jsonl` tests the relevance against what another
poet wrote for the same photographs. Needs the extra `evaluate` for the
sentence embedding.
"""

import dataclasses
import json
import pathlib

import keras
import numpy as np
from rich.progress import track

import visualpoet
from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.evaluation import diversity
from visualpoet.evaluation import human_rows
from visualpoet.evaluation import method_runs
from visualpoet.evaluation import relevance
from visualpoet.evaluation import wording
from visualpoet.evaluation.kneser_ney import KneserNey
from visualpoet.evaluation.memorisation import CopiedRuns
from visualpoet.features import photographs
from visualpoet.features.store import load_features
from visualpoet.features.store import load_index
from visualpoet.generator import perplexity
from visualpoet.generator.forms import find_learnt
from visualpoet.generator.forms import number_form
from visualpoet.generator.poem_generator import PoemGenerator  # noqa: F401
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure the poems of an exported poet, beside human poems."""

    photographs: tuple[pathlib.Path, ...] = option(
        (), "folders and tar archives of photographs"
    )
    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    features_dir: pathlib.Path = option(
        pathlib.Path("out/features"),
        "output of extract_features.py, for the linear map of the experts",
    )
    model: pathlib.Path = option(pathlib.Path("out/poet/1"), "exported poet")
    generator: pathlib.Path = option(
        pathlib.Path("out/generator/generator.keras"),
        "output of pretrain_generator.py",
    )
    generator_config: str = option(
        "", "config.json of the run; beside the generator by default"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/evaluation"), "output")
    split: str = option("validation", "split of the photographs")
    num_photographs: int = option(1000, "most photographs to write for")
    num_uncaptioned: int = option(
        300,
        "most photographs without captions, of validation and test, for what "
        "is copied there; 0 for none",
    )
    others: int = option(
        99, "photographs a poem is compared with; the first tenth are hits"
    )
    sentences: bool = option(True, "measure with the sentence embedding too")
    perplexity: bool = option(True, "measure perplexity beside Kneser-Ney")
    form: str = option(
        "",
        "of the poems, learnt or a pattern, and of human hand; as exported if "
        "empty, of any human form then",
    )
    temperature: float = option(-1.0, "of the poems; as exported if below 0")
    top_p: float = option(-1.0, "of the poems; as exported if below 0")
    guidance: float = option(-1.0, "of the poems; as exported if below 0")
    candidates: int = option(0, "a poem is the best of; as exported if 0")
    against: str = option(
        "", "poems.jsonl of another poet, to test against; empty for none"
    )
    guidance_curve: tuple[float, ...] = option(
        (), "weights of the photograph to compare"
    )
    curve_photographs: int = option(200, "first photographs, for the curve")
    seed: int = option(0, "of the poems and the draws")
    resume: bool = option(False, "write again into --run-dir")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    inputs = corpus_files(config.corpus_dir)
    inputs += [config.generator] if config.perplexity else []
    run = runs.RunDirectory(config.run_dir, config, inputs)
    corpus = load_corpus(config.corpus_dir)
    readable = _find_readable(config, corpus)
    names = _captioned(config, corpus, readable)
    others = _count_others(config, run, names)
    theirs = _read_theirs(config, names)
    poet = visualpoet.load(config.model)
    contents = _contents(config, names)
    uncaptioned = _contents(config, _uncaptioned(config, corpus, readable))
    form = human_rows.choose_form(corpus, config.form)
    poems = {
        "this model": _write(config, run, poet, contents, "poems.jsonl"),
        **_find_human(config, corpus, form, poet, contents),
    }
    captions = [corpus.photographs[name].captions for name in names]
    copied = CopiedRuns(corpus.texts("train"))
    results = {
        "form": config.form,
        "photographs": len(names),
        "others": others,
        **_measure_relevance(config, run, captions, poems, theirs, others),
        **wording.measure_wording(poems["this model"], copied),
        "distinct_2": {
            row: diversity.distinct_n(poems[row], 2)
            for row in ("this model", "a random human poem")
        },
    }
    if uncaptioned:
        results["uncaptioned"] = _measure_uncaptioned(
            config, run, poet, uncaptioned, copied
        )
    if config.perplexity and corpus.texts("test", form):
        results["perplexity"] = _perplexities(config, corpus)
    if config.guidance_curve:
        results["guidance_curve"] = _guidance_curve(
            config, run, poet, contents, captions
        )
    run.write_json("results.json", results)
    run.log(json.dumps(results, indent=1))


# --- what is measured


def _find_readable(config, corpus):
    """Photographs but those that `extract_features.py` could not read."""
    if not config.features_dir.exists():
        return corpus.photographs
    return load_index(config.features_dir)


def _captioned(config, corpus, readable):
    names = [
        name
        for name in corpus.images(config.split)
        if corpus.photographs[name].captions and name in readable
    ]
    return names[: config.num_photographs]


def _count_others(config, run, names):
    """As many photographs to compare with as there are."""
    if len(names) < 2:
        raise ValueError(
            "expected captions of two photographs or more to measure by. "
            f"Received: {len(names)} of split {config.split}; the model is "
            "there all the same"
        )
    others = min(config.others, len(names) - 1)
    if others < config.others:
        run.log(f"compared with {others} others, since there are no more")
    return others


def _contents(config, names):
    """The wanted photographs by name, in the order of the names."""
    wanted = set(names)
    found = {
        name: content
        for name, content in photographs.read_photographs(config.photographs)
        if name in wanted
    }
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(
            f"expected --photographs with all {len(names)} that are measured. "
            f"Received: {len(missing)} of them are in none, as {missing[0]}; "
            "--num-uncaptioned 0 needs only those that have captions"
        )
    return {name: found[name] for name in names}


def _uncaptioned(config, corpus, readable):
    """Photographs without captions: landscapes, streets, flowers."""
    seen = config.split == "train"
    splits = ("train",) if seen else ("validation", "test")
    images = [image for split in splits for image in corpus.images(split)]
    names = [
        name
        for name in images
        if not corpus.photographs[name].captions and name in readable
    ]
    number = min(config.num_uncaptioned, len(names))
    return [names[index * len(names) // number] for index in range(number)]


# --- how it is measured


def _find_human(config, corpus, form, poet, contents):
    """Human poems for the same photographs, by row."""
    is_mapped = config.sentences and config.features_dir.exists()
    features = load_features(config.features_dir) if is_mapped else None
    return human_rows.find_rows(
        corpus, form, contents, poet, features, config.seed
    )


def _measure_relevance(config, run, captions, poems, theirs, others):
    """How often the own photograph comes first, by captions."""
    similarities = relevance.make_similarities(captions, config.sentences)
    hits = {
        row: relevance.find_hits(similarities, group, others, config.seed)
        for row, group in poems.items()
    }
    shares = {row: relevance.share_hits(found) for row, found in hits.items()}
    for row, found in shares.items():
        run.log(f"{row}: {found}")
    results = {"relevance": shares}
    if theirs:
        results["against"] = relevance.compare_hits(
            hits["this model"],
            relevance.find_hits(similarities, theirs, others, config.seed),
        )
    return results


def _measure_uncaptioned(config, run, poet, contents, copied):
    poems = _write(config, run, poet, contents, "poems_uncaptioned.jsonl")
    return {
        "photographs": len(contents),
        **wording.measure_wording(poems, copied),
    }


def _decoding(config):
    """The options that differ from those the poet was exported with."""
    given = {
        "temperature": config.temperature,
        "top_p": config.top_p,
        "guidance": config.guidance,
    }
    options = {name: value for name, value in given.items() if value >= 0}
    if config.candidates:
        options["candidates"] = config.candidates
    return options | {"seed": config.seed, "form": config.form}


def _write(config, run, poet, contents, file_name):
    options = _decoding(config)
    written = poet.write(track(list(contents.values()), "writing"), **options)
    with (config.run_dir / file_name).open("w") as stream:
        for name, poem in zip(contents, written):
            row = {"photograph": name, **poem.to_dict()}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    run.log(f"{len(written)} poems in {file_name}")
    return [poem.poem for poem in written]


def _read_theirs(config, names):
    if not config.against:
        return []
    poems = method_runs.read_poems(pathlib.Path(config.against))
    missing = [name for name in names if name not in poems]
    if missing:
        raise ValueError(
            f"expected poems for the same {len(names)} photographs. Received: "
            f"{config.against} without {len(missing)} of them, as {missing[0]}"
        )
    return [poems[name] for name in names]


def _guidance_curve(config, run, poet, contents, captions):
    """Relevance, fluency and variety at each weight of the photograph."""
    names = list(contents)[: config.curve_photographs]
    similarities = relevance.make_similarities(
        captions[: len(names)], config.sentences
    )
    others = min(config.others, len(names) - 1)
    points = []
    for guidance in config.guidance_curve:
        options = _decoding(config) | {"guidance": guidance}
        group = track(
            [contents[name] for name in names], f"guidance {guidance}"
        )
        written = poet.write(group, **options)
        poems = [poem.poem for poem in written]
        hits = relevance.find_hits(similarities, poems, others, config.seed)
        points.append(
            {
                "guidance": guidance,
                "photographs": len(names),
                **relevance.share_hits(hits),
                "fluency": float(np.mean([poem.fluency for poem in written])),
                "distinct_2": diversity.distinct_n(poems, 2),
            }
        )
        run.log(str(points[-1]))
    return points


def _perplexities(config, corpus):
    path = config.generator_config or config.generator.parent / "config.json"
    trained = json.loads(pathlib.Path(path).read_text())

    def framed(split, form=None):
        return datasets.frame_poems(
            corpus.vocabulary,
            corpus.texts(split, form),
            trained["max_tokens"],
            trained["max_unknown"],
            trained["leave_out"],
        )

    generator = keras.saving.load_model(config.generator)
    form = find_learnt(config.form, generator.forms)
    test = sorted(framed("test", form or None), key=len)
    value, tokens = perplexity.measure_without_photograph(
        generator, test, number_form(generator, form)
    )
    return {
        "generator": value,
        "Kneser-Ney 5-gram": KneserNey(
            framed("train"), len(corpus.vocabulary)
        ).perplexity(test),
        "tokens": tokens,
    }


if __name__ == "__main__":
    main(run_options.parse_config(Config))
