"""Keras models with their weights kept in half as many bytes."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from visualpoet.features.visual_encoder import ENCODER_SIZE
from visualpoet.features.visual_encoder import VisualEncoder


class Float16Weights(tf.Module):
    """Weights of a Keras model kept as float16, computed with as float32.

    Vectors (biases, statistics of normalisation) stay float32: they are small
    and may not fit float16. `presets.PresetModel.from_preset` finds them by
    the class of the model, which is this one's name, and their Keras paths.

    Args:
        model: The model.
        shared: Stored weights by Keras variable, so that models that share
            layers share what is stored.
    """

    def __init__(
        self, model: keras.Model, shared: dict[int, tf.Variable] | None = None
    ):
        super().__init__(name=type(model).__name__)
        # In a closure: as an attribute, the model and its float32 weights
        # would become part of the SavedModel.
        self._call = lambda *given: model.stateless_call(*given, training=False)
        self.get_config = model.get_config
        shared = {} if shared is None else shared
        for variable in model.variables:
            shared.setdefault(id(variable), _store(variable))
        self.trainable = [shared[id(v)] for v in model.trainable_variables]
        self.fixed = [shared[id(v)] for v in model.non_trainable_variables]
        self.weights = {v.path: shared[id(v)] for v in model.weights}

    def read(self) -> Callable:
        """Reads the weights once.

        Returns:
            The model as a function of its inputs.
        """
        trainable = [_as_float(v) for v in self.trainable]
        fixed = [_as_float(v) for v in self.fixed]

        def apply(inputs: Any) -> Any:
            return self._call(trainable, fixed, inputs)[0]

        return apply


def _store(variable: keras.Variable) -> tf.Variable:
    value = tf.convert_to_tensor(variable)
    if value.dtype == tf.float32 and len(value.shape) > 1:
        value = tf.cast(value, tf.float16)
    return tf.Variable(value, trainable=False)


def _as_float(variable: tf.Variable) -> tf.Tensor:
    value = tf.convert_to_tensor(variable)
    return tf.cast(value, tf.float32) if value.dtype == tf.float16 else value


class EncoderFeatures(Float16Weights):
    """The small visual encoder, stored as float16.

    Args:
        encoder: The encoder. Maps pixels float `[B, size, size, 3]` in
            [0, 255] to `object`, `scene` and `sentiment`, each float `[B, F]`.
    """

    size = ENCODER_SIZE

    def __init__(self, encoder: VisualEncoder):
        super().__init__(encoder)
