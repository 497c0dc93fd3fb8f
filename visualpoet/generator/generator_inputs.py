"""What a generator is written for: photographs as its inputs."""

import pathlib

import numpy as np

from visualpoet.embedding.clues import load_clue_head
from visualpoet.generator.poem_generator import PoemGenerator


def prepare_generator_inputs(
    generator: PoemGenerator,
    image_embeddings: np.ndarray,
    embedding_dir: pathlib.Path,
) -> dict[str, np.ndarray]:
    """Prepares the inputs of a generator's `start_view`.

    Args:
        generator: The generator.
        image_embeddings: float `[M, K]`, as of
            `embedding.photographs.embed_photographs`.
        embedding_dir: Output of `recipes/train_embedding.py`, with
            `recipes/train_clues.py`'s in it where the generator takes clues.

    Returns:
        `image_embedding` `[M, K]`, and `clue_ids` int32 `[M, C]` where the
        generator takes clues.
    """
    if generator.conditioning != "clues":
        return {"image_embedding": image_embeddings}
    clue_head = load_clue_head(embedding_dir)
    return {
        "image_embedding": image_embeddings,
        "clue_ids": clue_head.choose(image_embeddings),
    }


def take_rows(
    generator_inputs: dict[str, np.ndarray], chosen: np.ndarray
) -> dict[str, np.ndarray]:
    """Takes some rows of every input.

    Args:
        generator_inputs: As of `prepare_generator_inputs`.
        chosen: int `[B]`.

    Returns:
        The same inputs, `[B, ...]`.
    """
    return {name: values[chosen] for name, values in generator_inputs.items()}
