"""How sure a number is: resampling of photographs, for any ratio of sums.

A measure is a function of sums over photographs: a mean is a sum over a
count, corpus BLEU a function of summed counts, perplexity of summed log
probabilities and tokens. So one way to resample serves them all.
"""

from collections.abc import Callable

import numpy as np

Value = Callable[[np.ndarray], float]


def evaluate_rows(sums: np.ndarray, value: Value) -> np.ndarray:
    """Computes the measure of many rows of sums.

    Args:
        sums: float `[..., S]`.
        value: Maps float `[S]` to the measure.

    Returns:
        float `[...]`.
    """
    rows = sums.reshape(-1, sums.shape[-1])
    return np.array([value(row) for row in rows]).reshape(sums.shape[:-1])


def resample(
    statistics: np.ndarray, value: Value, draws: int = 1000, seed: int = 0
) -> np.ndarray:
    """Computes the mean over seeds on resamples of the photographs.

    Args:
        statistics: float `[seeds, N, S]`.
        value: Maps float `[S]`, sums over photographs, to the measure.
        draws: Resamples.
        seed: Of the draws: the same photographs for all that have it.

    Returns:
        float `[draws]`.
    """
    size = statistics.shape[1]
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(size, np.full(size, 1 / size), draws)
    sums = np.einsum("dn,kns->dks", counts, statistics, optimize=True)
    return evaluate_rows(sums, value).mean(axis=1)


def bootstrap_interval(
    statistics: np.ndarray,
    value: Value,
    draws: int = 1000,
    seed: int = 0,
    coverage: float = 0.95,
) -> tuple[float, float]:
    """Percentile bootstrap over photographs, of the mean over seeds.

    The same photographs are drawn for every seed of a method.

    Args:
        statistics: float `[seeds, N, S]`.
        value: Maps float `[S]`, sums over photographs, to the measure.
        draws: Resamples.
        seed: Of the draws.
        coverage: Of the interval.

    Returns:
        Its ends.
    """
    values = resample(statistics, value, draws, seed)
    tail = 50 * (1 - coverage)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def paired_p_value(
    first: np.ndarray,
    second: np.ndarray,
    value: Value,
    draws: int = 2000,
    seed: int = 0,
) -> float:
    """Two-sided paired permutation test: are two methods the same?

    If they are, what they wrote for a photograph may change places, all seeds
    together.

    Source: approximate randomisation, Noreen (1989); for BLEU Riezler and
    Maxwell (2005).

    Args:
        first: float `[seeds, N, S]`.
        second: float `[seeds, N, S]`, for the same photographs.
        value: Maps float `[S]`, sums over photographs, to the measure; the
            difference of its means over the seeds is tested.
        draws: Random exchanges.
        seed: Of the draws.

    Returns:
        p in (0, 1], at least `1 / (draws + 1)`.
    """
    sums = first.sum(axis=1), second.sum(axis=1)
    observed = np.diff([evaluate_rows(s, value).mean() for s in sums])
    rng = np.random.default_rng(seed)
    swap = rng.integers(0, 2, [draws, first.shape[1]])
    moved = np.einsum("dn,kns->dks", swap, second - first, optimize=True)
    means = [
        evaluate_rows(s, value).mean(axis=1)
        for s in (sums[0] + moved, sums[1] - moved)
    ]
    # Exchanges that only swap equal poems differ from it by rounding.
    extreme = np.abs(means[1] - means[0]) >= np.abs(observed) * (1 - 1e-9)
    return float((1 + extreme.sum()) / (draws + 1))
