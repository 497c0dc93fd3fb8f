"""Which weights rank candidates well: measured on what was written once."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

SCORES = ("fit", "fluency", "clue_share", "paired", "poetic")


def read_scores(rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Collects the scores of candidates.

    Args:
        rows: Written poems as `WrittenPoem.to_dict` gives them, each with as
            many `candidates`.

    Returns:
        Those of `SCORES` that the candidates have, each float `[N, C]`.

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
        for name in SCORES
        if name in rows[0]["candidates"][0]
    }


def choose(
    scores: Mapping[str, np.ndarray], weights: Mapping[str, float]
) -> np.ndarray:
    """Chooses the best candidate of each photograph.

    Args:
        scores: Name to float `[N, C]`.
        weights: Name to weight; a score without one counts nothing.

    Returns:
        int `[N]`, the place of the candidate.
    """
    total = sum(weights[name] * scores[name] for name in weights)
    return np.argmax(total, axis=1)


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
