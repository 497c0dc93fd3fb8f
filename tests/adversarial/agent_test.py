"""The loss of REINFORCE on hand-written trajectories, choice by choice.

    step        1      2      3
    row 0       5      6      END    reward 0.8 at the end
    row 1       END    pad    pad    reward 0.2 at the end

Every word has the same probability, 1 / 5 (7 tokens less padding and START),
what follows END has probability 1: log p is -1.6094 four times, else 0.
"""

import numpy as np
import pytest
import tensorflow as tf
from tf_agents.trajectories import trajectory
from tf_agents.utils import common

from tests.adversarial import tiny_policy
from visualpoet.adversarial.agent import build_reinforce_agent

TOKENS = np.array([[1, 5, 6, 2], [1, 2, 0, 0]], np.int32)
LOG_5 = 1.6094379


def no_reward(token_ids, photograph):
    return tf.zeros([2])


def build(network_options=None, even=True, **options):
    environment = tiny_policy.build_environment(2, 4, no_reward)
    generator = tiny_policy.build_generator(even)
    network = tiny_policy.build_network(
        generator, environment, **(network_options or {})
    )
    given = {"learning_rate": 1e-3, "seed": 0, "normalize_returns": False}
    agent, policy = build_reinforce_agent(
        environment.time_step_spec(),
        environment.action_spec(),
        network,
        **{**given, **options},
    )
    return agent, policy, network, generator


def experience():
    seen = tiny_policy.photographs(2)["image_embedding"]
    return trajectory.Trajectory(
        step_type=tf.constant([[0, 1, 1]] * 2),
        observation={
            "token_id": tf.constant(TOKENS[:, :-1]),
            "image_embedding": tf.repeat(seen[:, None], 3, axis=1),
        },
        action=tf.constant(TOKENS[:, 1:]),
        policy_info=(),
        next_step_type=tf.constant([[1, 1, 2]] * 2),
        reward=tf.constant([[0, 0, 0.8], [0, 0, 0.2]]),
        discount=tf.constant([[1, 1, 0.0]] * 2),
    )


@pytest.mark.parametrize(
    ("options", "loss"),
    [
        # The whole reward weighs every token: (3 * 0.8 + 1 * 0.2) * log 5 / 2.
        ({}, 1.3 * LOG_5),
        # Standardised over the batch: 1 and -1; (3 - 1) * log 5 / 2.
        ({"normalize_returns": True}, LOG_5),
    ],
)
def test_policy_gradient_loss(options, loss):
    agent, *_ = build(**options)
    info = agent.train(experience())
    np.testing.assert_allclose(info.extra.policy_gradient_loss, loss, rtol=2e-5)
    np.testing.assert_allclose(info.loss, loss, rtol=2e-5)


def test_entropy_is_rewarded():
    """Entropy log 5 at four of six steps, and 0 after the end."""
    agent, *_ = build(entropy_regularization=0.1)
    info = agent.train(experience())
    np.testing.assert_allclose(
        info.extra.entropy_regularization_loss,
        -0.1 * LOG_5 * 4 / 6,
        rtol=1e-5,
    )


def test_the_value_baseline_is_subtracted_and_learnt():
    agent, *_ = build(value_baseline=True)
    values, _ = agent._value_network(
        experience().observation, experience().step_type
    )
    returns = np.array([[0.8] * 3, [0.2] * 3])
    mask = np.array([[1, 1, 1], [1, 0, 0]])
    expected = ((returns - values.numpy()) * mask).sum() * LOG_5 / 2
    info = agent.train(experience())
    np.testing.assert_allclose(
        info.extra.policy_gradient_loss, expected, rtol=1e-4
    )
    first = float(info.extra.value_estimation_loss)
    np.testing.assert_allclose(
        first, 0.2 * ((returns - values.numpy()) ** 2).sum() / 2, rtol=1e-4
    )
    train = common.function(agent.train)
    for _ in range(200):
        info = train(experience())
    assert float(info.extra.value_estimation_loss) < first / 2


def test_all_weights_move():
    agent, _, network, generator = build(even=False)
    before = [weight.numpy().copy() for weight in network.trainable_weights]
    agent.train(experience())
    moved = [
        not np.array_equal(old, new.numpy())
        for old, new in zip(before, network.trainable_weights)
    ]
    names = [variable.path for variable in generator.trainable_variables]
    # The paper's way sees the photograph in the first state alone.
    still = [name for name, m in zip(names, moved) if not m]
    assert [name.split("/")[-2] for name in still] == ["recall_image"]


def test_divergence_from_the_reference():
    reference = tiny_policy.build_generator(even=True)
    options = {"reference": reference, "kl_weight": 0.5}
    agent, _, network, _ = build(options, even=True)
    info = agent.train(experience())
    np.testing.assert_allclose(network.kl, 0.0, atol=1e-7)
    np.testing.assert_allclose(network.entropy, LOG_5, rtol=1e-5)
    agent, _, network, generator = build(options, even=False)
    info = agent.train(experience())
    inputs = {"token_ids": TOKENS[:, :-1], **tiny_policy.photographs(2)}
    fresh = tiny_policy.build_generator()(inputs).numpy()[:, :, 2:]
    log_p = fresh - np.log(np.exp(fresh).sum(-1, keepdims=True))
    kl = (np.exp(log_p) * (log_p + LOG_5)).sum(-1)  # [B, T]
    mask = np.array([[1, 1, 1], [1, 0, 0]])
    np.testing.assert_allclose(network.kl, (kl * mask).sum() / 4, rtol=1e-4)
    np.testing.assert_allclose(
        info.extra.policy_network_regularization_loss,
        0.5 * (kl * mask).sum() / 2,  # a poem
        rtol=1e-4,
    )


def test_teacher_forcing_is_mixed_in():
    """Poem 5 6 END and poem 6 END: five tokens of log 5 over two poems; with
    four special columns the whole softmax has seven, so log 7 each."""
    spec = {
        "token_ids": tf.TensorSpec([2, 4], tf.int32),
        "image_embedding": tf.TensorSpec([2, 3], tf.float32),
    }
    agent, _, network, _ = build({"teacher_spec": spec, "teacher_weight": 0.1})
    network.set_teacher(
        {
            "token_ids": np.array([[1, 5, 6, 2], [1, 6, 2, 0]], np.int32),
            **tiny_policy.photographs(2),
        }
    )
    info = agent.train(experience())
    np.testing.assert_allclose(
        info.extra.policy_network_regularization_loss,
        0.1 * 5 * np.log(7) / 2,
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    ("clip_norm", "low", "high"),
    # Adam's first step is the learning rate, 1e-3, however small the gradient,
    # until that is near Adam's epsilon.
    [(1e9, 9e-4, 1.1e-3), (1e-9, 0, 2e-5)],
)
def test_the_gradient_is_clipped_and_its_norm_kept(clip_norm, low, high):
    agent, _, network, _ = build(even=False, clip_norm=clip_norm)
    before = [variable.numpy().copy() for variable in network.variables]
    agent.train(experience())
    assert float(agent._optimizer.norm) > 0.1
    moved = [
        np.abs(new.numpy() - old).max()
        for old, new in zip(before, network.variables)
    ]
    assert low <= max(moved) <= high
