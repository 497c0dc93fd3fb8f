"""A transformer that reads a haiku beside what people say of a photograph."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from visualpoet import extras

_EPSILON = 1e-12
_BLOCK = "encoder.layer.{}."
_WEIGHTS = ("weight", "bias")
# Where a BERT has the weights of our layers.
_SOURCES = {
    "words": ["embeddings.word_embeddings.weight"],
    "positions": ["embeddings.position_embeddings.weight"],
    "segments": ["embeddings.token_type_embeddings.weight"],
    "embedded": [f"embeddings.LayerNorm.{kind}" for kind in _WEIGHTS],
    "attention": [
        f"{_BLOCK}attention.{name}.{kind}"
        for name in ("self.query", "self.key", "self.value", "output.dense")
        for kind in _WEIGHTS
    ],
    "attended": [
        f"{_BLOCK}attention.output.LayerNorm.{kind}" for kind in _WEIGHTS
    ],
    "inner": [f"{_BLOCK}intermediate.dense.{kind}" for kind in _WEIGHTS],
    "outer": [f"{_BLOCK}output.dense.{kind}" for kind in _WEIGHTS],
    "read": [f"{_BLOCK}output.LayerNorm.{kind}" for kind in _WEIGHTS],
}


@keras.saving.register_keras_serializable("visualpoet")
class CrossEncoder(keras.Model):
    """Grades the second of two texts beside the first.

    The encoder is BERT's (Devlin et al., 2019); grades are linear in the state
    of the first token and the mean of those of the second text.

    Args:
        vocabulary_size: Tokens; 0 is padding.
        max_tokens: Positions there are.
        num_layers: Blocks of attention and two dense layers.
        num_heads: Of the attention.
        hidden_dim: Width of the states.
        inner_dim: Width of the first of the dense layers.
        num_grades: Grades a pair.
        dropout: Share of units left out in training.

    Call arguments: dict of `token_ids` int `[B, T]` and `segment_ids` int
    `[B, T]`, 1 for the second text; returns float `[B, num_grades]`.

    Example:
        >>> encoder = CrossEncoder(20, 8, 1, 2, 6, 12)
        >>> pair = {
        ...     "token_ids": ops.array([[1, 7, 2, 9, 2, 0]]),
        ...     "segment_ids": ops.array([[0, 0, 0, 1, 1, 0]]),
        ... }
        >>> encoder(pair).shape
        TensorShape([1, 2])
    """

    def __init__(
        self,
        vocabulary_size: int,
        max_tokens: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        inner_dim: int,
        num_grades: int = 2,
        dropout: float = 0.1,
        **kwargs: Any,
    ) -> None:
        # === Layers ===
        def embed(size: int, name: str) -> keras.layers.Layer:
            return keras.layers.Embedding(size, hidden_dim, name=name)

        def normalize(name: str) -> keras.layers.Layer:
            return keras.layers.LayerNormalization(epsilon=_EPSILON, name=name)

        # === Functional model ===
        token_ids = keras.Input([None], dtype="int32", name="token_ids")
        segment_ids = keras.Input([None], dtype="int32", name="segment_ids")
        positions = ops.cumsum(ops.ones_like(token_ids), axis=1) - 1
        x = embed(vocabulary_size, "words")(token_ids)
        x = x + embed(max_tokens, "positions")(positions)
        x = x + embed(2, "segments")(segment_ids)
        x = keras.layers.Dropout(dropout)(normalize("embedded")(x))
        is_read = ops.expand_dims(token_ids > 0, 1)
        for block in range(num_layers):
            seen = keras.layers.MultiHeadAttention(
                num_heads,
                hidden_dim // num_heads,
                dropout=dropout,
                name=f"attention_{block}",
            )(x, x, attention_mask=is_read)
            seen = keras.layers.Dropout(dropout)(seen)
            x = normalize(f"attended_{block}")(x + seen)
            inner = keras.layers.Dense(
                inner_dim, activation="gelu", name=f"inner_{block}"
            )(x)
            outer = keras.layers.Dense(hidden_dim, name=f"outer_{block}")(inner)
            outer = keras.layers.Dropout(dropout)(outer)
            x = normalize(f"read_{block}")(x + outer)
        is_second = ops.cast(segment_ids, x.dtype)[..., None]
        second = ops.sum(x * is_second, axis=1) / ops.sum(is_second, axis=1)
        grades = keras.layers.Dense(num_grades, name="grades")(
            ops.concatenate([x[:, 0], second], axis=1)
        )
        super().__init__(
            inputs={"token_ids": token_ids, "segment_ids": segment_ids},
            outputs=grades,
            **kwargs,
        )

        # === Config ===
        self.config = {
            "vocabulary_size": vocabulary_size,
            "max_tokens": max_tokens,
            "num_layers": num_layers,
            "num_heads": num_heads,
            "hidden_dim": hidden_dim,
            "inner_dim": inner_dim,
            "num_grades": num_grades,
            "dropout": dropout,
        }

    def get_config(self) -> dict:
        return self.config


def begin_with(folder: pathlib.Path) -> CrossEncoder:
    """Builds a cross-encoder on the weights of a public text encoder.

    Args:
        folder: `config.json` and `model.safetensors` of a BERT without
            heads, named as those of all-MiniLM-L6-v2.

    Returns:
        The cross-encoder; its grades have yet to be learnt.
    """
    with extras.needs("evaluate"):
        from safetensors.numpy import load_file
    config = json.loads((folder / "config.json").read_text())
    encoder = CrossEncoder(
        config["vocab_size"],
        config["max_position_embeddings"],
        config["num_hidden_layers"],
        config["num_attention_heads"],
        config["hidden_size"],
        config["intermediate_size"],
    )
    weights = load_file(folder / "model.safetensors")
    for layer in encoder.layers:
        if layer.weights and layer.name != "grades":
            layer.set_weights(_find_weights(layer, weights))
    return encoder


def _find_weights(
    layer: keras.layers.Layer, weights: Mapping[str, np.ndarray]
) -> list[np.ndarray]:
    """Those of a layer of ours, in its order and shapes."""
    kind, _, block = layer.name.partition("_")
    names = _SOURCES[kind]
    found = [weights[name.format(block)] for name in names]
    return [
        # Of a matrix the outputs come first there, and heads are not apart.
        (value.T if "dense" in name or "self" in name else value).reshape(
            own.shape
        )
        for name, value, own in zip(names, found, layer.weights)
    ]
