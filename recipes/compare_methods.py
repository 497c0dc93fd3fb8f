"""Measure the compared methods, all seeds, and write the table and a page.

    python recipes/compare_methods.py --photographs PHOTOS.tar

Reads what liu18.sh has written, `<method>/seed<k>/poems.jsonl`; what is missing
is reported. Needs the extra `evaluate`.
"""

import dataclasses
import pathlib

import numpy as np

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.embedding.encoders import load_towers
from visualpoet.evaluation import bleu
from visualpoet.evaluation import columns
from visualpoet.evaluation import comparison
from visualpoet.evaluation import directions
from visualpoet.evaluation import human_poems
from visualpoet.evaluation import measures
from visualpoet.evaluation import method_runs
from visualpoet.evaluation import report
from visualpoet.features import photographs
from visualpoet.features import picture_files
from visualpoet.features.store import load_features
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure the compared methods, all seeds."""

    runs: pathlib.Path = option(
        pathlib.Path("out/liu18"),
        "folder of <method>/seed<k>, as liu18.sh writes it",
    )
    photographs: tuple[pathlib.Path, ...] = option(
        (), "folders and tar archives of photographs, for the page"
    )
    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/liu18/corpus"), "output of prepare_corpus.py"
    )
    features_dir: pathlib.Path = option(
        pathlib.Path("out/features"), "output of extract_features.py"
    )
    embedding_dir: pathlib.Path = option(
        pathlib.Path("out/liu18/embedding"), "output of train_embedding.py"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/comparison"), "output")
    split: str = option("validation", "split of the photographs")
    sentences: bool = option(True, "measure with the sentence embedding too")
    others: int = option(
        99, "photographs a poem is compared with; the first tenth are hits"
    )
    examples: int = option(20, "photographs on the page")
    bleu_cumulative: bool = option(True, "BLEU-n of all orders up to n")
    bleu_corpus: bool = option(True, "BLEU of all poems, not their mean")
    bleu_smoothing: str = option("none", "none, floor, add-k or exp")
    bleu_lower_case: bool = option(True, "BLEU does not see case")
    bleu_line_breaks: bool = option(False, "BLEU counts line breaks as words")
    draws: int = option(1000, "resamples of the intervals")
    exchanges: int = option(2000, "random exchanges of the tests")
    seed: int = option(0, "of the draws")
    resume: bool = option(False, "write again into --run-dir")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    found, problems = method_runs.find_runs(config.runs)
    inputs = [run.folder / "poems.jsonl" for run in found]
    run = runs.RunDirectory(
        config.run_dir, config, corpus_files(config.corpus_dir) + inputs
    )
    corpus = load_corpus(config.corpus_dir)
    features = load_features(config.features_dir)
    found, names, left_out = method_runs.complete_runs(
        found, _usable(corpus, features, config.split)
    )
    problems += left_out
    for problem in problems:
        run.log(f"missing: {problem}")
    run.log(f"{len(found)} runs, {len(names)} photographs")

    options = bleu.BleuOptions(
        config.bleu_cumulative,
        config.bleu_smoothing,
        config.bleu_corpus,
        config.bleu_lower_case,
        config.bleu_line_breaks,
    )
    image_tower, poem_tower = load_towers(config.embedding_dir)
    rows = {
        kind: np.stack([group[name] for name in names])
        for kind, group in features.items()
    }
    measurer = measures.Measurer(
        corpus,
        names,
        image_tower.predict(rows, batch_size=512, verbose=0),
        poem_tower,
        config.sentences,
        options,
        config.others,
        config.seed,
    )
    humans = human_poems.choose(measurer.paired, config.seed)
    measured = _measure(measurer, found, names, humans)
    run.log("measured")
    values = columns.value_functions(options)
    tests = comparison.paired_tests(measured, values, config.exchanges)
    rows = comparison.table_rows(measured, values, config.draws)
    not_best = directions.share_not_best(measured, values, config.draws)
    results = {
        "photographs": len(names),
        "split": config.split,
        "bleu": _describe(options, measurer.paired),
        "problems": problems,
        "rows": rows,
        "directions": directions.compare_directions(rows, tests, not_best),
        "tests": tests,
        "confusion": _confusion(config, found),
    }
    run.write_json("results.json", results)
    table = report.table_csv(rows)
    (config.run_dir / "table.csv").write_text(table, encoding="utf-8")
    page = report.render_report(
        results, _curves(found), _examples(config, corpus, found, names, humans)
    )
    (config.run_dir / "report.html").write_text(page, encoding="utf-8")
    for claim in results["directions"]:
        run.log(f"{claim['verdict']}: {claim['claim']}")
    run.log(f"wrote {config.run_dir / 'report.html'}")


def _usable(corpus, features, split):
    """Photographs with captions, a paired poem and features."""
    paired = {pair.image for pair in corpus.pairs}
    encoded = set.intersection(*(set(rows) for rows in features.values()))
    return [
        name
        for name in corpus.images(split)
        if corpus.photographs[name].captions
        and name in paired
        and name in encoded
    ]


def _measure(measurer, found, names, humans):
    poem_sets = {run.name: [run.poems[name] for name in names] for run in found}
    statistics = measurer.statistics(poem_sets | humans)
    if "human_other" not in humans:  # some are compared with themselves
        for n in range(1, bleu.ORDER + 1):
            del statistics["human_paired"][f"bleu_{n}"]
    del statistics["human_shuffled"]["bleu_1_other"]  # likewise
    together = {
        name: measures.measure_together(poems)
        for name, poems in (poem_sets | humans).items()
    }
    keys = [(run.method, run.seed, run.name) for run in found]
    keys += [(name, 0, name) for name in humans]
    return [
        comparison.Measured(row, seed, statistics[name], together[name])
        for row, seed, name in keys
    ]


def _describe(options, paired):
    counts = [len(poems) for poems in paired]
    return (
        f"BLEU: {'cumulative' if options.cumulative else 'of one order'}, "
        f"{'of the corpus' if options.corpus else 'mean of poems'}, "
        f"smoothing {options.smoothing}, "
        f"{'lower case' if options.lower_case else 'with case'}, "
        f"line breaks {'' if options.line_breaks else 'not '}counted, "
        "without punctuation; against "
        f"{min(counts)} to {max(counts)} human poems a photograph, "
        f"{np.mean(counts):.1f} on average."
    )


def _curves(found):
    curves = {}
    for run in found:
        group = method_runs.read_curves(run.folder)
        curves.setdefault(run.method, []).append(group)
    return curves


def _confusion(config, found):
    """Discriminator to when, to shares."""
    seeds = sorted(config.runs.glob("discriminators/seed*/*"))
    stages = {"before adversarial training": seeds}
    for run in found:
        title = f"after, {method_runs.TITLES[run.method]}"
        stages.setdefault(title, []).append(run.folder)
    matrices = {}
    for title, folders in stages.items():
        for name, shares in method_runs.read_confusion(folders).items():
            matrices.setdefault(name, {})[title] = shares
    return matrices


def _examples(config, corpus, found, names, humans):
    places = np.linspace(0, len(names) - 1, min(config.examples, len(names)))
    chosen = {names[int(place)]: int(place) for place in places.round()}
    contents = {
        name: content
        for name, content in photographs.read_photographs(config.photographs)
        if name in chosen
    }
    first = {run.method: run for run in reversed(found)}
    shown = {m: first[m] for m in method_runs.TITLES if m in first}
    return [
        {
            "photograph": name,
            "caption": corpus.photographs[name].captions[0],
            "picture": _thumbnail(contents[name]),
            "poems": [
                (method_runs.TITLES[method], run.poems[name])
                for method, run in shown.items()
            ]
            + [("human, paired", humans["human_paired"][place])],
        }
        for name, place in chosen.items()
        if name in contents
    ]


def _thumbnail(content):
    upright = picture_files.make_upright(content, "photograph")
    return picture_files.spell_thumbnail(upright, 480)


if __name__ == "__main__":
    main(run_options.parse_config(Config))
