import pytest

from visualpoet.evaluation.memorisation import CopiedRuns
from visualpoet.evaluation.wording import measure_wording


def test_copies_variety_and_length():
    training = ["the sea is grey and all the gulls are gone", "a red rose"]
    poems = [
        "The sea is grey,\nand all the gulls are gone",  # ten copied words
        "A red rose\nis new",  # three, as those that follow
        "A red rose\nand blue",
        "A red rose\nis new",
    ]
    found = measure_wording(poems, CopiedRuns(training))
    assert found["copied_run"] == {
        "median": 3.0,
        "95th percentile": pytest.approx(3 + 0.85 * 7),
        "share of 8 words or more": 0.25,
    }
    # Of 9, 4, 4 and 4 bigrams, 9, 4, 2 and 0 are new.
    assert found["distinct_2"] == 15 / 21
    assert found["commonest_line"] == {"line": "a red rose", "share": 0.75}
    assert found["different_poems"] == 0.75
    assert found["lines"] == 2.0
