"""Train the reader head: what readers would grade a haiku for a photograph.

    python recipes/train_reader_head.py --grades grades.jsonl

A row is one of the candidates that evaluate.py writes, of photographs that
nothing is measured on, with `grade`, say 1 (broken) to 5 (to keep), and
`reader`, who gave it: {"photograph": "...", "poem": "...", "fit": 0.4,
"fluency": -2.1, "novelty": 0.0, "repetition": 0.0, "grade": 3, "reader": "a"}.
Whoever grades sees the photograph, or what people say of it, and some of its
candidates, and no scores; grades are compared within a photograph. A row
without `photograph` and `fit` was graded as a text alone, and is compared with
the others of its reader. A ridge regression on scores and states; the head is
the states' part. `weights` in results.json are what the scores then count for
beside a fit that counts 1.
"""

import dataclasses
import json
import pathlib

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
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
from visualpoet.generator.reader_head import SCORES
from visualpoet.generator.reader_head import ReaderHead
from visualpoet.generator.reader_head import average_states
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Train the reader head: what readers would grade a haiku."""

    base: pathlib.Path = option(
        pathlib.Path("savedmodels/visualpoet/10"),
        "version folder of the poet whose states are read",
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
    rows = row_files.read_json_lines(*config.grades)
    run.log(f"{len(rows)} grades")
    lessons = _compare(rows, _read_states(config, poet, rows))
    results = {
        "number": len(rows),
        "scores": _correlate(config, lessons, lessons.scores),
        "states": _correlate(config, lessons, lessons.states),
        "both": _correlate(config, lessons, lessons.both),
        "weights": _weigh_scores(config, lessons),
    }
    run.write_json("results.json", results)
    kernel = _fit_states(config, lessons, np.arange(len(rows)))
    head = ReaderHead(len(kernel))
    head.set_weights([kernel, -(kernel @ lessons.mean_state)])
    head.save(config.run_dir / HEAD_FILE)
    run.log(json.dumps(results, indent=1))


def _read_states(config, poet, rows):
    form = base.choose_form(poet.options, config.form)
    texts = [row["poem"] for row in rows]
    token_ids = datasets.frame_poems(poet.vocabulary, texts, MAX_TOKENS + 1)
    return average_states(
        poet.generator,
        poet.number_form(form),
        datasets.pad_token_ids(token_ids),
    )


@dataclasses.dataclass(frozen=True)
class _Lessons:
    """What is learnt from, as differences from what a reader compared it with.

    Attributes:
        names: Of the S scores.
        scores: float `[N, S]`.
        states: float `[N, H]`.
        grades: float `[N]`, in standard deviations of their reader.
        texts: `[N]`; no two folds share one.
        beside: bool `[N]`, whether the reader saw the photograph.
        mean_state: float `[H]`.
    """

    names: list[str]
    scores: np.ndarray
    states: np.ndarray
    grades: np.ndarray
    texts: np.ndarray
    beside: np.ndarray
    mean_state: np.ndarray

    @property
    def both(self):
        return np.concatenate([self.scores, self.states], axis=1)


def _compare(rows, states):
    table = pd.DataFrame(rows)
    names = [name for name in SCORES if name in table]
    photograph = table.get("photograph", pd.Series(index=table.index))
    groups = [table["reader"], photograph]

    def center(values):
        values = pd.DataFrame(values)
        means = values.groupby(groups, dropna=False).transform("mean")
        return (values - means).fillna(0.0).to_numpy()

    grades = pd.Series(center(table["grade"])[:, 0])
    spread = grades.groupby(table["reader"]).transform("std", ddof=0)
    return _Lessons(
        names,
        center(table[names]),
        center(states),
        (grades / spread.replace(0.0, 1.0)).to_numpy(),
        table["poem"].to_numpy(),
        photograph.notna().to_numpy(),
        states.mean(axis=0),
    )


def _make_model(config):
    return make_pipeline(StandardScaler(), Ridge(config.penalty))


def _split(config, lessons):
    folds = GroupKFold(config.num_folds)
    return folds.split(lessons.states, groups=lessons.texts)


def _correlate(config, lessons, columns):
    """How well grades of other texts are told."""
    found = cross_val_predict(
        _make_model(config),
        columns,
        lessons.grades,
        cv=_split(config, lessons),
    )
    return float(np.corrcoef(found, lessons.grades)[0, 1])


def _fit_states(config, lessons, chosen):
    """Of a regression on scores and states the states' weights."""
    both = lessons.both[chosen]
    scaler, ridge = _make_model(config).fit(both, lessons.grades[chosen])
    return (ridge.coef_ / scaler.scale_)[len(lessons.names) :]


def _weigh_scores(config, lessons):
    """What scores and merit count for beside the first score.

    Merit of heads that have not seen the text: its own they tell too well.
    """
    merit = np.zeros(len(lessons.grades))
    for learnt, others in _split(config, lessons):
        kernel = _fit_states(config, lessons, learnt)
        merit[others] = lessons.states[others] @ kernel
    columns = np.column_stack([lessons.scores, merit])
    chosen = lessons.beside if lessons.beside.any() else slice(None)
    model = LinearRegression().fit(columns[chosen], lessons.grades[chosen])
    weights = model.coef_ / model.coef_[0]
    return dict(zip([*lessons.names, "merit"], weights.tolist()))


if __name__ == "__main__":
    main(run_options.parse_config(Config))
