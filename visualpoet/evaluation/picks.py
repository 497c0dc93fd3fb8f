"""Weights of the ranking, from which candidates readers keep."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

BEST, SECOND, OTHER, BROKEN = 3, 2, 1, 0


def read_levels(answer: Mapping[str, Any], num_candidates: int) -> np.ndarray:
    """Reads what a reader says of the candidates for a photograph.

    Args:
        answer: `best` and `second`, numbers from 1 on, and `broken`, a list of
            them; the best one is never broken.
        num_candidates: How many there were.

    Returns:
        int `[C]`: `BEST`, `SECOND`, `OTHER` or `BROKEN`.

    Raises:
        ValueError: If a number is none of a candidate.
    """
    numbers = [*answer.get("broken", []), answer["second"], answer["best"]]
    if not all(1 <= number <= num_candidates for number in numbers):
        raise ValueError(
            f"expected numbers from 1 to {num_candidates}. Received: {answer}"
        )
    levels = np.full(num_candidates, OTHER)
    levels[np.array(answer.get("broken", []), int) - 1] = BROKEN
    levels[answer["second"] - 1] = SECOND
    levels[answer["best"] - 1] = BEST
    return levels


def fit_weights(scores: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Fits weights by which what is preferred scores more.

    A logistic regression on the differences of scores of all two candidates
    for a photograph of which one is preferred.

    Args:
        scores: float `[N, C, F]`, of candidates.
        levels: int `[N, C]`, as of `read_levels`.

    Returns:
        float `[F]`.
    """
    better = levels[:, :, None] > levels[:, None, :]
    differences = (scores[:, :, None] - scores[:, None])[better]
    scale = np.maximum(differences.std(axis=0), 1e-9)
    both = np.concatenate([differences, -differences]) / scale
    is_better = np.repeat([1, 0], len(differences))
    model = LogisticRegression(fit_intercept=False).fit(both, is_better)
    return model.coef_[0] / scale


def judge(
    scores: np.ndarray, levels: np.ndarray, weights: np.ndarray
) -> dict[str, float]:
    """Measures how well a ranking agrees with a reader.

    Args:
        scores: float `[N, C, F]`.
        levels: int `[N, C]`.
        weights: float `[F]`, or `[N, F]`.

    Returns:
        Shares of photographs for which the first candidate is the `best`, and
        for which it is `broken`.
    """
    ranked = np.einsum(
        "ncf,nf->nc",
        scores,
        np.broadcast_to(weights, (len(scores), scores.shape[2])),
    )
    first = np.take_along_axis(levels, ranked.argmax(1)[:, None], 1)[:, 0]
    return {
        "best": float(np.mean(first == BEST)),
        "broken": float(np.mean(first == BROKEN)),
    }


def cross_validate(
    scores: np.ndarray,
    levels: np.ndarray,
    photographs: Sequence[Any],
    num_folds: int = 5,
) -> dict[str, float]:
    """Judges weights that were fitted to other photographs.

    Args:
        scores: float `[N, C, F]`.
        levels: int `[N, C]`.
        photographs: Which photograph each row is of; one may have several
            readers.
        num_folds: Parts of the photographs.

    Returns:
        As `judge`.
    """
    _, numbers = np.unique(np.asarray(photographs), return_inverse=True)
    fold = numbers % num_folds
    weights = np.zeros((len(scores), scores.shape[2]))
    for number in np.unique(fold):
        others = fold != number
        weights[~others] = fit_weights(scores[others], levels[others])
    return judge(scores, levels, weights)
