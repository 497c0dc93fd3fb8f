"""Word vectors from the corpus alone, where the poem tower starts."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse
from sklearn.utils.extmath import randomized_svd

from visualpoet.corpus.vocabulary import UNKNOWN


def _cooccurrences(
    token_ids: Sequence[Sequence[int]], vocabulary_size: int, window: int
) -> scipy.sparse.csr_matrix:
    gap = [0] * window
    stream = np.concatenate([[*ids, *gap] for ids in token_ids]).astype(int)
    shape = (vocabulary_size, vocabulary_size)
    counts = scipy.sparse.csr_matrix(shape, dtype=np.float32)
    for distance in range(1, window + 1):
        left, right = stream[:-distance], stream[distance:]
        keep = (left > UNKNOWN) & (right > UNKNOWN)
        weights = np.full(keep.sum(), 1.0 / distance, np.float32)
        counts += scipy.sparse.coo_matrix(
            (weights, (left[keep], right[keep])), shape
        ).tocsr()
    return counts + counts.T


def positive_information(
    counts: scipy.sparse.csr_matrix,
) -> scipy.sparse.csr_matrix:
    """Pointwise mutual information of near words, nothing below 0.

    `max(0, log(p(a, b) / (p(a) p(b)^0.75)))`

    Args:
        counts: float `[V, V]`, how often words are near one another.

    Returns:
        float `[V, V]`.
    """
    counts = counts.tocoo()
    frequency = np.asarray(counts.sum(axis=1)).ravel() + 1e-9
    smooth = frequency**0.75
    expected = frequency[counts.row] * smooth[counts.col] / smooth.sum()
    information = np.maximum(np.log(counts.data / expected), 0.0)
    return scipy.sparse.csr_matrix(
        (information, (counts.row, counts.col)), counts.shape
    )


def train_word_vectors(
    token_ids: Sequence[Sequence[int]],
    vocabulary_size: int,
    dim: int,
    window: int = 5,
    seed: int = 0,
) -> np.ndarray:
    """Factors the positive pointwise mutual information of near words.

    `positive_information`, then a truncated SVD.

    Source: Levy, Goldberg and Dagan (2015), improving distributional
    similarity with lessons learned from word embeddings.

    Args:
        token_ids: The corpus.
        vocabulary_size: Tokens.
        dim: Width of the vectors.
        window: Words to each side; a word at distance d counts 1 / d.
        seed: Of the randomised SVD.

    Returns:
        float32 `[vocabulary_size, dim]`, rows of about unit length.

    Raises:
        ValueError: If the vectors would be wider than there are tokens.
    """
    if dim > vocabulary_size:
        raise ValueError(
            "expected word vectors no wider than the number of tokens. "
            f"Received: {dim}, for a vocabulary of {vocabulary_size} tokens; "
            "take narrower ones or more texts"
        )
    counts = _cooccurrences(token_ids, vocabulary_size, window)
    matrix = positive_information(counts)
    left, values, _ = randomized_svd(matrix, dim, random_state=seed)
    vectors = left * np.sqrt(values)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-6)).astype(np.float32)


def smooth_inverse_frequency(
    token_ids: Sequence[Sequence[int]], vocabulary_size: int
) -> np.ndarray:
    """Weighs words so that frequent ones count little.

    `a / (a + p(word))` with a = 0.001.

    Source: Arora, Liang and Ma (2017), a simple but tough-to-beat baseline
    for sentence embeddings.

    Args:
        token_ids: The corpus.
        vocabulary_size: Tokens.

    Returns:
        float32 `[vocabulary_size]` in (0, 1].
    """
    stream = np.concatenate([np.asarray(ids, int) for ids in token_ids])
    counts = np.bincount(stream, minlength=vocabulary_size)
    return (1e-3 / (1e-3 + counts / counts.sum())).astype(np.float32)
