"""Candidates that were written once, to compare weights of the ranking on."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np


def read_scores(rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Collects the scores of candidates.

    Args:
        rows: Written poems as `WrittenPoem.to_dict` gives them, each with as
            many `candidates`.

    Returns:
        Name to float `[N, C]`: what candidates are ranked by, not the score.

    Raises:
        ValueError: If the numbers of candidates differ, or are below two.
    """
    numbers = {len(row["candidates"]) for row in rows}
    if len(numbers) != 1 or min(numbers) < 2:
        raise ValueError(
            "expected as many candidates for each photograph, two or more. "
            f"Received: {sorted(numbers)}"
        )
    return {
        name: np.array([[c[name] for c in row["candidates"]] for row in rows])
        for name in rows[0]["candidates"][0]
        if name not in ("poem", "score")
    }


def correlation_within(first: np.ndarray, second: np.ndarray) -> float:
    """Correlates two scores among the candidates of a photograph.

    What differs between photographs is taken off first: a ranking cannot use
    it.

    Args:
        first: float `[N, C]`.
        second: float `[N, C]`.

    Returns:
        Pearson's correlation; 0 if one of them never differs.
    """
    left, right = (
        (values - values.mean(axis=1, keepdims=True)).ravel()
        for values in (first, second)
    )
    norm = np.sqrt((left @ left) * (right @ right))
    return float(left @ right / norm) if norm else 0.0
