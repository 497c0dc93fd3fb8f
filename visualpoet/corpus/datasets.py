"""Batches that depend on nothing but a seed and a step; tf.data pipelines."""

import itertools
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from collections.abc import Set

import numpy as np
import tensorflow as tf

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary


def pad_token_ids(
    token_ids: Sequence[Sequence[int]], length: int | None = None
) -> np.ndarray:
    """Pads token ids on the right.

    Args:
        token_ids: Token ids of each text.
        length: Longest to keep; what is longer is cut. The longest by default.

    Returns:
        int32 `[B, T]`, padded with 0.
    """
    longest = max(map(len, token_ids), default=0)
    length = longest if length is None else min(length, longest)
    padded = np.full([len(token_ids), length], PAD, np.int32)
    for row, ids in zip(padded, token_ids):
        row[: len(ids)] = ids[:length]
    return padded


def frame(token_ids: Sequence[int], max_tokens: int) -> list[int]:
    """Puts a poem between START and END.

    Args:
        token_ids: Token ids of a poem.
        max_tokens: Longest result; a longer poem is cut and keeps no END,
            since it does not end there.

    Returns:
        Token ids.
    """
    return [START, *token_ids, END][:max_tokens]


def frame_poems(
    vocabulary: Vocabulary,
    texts: Sequence[str],
    max_tokens: int,
    max_unknown: float = 1.0,
    leave_out: Sequence[str] = (),
) -> list[list[int]]:
    """Encodes and frames poems, and leaves some out.

    Args:
        vocabulary: The vocabulary.
        texts: Poems.
        max_tokens: As for `frame`.
        max_unknown: Largest share of unknown words of a poem.
        leave_out: Poems with these words are left out.

    Returns:
        Token ids of those that remain.
    """
    encoded = vocabulary.encode_batch(texts)
    banned = find_words(vocabulary, leave_out)
    return [
        frame(encoded[index], max_tokens)
        for index in mostly_known(encoded, max_unknown, banned)
    ]


def find_words(vocabulary: Vocabulary, words: Sequence[str]) -> set[int]:
    """Finds the tokens of words.

    Args:
        vocabulary: The vocabulary.
        words: Any words.

    Returns:
        Ids of those that it has.
    """
    return {vocabulary.encode(word)[0] for word in words} - {UNKNOWN}


def mostly_known(
    token_ids: Sequence[Sequence[int]],
    max_unknown: float,
    banned: Set[int] = frozenset(),
) -> list[int]:
    """Finds the texts that have few unknown words, and none to leave out.

    Args:
        token_ids: Token ids of each text.
        max_unknown: Largest share of unknown words.
        banned: Ids that no text has, as of `find_words`.

    Returns:
        Their numbers.
    """
    return [
        index
        for index, ids in enumerate(token_ids)
        if ids.count(UNKNOWN) <= max_unknown * len(ids)
        and banned.isdisjoint(ids)
    ]


def index_batches(
    size: int, batch_size: int, seed: int, start_step: int = 0
) -> Iterator[np.ndarray]:
    """Yields shuffled batches of indices, epoch after epoch.

    Args:
        size: Number of examples.
        batch_size: Examples a batch; an epoch's incomplete last one is left
            out, except if the epoch has no other.
        seed: Of the order.
        start_step: Step to begin at; the batches are the same as if the
            earlier ones had been drawn.

    Yields:
        int `[batch_size]`.
    """
    return bucketed_batches([0] * size, batch_size, seed, start_step)


def bucketed_batches(
    lengths: Sequence[int], batch_size: int, seed: int, start_step: int = 0
) -> Iterator[np.ndarray]:
    """Yields shuffled batches of indices of examples of about one length.

    Args:
        lengths: Length of each example.
        batch_size: Examples a batch, as in `index_batches`.
        seed: Of the order.
        start_step: Step to begin at, as in `index_batches`.

    Yields:
        int `[batch_size]`.
    """
    sizes = np.asarray(lengths)
    if not len(sizes):
        raise ValueError(
            "expected examples to learn from. Received: none; see the bad "
            "rows and the splits of the corpus"
        )
    batch_size = min(batch_size, len(sizes))
    num_batches = len(sizes) // batch_size
    first = start_step // num_batches
    skip = start_step % num_batches
    for epoch in itertools.count(first):
        rng = np.random.default_rng((seed, epoch))
        # Left out before sorting: else the longest would never be seen.
        order = rng.permutation(len(sizes))[: num_batches * batch_size]
        order = order[np.argsort(sizes[order], kind="stable")]
        batches = order.reshape(-1, batch_size)
        batches = batches[rng.permutation(num_batches)]
        yield from batches[skip:]
        skip = 0


def batch_dataset(
    batches: Callable[[], Iterator[dict[str, np.ndarray]]],
    element_spec: dict[str, tf.TensorSpec],
) -> tf.data.Dataset:
    """Wraps batches in a `tf.data` pipeline that prepares them ahead.

    Args:
        batches: Makes the iterator.
        element_spec: Dtype and shape of each array; fixed, so that a train
            step is traced once.

    Returns:
        The dataset.
    """
    dataset = tf.data.Dataset.from_generator(
        batches, output_signature=element_spec
    )
    return dataset.prefetch(4)
