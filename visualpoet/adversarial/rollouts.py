"""Monte Carlo rollouts: what a prefix is worth."""

from collections.abc import Callable

import tensorflow as tf
from tf_agents.trajectories import trajectory

from visualpoet import distribution
from visualpoet.adversarial.environment import PoemEnvironment
from visualpoet.adversarial.scoring import PoemReward
from visualpoet.corpus.vocabulary import PAD
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.poem_sampling import sample_poems


def prefix_values(
    generator: PoemGenerator,
    photograph: dict[str, tf.Tensor],
    token_ids: tf.Tensor,
    lengths: list[int],
    num_rollouts: int,
    reward: Callable[[tf.Tensor, dict[str, tf.Tensor]], tf.Tensor],
    seed: tf.Tensor,
) -> tf.Tensor:
    """Estimates the value of prefixes by completing them.

    `V(y_1:t) = mean over rollouts of R(y_1:t, rollout)`

    Source: Yu et al. (2017), SeqGAN, Monte Carlo search.

    Args:
        generator: `PoemGenerator`.
        photograph: Inputs of its `start_view`, each `[B, ...]`.
        token_ids: int `[B, T]`. Finished poems.
        lengths: Tokens of each prefix, START included.
        num_rollouts: Completions a prefix.
        reward: Maps poems int `[B, T]` and photographs to float `[B]`.
        seed: int `[2]`. Of the draws.

    Returns:
        float `[B, len(lengths)]`.
    """
    batch_size, max_tokens = token_ids.shape
    seeds = tf.random.split(seed, len(lengths) * num_rollouts)
    columns = []
    for place, length in enumerate(lengths):
        total = tf.zeros([batch_size])
        kept = tf.range(max_tokens) < length
        prefix = tf.where(kept, token_ids, PAD)
        for rollout in range(num_rollouts):
            uniform = distribution.draw_uniform(
                [batch_size, max_tokens],
                seeds[place * num_rollouts + rollout],
            )
            poems = sample_poems(
                generator, photograph, max_tokens, uniform, prefix
            )
            total += reward(poems, photograph)
        columns.append(total / num_rollouts)
    return tf.stack(columns, axis=1)


def spread_rewards(
    rewards: tf.Tensor, values: tf.Tensor, lengths: list[int]
) -> tf.Tensor:
    """Spreads the last reward over the steps by the values of prefixes.

    tf-agents sums rewards itself, so each step gets the difference between
    the value after it and before it: the return from a step on is the final
    reward less the value of the prefix before.

    Args:
        rewards: float `[B, T - 1]`; the reward of the poem at its last step.
        values: float `[B, len(lengths)]`, as of `prefix_values`.
        lengths: Tokens of each prefix, START included; ascending. The value
            of START alone is gained by no step: it is what the first ones are
            compared with.

    Returns:
        float `[B, T - 1]`.
    """
    steps = rewards.shape[1]
    final = rewards[:, -1:]
    after = tf.concat([values, final], axis=1)
    before = tf.concat([tf.zeros_like(final), values], axis=1)
    places = [length - 2 for length in lengths] + [steps - 1]
    spread = tf.one_hot(places, steps)  # [L + 1, T - 1]
    return tf.matmul(after - before, spread)


class RolloutRewards:
    """Spreads the rewards of a batch by rollouts, if there are any.

    Args:
        generator: `PoemGenerator`.
        reward: `PoemReward`; its `total` scores completions.
        num_rollouts: Completions a prefix; 0 leaves the rewards as they are.
        interval: Tokens between prefixes, the first of which is START alone.
        seed: Of the draws.
    """

    def __init__(
        self,
        generator: PoemGenerator,
        reward: PoemReward,
        num_rollouts: int,
        interval: int,
        seed: int,
    ) -> None:
        self._num_rollouts = num_rollouts
        self._interval = interval
        self._seed = seed
        self._values = tf.function(
            lambda photograph, token_ids, lengths, seed: prefix_values(
                generator,
                photograph,
                token_ids,
                lengths,
                num_rollouts,
                reward.total,
                seed,
            )
        )

    def spread(
        self,
        experience: trajectory.Trajectory,
        environment: PoemEnvironment,
        step: int,
    ) -> trajectory.Trajectory:
        """Returns the trajectories with rewards on the way.

        Args:
            experience: Trajectories `[B, T - 1]`.
            environment: Where they were collected.
            step: Number of the step, for the draws.

        Returns:
            The trajectories.
        """
        if not self._num_rollouts:
            return experience
        lengths = list(range(1, environment.max_tokens - 1, self._interval))
        values = self._values(
            environment.read_photograph(),
            environment.token_ids.read_value(),
            lengths,
            tf.constant([self._seed, step]),
        )
        return experience.replace(
            reward=spread_rewards(experience.reward, values, lengths)
        )
