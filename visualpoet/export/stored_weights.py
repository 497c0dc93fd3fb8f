"""Keras models with their weights kept in a quarter as many bytes."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visualpoet.features.visual_encoder import VisualEncoder

_LARGEST = 127  # of int8, which is then as far from 0 as its opposite


class StoredWeight(tf.Module):
    """A weight, kept in few bytes.

    A matrix is kept as int8 with a scale a row; one of a single column, whose
    rows are a number each, as float16. Vectors (biases, statistics of
    normalisation) stay as they are: they are small, and may fit neither.

    Args:
        weight: The weight; what is kept is a copy.

    Attributes:
        value: Variable of the weight's shape.
        scale: What an int8 `value` is to be multiplied by, float of the same
            rank; else None.
    """

    def __init__(self, weight: keras.Variable):
        super().__init__()
        value = np.asarray(weight)
        self.scale: tf.Variable | None = None
        if value.dtype == np.float32 and value.ndim > 1:
            if value.shape[-1] > 1:
                value, scale = quantize(value)
                self.scale = tf.Variable(scale, trainable=False)
            else:
                value = value.astype(np.float16)
        self.value = tf.Variable(value, trainable=False)

    def read(self) -> tf.Tensor:
        """Returns the weight as it is computed with."""
        value = tf.convert_to_tensor(self.value)
        if self.scale is not None:
            return tf.cast(value, tf.float32) * self.scale
        return (
            tf.cast(value, tf.float32) if value.dtype == tf.float16 else value
        )


def quantize(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounds a matrix to eight bits a number.

    `matrix = values * scale`, nearly: the greatest of each row is 127 or -127.
    Rows are what the axis counts that loses least by it: tokens of an
    embedding, outputs of a layer.

    Args:
        matrix: float32, of two axes or more.

    Returns:
        The values, int8, and the scales, float32 with one number a row. What
        was rounded before is rounded to the same again.

    Example:
        >>> values, scale = quantize(np.float32([[127, -3], [0.5, 0.25]]))
        >>> values.tolist(), scale.tolist()
        ([[127, -3], [127, 64]], [[1.0], [0.003937007859349251]])
    """
    rounded = [_round(matrix, axis) for axis in range(matrix.ndim)]
    losses = [np.sum((v * scale - matrix) ** 2) for v, scale in rounded]
    return rounded[int(np.argmin(losses))]


def _round(matrix: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows being those of an axis."""
    others = tuple(a for a in range(matrix.ndim) if a != axis)
    greatest = np.abs(matrix).max(axis=others, keepdims=True)
    scale = np.where(greatest > 0, greatest / np.float32(_LARGEST), 1)
    return np.rint(matrix / scale).astype(np.int8), scale


class StoredWeights(tf.Module):
    """Weights of a Keras model kept in few bytes, computed with as float32.

    `presets.PresetModel.from_preset` finds them by the class of the model,
    which is this one's name, and their Keras paths.

    Args:
        model: The model.
        shared: Stored weights by Keras variable, so that models that share
            layers share what is stored.
    """

    def __init__(
        self, model: keras.Model, shared: dict[int, StoredWeight] | None = None
    ):
        super().__init__(name=type(model).__name__)
        # In a closure: as an attribute, the model and its float32 weights
        # would become part of the SavedModel.
        self._call = lambda *given: model.stateless_call(*given, training=False)
        self.get_config = model.get_config
        shared = {} if shared is None else shared
        for variable in model.variables:
            if id(variable) not in shared:
                shared[id(variable)] = StoredWeight(variable)
        self.trainable = [shared[id(v)] for v in model.trainable_variables]
        self.fixed = [shared[id(v)] for v in model.non_trainable_variables]
        self.weights = {v.path: shared[id(v)] for v in model.weights}

    def read(self) -> Callable:
        """Reads the weights once.

        Returns:
            The model as a function of its inputs.
        """
        trainable = [weight.read() for weight in self.trainable]
        fixed = [weight.read() for weight in self.fixed]

        def apply(inputs: Any) -> Any:
            return self._call(trainable, fixed, inputs)[0]

        return apply


class EncoderFeatures(StoredWeights):
    """The small visual encoder, its weights kept in few bytes.

    Args:
        encoder: The encoder. Maps pixels float `[B, size, size, 3]` in
            [0, 255] to `object`, `scene` and `sentiment`, each float `[B, F]`.
    """

    def __init__(self, encoder: VisualEncoder):
        super().__init__(encoder)
        self.size = encoder.image_size
