"""A generator so small that its losses can be computed by hand."""

import keras
import numpy as np
import tensorflow as tf

from visualpoet.adversarial.actor import GeneratorNetwork
from visualpoet.adversarial.environment import PoemEnvironment
from visualpoet.generator.poem_generator import PoemGenerator

VOCABULARY = 7  # four special tokens, the line break, two words
IMAGE_DIM = 3
SPEC = {"image_embedding": tf.TensorSpec([IMAGE_DIM], tf.float32)}


def build_generator(even=False):
    """The same each time; `even` gives all tokens the same probability."""
    keras.utils.set_random_seed(4)
    model = PoemGenerator(VOCABULARY, 4, 5, IMAGE_DIM, "first_state")
    for variable in model.trainable_variables:
        variable.assign(variable * (0 if even else 2))
    return model


def build_environment(batch_size, max_tokens, reward):
    return PoemEnvironment(batch_size, max_tokens, VOCABULARY, SPEC, reward)


def build_network(generator, environment, **options):
    return GeneratorNetwork(
        generator,
        environment.observation_spec(),
        environment.action_spec(),
        **options,
    )


def photographs(batch_size):
    values = np.linspace(-1, 1, batch_size * IMAGE_DIM, dtype=np.float32)
    return {"image_embedding": values.reshape(batch_size, IMAGE_DIM)}
