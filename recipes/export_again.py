"""Export a poet again: an older export's weights with today's graph.

    python recipes/export_again.py --base savedmodels/visualpoet/10 \
        --model out/poet/11

Decoding, ranking, forms and how weights are stored are today's; what the
models have learnt (but for `--reader-head` and `--earlier`), and what poems
should not recite, is the base's. The own form of a voice (`--corpus`) is
written as before, too; its patterns are named again. Discriminators are left
out: they hardly help to rank.
"""

import dataclasses
import pathlib

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import formats
from visualpoet.corpus import readers
from visualpoet.corpus import row_files
from visualpoet.corpus.words import find_twins
from visualpoet.embedding.clues import ClueHead
from visualpoet.export import model_card
from visualpoet.export import serving_files
from visualpoet.finetuning import base
from visualpoet.finetuning import exporting
from visualpoet.finetuning.corpus import read_corpus
from visualpoet.generator import forms
from visualpoet.generator.common_lines import CommonLines
from visualpoet.generator.known_phrases import KnownPhrases
from visualpoet.generator.reader_head import HEAD_FILE
from visualpoet.generator.reader_head import load_reader_head
from visualpoet.optimization import interpolate
from visualpoet.run_options import expect
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Export a poet again: an older export's weights with today's graph."""

    base: pathlib.Path = option(
        pathlib.Path("savedmodels/visualpoet/10"), "version folder to read"
    )
    model: pathlib.Path = option(
        pathlib.Path("out/poet/1"), "version folder to write"
    )
    form: str = option(
        "", "that it writes by default; that of the base if empty"
    )
    patterns: tuple[str, ...] = option(
        (), "forms besides, as of export.py; need --poems or --corpus"
    )
    poems: tuple[pathlib.Path, ...] = option(
        (), "files of poems, whose words close lines where they do in these"
    )
    corpus: str = option("", "in place of --poems: what a voice was trained on")
    phrases: tuple[pathlib.Path, ...] = option(
        (),
        "files of poems of the default form, whose training poems say what is "
        "no news, and what a recital; those of the base if empty",
    )
    reader_head: str = option(
        "",
        "output of train_reader_head.py for the base's generator, which the "
        "poet that wrote --drafts has, too; that of the base if empty",
    )
    earlier: str = option(
        "",
        "version folder of the poet whose generator that of the base was "
        "trained on from; empty for none",
    )
    interpolation: float = option(
        0.5, "of what the generator has learnt since --earlier, the share kept"
    )
    drafts: tuple[pathlib.Path, ...] = option(
        (), "files of poems of evaluate.py --split train, for common lines"
    )
    least: float = option(
        0.05, "share of their photographs that have a common line"
    )
    most: float = option(
        0.004, "share of them whose best poem may have a line that is not"
    )
    run_dir: pathlib.Path = option(
        pathlib.Path("out/export_again"), "output: what the version came of"
    )
    resume: bool = option(False, "go on with the run in --run-dir")

    def __post_init__(self):
        kept = self.interpolation
        expect(0 <= kept <= 1, "an --interpolation in [0, 1]", kept)
        expect(
            self.poems or self.corpus or not self.patterns,
            "--poems or --corpus with --patterns, to know how words close "
            "lines",
            "none",
        )
        expect(
            not (self.corpus and (self.poems or self.form)),
            "--corpus without --poems and --form: it says how a voice is "
            "written",
            f"{self.corpus} and {self.form or ', '.join(map(str, self.poems))}",
        )


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    if not (config.run_dir / "config.json").exists():
        serving_files.refuse_existing(config.model)
    files = base.list_files(config.base)
    read = [pathlib.Path(config.corpus)] if config.corpus else config.poems
    found = [file for path in read for file in formats.find_files(path)]
    poet = base.read_poet(config.base)
    head = poet.reader_head
    inputs = [*files, *found, *config.phrases, *config.drafts]
    if config.reader_head:
        folder = pathlib.Path(config.reader_head)
        head = load_reader_head(folder, poet.generator.hidden_dim)
        inputs.append(folder / HEAD_FILE)
    if config.earlier:
        inputs += base.list_files(pathlib.Path(config.earlier))
    run = runs.RunDirectory(config.run_dir, config, inputs)
    _go_back(config, poet)
    texts = _read_texts(config)
    poet = exporting.prepare_patterns(poet, texts, config.patterns)
    options = _options(config, poet)
    default = next(iter(options.values()))
    common_lines = _count_lines(config, poet, default.common_weight)
    poet = dataclasses.replace(
        poet,
        clue_head=_choose_one_twin(poet),
        options=options,
        common_lines=common_lines or poet.common_lines,
        known_phrases=_read_phrases(config, poet) or poet.known_phrases,
        reader_head=head,
    )
    if default.novelty_weight and not poet.known_phrases:
        run.log("nothing is new to it: --phrases names poems of its form")
    if default.merit_weight and not head:
        run.log("nobody graded its texts: --reader-head, or other weights")
    if not config.model.exists():  # it is there as a whole or not at all
        exporting.export_again(poet, config.model, run.describe_lineage())
    parameters = model_card.count_parameters(**poet.models)
    run.write_json("parameters.json", parameters)


def _go_back(config, poet):
    """Moves the generator's weights towards those of --earlier."""
    if not config.earlier:
        return
    earlier = base.read_poet(pathlib.Path(config.earlier))
    alike = [
        (one.vocabulary.tokens, one.generator.get_config())
        for one in (poet, earlier)
    ]
    if alike[0] != alike[1]:
        raise ValueError(
            "expected --earlier with a generator of the same tokens and sizes "
            f"as that of {config.base}. Received: {config.earlier}, of others"
        )
    interpolate(
        poet.generator.weights, earlier.generator.weights, config.interpolation
    )


