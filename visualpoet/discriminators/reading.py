"""How both discriminators read a poem: its words and lines, by a GRU."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import START


@keras.saving.register_keras_serializable("visualpoet")
class WordsOnly(keras.layers.Layer):
    """Drops marks, START and END, and moves the rest together.

    Human poems, prose and samples differ in their punctuation; a discriminator
    that could see it would look at nothing else.

    Args:
        mark_ids: Ids of the punctuation marks.

    Call arguments: int `[B, T]` token ids, 0 on padding; returns the same
    shape.
    """

    def __init__(self, mark_ids: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mark_ids = list(map(int, mark_ids))

    def call(self, token_ids: keras.KerasTensor) -> keras.KerasTensor:
        unread = ops.array([PAD, START, END, *self.mark_ids], "int32")
        dropped = ops.any(token_ids[..., None] == unread, axis=-1)
        length = ops.shape(token_ids)[1]
        places = ops.arange(length) + length * ops.cast(dropped, "int32")
        kept = ops.where(dropped, PAD, token_ids)
        return ops.take_along_axis(kept, ops.argsort(places, axis=1), axis=1)

    def get_config(self) -> dict:
        return {**super().get_config(), "mark_ids": self.mark_ids}


def read_poem(
    token_ids: keras.KerasTensor,
    mark_ids: Sequence[int],
    vocabulary_size: int,
    embedding_dim: int,
    hidden_dim: int,
    dropout: float,
    train_words: bool = True,
) -> keras.KerasTensor:
    """Builds the layers that read a poem.

    `c = GRU(words)`, the state after the last word.

    Source: liu18, discriminators. Differs: the token embedding begins with the
    word vectors of the joint space (`recipes/pretrain_discriminator.py`).

    Args:
        token_ids: int `[B, T]`, 0 on padding.
        mark_ids: Ids of the punctuation marks, which are not read.
        vocabulary_size: Tokens.
        embedding_dim: Width of the token embedding.
        hidden_dim: Width of the GRU.
        dropout: Share of units left out in training.
        train_words: Whether the token embedding is trained.

    Returns:
        float `[B, hidden_dim]`; what follows the last word changes nothing.
    """
    words = WordsOnly(mark_ids, name="words_only")(token_ids)
    embed = keras.layers.Embedding(
        vocabulary_size,
        embedding_dim,
        name="token_embedding",
        trainable=train_words,
    )
    # Word vectors of length 1 would leave a GRU near its start for long.
    x = keras.layers.Rescaling(embedding_dim**0.5, name="scale")(embed(words))
    x = keras.layers.Dropout(dropout, name="drop_words")(x)
    states = keras.layers.GRU(hidden_dim, return_sequences=True, name="reader")(
        x
    )  # [B, T, H]
    length = ops.sum(ops.cast(words != PAD, "int32"), axis=1)
    last = ops.maximum(length - 1, 0)[:, None, None]
    state = ops.take_along_axis(states, last, axis=1)[:, 0]
    return keras.layers.Dropout(dropout, name="drop_state")(state)
