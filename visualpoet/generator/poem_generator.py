"""The generator: a GRU language model that sees a photograph."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from visualpoet.generator.sequence_gru import SequenceGRU
from visualpoet.presets import PresetModel

CONDITIONINGS = ("first_state", "every_step", "clues")


@keras.saving.register_keras_serializable("visualpoet")
class PoemGenerator(PresetModel):
    """GRU language model whose first state comes from an image embedding.

    Four views share all layers: the model itself maps whole sequences to
    logits (teacher forcing), `hidden_view` to what the tied output matrix is
    multiplied by; `start_view` maps a photograph to a state and a condition;
    `step_view` takes one token further, to both.

    An image embedding of zeros and clues of zeros mean "no photograph": the
    unconditional side of guided decoding. The form is no part of the
    photograph, so that both sides are given it.

    Source: liu18, generator (GRU, the image in the first state). Differs: the
    output matrix is tied to the token embedding; the photograph can be given
    at every step, and with it clues and the form.

    Args:
        vocabulary_size: Tokens.
        embedding_dim: Width of the token embedding.
        hidden_dim: Width of the GRU.
        image_dim: Width of the image embedding.
        conditioning: `first_state` (the paper's way), `every_step`, or
            `clues`: every step and the mean embedding of some words.
        dropout: Share of units left out in training.
        forms: Names of the forms that it learns to write, each with an
            embedding that is given at every step.

    Call arguments: dict of `token_ids` int `[B, T]`, `image_embedding` float
    `[B, image_dim]`, for `clues` `clue_ids` int `[B, C]` (0 for none) and, if
    there are `forms`, `form` int `[B]`, which of them, from 1 on (0 for
    none); returns logits `[B, T, vocabulary_size]` of the next token.

    Raises:
        ValueError: If `conditioning` is unknown.

    Example:
        >>> generator = PoemGenerator(
        ...     vocabulary_size=20, embedding_dim=6, hidden_dim=7, image_dim=5
        ... )
        >>> photograph = {
        ...     "image_embedding": ops.ones([1, 5]),
        ...     "clue_ids": ops.array([[8, 9]]),
        ... }
        >>> generator({"token_ids": ops.array([[1, 8, 6]]), **photograph}).shape
        TensorShape([1, 3, 20])
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        hidden_dim: int,
        image_dim: int,
        conditioning: str = "clues",
        dropout: float = 0.0,
        forms: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        if conditioning not in CONDITIONINGS:
            raise ValueError(
                f"expected a conditioning of {CONDITIONINGS}. Received: "
                f"{conditioning!r}"
            )
        # === Layers ===
        embed = keras.layers.ReversibleEmbedding(
            vocabulary_size,
            embedding_dim,
            reverse_dtype=None,
            embeddings_initializer=keras.initializers.RandomNormal(
                stddev=embedding_dim**-0.5
            ),
            name="token_embedding",
        )
        first_state = keras.layers.Dense(
            hidden_dim, activation="tanh", name="first_state"
        )
        see = keras.layers.Dense(
            embedding_dim, use_bias=False, name="see_image"
        )
        use_clues = keras.layers.Dense(
            embedding_dim, use_bias=False, name="use_clues"
        )
        know_form = keras.layers.Embedding(
            len(forms) + 1, embedding_dim, "zeros", name="know_form"
        )
        decoder = SequenceGRU(hidden_dim, name="decoder")
        project = keras.layers.Dense(embedding_dim, name="project")
        recall_image = keras.layers.Dense(
            embedding_dim, use_bias=False, name="recall_image"
        )
        drop = keras.layers.Dropout(dropout, name="drop")

        def condition_on(
            image_embedding: keras.KerasTensor,
            clue_ids: keras.KerasTensor | None,
        ) -> keras.KerasTensor:
            if conditioning == "first_state":
                return ops.tile(image_embedding[:, :1] * 0, (1, embedding_dim))
            if clue_ids is None:
                return see(image_embedding)
            is_clue = ops.cast(clue_ids > 0, "float32")[..., None]
            total = ops.sum(embed(clue_ids) * is_clue, axis=1)
            number = ops.maximum(ops.sum(is_clue, axis=1), 1.0)
            return see(image_embedding) + use_clues(total / number)

        # === Functional model ===
        token_ids = keras.Input([None], dtype="int32", name="token_ids")
        photograph = {
            "image_embedding": keras.Input([image_dim], name="image_embedding")
        }
        if conditioning == "clues":
            photograph["clue_ids"] = keras.Input(
                [None], dtype="int32", name="clue_ids"
            )
        start = first_state(photograph["image_embedding"])
        condition = condition_on(
            photograph["image_embedding"], photograph.get("clue_ids")
        )
        if forms:
            photograph["form"] = keras.Input([], dtype="int32", name="form")
            condition += know_form(photograph["form"])
        every_step = ops.expand_dims(condition, 1)  # [B, 1, E]
        x = drop(embed(token_ids) + every_step)  # [B, T, E]
        x = drop(decoder(x, initial_state=start))  # [B, T, H]
        x = project(x) + recall_image(every_step)  # [B, T, E]
        super().__init__(
            inputs={"token_ids": token_ids, **photograph},
            outputs=embed(x, reverse=True),
            **kwargs,
        )
        self.hidden_view = keras.Model(self.input, x)
        self.start_view = keras.Model(
            photograph, {"state": start, "condition": condition}
        )
        token_id = keras.Input([], dtype="int32", name="token_id")
        state = keras.Input([hidden_dim], name="state")
        given = keras.Input([embedding_dim], name="condition")
        output, _ = decoder.cell(embed(token_id) + given, [state])
        x = project(output) + recall_image(given)
        self.step_view = keras.Model(
            {"token_id": token_id, "state": state, "condition": given},
            {
                "logits": embed(x, reverse=True),
                "hidden": x,
                "state": output,
            },
        )

        # === Config ===
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.hidden_dim = hidden_dim
        self.image_dim = image_dim
        self.conditioning = conditioning
        self.dropout = dropout
        self.forms = tuple(forms)

    def get_config(self) -> dict:
        return {
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "hidden_dim": self.hidden_dim,
            "image_dim": self.image_dim,
            "conditioning": self.conditioning,
            "dropout": self.dropout,
            "forms": list(self.forms),
        }
