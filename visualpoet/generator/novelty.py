"""What a poem says for the first time: its trigrams that no poem has."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.generator import bloom_filter

_LENGTH = 3
# Before the filter: by it an export's is found among those of known runs.
MARK = np.frombuffer(b"trigrams:", np.uint8)


class KnownTrigrams:
    """Measures the share of trigrams that no poem of people has.

    Source: liu18, novelty-3, of one poem and in the graph. There more of it is
    better; among candidates of one generator what is new is most often broken.
    Marks, line breaks, START and END are tokens like words.

    Args:
        token_ids: Poems of people.

    Example:
        >>> known = KnownTrigrams([[7, 8, 9]])
        >>> poems = tf.constant([[7, 8, 9, 2], [7, 8, 5, 2]])
        >>> known.measure_novelty(poems).numpy()
        array([0.       , 0.6666667], dtype=float32)
    """

    def __init__(self, token_ids: Sequence[Sequence[int]]):
        rows = [np.zeros([0, _LENGTH], np.int64)]
        rows += [
            np.lib.stride_tricks.sliding_window_view(
                np.array([START, *ids, END]), _LENGTH
            )
            for ids in token_ids
            if len(ids)  # less than three tokens else
        ]
        bits = bloom_filter.set_bits(np.unique(np.concatenate(rows), axis=0))
        # As a tensor an export holds it once, however many functions read it.
        self._stored = tf.constant(np.concatenate([MARK, bits]))

    @classmethod
    def restore(cls, filters: Sequence[np.ndarray]) -> "KnownTrigrams | None":
        """Makes it of what an export holds.

        Args:
            filters: uint8 `[BYTES]` each, those of known runs among them.

        Returns:
            The trigrams; None without them.
        """
        for stored in filters:
            if is_filter(stored):
                known = cls([])
                known._stored = tf.constant(stored)
                return known
        return None

    def measure_novelty(
        self, token_ids: tf.Tensor, begin: tf.Tensor | int = 0
    ) -> tf.Tensor:
        """Measures poems.

        Args:
            token_ids: int `[N, T]`, END behind each, padded with 0.
            begin: int32 `[N]`. The token from which on trigrams end that
                count; they may begin before it.

        Returns:
            float `[N]` in [0, 1]. Share of the trigrams that are not known; 0
            without any.
        """
        tokens = tf.cast(token_ids, tf.int64)
        tokens = tf.pad(tokens, [[0, 0], [1, 0]], constant_values=START)
        width = tf.shape(token_ids)[1] - 1
        rows = tf.stack(
            [tokens[:, i : i + width] for i in range(_LENGTH)], axis=-1
        )
        last = 1 + tf.range(width)
        begin = tf.broadcast_to(begin, tf.shape(token_ids)[:1])
        is_one = (rows[..., -1] > 0) & (last >= begin[:, None])
        known = bloom_filter.has_rows(self._stored, rows, len(MARK))
        new, all_of_them = (
            tf.math.count_nonzero(flags, axis=1, dtype=tf.float32)
            for flags in (is_one & ~known, is_one)
        )
        return tf.math.divide_no_nan(new, all_of_them)


def is_filter(stored: np.ndarray) -> bool:
    """Says whether an array of bytes is a filter of trigrams.

    Args:
        stored: uint8 `[BYTES]`.

    Returns:
        Whether it begins with `MARK`.
    """
    return np.array_equal(stored[: len(MARK)], MARK)
