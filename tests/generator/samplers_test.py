import numpy as np
import pytest
import tensorflow as tf

from visualpoet.generator import samplers

GRID = tf.constant((np.arange(1000) + 0.5) / 1000, tf.float32)


def draw(probabilities, uniform, **options):
    """Draws with one set of probabilities for many uniform numbers."""
    uniform = tf.constant(uniform, tf.float32)
    logits = tf.math.log(tf.constant(probabilities, tf.float32))
    logits = tf.repeat(logits[None], len(uniform), axis=0)
    return samplers.sample(logits, uniform, **options).numpy().tolist()


def test_greedy():
    chosen = samplers.greedy(tf.constant([[1.0, 3.0, 2.0], [5.0, 0.0, -1.0]]))
    np.testing.assert_array_equal(chosen, [1, 0])
    assert chosen.dtype == tf.int32


@pytest.mark.parametrize("compiled", [False, True])
def test_sample_inverts_the_cumulative_distribution(compiled):
    # From the likeliest down: token 0 to 0.5, token 2 to 0.8, token 1 to 1.
    sample = samplers.sample
    sample = tf.function(sample) if compiled else sample
    uniform = tf.constant([0.0, 0.49, 0.51, 0.79, 0.81, 0.999])
    logits = tf.repeat(tf.math.log([[0.5, 0.2, 0.3]]), 6, axis=0)
    chosen = sample(logits, uniform)
    np.testing.assert_array_equal(chosen, [0, 0, 2, 2, 1, 1])
    assert chosen.dtype == tf.int32


def test_a_border_belongs_to_the_next_token():
    assert draw([0.5, 0.5], [0.0, 0.5]) == [0, 1]


def test_sample_draws_as_often_as_the_softmax_says():
    chosen = draw([0.1, 0.2, 0.3, 0.4], GRID)
    assert np.bincount(chosen).tolist() == [100, 200, 300, 400]


def test_temperature_divides_the_logits():
    # At temperature 2: square roots, 0.8 to 0.6, so 0.5714 and 0.4286.
    assert draw([0.64, 0.36], [0.57, 0.58], temperature=2.0) == [0, 1]
    assert draw([0.64, 0.36], [0.57, 0.58]) == [0, 0]


@pytest.mark.parametrize("temperature", [0.0, 1e-4, 0.01])
def test_low_temperature_is_greedy(temperature):
    chosen = draw([0.3, 0.3, 0.4], GRID, temperature=temperature)
    assert set(chosen) == {2}


def test_top_one_is_greedy():
    assert set(draw([0.3, 0.3, 0.4], GRID, top_k=1)) == {2}


def test_top_k_keeps_the_likeliest():
    # 0.5 and 0.3 of 0.8: token 0 to 0.625, then token 2.
    uniform = [0.0, 0.62, 0.63, 0.999]
    assert draw([0.5, 0.2, 0.3], uniform, top_k=2) == [0, 0, 2, 2]


def test_top_k_of_more_than_all_is_all():
    assert draw([0.5, 0.2, 0.3], GRID, top_k=128) == draw([0.5, 0.2, 0.3], GRID)


@pytest.mark.parametrize(
    "top_p, counts",
    [
        (0.0, [1000, 0, 0]),
        (0.45, [1000, 0, 0]),
        (0.55, [625, 0, 375]),
        (0.75, [625, 0, 375]),
        (0.85, [500, 200, 300]),
        (1.0, [500, 200, 300]),
    ],
)
def test_nucleus_is_the_smallest_set_that_holds_the_share(top_p, counts):
    chosen = draw([0.5, 0.2, 0.3], GRID, top_p=top_p)
    assert np.bincount(chosen, minlength=3).tolist() == counts


def test_forbidden_tokens_are_never_drawn():
    logits = tf.constant([[0.0, samplers.NEVER, 0.0, 2 * samplers.NEVER]])
    chosen = samplers.sample(tf.repeat(logits, 1000, axis=0), GRID)
    assert np.bincount(chosen).tolist() == [500, 0, 500]


def test_a_row_decides_for_itself():
    logits = tf.math.log([[0.5, 0.2, 0.3], [0.1, 0.1, 0.8], [0.2, 0.7, 0.1]])
    uniform = tf.constant([0.6, 0.85, 0.1])
    together = samplers.sample(logits, uniform, top_p=0.95)
    alone = [
        samplers.sample(logits[i : i + 1], uniform[i : i + 1], top_p=0.95)
        for i in range(3)
    ]
    np.testing.assert_array_equal(together, tf.concat(alone, 0))
    np.testing.assert_array_equal(together, [2, 0, 1])
