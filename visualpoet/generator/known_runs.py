"""Runs of words that a generator may know by heart, as a Bloom filter."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.generator import bloom_filter
from visualpoet.generator.token_kinds import TokenKinds

RUN_LENGTH = 6  # words; shorter runs are idioms
# Before the length of runs, in two bytes, where it is not RUN_LENGTH.
_MARK = np.frombuffer(b"words a run:", np.uint8)


class KnownRuns:
    """Measures the share of words that stand in runs that were learnt.

    Source: Ippolito et al. (2022), a Bloom filter of the n-grams of the
    training texts. They keep the generator from finishing a run; here a poem
    that has one loses in the ranking.

    Args:
        token_ids: Poems that the generator learnt from.
        kinds: Sorts of tokens. Marks and line breaks are no part of a run.
        run_length: Words of a run.
        before: What the generator knew before it learnt from these poems, and
            should not recite either.
        numbers: int64 `[V]`; what each token counts as in a run, as in
            `before`, or its own id, if there are none.

    Example:
        >>> from visualpoet.corpus.vocabulary import Vocabulary
        >>> from visualpoet.generator.token_kinds import sort_tokens
        >>> poems = ["the sea sleeps in the dark", "the sea sleeps in the sun"]
        >>> vocabulary = Vocabulary.train(poems, size=20)
        >>> ids = vocabulary.encode_batch(poems)
        >>> known_runs = KnownRuns(ids[:1], sort_tokens(vocabulary, ids))
        >>> known_runs.measure_copied(tf.constant(ids)).numpy()
        array([1., 0.], dtype=float32)
    """

    def __init__(
        self,
        token_ids: Sequence[Sequence[int]],
        kinds: TokenKinds,
        run_length: int = RUN_LENGTH,
        before: "KnownRuns | None" = None,
        numbers: np.ndarray | None = None,
    ):
        is_word = kinds.is_any_word
        self._is_word = is_word
        self._run_length = run_length
        self._before = before
        if numbers is None:
            numbers = before._numbers if before else np.arange(len(is_word))
        self._numbers: np.ndarray = numbers
        runs = [np.zeros([0, run_length], np.int64)]
        runs += [
            numbers[_list_runs(np.asarray(ids), is_word, run_length)]
            for ids in token_ids
        ]
        # As a tensor an export holds it once, however many functions read it.
        self._stored = _store(
            bloom_filter.set_bits(np.unique(np.concatenate(runs), axis=0)),
            run_length,
        )

    @classmethod
    def restore(
        cls,
        filters: Sequence[np.ndarray],
        kinds: TokenKinds,
        numbers: np.ndarray | None = None,
    ) -> "KnownRuns | None":
        """Makes it of filters that an export holds.

        Args:
            filters: uint8 `[BYTES]` each.
            kinds: Sorts of tokens.
            numbers: What tokens count as, if not as their ids.

        Returns:
            What is in any of them; None without any.
        """
        known = None
        for stored in filters:
            length = _read_run_length(stored)
            known = cls([], kinds, length, before=known, numbers=numbers)
            known._stored = tf.constant(stored)
        return known

    def renumber(self, kinds: TokenKinds, earlier: np.ndarray) -> "KnownRuns":
        """Reads poems by other token ids; what is known stays.

        Args:
            kinds: Sorts of the tokens, by their new ids.
            earlier: int `[V]`; the id that each token had. One that is not
                known yet has the next ids.

        Returns:
            The same runs.
        """
        before = self._before.renumber(kinds, earlier) if self._before else None
        free = self._numbers.max() + 1 + np.arange(len(earlier))
        numbers = np.concatenate([self._numbers, free])[earlier]
        renumbered = type(self)([], kinds, self._run_length, before, numbers)
        renumbered._stored = self._stored
        return renumbered

    def measure_copied(
        self, token_ids: tf.Tensor, begin: tf.Tensor | int = 0
    ) -> tf.Tensor:
        """Measures poems.

        Args:
            token_ids: int `[N, T]`, padded with 0.
            begin: int32 `[N]`. The token from which on words count; runs may
                begin before it.

        Returns:
            float `[N]` in [0, 1]. Share of the words that stand in a run of
            `run_length` words or more that was learnt; 0 without words.
        """
        begin = tf.broadcast_to(begin, tf.shape(token_ids)[:1])
        copied = self._measure(token_ids, begin)
        if self._before:
            earlier = self._before.measure_copied(token_ids, begin)
            copied = tf.maximum(copied, earlier)
        return copied

    def _measure(self, token_ids: tf.Tensor, begin: tf.Tensor) -> tf.Tensor:
        run_length = self._run_length
        words, length, skipped = self._gather_words(token_ids, begin)
        width = tf.shape(words)[1]
        shifted = [
            tf.roll(words, -offset, axis=1) for offset in range(run_length)
        ]
        known = self._has(tf.stack(shifted, axis=-1))  # [N, W]
        last = length[:, None] - run_length
        known &= tf.range(width) <= last
        padded = tf.pad(known, [[0, 0], [run_length - 1, 0]])
        inside = tf.reduce_any(
            tf.stack(
                [padded[:, i : i + width] for i in range(run_length)], axis=-1
            ),
            axis=-1,
        )
        inside &= tf.range(width) >= skipped[:, None]
        found = tf.math.count_nonzero(inside, axis=1, dtype=tf.float32)
        counted = tf.cast(length - skipped, tf.float32)
        return tf.math.divide_no_nan(found, counted)

    def _gather_words(
        self, token_ids: tf.Tensor, begin: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The words without gaps `[N, W]`; how many, and before `begin`."""
        is_word = tf.gather(tf.constant(self._is_word), token_ids)
        order = tf.argsort(tf.cast(~is_word, tf.int32), axis=1, stable=True)
        is_before = tf.range(tf.shape(token_ids)[1]) < begin[:, None]
        length, skipped = (
            tf.math.count_nonzero(flags, axis=1, dtype=tf.int32)
            for flags in (is_word, is_word & is_before)
        )
        return tf.gather(token_ids, order, batch_dims=1), length, skipped

    def _has(self, runs: tf.Tensor) -> tf.Tensor:
        """Whether the filter has runs `[N, W, run_length]`."""
        if (self._numbers == np.arange(len(self._numbers))).all():
            numbers = tf.cast(runs, tf.int64)
        else:
            numbers = tf.gather(tf.constant(self._numbers, tf.int64), runs)
        return bloom_filter.has_rows(
            self._stored, numbers, _head(self._run_length)
        )


def _list_runs(
    token_ids: np.ndarray, is_word: np.ndarray, run_length: int
) -> np.ndarray:
    """Runs of known words, int64 `[R, run_length]`."""
    words = token_ids[is_word[token_ids]].astype(np.int64)
    if len(words) < run_length:
        return np.zeros([0, run_length], np.int64)
    runs = np.lib.stride_tricks.sliding_window_view(words, run_length)
    return runs[(runs != UNKNOWN).all(axis=1)]


def _head(run_length: int) -> int:
    """Bytes before a filter."""
    return 0 if run_length == RUN_LENGTH else len(_MARK) + 2


def _store(bits: np.ndarray, run_length: int) -> tf.Tensor:
    """A filter, and before it the length of its runs, if need be."""
    if not _head(run_length):
        return tf.constant(bits)
    length = np.array(divmod(run_length, 256), np.uint8)
    return tf.constant(np.concatenate([_MARK, length, bits]))


def _read_run_length(stored: np.ndarray) -> int:
    mark, rest = stored[: len(_MARK)], stored[len(_MARK) :]
    if not np.array_equal(mark, _MARK):
        return RUN_LENGTH
    return 256 * int(rest[0]) + int(rest[1])
