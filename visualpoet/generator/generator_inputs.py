"""What a generator is written for: photographs as its inputs."""

import pathlib

import numpy as np

from visualpoet.embedding.clues import load_clue_head
from visualpoet.generator.poem_generator import PoemGenerator


def prepare_generator_inputs(
    generator: PoemGenerator,
    image_embeddings: np.ndarray,
    embedding_dir: pathlib.Path,
    form: str,
) -> dict[str, np.ndarray]:
    """Prepares the inputs of a generator's `start_view`.

    Args:
        generator: The generator.
        image_embeddings: float `[M, K]`, as of
            `embedding.photographs.embed_photographs`.
        embedding_dir: Output of `recipes/train_embedding.py`, with
            `recipes/train_clues.py`'s in it where the generator takes clues.
        form: One of those that the generator has learnt; "" if it has learnt
            none.

    Returns:
        `image_embedding` `[M, K]`; `clue_ids` int32 `[M, C]` where the
        generator takes clues, `form` int32 `[M]` where it has learnt any.

    Raises:
        ValueError: If the generator has not learnt the form.
    """
    inputs = {"image_embedding": image_embeddings}
    if generator.conditioning == "clues":
        clue_head = load_clue_head(embedding_dir)
        inputs["clue_ids"] = clue_head.choose(image_embeddings)
    number = find_form(generator, form)
    if number:
        inputs["form"] = np.full(len(image_embeddings), number, np.int32)
    return inputs


def find_form(generator: PoemGenerator, form: str) -> int:
    """Finds a form of a generator.

    Args:
        generator: The generator.
        form: Its name; "" if the generator has learnt none.

    Returns:
        Its number, 0 if the generator has learnt none.

    Raises:
        ValueError: If the generator has not learnt it.
    """
    if form not in (generator.forms or ("",)):
        raise ValueError(
            f"expected a form among {generator.forms or ('',)}, those that the "
            f"generator has learnt. Received: {form!r}"
        )
    return ("", *generator.forms).index(form)


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
