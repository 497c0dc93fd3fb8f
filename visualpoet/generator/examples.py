"""What the generator learns from: poems and their conditions."""

import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet.corpus import datasets
from visualpoet.embedding import retrieval


@dataclasses.dataclass(frozen=True)
class Perturbation:
    """How far from their poems photographs lie in the joint space.

    Attributes:
        photographs: float16 `[R, K]`; their embeddings.
        descriptions: Token ids of what is known of each.
        cosines: float `[C]`; of new photographs and their poems.
    """

    photographs: np.ndarray
    descriptions: Sequence[Sequence[int]]
    cosines: np.ndarray


@dataclasses.dataclass(frozen=True)
class Examples:
    """Poems and the points of the joint space that they are written for.

    Attributes:
        token_ids: START, poem, END of each poem.
        image_embeddings: float16 `[M, K]`; embeddings of poems or photographs.
        descriptions: Token ids of what is known of each photograph; empty
            for poems.
        image_rows: Rows of `image_embeddings` of each poem, of which one is
            drawn whenever the poem is shown: a poem that many photographs are
            paired with counts as much as any other.
        forms: int `[N]`; the form of each poem, 0 for none.
        perturbation: How embeddings of poems are moved, which know more about
            themselves than a photograph does; None for photographs.
    """

    token_ids: Sequence[Sequence[int]]
    image_embeddings: np.ndarray
    descriptions: Sequence[Sequence[int]]
    image_rows: Sequence[Sequence[int]]
    forms: np.ndarray
    perturbation: Perturbation | None = None


@dataclasses.dataclass(frozen=True)
class ConditioningDropout:
    """How much of its condition an example leaves out.

    Attributes:
        clue_weights: float `[V]`; how readily a token becomes a clue, 0 never.
        num_clues: Most clues of an example.
        own_clues: Share of clues that are drawn from the poem; the others are
            from the description of the photograph.
        no_photograph: Share of examples without embedding and clues.
        no_image: Share of examples with clues only.
        no_clues: Share of examples without clues.
    """

    clue_weights: np.ndarray
    num_clues: int = 6
    own_clues: float = 0.4
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
        `clue_ids` int32 `[B, C]`, `form` int32 `[B]`.
    """
    return {
        "token_ids": tf.TensorSpec([None, None], tf.int32),
        "image_embedding": tf.TensorSpec([None, image_dim], tf.float32),
        "clue_ids": tf.TensorSpec([None, num_clues], tf.int32),
        "form": tf.TensorSpec([None], tf.int32),
    }


def by_form(examples: Examples) -> list[Examples]:
    """Sorts examples by the forms of their poems.

    Args:
        examples: The examples.

    Returns:
        Those of each form; all if there are none.
    """
    forms = np.unique(examples.forms)
    chosen = [np.flatnonzero(examples.forms == form) for form in forms]
    return [_take(examples, rows) for rows in chosen] or [examples]


def _take(examples: Examples, rows: np.ndarray) -> Examples:
    return dataclasses.replace(
        examples,
        token_ids=[examples.token_ids[row] for row in rows],
        image_rows=[examples.image_rows[row] for row in rows],
        forms=examples.forms[rows],
    )


def balance(sources: Sequence[Examples], exponent: float) -> np.ndarray:
    """Gives small sources more than their share.

    `p_s ~ n_s ^ exponent`

    Source: Conneau and Lample (2019), sampling of languages.

    Args:
        sources: The sources.
        exponent: 1 for their sizes, 0 for all alike.

    Returns:
        float `[S]`, sums to 1.
    """
    sizes = np.array([len(source.token_ids) for source in sources], float)
    weights = np.maximum(sizes, 1) ** exponent
    return weights / weights.sum()


def perturb(
    image_embeddings: np.ndarray,
    photographs: np.ndarray,
    cosines: np.ndarray,
) -> np.ndarray:
    """Moves embeddings of poems as far away as photographs lie from poems.

    `c x + sqrt(1 - c^2) y`, y being the part of a photograph's embedding that
    is orthogonal to x, at length 1.

    Args:
        image_embeddings: float `[B, K]`, unit length.
        photographs: float `[B, K]`; other photographs.
        cosines: float `[B]`; of the image_embeddings and the results.

    Returns:
        float `[B, K]`, unit length.
    """
    along = np.sum(photographs * image_embeddings, axis=1, keepdims=True)
    across = retrieval.unit_length(photographs - along * image_embeddings)
    cosines = cosines[:, None]
    return cosines * image_embeddings + np.sqrt(1 - cosines**2) * across


def draw_words(
    token_ids: np.ndarray,
    conditioning: ConditioningDropout,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draws different words of each text.

    Args:
        token_ids: int `[B, T]`.
        conditioning: Which words, and how many.
        rng: Where the draws come from.

    Returns:
        int32 `[B, num_clues]`, padded with 0.
    """
    missing = conditioning.num_clues - token_ids.shape[1]
    token_ids = np.pad(token_ids, [(0, 0), (0, max(missing, 0))])
    weights = conditioning.clue_weights[token_ids]  # [B, T]
    keys = rng.random(token_ids.shape) ** (1 / np.maximum(weights, 1e-9))
    order = np.argsort(-keys, axis=1)[:, : conditioning.num_clues]
    words = np.take_along_axis(token_ids, order, 1)
    usable = np.take_along_axis(weights, order, 1) > 0
    return np.where(usable, words, 0).astype(np.int32)


def _draw_photographs(
    examples: Examples, chosen: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings `[B, K]`, and token ids `[B, T]` of what is known of them."""
    rows = [rng.choice(examples.image_rows[index]) for index in chosen]
    image_embeddings = retrieval.unit_length(
        examples.image_embeddings[rows].astype(np.float32)
    )
    descriptions = examples.descriptions
    if examples.perturbation:
        by = examples.perturbation
        rows = rng.integers(len(by.photographs), size=len(chosen)).tolist()
        photographs = by.photographs[rows].astype(np.float32)
        cosines = rng.choice(by.cosines, len(chosen))
        image_embeddings = perturb(image_embeddings, photographs, cosines)
        descriptions = by.descriptions
    return image_embeddings, datasets.pad_token_ids(
        [descriptions[row] for row in rows]
    )


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
    image_embedding, descriptions = _draw_photographs(examples, chosen, rng)
    own = draw_words(token_ids, conditioning, rng)
    other = draw_words(descriptions, conditioning, rng)
    clue_ids = np.where(
        rng.random(own.shape) < conditioning.own_clues, own, other
    )
    nothing = rng.random(len(chosen)) < conditioning.no_photograph
    no_image = rng.random(len(chosen)) < conditioning.no_image
    no_clues = rng.random(len(chosen)) < conditioning.no_clues
    image_embedding[nothing | no_image] = 0.0
    clue_ids[nothing | no_clues] = 0
    return {
        "token_ids": token_ids,
        "image_embedding": image_embedding.astype(np.float32),
        "clue_ids": clue_ids,
        "form": examples.forms[chosen].astype(np.int32),
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
