import numpy as np
import tensorflow as tf

from tests.adversarial import tiny_policy
from visualpoet.adversarial import rollouts
from visualpoet.corpus.vocabulary import PAD
from visualpoet.generator.sampling import sample_poems


def share_of_fives(token_ids, photograph):
    written = tf.reduce_sum(tf.cast(token_ids > 0, tf.float32), 1)
    fives = tf.reduce_sum(tf.cast(token_ids == 5, tf.float32), 1)
    return fives / written


def test_returns_are_the_reward_less_the_value_before():
    """tf-agents sums rewards from each step on."""
    rewards = tf.constant([[0, 0, 0, 0, 0.9]])
    values = tf.constant([[0.2, 0.5]])
    spread = rollouts.spread_rewards(rewards, values, [2, 4]).numpy()
    np.testing.assert_allclose(spread, [[0.2, 0, 0.3, 0, 0.4]], rtol=1e-5)
    returns = np.cumsum(spread[0, ::-1])[::-1]
    np.testing.assert_allclose(returns, [0.9, 0.7, 0.7, 0.4, 0.4], rtol=1e-5)


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
    by_hand = [
        share_of_fives(
            sample_poems(
                generator,
                photograph,
                8,
                tf.random.stateless_uniform([2, 8], [3, 1 + rollout]),
                kept,
            ),
            photograph,
        )
        for rollout in range(2)
    ]
    np.testing.assert_allclose(
        values[:, 0], np.mean(by_hand, axis=0), rtol=1e-6
    )
