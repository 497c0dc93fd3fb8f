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
Runs = Mapping[int, Mapping[str, np.ndarray]]  # seed to measure to `[N, S]`


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
    """Overall of the paper's methods, of the means and of each seed.

    It depends on the methods, so only seeds that all have count.
    """
    methods = [row for row in rows if row["name"] in METHODS]
    if len(methods) < 2:
        return
    common = find_common_seeds([row["seeds"] for row in methods])
    tables = [_average_columns(methods, [seed]) for seed in common]
    means = overall(_average_columns(methods, common))
    per_seed = [overall(table).tolist() for table in tables] or [means.tolist()]
    for number, row in enumerate(methods):
        found = _summary([values[number] for values in per_seed])
        row["columns"]["overall"] = found | {"mean": float(means[number])}


def find_common_seeds(seeds: Sequence[Sequence[int]]) -> list[int]:
    """Finds the seeds that all have.

    Args:
        seeds: Those of each.

    Returns:
        They, sorted.
    """
    return sorted(set(seeds[0]).intersection(*seeds[1:]))


def _average_columns(
    methods: Sequence[Mapping[str, Any]], seeds: Sequence[int]
) -> list[list[float]]:
    """The paper's columns of each method, mean over seeds; of all if none."""
    table = []
    for row in methods:
        places = [row["seeds"].index(seed) for seed in seeds or row["seeds"]]
        table.append(
            [
                float(np.mean([row["columns"][c]["seeds"][p] for p in places]))
                for c in PAPER_COLUMNS
            ]
        )
    return table


def paired_tests(
    measured: Sequence[Measured], values: Values, draws: int = 2000
) -> list[dict[str, Any]]:
    """Tests every method against those of AGAINST, photograph by photograph.

    Args:
        measured: Runs; human poems are passed over.
        values: How measures follow from sums of statistics.
        draws: Random exchanges.

    Returns:
        Rows with `row`, `against`, `measure`, `difference` and `p`; of the
        seeds that both methods have.
    """
    runs = group_runs(measured)
    return [
        {"row": name, "against": against, "measure": measure}
        | _test(runs[name], runs[against], measure, values[measure], draws)
        for against in AGAINST
        for name in runs
        if name != against
        and against in runs
        and find_common_seeds([list(runs[name]), list(runs[against])])
        for measure in MEASURES
        if all(measure in one for one in runs[name].values())
    ]


def group_runs(measured: Sequence[Measured]) -> dict[str, Runs]:
    """Sorts runs by method and seed.

    Args:
        measured: Runs; human poems are passed over.

    Returns:
        Method, in the order of the table, to seed to statistics.
    """
    found = {
        name: {one.seed: one.statistics for one in measured if one.row == name}
        for name in METHODS
    }
    return {name: runs for name, runs in found.items() if runs}


def _test(
    first: Runs,
    second: Runs,
    measure: str,
    value: Callable[[np.ndarray], float],
    draws: int,
) -> dict[str, float]:
    seeds = find_common_seeds([list(first), list(second)])
    own_rows, others = (
        np.stack([runs[seed][measure] for seed in seeds])
        for runs in (first, second)
    )
    means = [
        intervals.evaluate_rows(rows.sum(axis=1), value).mean()
        for rows in (own_rows, others)
    ]
    return {
        "difference": float(means[0] - means[1]),
        "p": intervals.paired_p_value(own_rows, others, value, draws),
    }
