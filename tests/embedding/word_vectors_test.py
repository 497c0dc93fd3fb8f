import numpy as np
import pytest
import scipy.sparse

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


def test_information_of_two_words_by_hand():
    # Word 1 is near 0 and near 2, once each: frequencies 1, 2, 1, smoothed 1,
    # 2^0.75 = 1.6818, 1, which sum to 3.6818.
    counts = scipy.sparse.csr_matrix([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
    context = np.log(3.6818 / 1.6818)  # of 1 for 0: 1 / (1 * 1.6818 / 3.6818)
    word = np.log(3.6818 / 2)  # of 0 for 1: 1 / (2 * 1 / 3.6818)
    expected = [[0, context, 0], [word, 0, word], [0, context, 0]]
    information = word_vectors.positive_information(counts).toarray()
    np.testing.assert_allclose(information, expected, atol=1e-4)


def test_words_rarer_together_than_apart_have_no_information():
    # log(1 / (10 * 10^0.75 / (2 * 10^0.75))) = log(0.2)
    counts = scipy.sparse.csr_matrix([[9.0, 1.0], [1.0, 9.0]])
    information = word_vectors.positive_information(counts).toarray()
    assert information[0, 1] == information[1, 0] == 0.0


def test_words_have_unit_length():
    # UNKNOWN keeps 5 and 6 apart: four words, four dimensions.
    vectors = word_vectors.train_word_vectors(
        [[1, 4, 5, 3, 6, 7, 2]], 8, 4, window=1
    )
    np.testing.assert_allclose(
        vectors[4:] @ vectors[4:].T, np.eye(4), atol=1e-4
    )


def test_contexts_do_not_reach_into_the_next_poem():
    apart = word_vectors.train_word_vectors([[4, 5], [6, 7]], 8, 4, window=1)
    assert abs(apart[4] @ apart[6]) < 1e-4
    together = word_vectors.train_word_vectors([[4, 5, 6, 7]], 8, 4, window=1)
    assert together[4] @ together[6] > 0.1  # both stand next to 5


def test_window_bounds_the_context():
    # One word to each side: 4 and 6 both see 5 and nothing else. Two words:
    # they see each other too.
    near = word_vectors.train_word_vectors([[4, 5, 6]], 7, 3, window=1)
    wide = word_vectors.train_word_vectors([[4, 5, 6]], 7, 3, window=2)
    assert near[4] @ near[6] > 0.999
    assert wide[4] @ wide[6] < 0.95


def test_vectors_wider_than_the_vocabulary_are_refused():
    with pytest.raises(ValueError, match="Received: 13, for a .* of 12 tokens"):
        word_vectors.train_word_vectors(CORPUS, 12, 13)


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
