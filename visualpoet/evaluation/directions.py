"""Whether what the paper's tables say is found again."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from visualpoet.evaluation import intervals
from visualpoet.evaluation.comparison import Measured
from visualpoet.evaluation.comparison import Values
from visualpoet.evaluation.comparison import find_common_seeds
from visualpoet.evaluation.comparison import group_runs
from visualpoet.evaluation.method_runs import METHODS
from visualpoet.evaluation.method_runs import TITLES
from visualpoet.evaluation.overall import PAPER_COLUMNS
from visualpoet.evaluation.overall import overall

LEVEL = 0.05  # a difference with a larger p shows nothing
_BLEU = ("bleu_1", "bleu_2", "bleu_3")
_NOVELTY = ("novelty_2", "novelty_3")
# liu18, table 3: claim, method, measures, sign of the difference.
DIRECTIONS = (
    ("D_m raises BLEU over no discriminator", "with_dm", _BLEU, 1),
    (
        "D_m raises relevance over no discriminator",
        "with_dm",
        ("relevance",),
        1,
    ),
    ("D_m lowers novelty below no discriminator", "with_dm", _NOVELTY, -1),
    ("D_p raises novelty over no discriminator", "with_dp", _NOVELTY, 1),
    ("D_p lowers BLEU below no discriminator", "with_dp", _BLEU, -1),
    (
        "D_p lowers relevance below no discriminator",
        "with_dp",
        ("relevance",),
        -1,
    ),
)
BEST = "The full model has the best Overall"


def compare_directions(
    rows: Sequence[Mapping[str, Any]],
    tests: Sequence[Mapping[str, Any]],
    not_best: float | None = None,
) -> list[dict[str, Any]]:
    """Compares the directions of the paper's table 3 with those found.

    Args:
        rows: What `comparison.table_rows` returned.
        tests: What `comparison.paired_tests` returned.
        not_best: What `share_not_best` returned.

    Returns:
        Rows with `claim`, `verdict` and `numbers`: a dict each with `measure`,
        `before`, `after`, `held` (has the paper's sign) and `p`. The verdict
        is `held` if all numbers have the sign and p below 0.05, `partly held`
        if some do, `not held` if one is below it with the other sign,
        `not shown` if chance would do, or `not measured`.
    """
    columns = {row["name"]: row["columns"] for row in rows}
    found = {
        (test["row"], test["measure"]): test
        for test in tests
        if test["against"] == "no_discriminator"
    }
    claims: list[dict[str, Any]] = [
        {
            "claim": claim,
            "numbers": [
                _number(columns, method, measure, sign, found)
                for measure in measures
                if method in columns and "no_discriminator" in columns
            ],
        }
        for claim, method, measures, sign in DIRECTIONS
    ]
    claims.append({"claim": BEST, "numbers": _best_overall(columns, not_best)})
    return [
        {**claim, "verdict": _verdict(claim["numbers"])} for claim in claims
    ]


def _number(
    columns: Mapping[str, Any],
    method: str,
    measure: str,
    sign: int,
    tests: Mapping[tuple[str, str], Mapping[str, Any]],
) -> dict[str, Any]:
    """A measure before and after; by the seeds that both have, if tested."""
    before = columns["no_discriminator"][measure]["mean"]
    after = columns[method][measure]["mean"]
    test = tests.get((method, measure), {})
    return {
        "measure": measure,
        "before": before,
        "after": after,
        "held": sign * test.get("difference", after - before) > 0,
        "p": test.get("p"),
    }


def _verdict(numbers: Sequence[Mapping[str, Any]]) -> str:
    if not numbers:
        return "not measured"
    sure = [number["p"] is None or number["p"] < LEVEL for number in numbers]
    held = [n["held"] and is_sure for n, is_sure in zip(numbers, sure)]
    if any(held):
        return "held" if all(held) else "partly held"
    return "not held" if any(sure) else "not shown"


def _best_overall(
    columns: Mapping[str, Any], not_best: float | None
) -> list[dict[str, Any]]:
    """The full model beside the best of the others, if all are there."""
    if any("overall" not in columns.get(name, ()) for name in METHODS):
        return []
    scores = {name: columns[name]["overall"]["mean"] for name in METHODS}
    ours = scores.pop("i2p_gan")
    best = max(scores, key=scores.__getitem__)
    held = ours > scores[best]
    p = not_best if held or not_best is None else 1 - not_best
    return [
        {
            "measure": "overall",
            "before": scores[best],
            "after": ours,
            "held": held,
            "p": p,
            "other": TITLES[best],
        }
    ]


def share_not_best(
    measured: Sequence[Measured], values: Values, draws: int = 1000
) -> float | None:
    """Resamples the photographs, the same for all methods.

    Args:
        measured: Runs; human poems are passed over.
        values: How measures follow from sums of statistics.
        draws: Resamples.

    Returns:
        Share of them in which the full model has not the best Overall, of the
        seeds that all methods have; None if a method or such a seed is
        missing.
    """
    runs = group_runs(measured)
    if set(runs) != set(METHODS):
        return None
    seeds = find_common_seeds([list(found) for found in runs.values()])
    if not seeds:
        return None
    drawn = [
        [
            intervals.resample(
                np.stack([runs[name][seed][column] for seed in seeds]),
                values[column],
                draws,
            )
            for column in PAPER_COLUMNS
        ]
        for name in METHODS
    ]
    tables = np.moveaxis(np.array(drawn), 2, 0)  # [draws, methods, columns]
    scores = np.array([overall(table) for table in tables])
    ours = list(METHODS).index("i2p_gan")
    others = np.delete(scores, ours, axis=1)
    return float((scores[:, ours] <= others.max(axis=1)).mean())
