"""What the generator learns from: poems, their conditions, and noise."""

import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet.corpus import datasets


@dataclasses.dataclass(frozen=True)
class Examples:
    """Poems and the points of the joint space that they are written for.

    Attributes:
        token_ids: START, poem, END of each poem.
        image_embeddings: float16 `[M, K]`; embeddings of poems or photographs.
        image_rows: int `[N]`; the row of `image_embeddings` of each poem.
        noise: How far an embedding is moved, relative to its length: 0 for
            photographs, more for poems, which know more about themselves than
            a photograph does.
    """

    token_ids: Sequence[Sequence[int]]
    image_embeddings: np.ndarray
    image_rows: np.ndarray
    noise: float


@dataclasses.dataclass(frozen=True)
class ConditioningDropout:
    """How much of its condition an example leaves out.

    Attributes:
        clue_weights: float `[V]`; how readily a token becomes a clue, 0 never.
        num_clues: Most clues of an example.
        no_photograph: Share of examples without embedding and clues.
        no_image: Share of examples with clues only.
        no_clues: Share of examples without clues.
    """

    clue_weights: np.ndarray
    num_clues: int = 6
    no_photograph: float = 0.125
    no_image: float = 0.1
    no_clues: float = 0.25


def element_spec(image_dim: int, num_clues: int) -> dict[str, tf.TensorSpec]:
    """Describes a batch.

    Args:
        image_dim: Width of the joint space.
        num_clues: Most clues of an example.

    Returns:
        `token_ids` int32 `[B, T + 1]`, `image_embedding` float32 `[B, K]`,
        `clue_ids` int32 `[B, C]`.
    """
    return {
        "token_ids": tf.TensorSpec([None, None], tf.int32),
        "image_embedding": tf.TensorSpec([None, image_dim], tf.float32),
        "clue_ids": tf.TensorSpec([None, num_clues], tf.int32),
    }


def _move(
    image_embeddings: np.ndarray, noise: float, rng: np.random.Generator
) -> np.ndarray:
    step = rng.standard_normal(image_embeddings.shape) * noise
    moved = image_embeddings + step / np.sqrt(image_embeddings.shape[1])
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return moved / np.maximum(lengths, 1e-9)  # none stays none


def draw_clues(
    token_ids: np.ndarray,
    conditioning: ConditioningDropout,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draws words of each poem as its clues, a random number of them.

    Args:
        token_ids: int `[B, T]`.
        conditioning: Which words, and how many.
        rng: Where the draws come from.

    Returns:
        int32 `[B, num_clues]`, padded with 0.
    """
    weights = conditioning.clue_weights[token_ids]  # [B, T]
    keys = rng.random(token_ids.shape) ** (1 / np.maximum(weights, 1e-9))
    order = np.argsort(-keys, axis=1)[:, : conditioning.num_clues]
    clues = np.take_along_axis(token_ids, order, 1)
    usable = np.take_along_axis(weights, order, 1) > 0
    number = rng.integers(conditioning.num_clues + 1, size=len(clues))
    usable &= np.arange(clues.shape[1]) < number[:, None]
    clues = np.where(usable, clues, 0).astype(np.int32)
    missing = conditioning.num_clues - clues.shape[1]
    return np.pad(clues, [(0, 0), (0, missing)])


def make_batch(
    examples: Examples,
    chosen: np.ndarray,
    conditioning: ConditioningDropout,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Makes a batch of poems with what they are written for.

    Args:
        examples: The poems.
        chosen: int `[B]`; which of them.
        conditioning: How much of the condition is left out.
        rng: Where the draws come from.

    Returns:
        Arrays as described by `element_spec`.
    """
    token_ids = datasets.pad_token_ids(
        [examples.token_ids[index] for index in chosen]
    )
    image_embeddings = examples.image_embeddings[examples.image_rows[chosen]]
    image_embedding = _move(
        image_embeddings.astype(np.float32), examples.noise, rng
    )
    clue_ids = draw_clues(token_ids, conditioning, rng)
    draw = rng.random(len(chosen))
    nothing = draw < conditioning.no_photograph
    no_image = rng.random(len(chosen)) < conditioning.no_image
    no_clues = rng.random(len(chosen)) < conditioning.no_clues
    image_embedding[nothing | no_image] = 0.0
    clue_ids[nothing | no_clues] = 0
    return {
        "token_ids": token_ids,
        "image_embedding": image_embedding.astype(np.float32),
        "clue_ids": clue_ids,
    }


def choose_for_measuring(
    token_ids: Sequence[Sequence[int]], most: int
) -> np.ndarray:
    """Draws poems to measure on, the same ones every time.

    Args:
        token_ids: Of each poem.
        most: How many at most.

    Returns:
        int `[min(N, most)]`; which of them, from the shortest to the longest,
        so that a batch of them needs little padding.
    """
    chosen = np.random.default_rng(0).permutation(len(token_ids))[:most]
    lengths = np.array([len(token_ids[index]) for index in chosen], int)
    return chosen[np.argsort(lengths, kind="stable")]


def mixed_batches(
    sources: Sequence[Examples],
    shares: Sequence[float],
    batch_size: int,
    conditioning: ConditioningDropout,
    seed: int,
    start_step: int = 0,
) -> Iterator[dict[str, np.ndarray]]:
    """Yields batches, each from one source, for ever.

    Args:
        sources: What to draw from.
        shares: Share of batches of each; they sum to 1.
        batch_size: Poems a batch.
        conditioning: How much of the condition is left out.
        seed: Of the order and the draws.
        start_step: Step to begin at; the batches are the same as if the
            earlier ones had been drawn.

    Yields:
        Batches as of `make_batch`.
    """
    turns = np.random.default_rng((seed, 1)).choice(
        len(sources), size=1 << 20, p=shares
    )
    orders = [
        datasets.bucketed_batches(
            [len(ids) for ids in source.token_ids],
            batch_size,
            seed + number,
            int((turns[:start_step] == number).sum()),
        )
        for number, source in enumerate(sources)
    ]
    for step in range(start_step, len(turns)):
        turn = turns[step]
        rng = np.random.default_rng((seed, 2, step))
        chosen = next(orders[turn])
        yield make_batch(sources[turn], chosen, conditioning, rng)
