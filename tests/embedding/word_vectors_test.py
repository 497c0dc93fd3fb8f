import numpy as np
import pytest

from visualpoet.embedding import word_vectors

# 4 and 5 stand between 6 and 7; 8 and 9 stand between 10 and 11.
CORPUS = [
    [1, 6, 4, 7, 2],
    [1, 6, 5, 7, 2],
    [1, 10, 8, 11, 2],
    [1, 10, 9, 11, 2],
]


def test_words_in_like_contexts_are_near():
    vectors = word_vectors.train_word_vectors(CORPUS, 12, 4)
    assert vectors.shape == (12, 4)
    assert vectors.dtype == np.float32
    cosines = vectors @ vectors.T
    assert cosines[4, 5] == pytest.approx(1.0, abs=1e-4)
    assert cosines[8, 9] == pytest.approx(1.0, abs=1e-4)
    assert np.abs(cosines[np.ix_([4, 5], [8, 9])]).max() < 0.1


def test_words_have_unit_length_and_special_tokens_none():
    vectors = word_vectors.train_word_vectors(CORPUS, 13, 4)
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths[4:12], np.ones(8), atol=1e-4)
    # Specials, and id 12, which occurs nowhere.
    np.testing.assert_allclose(lengths[[0, 1, 2, 3, 12]], 0.0, atol=1e-6)


def test_contexts_do_not_reach_into_the_next_poem():
    apart = word_vectors.train_word_vectors([[4, 5], [6, 7]], 8, 4)
    assert abs(apart[4] @ apart[6]) < 1e-4
    together = word_vectors.train_word_vectors([[4, 5, 6, 7]], 8, 4, window=1)
    assert together[4] @ together[6] > 0.3  # both stand next to 5


def test_window_bounds_the_context():
    # 4 and 6 have 5 in common only if two words to each side are read.
    corpus = [[4, 9, 5], [5, 10, 6]]
    near = word_vectors.train_word_vectors(corpus, 11, 5, window=1)
    wide = word_vectors.train_word_vectors(corpus, 11, 5, window=2)
    assert abs(near[4] @ near[6]) < 1e-4
    assert wide[4] @ wide[6] > 0.1


def test_same_seed_same_vectors():
    first = word_vectors.train_word_vectors(CORPUS, 12, 3, seed=7)
    second = word_vectors.train_word_vectors(CORPUS, 12, 3, seed=7)
    np.testing.assert_array_equal(first, second)


def test_frequent_words_weigh_little():
    # Of 8 tokens: START and END 2 each, word 4 three times, word 5 once.
    weights = word_vectors.smooth_inverse_frequency(
        [[1, 4, 4, 2], [1, 5, 4, 2]], 7
    )
    expected = [1, 1 / 251, 1 / 251, 1, 1 / 376, 1 / 126, 1]
    np.testing.assert_allclose(weights, expected, rtol=1e-5)
    assert weights.dtype == np.float32
