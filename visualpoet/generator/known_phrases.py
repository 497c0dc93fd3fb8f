"""What people have said: trigrams and pairs of lines, as Bloom filters."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet.corpus import datasets
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.generator import bloom_filter
from visualpoet.generator.common_lines import share
from visualpoet.generator.common_lines import sum_lines
from visualpoet.generator.token_kinds import TokenKinds

_LENGTH = 3
_APART = (1, 2)  # lines that make a pair
# Before the filters: by them they are found among those of known runs.
_MARKS = [np.frombuffer(m, np.uint8) for m in (b"trigrams:", b"two lines:")]


class KnownPhrases:
    r"""Measures what of a poem is new, and what is recited.

    Source: liu18, novelty-3, of one poem and in the graph. There more of it is
    better; among candidates of one generator what is new is most often broken.
    Marks, line breaks, START and END are tokens of a trigram like words; they
    make no difference to a line.

    Args:
        token_ids: Poems of people.
        kinds: Sorts of tokens.

    Example:
        >>> from visualpoet.corpus.vocabulary import Vocabulary
        >>> from visualpoet.generator.token_kinds import sort_tokens
        >>> poems = ["a boat\nsleeps\nat sea", "the sea\nat sea\nsleeps"]
        >>> vocabulary = Vocabulary.train(poems, size=20)
        >>> ids = vocabulary.encode_batch(poems)
        >>> known = KnownPhrases(ids[:1], sort_tokens(vocabulary, ids))
        >>> token_ids = tf.constant([[*poem, END] for poem in ids])
        >>> known.measure_novelty(token_ids).numpy()
        array([0.        , 0.85714287], dtype=float32)
        >>> known.measure_recited(token_ids).numpy()
        array([1.       , 0.6666667], dtype=float32)
    """

    def __init__(self, token_ids: Sequence[Sequence[int]], kinds: TokenKinds):
        # A line with an unknown word is no other one.
        self._kinds = dataclasses.replace(kinds, is_word=kinds.is_any_word)
        rows = _list_trigrams(token_ids), _list_pairs(token_ids, self._kinds)
        # As tensors an export holds them once, however many functions read.
        self._trigrams, self._pairs = (
            tf.constant(np.concatenate([mark, bloom_filter.set_bits(found)]))
            for mark, found in zip(_MARKS, rows)
        )

    @classmethod
    def restore(
        cls, filters: Sequence[np.ndarray], kinds: TokenKinds
    ) -> "KnownPhrases | None":
        """Makes it of what an export holds.

        Args:
            filters: uint8 `[BYTES]` each, those of known runs among them.
            kinds: Sorts of tokens.

        Returns:
            The phrases; None without them.
        """
        found = [
            [stored for stored in filters if _begins(stored, mark)]
            for mark in _MARKS
        ]
        if not all(found):
            return None
        known = cls([], kinds)
        known._trigrams, known._pairs = (tf.constant(one[0]) for one in found)
        return known

    def measure_novelty(
        self, token_ids: tf.Tensor, begin: tf.Tensor | int = 0
    ) -> tf.Tensor:
        """Measures the share of trigrams that no poem of people has.

        Args:
            token_ids: int `[N, T]`, END behind each, padded with 0.
            begin: int32 `[N]`. The token from which on trigrams end that
                count; they may begin before it.

        Returns:
            float `[N]` in [0, 1]; 0 without trigrams.
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
        known = bloom_filter.has_rows(self._trigrams, rows, len(_MARKS[0]))
        return share(is_one & ~known, is_one)

    def measure_recited(
        self, token_ids: tf.Tensor, begin: tf.Tensor | int = 0
    ) -> tf.Tensor:
        """Measures the share of lines that one poem of people has, two of them.

        Two are one after the other, or with a line between them.

        Args:
            token_ids: int `[N, T]`, padded with 0.
            begin: int32 `[N]`. The token from which on lines count, the first
                one of a line; the other one of two may be before it.

        Returns:
            float `[N]` in [0, 1]; 0 without lines.
        """
        begin = tf.broadcast_to(begin, tf.shape(token_ids)[:1])
        is_before = tf.range(tf.shape(token_ids)[1]) < begin[:, None]
        is_break = token_ids == self._kinds.line_break
        before = tf.math.count_nonzero(is_break & is_before, 1, dtype=tf.int32)
        sums, is_line = sum_lines(token_ids, self._kinds)
        recited = tf.zeros_like(is_line)
        for apart in _APART:
            rows = _pair(sums, apart)
            known = bloom_filter.has_rows(self._pairs, rows, len(_MARKS[1]))
            known &= is_line[:, :-apart] & is_line[:, apart:]
            recited |= tf.pad(known, [[0, 0], [0, apart]])
            recited |= tf.pad(known, [[0, 0], [apart, 0]])
        is_line &= tf.range(tf.shape(is_line)[1]) >= before[:, None]
        return share(recited & is_line, is_line)


def is_filter(stored: np.ndarray) -> bool:
    """Says whether an array of bytes is a filter of phrases.

    Args:
        stored: uint8 `[BYTES]`.

    Returns:
        Whether it begins as they do.
    """
    return any(_begins(stored, mark) for mark in _MARKS)


def _begins(stored: np.ndarray, mark: np.ndarray) -> bool:
    return np.array_equal(stored[: len(mark)], mark)


def _list_trigrams(token_ids: Sequence[Sequence[int]]) -> np.ndarray:
    """Different ones, int64 `[R, 3]`."""
    rows = [np.zeros([0, _LENGTH], np.int64)]
    rows += [
        np.lib.stride_tricks.sliding_window_view(
            np.array([START, *ids, END]), _LENGTH
        )
        for ids in token_ids
        if len(ids)  # less than three tokens else
    ]
    different = np.unique(np.concatenate(rows), axis=0)
    return different[(different != UNKNOWN).all(axis=1)]


def _list_pairs(
    token_ids: Sequence[Sequence[int]], kinds: TokenKinds
) -> np.ndarray:
    """Different pairs of lines of known words, by their sums, `[R, 2]`."""
    rows = [np.zeros([0, 2], np.int64)]
    if len(token_ids):
        padded = tf.constant(datasets.pad_token_ids(token_ids))
        sums, is_line = sum_lines(padded, kinds)
        is_other = (padded == UNKNOWN) | (padded == kinds.line_break)
        _, has_unknown = sum_lines(tf.where(is_other, padded, 0), kinds)
        is_line &= ~has_unknown
        for apart in _APART:
            both = is_line[:, :-apart] & is_line[:, apart:]
            rows.append(tf.boolean_mask(_pair(sums, apart), both).numpy())
    return np.unique(np.concatenate(rows), axis=0)


def _pair(sums: tf.Tensor, apart: int) -> tf.Tensor:
    """Lines beside others, whichever is first, int64 `[N, L - apart, 2]`."""
    sums %= bloom_filter.PRIME
    both = sums[:, :-apart], sums[:, apart:]
    return tf.stack([tf.minimum(*both), tf.maximum(*both)], axis=-1)
