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
        reader_reward, "_load", lambda *folders: (Strict(), shown)
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
