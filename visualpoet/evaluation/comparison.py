"""From the statistics of runs to rows of a table, tests and findings."""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from visualpoet.evaluation import intervals
from visualpoet.evaluation.columns import MEASURES
from visualpoet.evaluation.method_runs import METHODS
from visualpoet.evaluation.method_runs import TITLES
from visualpoet.evaluation.overall import PAPER_COLUMNS
from visualpoet.evaluation.overall import overall

AGAINST = ("no_discriminator", "i2p_gan")


@dataclasses.dataclass(frozen=True)
class Measured:
    """What was measured of one run, or of one set of human poems.

    Attributes:
        row: Name of its method.
        seed: Its seed; 0 for human poems.
        statistics: Measure to float `[N, S]`.
        together: Measure to its value, for those of all poems as a whole.
    """

    row: str
    seed: int
    statistics: Mapping[str, np.ndarray]
    together: Mapping[str, float]


Values = Mapping[str, Callable[[np.ndarray], float]]


def table_rows(
    measured: Sequence[Measured], values: Values, draws: int = 1000
) -> list[dict[str, Any]]:
    """Summarises runs, one row a method.

    Args:
        measured: Runs and human poems, seeds of a method together.
        values: How measures follow from sums of statistics.
        draws: Resamples of the intervals.

    Returns:
        Rows with `name`, `title`, `seeds` and `columns`: measure to `mean`
        over the seeds, `low` and `high` (range over the seeds), `seeds` (the
        value of each) and, where photographs can be resampled, `interval`.
    """
    rows = []
    for name in dict.fromkeys(one.row for one in measured):
        runs = [one for one in measured if one.row == name]
        columns = {}
        for measure in MEASURES:
            found = [_value(run, measure, values) for run in runs]
            per_seed = [value for value in found if value is not None]
            if len(per_seed) < len(runs):
                continue
            columns[measure] = _summary(per_seed)
            if measure in values:
                own_rows = np.stack([run.statistics[measure] for run in runs])
                columns[measure]["interval"] = intervals.bootstrap_interval(
                    own_rows, values[measure], draws
                )
        rows.append(
            {
                "name": name,
                "title": TITLES.get(name, name),
                "seeds": [run.seed for run in runs],
                "columns": columns,
            }
        )
    _add_overall(rows)
    return rows


def _value(run: Measured, measure: str, values: Values) -> float | None:
    if measure in run.together:
        return run.together[measure]
    if measure not in run.statistics:
        return None
    return float(values[measure](run.statistics[measure].sum(axis=0)))


def _summary(per_seed: Sequence[float]) -> dict[str, Any]:
    return {
        "mean": float(np.mean(per_seed)),
        "low": min(per_seed),
        "high": max(per_seed),
        "seeds": list(per_seed),
    }


def _add_overall(rows: Sequence[dict[str, Any]]) -> None:
    """Overall of the paper's methods, of the means and of each seed."""
    methods = [row for row in rows if row["name"] in METHODS]
    if len(methods) < 2:
        return
    means = overall(
        [[r["columns"][c]["mean"] for c in PAPER_COLUMNS] for r in methods]
    )
    per_seed: dict[str, list[float]] = {row["name"]: [] for row in methods}
    for seed in sorted({seed for row in methods for seed in row["seeds"]}):
        # Overall depends on the methods, so only seeds that all have count.
        if all(seed in row["seeds"] for row in methods):
            places = [row["seeds"].index(seed) for row in methods]
            table = [
                [row["columns"][c]["seeds"][place] for c in PAPER_COLUMNS]
                for row, place in zip(methods, places)
            ]
            for row, value in zip(methods, overall(table)):
                per_seed[row["name"]].append(float(value))
    for row, mean in zip(methods, means):
        found = per_seed[row["name"]] or [float(mean)]
        row["columns"]["overall"] = _summary(found) | {"mean": float(mean)}


