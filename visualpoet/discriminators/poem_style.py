"""The poem-style discriminator: does a text read like a poem?"""

from collections.abc import Sequence
from typing import Any

import keras

from visualpoet.discriminators.reading import read_poem
from visualpoet.presets import PresetModel

CLASSES = ("poetic", "disordered", "paragraphic", "generated")
WITHOUT_PROSE = ("poetic", "disordered", "generated")
REAL_OR_GENERATED = ("real", "generated")


@keras.saving.register_keras_serializable("visualpoet")
class PoemStyleDiscriminator(PresetModel):
    """Classifies texts as poems, disordered lines, prose or samples.

    `C = softmax(W_p GRU(y) + b_p)`

    Source: liu18, poem-style discriminator; with the classes
    `REAL_OR_GENERATED` it is the one discriminator of SeqGAN (Yu et al.,
    2017). Differs: the poem is read without its punctuation, and units are
    left out in training.

    Args:
        vocabulary_size: Tokens.
        mark_ids: Ids of the punctuation marks.
        embedding_dim: Width of the token embedding.
        hidden_dim: Width of the GRU.
        classes: Names of the classes; the first is what a poem should be.
        dropout: Share of units left out in training.

    Call arguments: dict of `token_ids` int `[B, T]`; returns logits
    `[B, len(classes)]`.

    Example:
        >>> discriminator = PoemStyleDiscriminator(
        ...     20, mark_ids=[4], embedding_dim=6, hidden_dim=7
        ... )
        >>> poems = keras.ops.array([[1, 8, 6, 2], [1, 9, 2, 0]])
        >>> discriminator({"token_ids": poems}).shape
        TensorShape([2, 4])
    """

    def __init__(
        self,
        vocabulary_size: int,
        mark_ids: Sequence[int],
        embedding_dim: int,
        hidden_dim: int,
        classes: Sequence[str] = CLASSES,
        dropout: float = 0.3,
        **kwargs: Any,
    ) -> None:
        # === Functional model ===
        token_ids = keras.Input([None], dtype="int32", name="token_ids")
        c = read_poem(
            token_ids,
            mark_ids,
            vocabulary_size,
            embedding_dim,
            hidden_dim,
            dropout,
        )
        logits = keras.layers.Dense(len(classes), name="classes")(c)
        super().__init__(
            inputs={"token_ids": token_ids}, outputs=logits, **kwargs
        )

        # === Config ===
        self.vocabulary_size = vocabulary_size
        self.mark_ids = list(map(int, mark_ids))
        self.embedding_dim = embedding_dim
        self.hidden_dim = hidden_dim
        self.classes = tuple(classes)
        self.dropout = dropout

    def get_config(self) -> dict:
        return {
            "vocabulary_size": self.vocabulary_size,
            "mark_ids": self.mark_ids,
            "embedding_dim": self.embedding_dim,
            "hidden_dim": self.hidden_dim,
            "classes": self.classes,
            "dropout": self.dropout,
        }
