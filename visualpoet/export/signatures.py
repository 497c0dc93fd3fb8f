"""What an export can be asked for: names, types and shapes on the wire.

TensorFlow Serving's REST interface knows no optional inputs, so there are
several signatures. Every input has one row a photograph, every output too.
"""

import dataclasses
from collections.abc import Callable
from typing import Any
from typing import TypeAlias

import tensorflow as tf

from visualpoet import controls
from visualpoet.export.poet_module import PoetModule

IMAGE = {"image_bytes": tf.string}
POEM = {"poem": tf.string}
OPENING = {"opening": tf.string}

Function: TypeAlias = tf.types.experimental.GenericFunction
Tensors = dict[str, tf.Tensor]


def control_inputs() -> dict[str, tf.DType]:
    """Returns the inputs for controls of all signatures that write."""
    return {
        control.input: tf.as_dtype(control.dtype)
        for control in controls.without_opening()
    }


def defaults(poet: PoetModule) -> dict[str, Any]:
    """Returns what `serving_default` writes with.

    Args:
        poet: The poet.

    Returns:
        A value for each of `control_inputs`.
    """
    form, options = next(iter(poet.options.items()))
    by_form: dict[str, Any] = {"form": form, **dataclasses.asdict(options)}
    return {
        control.input: by_form.get(control.input, control.default)
        for control in controls.without_opening()
    }


def make_signatures(poet: PoetModule) -> dict[str, Function]:
    """Makes the signatures of an export.

    Args:
        poet: The poet.

    Returns:
        Functions by name; see the model card for what they do.
    """
    inputs = control_inputs()
    photograph = {
        "image_embedding": tf.TensorSpec([None, poet.embedding_dim]),
        "clue_ids": tf.TensorSpec([None, poet.num_clues], tf.int32),
    }

    def serving_default(image_bytes: tf.Tensor) -> Tensors:
        outputs = poet.compose(
            image_bytes,
            **{
                name: tf.fill(
                    tf.shape(image_bytes), tf.constant(value, inputs[name])
                )
                for name, value in defaults(poet).items()
            },
        )
        return {name: outputs[name] for name in ("poem", *poet.scores)}

    def start_poem(image_bytes: tf.Tensor) -> Tensors:
        embedding = poet.embed_image(image_bytes)
        clue_ids = poet.choose_clues(embedding)
        return {
            "image_embedding": embedding,
            "clue_ids": clue_ids,
            "clues": poet.name_clues(clue_ids),
        }

    def embed_image(image_bytes: tf.Tensor) -> Tensors:
        return {"embedding": poet.embed_image(image_bytes)}

    def embed_poem(poem: tf.Tensor) -> Tensors:
        return {"embedding": poet.embed_poem(poem)}

    return {
        "serving_default": _serve(serving_default, IMAGE),
        "compose": _serve(poet.compose, IMAGE | inputs),
        "compose_or_error": _serve(poet.compose_or_error, IMAGE | inputs),
        "continue_poem": _serve(poet.continue_poem, IMAGE | OPENING | inputs),
        "start_poem": _serve(start_poem, IMAGE),
        "next_line": _serve(poet.next_line, photograph | POEM | inputs),
        "embed_image": _serve(embed_image, IMAGE),
        "embed_poem": _serve(embed_poem, POEM),
        "match": _serve(poet.match, IMAGE | POEM),
    }


def _serve(
    function: Callable, inputs: dict[str, tf.DType | tf.TensorSpec]
) -> Function:
    """Makes a signature of a function of named tensors."""
    specs = [
        tf.TensorSpec(spec.shape, spec.dtype, name)
        if isinstance(spec, tf.TensorSpec)
        else tf.TensorSpec([None], spec, name)
        for name, spec in inputs.items()
    ]

    @tf.function(input_signature=specs, autograph=False)
    def serve(*values: tf.Tensor) -> Tensors:
        return function(**dict(zip(inputs, values)))

    return serve
