"""Train the reader head: what readers would grade a text.

    python recipes/train_reader_head.py --grades grades.jsonl

A row is one of the candidates that evaluate.py writes, of photographs that
nothing is measured on, with `grade`, say 1 (broken) to 5 (to keep), and
`reader`, who gave it: {"poem": "...", "fluency": -2.1, "novelty": 0.0,
"repetition": 0.0, "grade": 3, "reader": "a"}. Whoever grades sees the text
alone, and nothing of the scores. A ridge regression on scores and states; the
head is the states' part.
"""

import dataclasses
import json
import pathlib

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import datasets
from visualpoet.corpus import row_files
from visualpoet.finetuning import base
from visualpoet.generator.drafts import MAX_TOKENS
from visualpoet.generator.reader_head import HEAD_FILE
from visualpoet.generator.reader_head import ReaderHead
from visualpoet.generator.reader_head import average_states
from visualpoet.run_options import option

SCORES = ("fluency", "novelty", "repetition")


@dataclasses.dataclass(frozen=True)
class Config:
    """Train the reader head: what readers would grade a text."""

    base: pathlib.Path = option(
        pathlib.Path("savedmodels/visualpoet/7"),
        "version folder of the poet that wrote the texts",
    )
    grades: tuple[pathlib.Path, ...] = option((), "files of graded candidates")
    form: str = option("", "of the texts; the default one of --base if empty")
    penalty: float = option(3000.0, "on the squares of the weights")
    num_folds: int = option(5, "of the cross-validation")
    run_dir: pathlib.Path = option(pathlib.Path("out/reader_head"), "output")
    resume: bool = option(False, "go on with the run in --run-dir")

    def __post_init__(self):
        if not self.grades:
            raise ValueError("expected --grades. Received: none")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    inputs = [*base.list_files(config.base), *config.grades]
    run = runs.RunDirectory(config.run_dir, config, inputs)
    poet = base.read_poet(config.base)
    rows = [
        row for path in config.grades for row in row_files.read_json_lines(path)
    ]
    run.log(f"{len(rows)} grades")
    texts = [row["poem"] for row in rows]
    form = base.choose_form(poet.options, config.form)
    token_ids = datasets.frame_poems(poet.vocabulary, texts, MAX_TOKENS + 1)
    states = average_states(
        poet.generator,
        poet.number_form(form),
        datasets.pad_token_ids(token_ids),
    )
    names = [name for name in SCORES if name in rows[0]]
    scores = np.array([[row[name] for name in names] for row in rows])
    features = {
        "scores": scores,
        "states": states,
        "both": np.concatenate([scores, states], axis=1),
    }
    grades = _standardize(rows)
    results = {"number": len(grades)} | {
        name: _correlate(config, texts, columns, grades)
        for name, columns in features.items()
    }
    run.write_json("results.json", results)
    head = _fit(config, features["both"], states, grades)
    head.save(config.run_dir / HEAD_FILE)
    run.log(json.dumps(results, indent=1))


def _standardize(rows):
    """Grades in standard deviations above the mean of their reader."""
    grades = np.array([row["grade"] for row in rows], float)
    readers = np.array([str(row["reader"]) for row in rows])
    for reader in np.unique(readers):
        mine = grades[readers == reader]
        grades[readers == reader] = (mine - mine.mean()) / (mine.std() or 1.0)
    return grades


def _make_model(config):
    return make_pipeline(StandardScaler(), Ridge(config.penalty))


def _correlate(config, texts, features, grades):
    """How well grades of other texts are told."""
    found = cross_val_predict(
        _make_model(config),
        features,
        grades,
        groups=texts,
        cv=GroupKFold(config.num_folds),
    )
    return float(np.corrcoef(found, grades)[0, 1])


def _fit(config, both, states, grades):
    """The head: of a regression on scores and states, the states' part."""
    scaler, ridge = _make_model(config).fit(both, grades)
    kernel = (ridge.coef_ / scaler.scale_)[-states.shape[1] :]
    head = ReaderHead(states.shape[1])
    head.set_weights([kernel, -(kernel @ states.mean(axis=0))])
    return head


if __name__ == "__main__":
    main(run_options.parse_config(Config))
