import pytest

from visualpoet.evaluation import diversity


@pytest.mark.parametrize(
    "n, share",
    [
        (1, 2 / 6),  # a, rose
        (2, 2 / 4),  # a rose, rose a, a rose; a rose
        (3, 2 / 2),  # a rose a, rose a rose
        (5, 0.0),  # no run is that long
    ],
)
def test_distinct_n(n, share):
    # Case, punctuation and line ends do not matter.
    poems = ["A rose,\na rose.", "a Rose"]
    assert diversity.distinct_n(poems, n) == pytest.approx(share)


def test_distinct_n_does_not_read_across_poems():
    assert diversity.distinct_n(["salt wind", "salt wind"], 2) == 0.5
    assert diversity.distinct_n(["salt", "wind"], 2) == 0.0


def test_commonest_line_share():
    poems = [
        "The tide comes in\n\nthe tide comes in\nthe tide comes in",
        "A gull.\nThe tide comes in!",
        "A gull\n\nand nothing else",
        "\n\nSalt\n\n",
        "\u2014\na gull",
    ]
    # A line counts once a poem, and a line without words not at all.
    line, share = diversity.commonest_line_share(poems)
    assert line == "a gull"
    assert share == pytest.approx(3 / 5)
    assert diversity.commonest_line_share(["\n", ""]) == ("", 0.0)
