"""The reward of the environment: parts, weights, and what is subtracted."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet import distribution
from visualpoet.adversarial.settings import Settings
from visualpoet.corpus.vocabulary import END
from visualpoet.discriminators import rewards
from visualpoet.discriminators.rewards import Reward
from visualpoet.discriminators.rewards import check_rewards
from visualpoet.discriminators.training import Discriminator
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.poem_sampling import sample_poems

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
        need_end: Whether a poem without END has reward 0.
    """

    def __init__(
        self,
        parts: dict[str, Part],
        weights: Sequence[float],
        batch_size: int,
        baseline: str,
        decode_greedily: Callable[[GeneratorInputs], tf.Tensor] | None = None,
        need_end: bool = False,
    ):
        super().__init__()
        self.names = list(parts)
        self._parts = list(parts.values())
        self._weights = tf.constant(weights, tf.float32)
        self._baseline, self._need_end = baseline, need_end
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
        return self._weigh(self._score(token_ids, photograph), token_ids)

    def _weigh(self, values: tf.Tensor, token_ids: tf.Tensor) -> tf.Tensor:
        total = tf.linalg.matvec(values, self._weights, transpose_a=True)
        if not self._need_end:
            return total
        ended = tf.reduce_any(tf.equal(token_ids, END), axis=1)
        return tf.where(ended, total, 0.0)

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
        total = self._weigh(values, token_ids)
        return total - self._subtracted(total, photograph)

    def _subtracted(
        self, total: tf.Tensor, photograph: GeneratorInputs
    ) -> tf.Tensor:
        if self._decode_greedily:
            return self.total(self._decode_greedily(photograph), photograph)
        if self._baseline == "running_mean":
            before = tf.math.divide_no_nan(self.mean[0], self.mean[1])
            now = tf.stack([tf.reduce_mean(total), 1.0])
            self.mean.assign(MEAN_DECAY * self.mean + (1 - MEAN_DECAY) * now)
            return before
        return tf.zeros_like(total)

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


def discriminator_parts(
    discriminator: Discriminator, weight: float, pairing_share: float = -1.0
) -> dict[str, tuple[Part, float]]:
    """Makes the reward of a discriminator.

    Args:
        discriminator: The discriminator.
        weight: Of its reward.
        pairing_share: Of a discriminator that reads the photograph the weight
            of p(paired | human), the rest that of 1 - p(generated); below 0
            p(paired), which is their product.

    Returns:
        Parts with their weights, by name.
    """

    def make_part(probability: Callable[[tf.Tensor], tf.Tensor]) -> Part:
        def part(
            token_ids: tf.Tensor, photograph: GeneratorInputs
        ) -> tf.Tensor:
            given = {"token_ids": token_ids, **photograph}
            given = {name: given[name] for name in discriminator.model.input}
            return probability(discriminator.model(given))

        return part

    name = discriminator.name
    if pairing_share < 0 or not discriminator.task.reads_photograph:
        return {name: (make_part(rewards.first_class_probability), weight)}
    return {
        f"{name}/pairing": (
            make_part(rewards.pairing_probability),
            weight * pairing_share,
        ),
        f"{name}/human": (
            make_part(rewards.human_probability),
            weight * (1 - pairing_share),
        ),
    }


def build_reward(
    parts: Mapping[str, tuple[Part, float]],
    settings: Settings,
    generator: PoemGenerator,
) -> PoemReward:
    """Builds the reward of a training.

    Args:
        parts: With their weights, by name.
        settings: Of the training.
        generator: Writes the likeliest poems, for the baseline `greedy`.

    Returns:
        The reward.
    """
    return PoemReward(
        {name: part for name, (part, _) in parts.items()},
        [weight for _, weight in parts.values()],
        settings.batch_size,
        settings.baseline,
        lambda photograph: sample_poems(
            generator, photograph, settings.max_tokens
        ),
        settings.need_end,
    )


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