def paired_tests(
    measured: Sequence[Measured], values: Values, draws: int = 2000
) -> list[dict[str, Any]]:
    """Tests every method against those of AGAINST, photograph by photograph.

    Args:
        measured: Runs; human poems are passed over.
        values: How measures follow from sums of statistics.
        draws: Random exchanges.

    Returns:
        Rows with `row`, `against`, `measure`, `difference` and `p`; of as
        many seeds as both methods have.
    """
    names = [n for n in METHODS if any(one.row == n for one in measured)]
    seeds = {
        name: [one.statistics for one in measured if one.row == name]
        for name in names
    }
    return [
        {"row": name, "against": against, "measure": measure}
        | _test(seeds[name], seeds[against], measure, values[measure], draws)
        for against in AGAINST
        for name in names
        if name != against and against in names
        for measure in MEASURES
        if measure in seeds[name][0]
    ]


def _test(
    first: Sequence[Mapping[str, np.ndarray]],
    second: Sequence[Mapping[str, np.ndarray]],
    measure: str,
    value: Callable[[np.ndarray], float],
    draws: int,
) -> dict[str, float]:
    count = min(len(first), len(second))
    own_rows, others = (
        np.stack([seed[measure] for seed in seeds[:count]])
        for seeds in (first, second)
    )
    means = [
        intervals.evaluate_rows(rows.sum(axis=1), value).mean()
        for rows in (own_rows, others)
    ]
    return {
        "difference": float(means[0] - means[1]),
        "p": intervals.paired_p_value(own_rows, others, value, draws),
    }


# --- what the paper's tables say

DIRECTIONS = (
    (
        "D_m raises BLEU over no discriminator",
        "with_dm",
        ("bleu_1", "bleu_2", "bleu_3"),
        1,
    ),
    (
        "D_m raises relevance over no discriminator",
        "with_dm",
        ("relevance",),
        1,
    ),
    (
        "D_m lowers novelty below no discriminator",
        "with_dm",
        ("novelty_2", "novelty_3"),
        -1,
    ),
    (
        "D_p raises novelty over no discriminator",
        "with_dp",
        ("novelty_2", "novelty_3"),
        1,
    ),
    (
        "D_p lowers BLEU below no discriminator",
        "with_dp",
        ("bleu_1", "bleu_2", "bleu_3"),
        -1,
    ),
    (
        "D_p lowers relevance below no discriminator",
        "with_dp",
        ("relevance",),
        -1,
    ),
)
BEST = "The full model has the best Overall"


def directions(
    rows: Sequence[Mapping[str, Any]], tests: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Compares the directions of the paper's table 3 with those found.

    Args:
        rows: What `table_rows` returned.
        tests: What `paired_tests` returned.

    Returns:
        Rows with `claim`, `verdict` (`held`, `partly held`, `not held`, or
        `not measured`) and `numbers`: a dict each with `measure`, `before`,
        `after`, `held` and `p`.
    """
    columns = {row["name"]: row["columns"] for row in rows}
    p_values = {
        (test["row"], test["measure"]): test["p"]
        for test in tests
        if test["against"] == "no_discriminator"
    }
    found = []
    for claim, method, measures, sign in DIRECTIONS:
        numbers = []
        if method in columns and "no_discriminator" in columns:
            for measure in measures:
                before = columns["no_discriminator"][measure]["mean"]
                after = columns[method][measure]["mean"]
                numbers.append(
                    {
                        "measure": measure,
                        "before": before,
                        "after": after,
                        "held": sign * (after - before) > 0,
                        "p": p_values.get((method, measure)),
                    }
                )
        found.append(
            {"claim": claim, "verdict": _verdict(numbers), "numbers": numbers}
        )
    return [*found, _best_overall(columns)]


def _verdict(numbers: Sequence[Mapping[str, Any]]) -> str:
    held = [number["held"] for number in numbers]
    if not held:
        return "not measured"
    if all(held):
        return "held"
    return "partly held" if any(held) else "not held"


def _best_overall(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The full model beside the best of the others."""
    scores = {
        name: own_rows["overall"]["mean"]
        for name, own_rows in columns.items()
        if "overall" in own_rows
    }
    numbers = []
    ours = scores.pop("i2p_gan", None)
    if ours is not None and scores:
        best = max(scores, key=scores.__getitem__)
        numbers.append(
            {
                "measure": "overall",
                "before": scores[best],
                "after": ours,
                "held": ours > scores[best],
                "p": None,
                "other": TITLES[best],
            }
        )
    return {"claim": BEST, "verdict": _verdict(numbers), "numbers": numbers}
