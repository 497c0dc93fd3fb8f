"""Novelty: n-grams that are not the everyday ones of the training poems."""

import collections
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus.words import list_n_grams

READINGS = ("known", "any")


class Novelty:
    """Share of the n-grams of a poem that are not frequent in training.

    The `frequent` n-grams are the most frequent ones of the training poems.
    The paper can be read in two ways, which differ for n-grams that no
    training poem has: reading `known` counts n-grams that occur in training
    and are not frequent, reading `any` all that are not frequent.

    Source: liu18, novelty-2 and novelty-3, with 2,000 frequent n-grams.

    Args:
        texts: Training poems.
        n: Words of an n-gram, read across line ends.
        frequent: How many are frequent. Of equally frequent ones those that
            come first in the alphabet are taken.
    """

    def __init__(self, texts: Sequence[str], n: int, frequent: int = 2000):
        counts = collections.Counter(
            gram for text in texts for gram in list_n_grams(text, n)
        )
        order = sorted(counts, key=lambda gram: (-counts[gram], gram))
        self._n = n
        self._known = frozenset(counts)
        self._frequent = frozenset(order[:frequent])

    def shares(self, poems: Sequence[str], reading: str) -> np.ndarray:
        """Measures poems.

        Args:
            poems: N poems.
            reading: One of READINGS.

        Returns:
            float `[N]` in [0, 1]; 0 for a poem of fewer than n words.

        Raises:
            ValueError: If the reading is unknown.
        """
        if reading not in READINGS:
            raise ValueError(
                f"expected a reading of {READINGS}. Received: {reading}"
            )
        return np.array([self._share(poem, reading) for poem in poems])

    def _share(self, poem: str, reading: str) -> float:
        grams = list_n_grams(poem, self._n)
        novel = sum(
            gram not in self._frequent
            and (reading == "any" or gram in self._known)
            for gram in grams
        )
        return novel / max(len(grams), 1)
