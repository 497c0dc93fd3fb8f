"""Writes a poet as a SavedModel that TensorFlow Serving takes as it is."""

import dataclasses
import json
import pathlib
import shutil

import tensorflow as tf

from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.export.poet import Poet

DEFAULTS = {
    "seed": 0,
    "num_candidates": 16,
    "lines": 0,
    "banned": "",
}

_COMPOSE = {
    "image_bytes": tf.string,
    "seed": tf.int64,
    "temperature": tf.float32,
    "top_p": tf.float32,
    "guidance": tf.float32,
    "lines": tf.int32,
    "num_candidates": tf.int32,
    "banned": tf.string,
}


def signatures(poet: Poet) -> dict[str, tf.types.experimental.GenericFunction]:
    """Makes the signatures of an export.

    Args:
        poet: The poet.

    Returns:
        `serving_default(image_bytes)`: the best poem and its scores;
        `compose(...)`: full control, every input one value a photograph;
        `embed_image(image_bytes)` and `embed_poem(token_ids)`.
    """
    options = poet.options
    fixed = {
        **DEFAULTS,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "guidance": options.guidance,
    }
    image_bytes = tf.TensorSpec([None], tf.string, name="image_bytes")

    @tf.function(input_signature=[image_bytes])
    def serving_default(image_bytes):
        size = tf.shape(image_bytes)
        given = {
            name: tf.fill(size, tf.constant(fixed[name], dtype))
            for name, dtype in _COMPOSE.items()
            if name != "image_bytes"
        }
        outputs = poet.compose(image_bytes, **given)
        names = ("poem", "score", "fit", "fluency")
        return {name: outputs[name] for name in names}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], dtype, name=name)
            for name, dtype in _COMPOSE.items()
        ]
    )
    def compose(*arguments):
        return poet.compose(*arguments)

    @tf.function(input_signature=[image_bytes])
    def embed_image(image_bytes):
        return {"embedding": poet.embed_image(image_bytes)}

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int32, "token_ids")]
    )
    def embed_poem(token_ids):
        return {"embedding": poet.embed_poem(token_ids)}

    return {
        "serving_default": serving_default,
        "compose": compose,
        "embed_image": embed_image,
        "embed_poem": embed_poem,
    }


def export_poet(
    poet: Poet, vocabulary: Vocabulary, folder: pathlib.Path
) -> None:
    """Writes a version folder, under a temporary name first.

    Args:
        poet: The poet.
        vocabulary: Kept in `assets.extra/` for `visualpoet find`.
        folder: `<name>/<integer version>`.

    Raises:
        ValueError: If the folder's name is no integer.
        FileExistsError: If the folder exists.
    """
    folder = pathlib.Path(folder)
    if not folder.name.isdigit():
        raise ValueError(
            "expected a folder named by its version, an integer. Received: "
            f"{folder.name!r}"
        )
    if folder.exists():
        raise FileExistsError(
            f"expected a new version. Received: {folder}, which exists"
        )
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    tf.saved_model.save(poet, str(partial), signatures=signatures(poet))
    extra = partial / "assets.extra"
    extra.mkdir()
    vocabulary.save(extra / "vocabulary.json")
    options = dataclasses.asdict(poet.options)
    (extra / "options.json").write_text(json.dumps({**DEFAULTS, **options}))
    partial.rename(folder)
