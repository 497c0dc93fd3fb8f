"""How long the runs of words are that poems copy from training poems."""

from collections.abc import Sequence

import numpy as np

from visualpoet.corpus.words import split_words

_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def _run_hashes(ids: np.ndarray, length: int) -> np.ndarray:
    """Hashes of all runs; a run over a border (id 0) hashes to 0."""
    size = max(len(ids) - length + 1, 0)
    hashes = np.zeros(size, np.uint64)
    whole = np.ones(size, bool)
    for offset in range(length):
        part = ids[offset : offset + size]
        hashes = (hashes ^ part) * _FACTOR
        hashes ^= hashes >> np.uint64(29)
        whole &= part > 0
    return np.where(whole, hashes, np.uint64(0))


class CopiedRuns:
    """Measures runs of words that also stand in the training poems.

    Args:
        texts: Training poems.
    """

    def __init__(self, texts: Sequence[str]):
        self._ids: dict[str, int] = {}
        self._stream = self._number(texts, grow=True)

    def _number(self, texts: Sequence[str], grow: bool) -> np.ndarray:
        numbers = [0]
        for text in texts:
            for word in split_words(text):
                if grow:
                    number = self._ids.setdefault(word, len(self._ids) + 1)
                else:
                    number = self._ids.get(word, 0)
                numbers.append(number)
            numbers.append(0)
        return np.array(numbers, np.uint64)

    def longest(self, texts: Sequence[str], most: int = 16) -> np.ndarray:
        """Finds the longest copied run of each text, across line ends.

        Args:
            texts: Poems.
            most: Longest run to look for.

        Returns:
            int `[N]`, words.
        """
        numbered = [self._number([text], grow=False) for text in texts]
        longest = np.zeros(len(texts), int)
        for length in range(1, most + 1):
            known = np.unique(_run_hashes(self._stream, length))
            found = 0
            for index, ids in enumerate(numbered):
                hashes = _run_hashes(ids, length)
                hashes = hashes[hashes > 0]
                place = np.searchsorted(known, hashes) % len(known)
                if (known[place] == hashes).any():
                    longest[index] = length
                    found += 1
            if not found:
                break
        return longest
