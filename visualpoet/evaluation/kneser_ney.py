"""Interpolated Kneser-Ney n-gram model: what a generator has to beat."""

from collections.abc import Sequence

import numpy as np

from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN

_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def _key(tokens: np.ndarray) -> np.ndarray:
    """Hashes rows of tokens `[N, n]` to uint64 `[N]`."""
    key = np.full(len(tokens), tokens.shape[1] + 1, np.uint64)
    for column in tokens.T.astype(np.uint64):
        key = (key ^ (column + np.uint64(1))) * _FACTOR
        key ^= key >> np.uint64(31)
    return key


class _Table:
    """Numbers by key."""

    def __init__(self, keys: np.ndarray, numbers: np.ndarray | None = None):
        self.keys, inverse = np.unique(keys, return_inverse=True)
        self.numbers = np.bincount(inverse, numbers).astype(np.float64)

    def get(self, keys: np.ndarray) -> np.ndarray:
        place = np.searchsorted(self.keys, keys) % len(self.keys)
        return np.where(self.keys[place] == keys, self.numbers[place], 0.0)


class KneserNey:
    """n-gram model with one discount an order.

    `p(w | h) = max(c(h w) - D, 0) / c(h) + D N(h) / c(h) p(w | h')`, where h'
    is h without its first token, N(h) the number of different tokens seen
    after h, and below the highest order c counts different left neighbours.

    Source: Kneser and Ney (1995); interpolated form of Chen and Goodman
    (1999), `D = n1 / (n1 + 2 n2)`.

    Args:
        token_ids: Training poems, each with START and END.
        vocabulary_size: Tokens.
        order: Length of the longest n-gram.
    """

    def __init__(
        self,
        token_ids: Sequence[Sequence[int]],
        vocabulary_size: int,
        order: int = 5,
    ):
        self._order = order
        self._vocabulary_size = vocabulary_size
        self._orders = []
        grams = _grams(token_ids, order)
        counts = None
        for _ in range(order):
            keys = _key(grams)
            unique, first = np.unique(keys, return_index=True)
            table = _Table(keys, counts)
            contexts = _key(grams[first][:, :-1])
            ones, twos = ((table.numbers == n).sum() for n in (1, 2))
            discount = ones / (ones + 2 * twos) if ones else 0.5
            totals = _Table(contexts, table.numbers)
            continuations = _Table(contexts)
            self._orders.append((table, totals, continuations, discount))
            grams, counts = grams[first][:, 1:], None

    def log_probs(self, token_ids: Sequence[Sequence[int]]) -> np.ndarray:
        """Scores every token after START.

        Args:
            token_ids: Poems, each with START and END.

        Returns:
            float `[total number of tokens after START]` [nats].
        """
        grams = _grams(token_ids, self._order)
        probability = np.full(len(grams), 1 / self._vocabulary_size)
        for index in range(self._order - 1, -1, -1):
            suffixes = grams[:, index:]
            table, totals, continuations, discount = self._orders[index]
            contexts = _key(suffixes[:, :-1])
            total = totals.get(contexts)
            seen = total > 0
            total = np.maximum(total, 1.0)
            high = np.maximum(table.get(_key(suffixes)) - discount, 0) / total
            rest = discount * continuations.get(contexts) / total
            probability = np.where(seen, high + rest * probability, probability)
        return np.log(probability)

    def perplexity(self, token_ids: Sequence[Sequence[int]]) -> float:
        """Perplexity of every known token after START, as a generator's.

        Args:
            token_ids: Poems, each with START and END.

        Returns:
            Perplexity; unknown words are contexts and no targets.
        """
        log_probs = self.log_probs(token_ids)
        return float(np.exp(-log_probs[find_known(token_ids)].mean()))


def find_known(token_ids: Sequence[Sequence[int]]) -> np.ndarray:
    """Finds the tokens that a generator could have written.

    Args:
        token_ids: Poems, each with START and END.

    Returns:
        bool `[N]`, of every token after START, as `KneserNey.log_probs`.
    """
    return np.concatenate([ids[1:] for ids in token_ids]) != UNKNOWN


def _grams(token_ids: Sequence[Sequence[int]], order: int) -> np.ndarray:
    """Every token after START with the `order - 1` tokens before it."""
    gap = [START] * (order - 1)
    stream = np.concatenate([[*gap, *ids[1:]] for ids in token_ids])
    stream = stream.astype(np.int32)
    grams = np.lib.stride_tricks.sliding_window_view(stream, order)
    return grams[grams[:, -1] != START]
