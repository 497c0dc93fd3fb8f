"""The discriminators inside an export: they help to rank."""

import keras
import numpy as np
import tensorflow as tf

from visualpoet.discriminators.rewards import first_class_probability
from visualpoet.embedding.encoders import PoemTower
from visualpoet.export.half_stored import HalfStored


class Judges(tf.Module):
    """Discriminators, half stored.

    Args:
        discriminators: `paired`, the multi-modal one, and `poetic`, the
            poem-style one; or none.
        poem_tower: The tower.
        shared: Stored weights by Keras variable, the tower's among them.
    """

    def __init__(
        self,
        discriminators: dict[str, keras.Model],
        poem_tower: PoemTower,
        shared: dict[int, tf.Variable],
    ):
        super().__init__()
        self.names = tuple(discriminators)
        self._inputs = [tuple(m.input) for m in discriminators.values()]
        self._models = [
            _store(model, poem_tower, shared)
            for model in discriminators.values()
        ]

    def judge(
        self, token_ids: tf.Tensor, image_embedding: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Gives the probabilities of what a poem should be.

        Args:
            token_ids: int `[N, T]`, padded with 0.
            image_embedding: float `[N, K]`, or `[1, K]` for all poems.

        Returns:
            float `[N]` by name.
        """
        times = tf.shape(token_ids)[0] // tf.shape(image_embedding)[0]
        given = {
            "token_ids": token_ids,
            "image_embedding": tf.repeat(image_embedding, times, axis=0),
        }
        return {
            name: first_class_probability(
                model.read()({key: given[key] for key in inputs})
            )
            for name, inputs, model in zip(
                self.names, self._inputs, self._models
            )
        }


def _store(
    model: keras.Model, poem_tower: PoemTower, shared: dict[int, tf.Variable]
) -> HalfStored:
    """Word vectors that are still the poem tower's are stored once."""
    vectors = poem_tower.get_layer("word_vectors").embeddings
    read = model.get_layer("token_embedding").embeddings
    if read.shape == vectors.shape and np.array_equal(read, vectors):
        shared[id(read)] = shared[id(vectors)]
    return HalfStored(model, shared)
