import numpy as np
import pytest

from recipes import reader_reward

POEMS = ["a dog\nbarks", "a dog\nsleeps", "A Dog\nbarks"]


class Strict:
    """Grades a haiku by what is shown beside it."""

    def grade(self, shown, poems):
        return np.array([float(text) for text in shown])


@pytest.fixture(autouse=True)
def told(monkeypatch):
    shown = {"boat": "1.5", "shore": "-0.2", "gull": "-0.2"}
    monkeypatch.setattr(
        reader_reward, "_load", lambda *folders: (Strict(), shown, {})
    )


def test_alone_the_grade_of_its_photograph_counts():
    (low,) = reader_reward.is_kept(POEMS[:1], ["shore"])
    assert low == pytest.approx(0.5)  # the middle
    (high,) = reader_reward.is_kept(POEMS[:1], ["boat"])
    assert high == pytest.approx(1 / (1 + np.exp(-1.2 * 1.7)))


def test_what_other_poems_have_counts_less():
    # "a dog" of two lines; (a, dog) and (dog, /) of three pairs.
    rewards = reader_reward.is_kept(POEMS[:2], ["shore", "gull"])
    lost = 1.2 * (1 / 2 + 2 / 3)
    np.testing.assert_allclose(rewards, 1 / (1 + np.exp(lost)))


def test_lines_and_pairs_are_shared_in_any_case():
    np.testing.assert_allclose(reader_reward.share_lines(POEMS), [1, 0.5, 1])
    np.testing.assert_allclose(reader_reward.share_pairs(POEMS), [1, 2 / 3, 1])


def test_a_word_has_no_pairs_of_its_own():
    np.testing.assert_allclose(reader_reward.share_pairs(["rain"]), [1.0])
    np.testing.assert_allclose(reader_reward.share_lines(["rain"]), [0.0])


def test_stock_words_are_those_that_people_write_seldom():
    poems = ["a shadow\non snow", "a dog's shadow", "a shadow\na shadow", "A"]
    shown = ["snow", "a dog", "her shadow", ""]
    # "a" stands in four, where two and half of four times four may.
    found = reader_reward.count_stock(poems, shown, {"a": 0.125})
    np.testing.assert_allclose(found, [1, 1, 0, 0])
    found = reader_reward.count_stock(poems, shown, {"shadow": 0.0625})
    np.testing.assert_allclose(found, [1, 0, 1, 1])


def test_a_stock_word_costs_half_a_grade():
    poems = ["sun", "a sun", "the sun", "moon"]
    rewards = reader_reward.is_kept(poems, ["shore"] * 4)
    # A word alone has no pairs of its own.
    lost = 1.2 * np.array([1 + 0.5, 0.5, 0.5, 1])
    np.testing.assert_allclose(rewards, 1 / (1 + np.exp(lost)))
