"""Grade drafts by a trained reader.

    python recipes/grade_drafts.py --drafts out/drafts/poems.jsonl

Of photographs that nothing is measured on: the reader is told what people say
of them. `train_reader_head.py` takes the grades; where the reader was the
reward they flatter what it rewards, and those of readers make the better head
(docs/results.md).
"""

import dataclasses
import json
import pathlib

from rich.progress import track

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import row_files
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.evaluation.reader import FILES
from visualpoet.evaluation.reader import describe
from visualpoet.evaluation.reader import load_reader
from visualpoet.generator.reader_head import SCORES
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Grade drafts by a trained reader."""

    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    drafts: tuple[pathlib.Path, ...] = option((), "poems.jsonl of evaluate.py")
    reader: pathlib.Path = option(
        pathlib.Path("out/reader"), "output of train_reader.py"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/graded_drafts"), "output")

    def __post_init__(self):
        if not self.drafts:
            raise ValueError("expected --drafts. Received: none")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    files = [config.reader / name for name in FILES]
    run = runs.RunDirectory(
        config.run_dir,
        config,
        [*corpus_files(config.corpus_dir), *config.drafts, *files],
    )
    photographs = load_corpus(config.corpus_dir).photographs
    trained = load_reader(config.reader)
    rows = row_files.read_json_lines(*config.drafts)
    with (run.path / "grades.jsonl").open("w") as stream:
        for row in track(rows, description="grading"):
            shown = describe(photographs[row["photograph"]])
            for graded in _grade(trained, shown, row):
                stream.write(json.dumps(graded) + "\n")
    run.log(f"graded the candidates of {len(rows)} photographs")


def _grade(trained, shown, row):
    candidates = row["candidates"]
    poems = [candidate["poem"] for candidate in candidates]
    grades = trained.grade([shown] * len(poems), poems)
    for candidate, grade in zip(candidates, grades.tolist()):
        yield {
            "photograph": row["photograph"],
            "poem": candidate["poem"],
            **{name: candidate[name] for name in SCORES},
            "grade": grade,
            "reader": "trained",
        }


if __name__ == "__main__":
    main(run_options.parse_config(Config))
