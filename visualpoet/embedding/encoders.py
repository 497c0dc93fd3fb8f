"""The two towers of the joint visual-poetic space."""

import pathlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from visualpoet.corpus import datasets
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.features.experts import FEATURE_NAMES
from visualpoet.presets import PresetModel

MAX_EMBEDDED_LINES = 16


@keras.saving.register_keras_serializable("visualpoet")
class UnitLength(keras.layers.Layer):
    """Divides vectors by their length.

    Call arguments: float `[..., K]`; returns the same shape.
    """

    def call(self, vectors: keras.KerasTensor) -> keras.KerasTensor:
        return ops.normalize(vectors, axis=-1, order=2, epsilon=1e-6)


@keras.saving.register_keras_serializable("visualpoet")
class ImageTower(PresetModel):
    """Maps the features of a photograph into the joint space.

    Source: liu18, visual-poetic embedding: `x = W_v v + b_v` on the
    concatenated features. Differs: each expert is normalised first, a hidden
    layer can be put in between, and the result has unit length.

    Args:
        feature_dims: Width of `object`, `scene` and `sentiment` features.
        embedding_dim: Width of the joint space.
        hidden_dim: Width of the hidden layer; 0 for the paper's linear map.
        dropout: Share of features and hidden units left out in training.

    Call arguments: dict of `object`, `scene`, `sentiment`, each float
    `[B, F]`; returns float `[B, embedding_dim]`.

    Example:
        >>> dims = {"object": 8, "scene": 6, "sentiment": 4}
        >>> image_tower = ImageTower(dims, embedding_dim=5)
        >>> features = {name: np.ones([2, dims[name]]) for name in dims}
        >>> image_tower(features).shape
        TensorShape([2, 5])
    """

    def __init__(
        self,
        feature_dims: dict[str, int],
        embedding_dim: int,
        hidden_dim: int = 0,
        dropout: float = 0.2,
        **kwargs: Any,
    ) -> None:
        # === Layers ===
        normalize = {
            name: keras.layers.BatchNormalization(name=f"normalize_{name}")
            for name in FEATURE_NAMES
        }
        drop = keras.layers.Dropout(dropout, name="drop")
        if hidden_dim:  # Dense refuses a width of 0
            hidden = keras.layers.Dense(
                hidden_dim, activation="relu", name="hidden"
            )
        to_space = keras.layers.Dense(embedding_dim, name="to_space")
        unit_length = UnitLength(name="unit_length")

        # === Functional model ===
        inputs = {
            name: keras.Input([feature_dims[name]], name=name)
            for name in FEATURE_NAMES
        }
        x = ops.concatenate(
            [normalize[name](inputs[name]) for name in FEATURE_NAMES], axis=-1
        )
        x = drop(x)
        if hidden_dim:
            x = drop(hidden(x))
        super().__init__(
            inputs=inputs, outputs=unit_length(to_space(x)), **kwargs
        )

        # === Config ===
        self.feature_dims = feature_dims
        self.embedding_dim = embedding_dim
        self.hidden_dim = hidden_dim
        self.dropout = dropout

    def get_config(self) -> dict:
        return {
            "feature_dims": self.feature_dims,
            "embedding_dim": self.embedding_dim,
            "hidden_dim": self.hidden_dim,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable("visualpoet")
class PoemTower(PresetModel):
    """Maps a poem into the joint space: lines encoded, mean-pooled.

    A line is the weighted mean of its word vectors (each word has a learned
    weight) through one layer; the poem is the mean of its lines.

    Source: liu18, poem features (sentence vectors, mean over the lines).
    Differs: the sentence encoder is trained here, not a skip-thought model.

    Args:
        vocabulary_size: Tokens.
        line_break: Id of the line break.
        word_dim: Width of the word vectors.
        embedding_dim: Width of the joint space.
        dropout: Share of words left out in training.

    Call arguments: int `[B, T]` token ids, 0 on padding; returns float
    `[B, embedding_dim]`. Padding, special tokens and unknown words count
    nothing.

    Example:
        >>> poem_tower = PoemTower(
        ...     vocabulary_size=20, line_break=5, word_dim=6, embedding_dim=7
        ... )
        >>> poem_tower(np.array([[8, 6, 5, 9], [7, 0, 0, 0]])).shape
        TensorShape([2, 7])
    """

    def __init__(
        self,
        vocabulary_size: int,
        line_break: int,
        word_dim: int,
        embedding_dim: int,
        dropout: float = 0.1,
        **kwargs: Any,
    ) -> None:
        # === Layers ===
        word_vectors = keras.layers.Embedding(
            vocabulary_size, word_dim, name="word_vectors"
        )
        word_weights = keras.layers.Embedding(
            vocabulary_size,
            1,
            embeddings_initializer="zeros",
            name="log_weights",
        )
        drop = keras.layers.Dropout(
            dropout, noise_shape=[None, None, 1], name="drop"
        )
        to_space = keras.layers.Dense(embedding_dim, name="to_space")
        bend = keras.layers.Dense(embedding_dim, activation="tanh", name="bend")
        unit_length = UnitLength(name="unit_length")

        # === Functional model ===
        token_ids = keras.Input([None], dtype="int32", name="token_ids")
        is_break = ops.cast(ops.equal(token_ids, line_break), "int32")
        is_word = (token_ids > UNKNOWN) & (token_ids != line_break)
        weights = ops.exp(word_weights(token_ids))  # [B, T, 1]
        weights = drop(weights * ops.cast(is_word, "float32")[..., None])
        line = ops.one_hot(ops.cumsum(is_break, axis=1), MAX_EMBEDDED_LINES)
        line = ops.transpose(line, (0, 2, 1))  # [B, L, T]
        total = ops.matmul(line, weights)  # [B, L, 1]
        lines = ops.matmul(line, weights * word_vectors(token_ids))
        lines = lines / (total + 1e-6)  # [B, L, word_dim]
        lines = to_space(lines) + bend(lines)
        is_line = ops.cast(total > 0, "float32")
        poem = ops.sum(lines * is_line, axis=1)  # its length cancels below
        super().__init__(inputs=token_ids, outputs=unit_length(poem), **kwargs)

        # === Config ===
        self.vocabulary_size = vocabulary_size
        self.line_break = line_break
        self.word_dim = word_dim
        self.embedding_dim = embedding_dim
        self.dropout = dropout

    def get_config(self) -> dict:
        return {
            "vocabulary_size": self.vocabulary_size,
            "line_break": self.line_break,
            "word_dim": self.word_dim,
            "embedding_dim": self.embedding_dim,
            "dropout": self.dropout,
        }


def load_towers(folder: pathlib.Path) -> tuple[ImageTower, PoemTower]:
    """Loads what `recipes/train_embedding.py` saved.

    Args:
        folder: Its run directory.

    Returns:
        The image tower and the poem tower.
    """
    names = ("image_tower", "poem_tower")
    towers = [
        keras.saving.load_model(pathlib.Path(folder) / f"{name}.keras")
        for name in names
    ]
    return towers[0], towers[1]


def word_weights(poem_tower: PoemTower) -> np.ndarray:
    """Returns what each word weighs in the place of a poem.

    Args:
        poem_tower: The tower.

    Returns:
        float `[V]`, above 0: much for words that say much of a place.
    """
    log_weights = poem_tower.get_layer("log_weights").embeddings.numpy()
    return np.exp(log_weights[:, 0])


def embed_token_ids(
    poem_tower: PoemTower, token_ids: Sequence[Sequence[int]]
) -> np.ndarray:
    """Embeds many poems, a part at a time.

    Args:
        poem_tower: The tower.
        token_ids: Token ids of each poem.

    Returns:
        float16 `[N, K]`, unit length.
    """
    parts = [token_ids[i : i + 8192] for i in range(0, len(token_ids), 8192)]
    return np.concatenate(
        [
            poem_tower.predict(
                datasets.pad_token_ids(part), batch_size=1024, verbose=0
            ).astype(np.float16)
            for part in parts
        ]
    )
