"""What a generator is written for: photographs as its inputs."""

import pathlib

import numpy as np

from visualpoet.embedding.clues import load_clue_head
from visualpoet.generator.poem_generator import PoemGenerator


def subjects_of(
    generator: PoemGenerator, seen: np.ndarray, embedding_dir: pathlib.Path
) -> dict[str, np.ndarray]:
    """Prepares the inputs of a generator's `start_view`.

    Args:
        generator: The generator.
        seen: float `[M, K]`, as of `embedding.photographs.see_photographs`.
        embedding_dir: Output of `recipes/train_embedding.py`, with
            `recipes/train_clues.py`'s in it where the generator takes clues.

    Returns:
        `image_embedding` `[M, K]`, and `clue_ids` int32 `[M, C]` where the
        generator takes clues.
    """
    if generator.conditioning != "clues":
        return {"image_embedding": seen}
    clue_head = load_clue_head(embedding_dir)
    return {"image_embedding": seen, "clue_ids": clue_head.choose(seen)}


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
