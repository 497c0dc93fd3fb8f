import numpy as np
import pytest
import tensorflow as tf
from tf_agents.trajectories import time_step as ts
from tf_agents.utils import common

from tests.adversarial import tiny_policy
from visualpoet.adversarial import training
from visualpoet.adversarial.agent import build_reinforce_agent
from visualpoet.adversarial.scoring import PoemReward
from visualpoet.discriminators.poem_style import PoemStyleDiscriminator
from visualpoet.discriminators.tasks import POEM_STYLE
from visualpoet.discriminators.training import prepare_discriminator
from visualpoet.generator.poem_sampling import mask_logits

SIZE, LENGTH = 16, 6


def share_of_fives(token_ids, photograph):
    words = tf.reduce_sum(tf.cast(token_ids > 2, tf.float32), 1)
    fives = tf.reduce_sum(tf.cast(token_ids == 5, tf.float32), 1)
    return tf.math.divide_no_nan(fives, words)


def build(part=share_of_fives, learning_rate=0.05):
    generator = tiny_policy.build_generator()
    reward = PoemReward({"fives": part}, [1.0], SIZE, "none")
    environment = tiny_policy.build_environment(SIZE, LENGTH, reward)
    network = tiny_policy.build_network(generator, environment)
    agent, policy = build_reinforce_agent(
        environment.time_step_spec(),
        environment.action_spec(),
        network,
        learning_rate=learning_rate,
        seed=3,
    )
    return agent, training.build_collector(environment, agent, policy), reward


def test_the_loop_reaches_a_certain_reward():
    agent, collector, reward = build()
    photograph = tiny_policy.photographs(SIZE)
    train = common.function(agent.train)
    rewards = []
    for _ in range(60):
        experience, _ = training.sample(collector, photograph, reward)
        rewards.append(float(tf.reduce_mean(reward.values)))
        train(experience)
    assert np.mean(rewards[:3]) < 0.6
    assert np.mean(rewards[-3:]) > 0.95


def test_what_is_collected_is_what_was_written():
    agent, collector, reward = build()
    photograph = tiny_policy.photographs(SIZE)
    experience, poems = training.sample(collector, photograph, reward)
    assert experience.action.shape == (SIZE, LENGTH - 1)
    np.testing.assert_array_equal(experience.action, poems[:, 1:])
    np.testing.assert_array_equal(
        experience.observation["token_id"], poems[:, :-1]
    )
    assert np.asarray(experience.next_step_type)[:, -1].tolist() == [2] * SIZE
    np.testing.assert_allclose(
        experience.reward[:, -1], share_of_fives(poems, photograph)
    )
    assert collector.metrics[0].result().numpy() == SIZE
    assert collector.metrics[1].result().numpy() == SIZE * (LENGTH - 1)
    np.testing.assert_allclose(
        collector.metrics[2].result(), np.mean(reward.values), rtol=1e-5
    )


def test_draws_follow_seed_and_counter():
    _, first, reward = build()
    _, second, other = build()
    photograph = tiny_policy.photographs(SIZE)
    one = [training.sample(first, photograph, reward)[1] for _ in range(2)]
    two = [training.sample(second, photograph, other)[1] for _ in range(2)]
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one[0], one[1])


def test_log_probabilities_of_the_driver_are_the_sequence_views():
    agent, collector, reward = build()
    photograph = tiny_policy.photographs(SIZE)
    experience, poems = training.sample(collector, photograph, reward)
    generator = tiny_policy.build_generator()
    logits = generator({"token_ids": poems[:, :-1], **photograph})
    expected = mask_logits(logits, poems[:, :-1])
    policy = agent.collect_policy
    state, logits = policy.get_initial_state(SIZE), []
    for time in range(LENGTH - 1):
        step = ts.TimeStep(
            experience.step_type[:, time],
            experience.reward[:, time],
            experience.discount[:, time],
            tf.nest.map_structure(
                lambda seen, time=time: seen[:, time], experience.observation
            ),
        )
        found = policy.distribution(step, state)
        state = found.state
        logits.append(found.action.logits_parameter())
    np.testing.assert_allclose(tf.stack(logits, 1), expected, atol=1e-5)


def test_bad_rewards_and_empty_poems_stop():
    def broken(token_ids, photograph):
        return tf.fill([SIZE], 1.5)

    _, collector, reward = build(broken)
    with pytest.raises(ValueError, match="reward fives: .*1.5 for poem 0"):
        training.sample(collector, tiny_policy.photographs(SIZE), reward)
    training.check_not_empty(np.array([[1, 2, 0], [1, 5, 2]]))
    with pytest.raises(ValueError, match="samples: .*Received: 2 empty ones"):
        training.check_not_empty(np.array([[1, 2, 0], [1, 2, 0]]))
    with pytest.raises(
        ValueError, match="scores are no numbers: begin a new run"
    ):
        training.check_not_empty(np.array([[1, 0, 0], [1, 0, 0]]))


def test_an_update_by_what_is_no_number_stops():
    agent, *_ = build()
    agent._optimizer.norm.assign(2.0)
    training.check_update(agent)
    agent._optimizer.norm.assign(np.nan)
    with pytest.raises(
        ValueError, match="policy: .*a norm of nan; begin a new run"
    ):
        training.check_update(agent)


def test_a_critic_that_cannot_tell_is_refused():
    model = PoemStyleDiscriminator(7, [], 3, 4, ("real", "generated"))
    model.get_layer("classes").bias.assign([50.0, 0.0])
    discriminator = prepare_discriminator(POEM_STYLE, model, 1e-3)
    texts = {"token_ids": np.array([[1, 5, 2], [1, 6, 2]], np.int32)}
    with pytest.raises(ValueError, match="poem_style: .*'real' for all of 2"):
        training.update_discriminator(discriminator, texts, np.array([0, 1]))


@pytest.mark.parametrize(
    ("entropy", "distinct", "message"),
    [
        (0.4, 0.9, "entropy of at least 0.5. Received: 0.4"),
        (2.0, 0.04, "distinct-2 .* of at least 0.05. Received: 0.04"),
        (float("nan"), 0.9, "entropy of at least 0.5. Received: nan"),
    ],
)
def test_collapse_is_told_in_time(entropy, distinct, message):
    training.check_alive(0.5, 0.05, 0.5, 0.05)
    with pytest.raises(training.Collapse, match=message):
        training.check_alive(entropy, distinct, 0.5, 0.05)
