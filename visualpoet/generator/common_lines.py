"""Lines that come for too many photographs: for any child, a balloon."""

import collections
import itertools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet.corpus.datasets import pad_token_ids
from visualpoet.generator.token_kinds import TokenKinds

_PRIME = 2**31 - 1
_FACTOR = 1_103_515_245
# No sum of words: by it the lines are found among the constants of a graph.
MARK = -20181022


def _mix(token_ids: tf.Tensor) -> tf.Tensor:
    """A number below 2^31 for each token, int64."""
    return ((token_ids + 1) * _FACTOR % _PRIME) ** 2 % _PRIME


class CommonLines:
    r"""Measures the share of a poem's lines that stand in many others.

    A line is known by the sum of a number for each of its words, so that
    neither their order nor marks make a difference.

    Attributes:
        sums: int64 `[L]`; of the common lines, in order.

    Args:
        sums: Of the common lines.
        kinds: Sorts of tokens.

    Example:
        >>> from visualpoet.corpus.vocabulary import Vocabulary
        >>> from visualpoet.generator.token_kinds import sort_tokens
        >>> poems = ["the sea\nsleeps", "a boat\nsleeps", "a boat\nsinks"]
        >>> vocabulary = Vocabulary.train(poems, size=20)
        >>> ids = vocabulary.encode_batch(poems)
        >>> kinds = sort_tokens(vocabulary, ids)
        >>> common = CommonLines.count([[poem] for poem in ids], kinds, 0.5)
        >>> common.measure(tf.constant(ids)).numpy()
        array([0.5, 1. , 0.5], dtype=float32)
    """

    def __init__(self, sums: np.ndarray, kinds: TokenKinds):
        self._kinds = kinds
        self.sums = np.unique(sums).astype(np.int64)
        marked = np.concatenate([[MARK], self.sums])
        # As a tensor an export holds it once, however many functions read it.
        self._marked = tf.constant(marked)

    @classmethod
    def count(
        cls,
        drafts: Sequence[Sequence[Sequence[int]]],
        kinds: TokenKinds,
        least: float,
    ) -> "CommonLines":
        """Counts the lines of candidates.

        Args:
            drafts: For each photograph the token ids of its candidates.
            kinds: Sorts of tokens.
            least: Share of the photographs that have a common line.

        Returns:
            The lines that so many photographs, and two at least, have in one
            candidate or more.
        """
        counts: collections.Counter[int] = collections.Counter()
        for candidates in drafts:
            sums, is_line = sum_lines(pad_token_ids(candidates), kinds)
            counts.update(np.unique(sums[is_line]).tolist())
        enough = max(2.0, least * len(drafts))
        common = [line for line, number in counts.items() if number >= enough]
        return cls(np.array(common, np.int64), kinds)

    def with_winners(
        self,
        drafts: Sequence[Sequence[Sequence[int]]],
        scores: Sequence[Sequence[float]],
        weight: float,
        most: float,
    ) -> "CommonLines":
        """Adds the lines that would stand in too many of the best candidates.

        Again and again, since other lines come first then.

        Args:
            drafts: As for `count`.
            scores: Of each candidate, without what its common lines take off.
            weight: What takes off the score, times `measure`.
            most: Share of the photographs whose best candidate may have a
                line; two may in any case.

        Returns:
            These lines and those.
        """
        rows = pad_token_ids([poem for some in drafts for poem in some])
        sums, is_line = (x.numpy() for x in sum_lines(rows, self._kinds))
        ends = np.cumsum([len(some) for some in drafts])
        given = np.array([score for some in scores for score in some])
        enough = max(2.0, most * len(drafts))
        common = self
        while True:
            ranked = given - weight * common.measure(rows).numpy()
            won: collections.Counter[int] = collections.Counter()
            for start, end in itertools.pairwise([0, *ends]):
                best = start + np.argmax(ranked[start:end])
                won.update(set(sums[best][is_line[best]].tolist()))
            often = [line for line, number in won.items() if number > enough]
            if np.isin(often, common.sums).all():
                return common
            known = np.union1d(common.sums, often)
            common = CommonLines(known, self._kinds)

    def measure(
        self, token_ids: tf.Tensor, begin: tf.Tensor | int = 0
    ) -> tf.Tensor:
        """Measures poems.

        Args:
            token_ids: int `[N, T]`, padded with 0.
            begin: int32 `[N]`. The token from which on lines count, the first
                one of a line.

        Returns:
            float `[N]` in [0, 1]. Share of the lines with words that are
            common; 0 without any.
        """
        begin = tf.broadcast_to(begin, tf.shape(token_ids)[:1])
        is_before = tf.range(tf.shape(token_ids)[1]) < begin[:, None]
        token_ids = tf.where(is_before, tf.zeros_like(token_ids), token_ids)
        sums, is_line = sum_lines(token_ids, self._kinds)
        # One more: a search for nothing is refused.
        flat = tf.pad(tf.reshape(sums, [-1]), [[0, 1]])
        # Those up to it less those below it: one, or none.
        found = tf.searchsorted(self._marked, flat, side="right")
        found -= tf.searchsorted(self._marked, flat)
        is_common = tf.reshape(found[:-1] > 0, tf.shape(sums))
        return share(is_common & is_line, is_line)


def sum_lines(
    token_ids: tf.Tensor, kinds: TokenKinds
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sums the words of each line.

    Args:
        token_ids: int `[N, T]`, padded with 0.
        kinds: Sorts of tokens.

    Returns:
        The sums and whether a line has words, int64 and bool `[N, T + 1]`: no
        text has more lines than that.
    """
    token_ids = tf.pad(tf.cast(token_ids, tf.int64), [[0, 0], [0, 1]])
    is_break = tf.cast(token_ids == kinds.line_break, tf.int64)
    shape = tf.shape(token_ids, tf.int64)
    line = tf.range(shape[0])[:, None] * shape[1] + tf.cumsum(is_break, axis=1)
    is_word = tf.cast(tf.gather(kinds.is_word, token_ids), tf.int64)

    def add_up(values: tf.Tensor) -> tf.Tensor:
        total = tf.math.unsorted_segment_sum(values, line, shape[0] * shape[1])
        return tf.reshape(total, shape)

    return add_up(_mix(token_ids) * is_word), add_up(is_word) > 0


def share(some: tf.Tensor, of: tf.Tensor) -> tf.Tensor:
    """Counts some of many.

    Args:
        some: bool `[N, L]`.
        of: bool `[N, L]`; those that are counted in all.

    Returns:
        float `[N]`; 0 where there are none.
    """
    found, count = (
        tf.math.count_nonzero(flags, axis=1, dtype=tf.float32)
        for flags in (some, of)
    )
    return tf.math.divide_no_nan(found, count)
