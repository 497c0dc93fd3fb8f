import re

import numpy as np
import pytest
import tensorflow as tf

from visualpoet.adversarial.scoring import PoemReward
from visualpoet.adversarial.scoring import python_part
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START

PHOTOGRAPH = {"image_embedding": tf.constant([[0.1], [0.3]])}
POEMS = tf.constant([[1, 5, 2], [1, 6, 2]])


def fives(token_ids, photograph):
    return tf.reduce_max(tf.cast(token_ids == 5, tf.float32), axis=1)


def seen(token_ids, photograph):
    return photograph["image_embedding"][:, 0]


def build(baseline="none", decode=None):
    parts = {"fives": fives, "seen": seen}
    return PoemReward(parts, [0.8, 0.2], 2, baseline, decode)


def test_weighted_sum():
    reward = build()
    np.testing.assert_allclose(reward(POEMS, PHOTOGRAPH), [0.82, 0.06])
    np.testing.assert_allclose(reward.values, [[1, 0], [0.1, 0.3]])


def test_a_poem_without_end_has_no_reward_if_it_needs_one():
    parts = {"seen": seen}
    poems = tf.constant([[START, 5, 7], [START, 5, END]])
    reward = PoemReward(parts, [1.0], 2, "none", need_end=True)
    np.testing.assert_allclose(reward(poems, PHOTOGRAPH), [0.0, 0.3])
    np.testing.assert_allclose(reward.total(poems, PHOTOGRAPH), [0.0, 0.3])
    # What a part gave is kept all the same.
    np.testing.assert_allclose(reward.values, [[0.1, 0.3]])
    reward = PoemReward(parts, [1.0], 2, "none")
    np.testing.assert_allclose(reward(poems, PHOTOGRAPH), [0.1, 0.3])


def test_greedy_baseline_is_the_reward_of_the_likeliest_poem():
    reward = build("greedy", lambda photograph: tf.constant([[1, 5, 2]] * 2))
    np.testing.assert_allclose(
        reward(POEMS, PHOTOGRAPH), [0.0, -0.8], atol=1e-6
    )
    # What is kept is of the samples, not of the baseline.
    np.testing.assert_allclose(reward.values, [[1, 0], [0.1, 0.3]])


def test_running_mean_is_that_of_the_batches_before():
    reward = build("running_mean")
    np.testing.assert_allclose(reward(POEMS, PHOTOGRAPH), [0.82, 0.06])
    np.testing.assert_allclose(
        reward(POEMS, PHOTOGRAPH), [0.38, -0.38], rtol=1e-5
    )
    poorer = tf.constant([[1, 6, 2]] * 2)  # 0.02 and 0.06
    reward(poorer, PHOTOGRAPH)
    mean = (0.95**2 * 0.44 + 0.95 * 0.44 + 0.04) / (0.95**2 + 0.95 + 1)
    np.testing.assert_allclose(
        reward(poorer, PHOTOGRAPH), [0.02 - mean, 0.06 - mean], rtol=1e-4
    )


def test_a_bad_part_is_named():
    parts = {"mine": lambda t, p: tf.constant([0.5, float("nan")])}
    reward = PoemReward(parts, [1.0], 2, "none")
    reward(POEMS, PHOTOGRAPH)
    with pytest.raises(ValueError, match="reward mine: .*nan for poem 1"):
        reward.check()


def test_a_reward_in_plain_python():
    given = []

    def mine(poems, photographs):
        given.append((poems, photographs))
        return [0.25, 1.0]

    part = python_part(
        "mine", mine, lambda ids: " ".join(map(str, ids)), lambda: ["a", "b"]
    )
    values = tf.function(part)(POEMS, PHOTOGRAPH)
    assert values.numpy().tolist() == [0.25, 1.0]
    assert given == [(["1 5 2", "1 6 2"], ["a", "b"])]


@pytest.mark.parametrize(
    ("values", "shape"), [([0.5], "(1,)"), ([[0.5]] * 2, "(2, 1)")]
)
def test_a_python_reward_of_another_shape(values, shape):
    part = python_part("mine", lambda p, n: values, str, lambda: ["a", "b"])
    message = f"reward mine: .*Received: shape {re.escape(shape)}"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        tf.function(part)(POEMS, PHOTOGRAPH)
