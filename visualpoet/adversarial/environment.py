"""Writing as an environment: an episode is a poem, a step is a token."""

from collections.abc import Callable
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tf_agents.environments import tf_environment
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts

from visualpoet import distribution
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import START


def observation_spec(
    photograph_spec: dict[str, tf.TensorSpec],
) -> dict[str, tf.TensorSpec]:
    """Describes an observation: the last token and the photograph.

    Args:
        photograph_spec: Inputs of the generator's `start_view`, without batch.

    Returns:
        The same and `token_id`.
    """
    token_spec = tf.TensorSpec([], tf.int32, "token_id")
    return {"token_id": token_spec, **photograph_spec}


class PoemEnvironment(tf_environment.TFEnvironment):
    """Poems of one batch, written in step.

    All episodes begin with START and last `max_tokens - 1` steps; what follows
    a poem's END is padding, which the policy writes with probability 1. The
    reward comes with the last step, for the whole poem.

    Source: liu18, the generator as an agent.

    Args:
        batch_size: Poems written at once, by all workers; `self.batch_size` are
            those of this one.
        max_tokens: Longest poem, START and END included.
        vocabulary_size: Tokens, the actions.
        photograph_spec: Inputs of the generator's `start_view`, without batch.
        reward: Maps token ids int `[B, max_tokens]` and the photographs to
            the reward of each poem, float `[B]`.
    """

    def __init__(
        self,
        batch_size: int,
        max_tokens: int,
        vocabulary_size: int,
        photograph_spec: dict[str, tf.TensorSpec],
        reward: Callable[[tf.Tensor, dict[str, tf.Tensor]], tf.Tensor],
    ):
        action_spec = tensor_spec.BoundedTensorSpec(
            [], tf.int32, 0, vocabulary_size - 1, "token_id"
        )
        self._rows = distribution.own_rows(batch_size)
        batch_size = self._rows.stop - self._rows.start
        super().__init__(
            ts.time_step_spec(observation_spec(photograph_spec)),
            action_spec,
            batch_size,
        )
        self._reward = reward
        self.max_tokens = max_tokens
        self.photograph = {
            name: tf.Variable(
                tf.zeros([batch_size, *spec.shape], spec.dtype), name=name
            )
            for name, spec in photograph_spec.items()
        }
        self.token_ids = tf.Variable(
            tf.fill([batch_size, max_tokens], PAD), name="token_ids"
        )
        self._time = tf.Variable(0, name="time")
        self._last_reward = tf.Variable(tf.zeros([batch_size]), name="reward")

    def show(self, photograph: Mapping[str, tf.Tensor | np.ndarray]) -> None:
        """Sets the photographs of the episodes from the next reset on.

        Args:
            photograph: Inputs of the generator's `start_view`, for all workers.
        """
        for name, variable in self.photograph.items():
            variable.assign(photograph[name][self._rows])

    def read_photograph(self) -> dict[str, tf.Tensor]:
        """Returns what is before the poet."""
        return {n: v.read_value() for n, v in self.photograph.items()}

    def _current_time_step(self) -> ts.TimeStep:
        last = tf.gather(self.token_ids, self._time, axis=1)
        at_end = tf.equal(self._time, self.max_tokens - 1)
        first = tf.equal(self._time, 0)
        step_type = tf.where(
            first,
            ts.StepType.FIRST,
            tf.where(at_end, ts.StepType.LAST, ts.StepType.MID),
        )
        discount = tf.where(at_end, 0.0, 1.0)
        return ts.TimeStep(
            tf.fill([self.batch_size], step_type),
            self._last_reward.read_value(),
            tf.fill([self.batch_size], discount),
            {"token_id": last, **self.read_photograph()},
        )

    def _reset(self) -> ts.TimeStep:
        shape = tf.shape(self.token_ids)
        self.token_ids.assign(
            tf.concat(
                [tf.fill([shape[0], 1], START), tf.fill(shape - [0, 1], PAD)], 1
            )
        )
        self._time.assign(0)
        self._last_reward.assign(tf.zeros_like(self._last_reward))
        return self.current_time_step()

    def _step(self, action: tf.Tensor) -> ts.TimeStep:
        ended = tf.equal(self._time, self.max_tokens - 1)
        return tf.cond(ended, self.reset, lambda: self._write(action))

    def _write(self, action: tf.Tensor) -> ts.TimeStep:
        self._time.assign_add(1)
        here = tf.range(self.max_tokens) == self._time
        self.token_ids.assign(tf.where(here, action[:, None], self.token_ids))
        at_end = tf.equal(self._time, self.max_tokens - 1)
        photograph = self.read_photograph()
        reward = tf.cond(
            at_end,
            lambda: self._reward(self.token_ids.read_value(), photograph),
            lambda: tf.zeros([self.batch_size]),
        )
        self._last_reward.assign(tf.ensure_shape(reward, [self.batch_size]))
        return self.current_time_step()
