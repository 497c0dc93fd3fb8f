import numpy as np
import tensorflow as tf
from tf_agents.trajectories import trajectory

from tests.adversarial import tiny_policy
from visualpoet.adversarial import rollouts
from visualpoet.adversarial.scoring import PoemReward
from visualpoet.corpus.vocabulary import PAD
from visualpoet.generator.poem_sampling import sample_poems


def share_of_fives(token_ids, photograph):
    written = tf.reduce_sum(tf.cast(token_ids > 0, tf.float32), 1)
    fives = tf.reduce_sum(tf.cast(token_ids == 5, tf.float32), 1)
    return fives / written


def test_returns_are_the_reward_less_the_value_before():
    """tf-agents sums rewards from each step on."""
    rewards = tf.constant([[0, 0, 0, 0, 0.9]])
    values = tf.constant([[0.1, 0.2, 0.5]])
    spread = rollouts.spread_rewards(rewards, values, [1, 2, 4]).numpy()
    np.testing.assert_allclose(spread, [[0.1, 0, 0.3, 0, 0.4]], rtol=1e-5)
    returns = np.cumsum(spread[0, ::-1])[::-1]
    np.testing.assert_allclose(returns, [0.8, 0.7, 0.7, 0.4, 0.4], rtol=1e-5)


def test_a_finished_prefix_is_worth_its_reward():
    generator = tiny_policy.build_generator()
    photograph = {
        k: tf.constant(v) for k, v in tiny_policy.photographs(3).items()
    }
    poems = tf.constant(
        [[1, 5, 2, 0, 0, 0], [1, 5, 5, 2, 0, 0], [1, 2] + [0] * 4]
    )
    values = rollouts.prefix_values(
        generator,
        photograph,
        poems,
        [4],
        2,
        share_of_fives,
        tf.constant([0, 1]),
    )
    np.testing.assert_allclose(values[:, 0], [1 / 3, 1 / 2, 0], rtol=1e-6)


def test_values_are_means_of_completions():
    generator = tiny_policy.build_generator()
    photograph = {
        k: tf.constant(v) for k, v in tiny_policy.photographs(2).items()
    }
    poems = sample_poems(
        generator, photograph, 8, tf.random.stateless_uniform([2, 8], [5, 5])
    )
    values = rollouts.prefix_values(
        generator,
        photograph,
        poems,
        [3],
        2,
        share_of_fives,
        tf.constant([0, 1]),
    )
    kept = tf.where(tf.range(8) < 3, poems, PAD)
    seeds = tf.random.split([0, 1], 2)
    by_hand = [
        share_of_fives(
            sample_poems(
                generator,
                photograph,
                8,
                tf.random.stateless_uniform([2, 8], seeds[rollout]),
                kept,
            ),
            photograph,
        )
        for rollout in range(2)
    ]
    np.testing.assert_allclose(
        values[:, 0], np.mean(by_hand, axis=0), rtol=1e-6
    )


def test_no_two_rollouts_of_a_run_draw_the_same(monkeypatch):
    """Neither of other prefixes, nor of neighbouring steps."""
    drawn = []

    def sample(generator, photograph, max_tokens, uniform, prefix):
        drawn.append(tuple(uniform.numpy().ravel()))
        return prefix

    monkeypatch.setattr(rollouts, "sample_poems", sample)
    for step in range(3):
        rollouts.prefix_values(
            None,
            {},
            tf.constant([[1, 5, 2, 0]]),
            [1, 2, 3],
            2,
            share_of_fives,
            tf.constant([0, step]),
        )
    assert len(set(drawn)) == len(drawn) == 18


def test_a_batch_gets_the_values_of_its_prefixes():
    """Prefixes of 1, 3 and 5 tokens; the last ones are finished poems."""
    generator = tiny_policy.build_generator()
    reward = PoemReward({"fives": share_of_fives}, [1.0], 2, "none")
    environment = tiny_policy.build_environment(2, 7, reward)
    environment.show(tiny_policy.photographs(2))
    poems = tf.constant([[1, 5, 6, 2, 0, 0, 0], [1, 5, 2, 0, 0, 0, 0]])
    environment.token_ids.assign(poems)
    final = [1 / 4, 1 / 3]
    given = trajectory.Trajectory(
        *[()] * 5, tf.constant([[0.0] * 5 + [f] for f in final]), ()
    )
    before = rollouts.prefix_values(
        generator,
        environment.read_photograph(),
        poems,
        [1, 3],
        2,
        share_of_fives,
        tf.constant([3, 4]),  # seed and step
    ).numpy()
    spread = rollouts.RolloutRewards(generator, reward, 2, 2, seed=3).spread(
        given, environment, step=4
    )
    for row in range(2):
        start, value = before[row]
        np.testing.assert_allclose(
            spread.reward[row],
            [0, value - start, 0, final[row] - value, 0, 0],
            atol=1e-6,
        )
    unspread = rollouts.RolloutRewards(generator, reward, 0, 2, seed=3)
    assert unspread.spread(given, environment, step=4) is given
