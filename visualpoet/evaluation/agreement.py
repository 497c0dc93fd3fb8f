"""Krippendorff's alpha: do the raters agree more than by chance?"""

import math
from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np

LEVELS = ("interval", "nominal")


def krippendorff_alpha(
    units: Iterable[Sequence[float]], level: str = "interval"
) -> float:
    """Agreement of any number of raters, some of whom may have left out units.

    `1 - D_o / D_e`: mean difference within units over mean difference between
    any two values; the difference is squared at level `interval`, and 0 or 1
    at level `nominal`.

    Source: Krippendorff (2011), Computing Krippendorff's alpha-reliability.

    Args:
        units: The ratings of each thing that was rated, in any order. Those
            of fewer than two raters count nothing.
        level: One of LEVELS.

    Returns:
        1 for full agreement, 0 for what chance gives; NaN where nothing was
        rated twice or all ratings are the same.

    Raises:
        ValueError: If the level is unknown.
    """
    if level not in LEVELS:
        raise ValueError(f"expected a level of {LEVELS}. Received: {level}")
    differ = _squared if level == "interval" else _unequal
    rated = [np.array(unit, float) for unit in units if len(unit) > 1]
    values = np.concatenate(rated) if rated else np.zeros(0)
    if len(values) < 2:
        return math.nan
    # Over ordered pairs; the diagonal adds nothing.
    observed = sum(differ(unit).sum() / (len(unit) - 1) for unit in rated)
    expected = differ(values).sum() / (len(values) - 1)
    return float(1 - observed / expected) if expected else math.nan


def _squared(values: np.ndarray) -> np.ndarray:
    return (values[:, None] - values) ** 2


def _unequal(values: np.ndarray) -> np.ndarray:
    return (values[:, None] != values).astype(float)
