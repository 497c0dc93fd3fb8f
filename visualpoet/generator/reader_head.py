"""What readers would grade a text, by the states of the network that writes."""

import pathlib
from typing import Any

import keras
import numpy as np
from keras import ops

from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.presets import PresetModel

HEAD_FILE = "reader_head.keras"
# Of a candidate, beside which the states count.
SCORES = ("fit", "fluency", "novelty", "repetition")


@keras.saving.register_keras_serializable("visualpoet")
class WeightedSum(keras.layers.Layer):
    """Adds up numbers, each with a weight that is learnt, and a bias.

    No matrix product, which rounds in another way for other numbers of rows.

    Call arguments: float `[N, H]`; returns float `[N]`.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(
            shape=[input_shape[-1]], initializer="zeros", name="kernel"
        )
        self.bias = self.add_weight(shape=[], initializer="zeros", name="bias")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return ops.sum(x * self.kernel, axis=-1) + self.bias


@keras.saving.register_keras_serializable("visualpoet")
class ReaderHead(PresetModel):
    """Linear in the state of the generator that has seen no photograph.

    A poem's merit is the mean over its tokens, END among them, of what the
    state that each is drawn from adds. Readers' grades are regressed on that
    and on fit, fluency, novelty and repetition; this is the states' part
    (`recipes/train_reader_head.py`).

    Source: a reward model on a language model's states, as of Stiennon et al.
    (2020), "Learning to summarize from human feedback". Differs: the language
    model stays as it is, and the states' mean counts, not the last one.

    Args:
        hidden_dim: Width of the generator's GRU.

    Call arguments: float `[N, hidden_dim]`; returns float `[N]`, in standard
    deviations of grades.

    Example:
        >>> ReaderHead(hidden_dim=3)(ops.ones([2, 3])).shape
        TensorShape([2])
    """

    def __init__(self, hidden_dim: int, **kwargs: Any) -> None:
        state = keras.Input([hidden_dim], name="state")
        super().__init__(
            inputs=state, outputs=WeightedSum(name="merit")(state), **kwargs
        )
        self.hidden_dim = hidden_dim

    def get_config(self) -> dict:
        return {"hidden_dim": self.hidden_dim}


def average_states(
    generator: PoemGenerator, form: int, token_ids: np.ndarray
) -> np.ndarray:
    """Averages the states that the tokens of texts are drawn from.

    Args:
        generator: The generator, which sees no photograph.
        form: Which of its forms, 0 for none.
        token_ids: int `[N, T]`; START, the text, END, padded with 0.

    Returns:
        float32 `[N, H]`; START is drawn from none, END from the last one.
    """
    size = len(token_ids)
    photograph = {
        "image_embedding": np.zeros([size, generator.image_dim], np.float32),
        "clue_ids": np.zeros([size, 1], np.int32),
        "form": np.full([size], form, np.int32),
    }
    is_drawn = keras.Input([None], name="is_drawn")
    states = generator.get_layer("decoder").output  # [B, T - 1, H]
    total = ops.sum(states * is_drawn[..., None], axis=1)
    mean = total / ops.sum(is_drawn, axis=1, keepdims=True)
    model = keras.Model({**generator.input, "is_drawn": is_drawn}, mean)
    inputs = {
        "token_ids": token_ids[:, :-1],
        "is_drawn": (token_ids[:, 1:] > 0).astype(np.float32),
        **photograph,
    }
    return model.predict(
        {name: inputs[name] for name in model.input}, batch_size=256, verbose=0
    )


def load_reader_head(folder: pathlib.Path, hidden_dim: int) -> ReaderHead:
    """Loads what `recipes/train_reader_head.py` saved.

    Args:
        folder: Its run directory.
        hidden_dim: Width of the generator that it reads.

    Returns:
        The reader head.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it reads states of another width.
    """
    path = pathlib.Path(folder) / HEAD_FILE
    if not path.exists():
        raise FileNotFoundError(
            f"expected {HEAD_FILE} in the folder. Received: {folder}; run "
            "recipes/train_reader_head.py first"
        )
    head = keras.saving.load_model(path)
    if head.hidden_dim != hidden_dim:
        raise ValueError(
            f"expected a reader head for states of {hidden_dim} numbers. "
            f"Received: {path}, for {head.hidden_dim}; train it on texts of "
            "this generator"
        )
    return head
