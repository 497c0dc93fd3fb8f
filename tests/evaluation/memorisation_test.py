import numpy as np
import pytest

from visualpoet.evaluation.memorisation import CopiedRuns

TRAINING = [
    "The heron waits.\nGrey water holds its breath.",
    "A lamp, a moth, a door.",
]


def longest(text, **options):
    return int(CopiedRuns(TRAINING).longest([text], **options)[0])


@pytest.mark.parametrize(
    "text, expected",
    [
        ("the heron waits", 3),
        # The longest of several runs.
        ("a moth, the heron waits, a door", 3),
        # In the middle of a training poem, and of the text.
        ("slow grey water holds on", 3),
        # Words that are known, but in another order.
        ("waits heron the", 1),
        ("breath its holds water grey", 1),
        # No word is known.
        ("under snow", 0),
        ("", 0),
    ],
)
def test_longest_run(text, expected):
    assert longest(text) == expected


def test_runs_go_across_line_ends():
    assert longest("heron\nwaits grey\nwater") == 4
    assert longest("the heron waits grey water holds its breath") == 8


def test_runs_do_not_go_across_poems():
    # "its breath" ends the first training poem, "a lamp" begins the second.
    assert longest("its breath a lamp") == 2
    found = CopiedRuns(TRAINING).longest(["the heron", "waits grey"])
    np.testing.assert_array_equal(found, [2, 2])


def test_case_and_punctuation_do_not_matter():
    assert longest("THE HERON; waits \u2014 (grey!)") == 4


def test_an_unknown_word_breaks_a_run():
    assert longest("the heron quietly waits grey water") == 3
    assert longest("the heron quietly waits") == 2


def test_each_text_on_its_own():
    found = CopiedRuns(TRAINING).longest(
        ["a lamp a moth", "no lamp", "grey water holds its breath", "under"]
    )
    np.testing.assert_array_equal(found, [4, 1, 5, 0])


def test_nothing_longer_than_most_is_looked_for():
    assert longest("grey water holds its breath", most=3) == 3


def test_no_training_poems_no_runs():
    np.testing.assert_array_equal(
        CopiedRuns([]).longest(["a lamp", ""]), [0, 0]
    )
