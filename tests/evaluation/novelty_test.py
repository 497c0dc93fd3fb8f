import numpy as np
import pytest

from visualpoet.evaluation.novelty import Novelty

# "the sea" three times, "sea is" twice, the others once.
TRAINING = ["The sea is\nthe sea,", "the sea is grey"]


@pytest.mark.parametrize(
    "frequent, reading, share",
    [
        # Of "the sea", "sea is", "is blue", "blue grey" in "The sea is blue
        # grey": two are known.
        (1, "known", 1 / 4),
        (1, "any", 3 / 4),
        (2, "known", 0.0),
        (2, "any", 2 / 4),
        (0, "known", 2 / 4),
        (0, "any", 1.0),
    ],
)
def test_bigrams_by_hand(frequent, reading, share):
    novelty = Novelty(TRAINING, 2, frequent)
    np.testing.assert_allclose(
        novelty.shares(["The sea is\nblue grey"], reading), [share]
    )


def test_trigrams_by_hand():
    # Training: "the sea is" twice, "sea is the", "is the sea", "sea is grey".
    novelty = Novelty(TRAINING, 3, frequent=1)
    poems = ["the sea is the sea", "sea is grey", "the sea"]
    np.testing.assert_allclose(
        novelty.shares(poems, "known"), [2 / 3, 1.0, 0.0]
    )


def test_n_grams_do_not_cross_training_poems():
    # "sea the" would come only from the end of one poem and the next.
    novelty = Novelty(TRAINING, 2, frequent=0)
    np.testing.assert_array_equal(novelty.shares(["sea the"], "known"), [0.0])


def test_of_equally_frequent_ones_the_first_in_the_alphabet_are_taken():
    novelty = Novelty(["b c", "a b"], 2, frequent=1)
    np.testing.assert_array_equal(
        novelty.shares(["a b", "b c"], "known"), [0.0, 1.0]
    )


def test_two_thousand_are_frequent_by_default():
    words = [chr(97 + i) + chr(97 + j) for i in range(26) for j in range(26)]
    pairs = [f"{a} {b}" for a in words[:50] for b in words[:50]]  # 2,500
    shares = Novelty(pairs, 2).shares(pairs, "known")
    assert shares.sum() == 500


def test_refuses_an_unknown_reading():
    with pytest.raises(ValueError, match="Received: both"):
        Novelty(TRAINING, 2).shares(["the sea"], "both")
