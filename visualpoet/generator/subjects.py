"""What a generator is written for: photographs as its inputs."""

import numpy as np

from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.embedding import clues
from visualpoet.embedding.encoders import PoemTower
from visualpoet.generator.constraints import token_kinds
from visualpoet.generator.poem_generator import PoemGenerator


def subjects_of(
    generator: PoemGenerator,
    corpus: PreparedCorpus,
    rows: dict[str, int],
    seen: np.ndarray,
    poem_tower: PoemTower,
) -> dict[str, np.ndarray]:
    """Prepares the inputs of a generator's `start_view`.

    Args:
        generator: The generator.
        corpus: The prepared corpus.
        rows: Row of each photograph.
        seen: float `[M, K]`, as of `embedding.photographs.see_photographs`.
        poem_tower: For the clues.

    Returns:
        `image_embedding` `[M, K]`, and `clue_ids` int32 `[M, C]` where the
        generator takes clues.
    """
    if generator.conditioning != "clues":
        return {"image_embedding": seen}
    train = [name for name in corpus.images("train") if name in rows]
    poems = datasets.frame_poems(
        corpus.vocabulary, corpus.texts("train"), max_tokens=200
    )
    words = clues.embed_words(len(corpus.vocabulary), poem_tower)
    bias = clues.clue_bias(
        corpus,
        poems,
        train,
        seen[[rows[name] for name in train]],
        words,
        token_kinds(corpus.vocabulary, poems).is_open,
    )
    return {
        "image_embedding": seen,
        "clue_ids": clues.choose_clues(seen, words, bias),
    }


def take(
    subjects: dict[str, np.ndarray], chosen: np.ndarray
) -> dict[str, np.ndarray]:
    """Takes some rows of every input.

    Args:
        subjects: As of `subjects_of`.
        chosen: int `[B]`.

    Returns:
        The same inputs, `[B, ...]`.
    """
    return {name: values[chosen] for name, values in subjects.items()}