def _read_texts(config):
    if config.corpus:
        corpus = read_corpus(pathlib.Path(config.corpus), "", force=True)
        return corpus.texts("train")
    return [
        p.text for path in config.poems for p in readers.read_poems(path)[0]
    ]


def _options(config, poet):
    if config.corpus:
        form, own = next(iter(poet.options.items()))
        learnt = [form] if form in poet.generator.forms else []
        options = forms.choose_options(learnt, "".join(learnt), config.patterns)
        return {**options, next(iter(options)): own}
    learnt = poet.generator.forms
    form = base.choose_form(poet.options, config.form) if learnt else ""
    return forms.choose_options(learnt, form, config.patterns)


def _count_lines(config, poet, weight):
    """Common lines of drafts that the base wrote; what they will count."""
    if not config.drafts:
        return None
    weighed = next(iter(poet.options.values())).common_weight
    rows = [
        row["candidates"] for row in row_files.read_json_lines(*config.drafts)
    ]
    if config.reader_head and "merit" not in rows[0][0]:
        raise ValueError(
            "expected drafts of a poet with the reader head, which decides "
            f"what wins. Received: no merit in {config.drafts[0]}; export with "
            "--reader-head alone, and let that poet write them"
        )
    drafts = [
        poet.vocabulary.encode_batch([one["poem"] for one in row])
        for row in rows
    ]
    # Whatever was common to the poet that wrote them is so no more.
    scores = [
        [one["score"] + weighed * one.get("common", 0.0) for one in row]
        for row in rows
    ]
    common = CommonLines.count(drafts, poet.kinds, config.least)
    return common.with_winners(drafts, scores, weight, config.most)


def _read_phrases(config, poet):
    if not config.phrases:
        return None
    texts = [
        poem.text
        for path in config.phrases
        for poem in readers.read_poems(path)[0]
        if poem.split == "train"
    ]
    return KnownPhrases(poet.vocabulary.encode_batch(texts), poet.kinds)


def _choose_one_twin(poet: base.PoetParts) -> ClueHead:
    """The clue head, which chooses no word beside its plural."""
    head = poet.clue_head
    words = [poet.vocabulary.tokens[index] for index in head.word_ids]
    config = head.get_config() | {"twins": find_twins(words).tolist()}
    chooser = ClueHead.from_config(config)
    chooser.set_weights(head.get_weights())
    return chooser


if __name__ == "__main__":
    main(run_options.parse_config(Config))
