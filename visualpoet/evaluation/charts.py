"""Lines on a small grid, as numbers that a template draws as SVG."""

import dataclasses
import math
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

Points = Sequence[tuple[float, float]]
WIDTH, HEIGHT = 340, 210
LEFT, RIGHT, TOP, BOTTOM = 52, 20, 10, 28


@dataclasses.dataclass(frozen=True)
class Line:
    """One method in a panel, in pixels.

    Attributes:
        name: Of the method.
        mean: Points of the mean over seeds, as SVG writes them.
        band: Points around the range over seeds; empty for one seed.
        dots: Mean, lowest and highest seed at each place: x, y, low, high.
        last: Value at the end.
    """

    name: str
    mean: str
    band: str
    dots: tuple[tuple[float, float, float, float], ...]
    last: float


@dataclasses.dataclass(frozen=True)
class Panel:
    """One quantity, of all methods that have it.

    Attributes:
        title: Its name.
        lines: The methods.
        x_ticks: Pixel and label.
        y_ticks: Pixel and label.
        level: Pixel of a line to compare with, if any.
    """

    title: str
    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    level: float | None = None


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Chooses round numbers that cover a range.

    Args:
        low: Least value.
        high: Greatest value.
        count: About how many steps.

    Returns:
        Round numbers, the first at most `low`, the last at least `high`.
    """
    if high <= low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / count
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * index, 12) for index in range(first, last + 1)]


def number(value: float) -> str:
    """Writes a number of an axis.

    Args:
        value: The number.

    Returns:
        Its label, in thousands from 10,000 on.
    """
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def over_seeds(curves: Sequence[Points]) -> np.ndarray:
    """Brings the curves of several seeds to the same steps.

    Args:
        curves: Points of each seed, steps rising; at least one point each.

    Returns:
        float `[P, 4]`: step, mean, lowest, highest; steps that not all seeds
        reached are left out.
    """
    arrays = [np.array(curve, float) for curve in curves]
    first = max(array[0, 0] for array in arrays)
    last = min(array[-1, 0] for array in arrays)
    steps = np.unique(np.concatenate([array[:, 0] for array in arrays]))
    steps = steps[(steps >= first) & (steps <= last)]
    if not len(steps):
        return np.zeros([0, 4])
    values = np.stack([np.interp(steps, *array.T) for array in arrays])
    return np.stack(
        [steps, values.mean(axis=0), values.min(axis=0), values.max(axis=0)], 1
    )


def panel(
    title: str,
    lines: Mapping[str, np.ndarray],
    level: float | None = None,
) -> Panel | None:
    """Lays out one quantity.

    Args:
        title: Its name.
        lines: Method to float `[P, 4]`, as `over_seeds` returns.
        level: A value to compare with.

    Returns:
        The panel; None if no method has a point.
    """
    joined = {name: points for name, points in lines.items() if len(points)}
    if not joined:
        return None
    every = np.concatenate(list(joined.values()))
    values = [every[:, 2].min(), every[:, 3].max()]
    values += [] if level is None else [level]
    x_ticks = ticks(every[:, 0].min(), every[:, 0].max())
    y_ticks = ticks(min(values), max(values))

    def x(value: float) -> float:
        share = (value - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])
        return round(float(LEFT + share * (WIDTH - LEFT - RIGHT)), 1)

    def y(value: float) -> float:
        share = (value - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return round(
            float(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)), 1
        )

    return Panel(
        title,
        tuple(
            _line(name, joined_points, x, y)
            for name, joined_points in joined.items()
        ),
        tuple((x(value), number(value)) for value in x_ticks),
        tuple((y(value), number(value)) for value in y_ticks),
        None if level is None else y(level),
    )


def _line(
    name: str,
    points: np.ndarray,
    x: Callable[[float], float],
    y: Callable[[float], float],
) -> Line:
    dots = [(x(a), y(b), y(c), y(d)) for a, b, c, d in points]
    around = [(a, c) for a, _, c, _ in dots] + [
        (a, d) for a, *_, d in dots[::-1]
    ]
    spread = (points[:, 3] > points[:, 2]).any()
    return Line(
        name,
        " ".join(f"{a},{b}" for a, b, *_ in dots),
        " ".join(f"{a},{b}" for a, b in around) if spread else "",
        tuple(dots),
        float(points[-1, 1]),
    )
