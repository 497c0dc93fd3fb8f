import numpy as np
import pytest
import tensorflow as tf
from tf_agents.trajectories import time_step as ts
from tf_agents.utils import nest_utils

from tests.adversarial import tiny_policy
from visualpoet.corpus.vocabulary import START


def count_fives(token_ids, photograph):
    fives = tf.cast(token_ids == 5, tf.float32)
    return tf.reduce_sum(fives, 1) + photograph["image_embedding"][:, 0]


@pytest.fixture
def environment():
    environment = tiny_policy.build_environment(2, 4, count_fives)
    environment.show(tiny_policy.photographs(2))
    return environment


def test_an_episode_is_a_poem(environment):
    """Steps:      FIRST  MID  MID  LAST   (T = 4, so three actions)
    token:         START    5    6     5
    reward:            0    0    0     2 + image
    """
    step = environment.reset()
    assert (step.step_type == ts.StepType.FIRST).numpy().all()
    assert step.observation["token_id"].numpy().tolist() == [START, START]
    actions = [[5, 5], [6, 2], [5, 0]]
    types, rewards, discounts = [], [], []
    for action in actions:
        step = environment.step(tf.constant(action))
        assert step.observation["token_id"].numpy().tolist() == action
        types.append(int(step.step_type[0]))
        rewards.append(step.reward.numpy().tolist())
        discounts.append(float(step.discount[0]))
    assert types == [1, 1, 2]
    assert discounts == [1.0, 1.0, 0.0]
    assert rewards[:2] == [[0, 0], [0, 0]]
    np.testing.assert_allclose(rewards[2], [2 - 1.0, 1 + 0.2], rtol=1e-6)
    assert environment.token_ids.numpy().tolist() == [
        [START, 5, 6, 5],
        [START, 5, 2, 0],
    ]


def test_the_step_after_the_last_begins_anew(environment):
    environment.reset()
    for _ in range(3):
        environment.step(tf.constant([5, 5]))
    step = environment.step(tf.constant([6, 6]))
    assert (step.step_type == ts.StepType.FIRST).numpy().all()
    assert step.reward.numpy().tolist() == [0, 0]
    assert environment.token_ids.numpy().tolist() == [[START, 0, 0, 0]] * 2


def test_steps_fit_their_spec(environment):
    """What `validate_py_environment` checks, for a TensorFlow environment:
    random actions over several episodes."""
    spec = environment.time_step_spec()
    rng = np.random.default_rng(0)
    step = environment.reset()
    last = 0
    for _ in range(20):
        nest_utils.assert_same_structure(step, spec)
        for value, expected in zip(
            tf.nest.flatten(step), tf.nest.flatten(spec)
        ):
            assert value.dtype == expected.dtype
            assert value.shape == [2, *expected.shape]
        last += int(step.is_last()[0])
        action = rng.integers(0, tiny_policy.VOCABULARY, 2)
        step = environment.step(tf.constant(action, tf.int32))
    assert last == 5


def test_photographs_are_seen(environment):
    seen = environment.reset().observation["image_embedding"]
    np.testing.assert_array_equal(
        seen, tiny_policy.photographs(2)["image_embedding"]
    )
