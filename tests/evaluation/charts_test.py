import numpy as np
import pytest

from visualpoet.evaluation import charts


@pytest.mark.parametrize(
    "low, high, expected",
    [
        (0, 100, [0, 25, 50, 75, 100]),
        (0.02, 0.99, [0, 0.25, 0.5, 0.75, 1.0]),
        (41, 79, [40, 50, 60, 70, 80]),
        (-3, 3, [-4, -2, 0, 2, 4]),
        (5, 5, [4, 6, 8, 10]),
        (0, 0, [0, 0.25, 0.5, 0.75, 1.0]),
    ],
)
def test_ticks(low, high, expected):
    assert charts.ticks(low, high) == expected


@pytest.mark.parametrize(
    "value, label",
    [(0.25, "0.25"), (3000.0, "3000"), (25000.0, "25k"), (12500, "12.5k")],
)
def test_number(value, label):
    assert charts.number(value) == label


def test_seeds_are_brought_to_the_same_steps():
    found = charts.over_seeds([[(0, 1.0), (10, 3.0)], [(5, 4.0), (20, 7.0)]])
    # From 5, where the second begins, to 10, where the first ends.
    np.testing.assert_allclose(found, [[5, 3.0, 2.0, 4.0], [10, 4.0, 3.0, 5.0]])


def test_seeds_without_a_common_step():
    assert len(charts.over_seeds([[(0, 1.0)], [(5, 1.0)]])) == 0


def test_panel_in_pixels():
    panel = charts.panel(
        "loss", {"with_dm": np.array([[0, 0, 0, 0], [100, 8, 8, 8]])}, level=4
    )
    left, right = charts.LEFT, charts.WIDTH - charts.RIGHT
    top, bottom = charts.TOP, charts.HEIGHT - charts.BOTTOM
    (line,) = panel.lines
    assert line.mean == f"{left}.0,{bottom}.0 {right}.0,{top}.0"
    assert line.band == ""
    assert line.last == 8.0
    assert panel.x_ticks[0] == (left, "0")
    assert panel.y_ticks[-1] == (top, "8")
    assert panel.level == (top + bottom) / 2


def test_band_goes_around_the_range():
    points = np.array([[0, 2.0, 0.0, 4.0], [1, 6.0, 4.0, 8.0]])
    panel = charts.panel("loss", {"a": points})
    (line,) = panel.lines
    points = [tuple(map(float, p.split(","))) for p in line.band.split(" ")]
    assert len(points) == 4
    heights = dict(zip("abcd", (y for _, y in points)))
    assert heights["a"] > heights["b"] == heights["d"] > heights["c"]


def test_no_panel_without_points():
    assert charts.panel("loss", {}) is None
    assert charts.panel("loss", {"a": np.zeros([0, 4])}) is None
