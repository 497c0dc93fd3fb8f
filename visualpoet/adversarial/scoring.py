"""The reward of the environment: parts, weights, and what is subtracted."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet import distribution
from visualpoet.discriminators.rewards import Reward
from visualpoet.discriminators.rewards import check_rewards

MEAN_DECAY = 0.95

GeneratorInputs = dict[str, tf.Tensor]
Part = Callable[[tf.Tensor, GeneratorInputs], tf.Tensor]


class PoemReward(tf.Module):
    """Weighted sum of rewards, less a baseline.

    `reward = sum_i weight_i * part_i(poem, photograph) - baseline`

    Source: liu18, reward and baseline `b_t` (its kind is not printed).

    Args:
        parts: Functions of token ids int `[B, T]` and photographs to float
            `[B]` in [0, 1], by name.
        weights: Weight of each.
        batch_size: Poems at once, of all workers; each scores its rows.
        baseline: `none`; `running_mean` of the rewards so far; `greedy`, the
            reward of the likeliest poem for the same photograph.
        decode_greedily: Maps photographs to the likeliest poems.
    """

    def __init__(
        self,
        parts: dict[str, Part],
        weights: Sequence[float],
        batch_size: int,
        baseline: str,
        decode_greedily: Callable[[GeneratorInputs], tf.Tensor] | None = None,
    ):
        super().__init__()
        self.names = list(parts)
        self._parts = list(parts.values())
        self._weights = tf.constant(weights, tf.float32)
        self._baseline = baseline
        if baseline == "greedy" and not decode_greedily:
            raise ValueError(
                "expected decode_greedily with the baseline greedy. Received: "
                "none"
            )
        self._decode_greedily = (
            decode_greedily if baseline == "greedy" else None
        )
        self._rows = distribution.own_rows(batch_size)
        self.values = tf.Variable(tf.zeros([len(parts), batch_size]))
        self.mean = tf.Variable([0.0, 0.0], name="running_mean")  # sum, weight

    def total(
        self, token_ids: tf.Tensor, photograph: GeneratorInputs
    ) -> tf.Tensor:
        """Scores poems without a baseline.

        Args:
            token_ids: int `[B, T]`.
            photograph: What they were written for.

        Returns:
            float `[B]`.
        """
        values = self._score(token_ids, photograph)
        return tf.linalg.matvec(values, self._weights, transpose_a=True)

    def _score(
        self, token_ids: tf.Tensor, photograph: GeneratorInputs
    ) -> tf.Tensor:
        return tf.stack([part(token_ids, photograph) for part in self._parts])

    def __call__(
        self, token_ids: tf.Tensor, photograph: GeneratorInputs
    ) -> tf.Tensor:
        """Scores poems, and keeps the parts in its rows of `values` `[P, B]`.

        Args:
            token_ids: int `[B, T]`.
            photograph: What they were written for.

        Returns:
            float `[B]`, less the baseline.
        """
        values = self._score(token_ids, photograph)
        self.values[:, self._rows].assign(values)
        rewards = tf.linalg.matvec(values, self._weights, transpose_a=True)
        return rewards - self._subtracted(rewards, photograph)

    def _subtracted(
        self, rewards: tf.Tensor, photograph: GeneratorInputs
    ) -> tf.Tensor:
        if self._decode_greedily:
            return self.total(self._decode_greedily(photograph), photograph)
        if self._baseline == "running_mean":
            before = tf.math.divide_no_nan(self.mean[0], self.mean[1])
            now = tf.stack([tf.reduce_mean(rewards), 1.0])
            self.mean.assign(MEAN_DECAY * self.mean + (1 - MEAN_DECAY) * now)
            return before
        return tf.zeros_like(rewards)

    @tf.function
    def gather(self) -> None:
        """Learns what the other workers have scored since the last time."""
        own = tf.transpose(self.values)[self._rows]
        self.values.assign(tf.transpose(distribution.gather(own)))
        self.mean.assign(distribution.average(self.mean.read_value()))

    def check(self) -> None:
        """Checks the parts of the last poems.

        Raises:
            ValueError: If one is NaN or outside [0, 1].
        """
        for name, values in zip(self.names, self.values.numpy()):
            check_rewards(values, len(values), name)


def python_part(
    name: str,
    reward: Reward,
    decode: Callable[[Sequence[int]], str],
    photographs: Callable[[], list[str]],
) -> Part:
    """Wraps a reward that is a plain Python function.

    Args:
        name: Of the reward, for messages.
        reward: Maps poems and names of photographs to numbers in [0, 1].
        decode: Writes token ids as text.
        photographs: Returns the names of the photographs of the batch.

    Returns:
        The part.
    """

    def score(token_ids: np.ndarray) -> np.ndarray:
        poems = [decode(row) for row in token_ids]
        return check_rewards(reward(poems, photographs()), len(poems), name)

    def part(token_ids: tf.Tensor, photograph: GeneratorInputs) -> tf.Tensor:
        values = tf.numpy_function(score, [token_ids], tf.float32)
        return tf.ensure_shape(values, token_ids.shape[:1])

    return part
