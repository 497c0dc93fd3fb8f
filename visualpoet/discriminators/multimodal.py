"""The multi-modal discriminator: does a poem go with a photograph?"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from visualpoet.discriminators.reading import read_poem
from visualpoet.presets import PresetModel

CLASSES = ("paired", "unpaired", "generated")


@keras.saving.register_keras_serializable("visualpoet")
class MultimodalDiscriminator(PresetModel):
    """Classifies poems as paired with a photograph, unpaired or generated.

    `f = tanh(W_x x + b_x) * tanh(W_c c + b_c)`, `C = softmax(W_m f + b_m)`

    Source: liu18, multi-modal discriminator. Differs: the poem is read without
    its punctuation, units are left out in training, and the token embedding is
    not trained: with 31,000 pairs it would learn those by heart.

    Args:
        vocabulary_size: Tokens.
        mark_ids: Ids of the punctuation marks.
        image_dim: Width of the image embedding.
        embedding_dim: Width of the token embedding.
        hidden_dim: Width of the GRU and of the product.
        dropout: Share of units left out in training.

    Call arguments: dict of `token_ids` int `[B, T]` and `image_embedding`
    float `[B, image_dim]`; returns logits `[B, 3]` in the order of `CLASSES`.

    Example:
        >>> discriminator = MultimodalDiscriminator(
        ...     20, mark_ids=[4], image_dim=5, embedding_dim=6, hidden_dim=7
        ... )
        >>> poems = ops.array([[1, 8, 6, 2], [1, 9, 2, 0]])
        >>> inputs = {"token_ids": poems, "image_embedding": ops.ones([2, 5])}
        >>> discriminator(inputs).shape
        TensorShape([2, 3])
    """

    def __init__(
        self,
        vocabulary_size: int,
        mark_ids: Sequence[int],
        image_dim: int,
        embedding_dim: int,
        hidden_dim: int,
        dropout: float = 0.3,
        **kwargs: Any,
    ) -> None:
        # === Functional model ===
        token_ids = keras.Input([None], dtype="int32", name="token_ids")
        image_embedding = keras.Input([image_dim], name="image_embedding")
        c = read_poem(
            token_ids,
            mark_ids,
            vocabulary_size,
            embedding_dim,
            hidden_dim,
            dropout,
            train_words=False,
        )
        x = keras.layers.Dense(hidden_dim, activation="tanh", name="see_image")(
            image_embedding
        )
        c = keras.layers.Dense(hidden_dim, activation="tanh", name="see_poem")(
            c
        )
        logits = keras.layers.Dense(len(CLASSES), name="classes")(
            ops.multiply(x, c)
        )
        super().__init__(
            inputs={"token_ids": token_ids, "image_embedding": image_embedding},
            outputs=logits,
            **kwargs,
        )

        self.classes = CLASSES

        # === Config ===
        self.vocabulary_size = vocabulary_size
        self.mark_ids = list(map(int, mark_ids))
        self.image_dim = image_dim
        self.embedding_dim = embedding_dim
        self.hidden_dim = hidden_dim
        self.dropout = dropout

    def get_config(self) -> dict:
        return {
            "vocabulary_size": self.vocabulary_size,
            "mark_ids": self.mark_ids,
            "image_dim": self.image_dim,
            "embedding_dim": self.embedding_dim,
            "hidden_dim": self.hidden_dim,
            "dropout": self.dropout,
        }
