import keras
import numpy as np
import pytest
import tensorflow as tf

from visualpoet.generator.sequence_gru import SequenceGRU

B, T, E, H = 2, 5, 3, 4


def filled(layer):
    layer.build([None, None, E])
    draw = np.random.default_rng(0)
    layer.set_weights([draw.standard_normal(w.shape) for w in layer.weights])
    return layer


def states_and_gradients(layer, dtype="float32"):
    draw = np.random.default_rng(1)
    x, state, slope = (
        tf.constant(draw.standard_normal(shape), dtype)
        for shape in ([B, T, E], [B, H], [B, T, H])
    )
    with tf.GradientTape() as tape:
        tape.watch([x, state])
        states = layer(x, initial_state=state)
        loss = tf.reduce_sum(states * slope)
    weights = [weight.value for weight in layer.weights]
    return [states, *tape.gradient(loss, [x, state, *weights])]


def test_states_and_gradients_are_those_of_keras():
    expected = states_and_gradients(
        filled(keras.layers.GRU(H, return_sequences=True))
    )
    found = states_and_gradients(filled(SequenceGRU(H)))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_states_and_gradients_in_the_width_of_the_policy(policy):
    layer = filled(SequenceGRU(H, dtype=policy))
    states, *gradients = states_and_gradients(layer, layer.compute_dtype)
    assert states.dtype == layer.compute_dtype
    weights = [weight.value for weight in layer.weights]
    for weight, gradient in zip(weights, gradients[2:], strict=True):
        assert gradient.dtype == weight.dtype == "float32"
        assert gradient.shape == weight.shape


def test_last_state_is_that_of_the_cell():
    layer = filled(SequenceGRU(H))
    x = tf.ones([1, 2, E])
    state = tf.zeros([1, H])
    states = layer(x, initial_state=state)
    for step in range(2):
        state, _ = layer.cell(x[:, step], [state])
        np.testing.assert_allclose(states[:, step], state, atol=1e-6)
