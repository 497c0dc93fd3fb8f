import pytest

from visualpoet.evaluation import pronunciation
from visualpoet.evaluation.form_shares import measure_form
from visualpoet.generator.patterns import Pattern


def hear(words):
    """A syllable for each a; what follows the last one rhymes."""
    return {word: list(word) for word in words}


def poem(text):
    return [line.split() for line in text.split("/")]


def test_shares_of_poems_lines_and_rhymes():
    poems = [
        poem("bat cat/sa sam/rat"),  # in form
        poem("bat cat/sa sam/ram"),  # does not rhyme
        poem("bat/sa sam/rat"),  # a syllable too few
        poem("bat cat/sa sam"),  # a line too few
    ]
    assert measure_form(poems, Pattern((2, 2, 1), "aba"), hear) == {
        "in_form": 0.25,
        "lines": 0.75,
        "syllables": pytest.approx(8 / 9),
        "rhymes": pytest.approx(2 / 3),
    }


def test_each_pair_of_three_rhymes_counts():
    measured = measure_form(
        [poem("bat/cat/sam")], Pattern((1, 1, 1), "aaa"), hear
    )
    assert measured["rhymes"] == pytest.approx(1 / 3)
    assert measured["in_form"] == 0


def test_a_line_without_words_rhymes_with_nothing():
    empty = [["sa"], [], ["sa"], []]
    measured = measure_form([empty], Pattern((1, 1, 1, 1), "abab"), hear)
    assert measured["rhymes"] == 0.5


def test_characters_are_syllables():
    poems = [[list("明月光"), list("疑是霜")], [list("明月"), list("疑是霜")]]
    assert measure_form(
        poems, Pattern((3, 3)), pronunciation.hear_characters
    ) == {"in_form": 0.5, "lines": 1.0, "syllables": 0.75}
