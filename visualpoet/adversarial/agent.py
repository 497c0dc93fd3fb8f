"""The REINFORCE agent, with every choice made on purpose."""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from tf_agents.agents.reinforce import reinforce_agent
from tf_agents.networks import network
from tf_agents.trajectories import time_step as ts

from visualpoet import distribution
from visualpoet.adversarial.actor import GeneratorNetwork
from visualpoet.adversarial.actor import SeededPolicy
from visualpoet.optimization import average_gradients


class ClippedAdam(tf.keras.optimizers.Adam):
    """Adam that clips the norm of the whole gradient, and keeps that norm.

    The gradient is that of the batch, of all workers.

    Args:
        learning_rate: Of Adam.
        clip_norm: Largest norm.
    """

    def __init__(self, learning_rate: float, clip_norm: float) -> None:
        super().__init__(learning_rate)
        self._largest = clip_norm
        self.norm = tf.Variable(0.0, trainable=False, name="gradient_norm")

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[tf.Tensor, tf.Variable]],
        *args: Any,
        **kwargs: Any,
    ) -> tf.Tensor:
        gradients, variables = zip(*grads_and_vars)
        clipped, norm = tf.clip_by_global_norm(
            average_gradients(gradients), self._largest
        )
        self.norm.assign(norm)
        return super().apply_gradients(zip(clipped, variables), *args, **kwargs)


class ValueNetwork(network.Network):
    """Learns the return to expect of a photograph.

    Args:
        observation_spec: As of the environment.
        hidden_dim: Width of the hidden layer.
    """

    def __init__(
        self, observation_spec: dict[str, tf.TensorSpec], hidden_dim: int = 64
    ) -> None:
        super().__init__(observation_spec, state_spec=(), name="value_network")
        self._hidden = tf.keras.layers.Dense(hidden_dim, activation="tanh")
        self._value = tf.keras.layers.Dense(1)

    def call(
        self,
        observation: dict[str, tf.Tensor],
        step_type: tf.Tensor,
        network_state: Any = (),
        training: bool = False,
    ) -> tuple[tf.Tensor, Any]:
        hidden = self._hidden(observation["image_embedding"])
        return tf.squeeze(self._value(hidden), axis=-1), network_state


def _make_advantage(
    normalize_returns: bool,
) -> Callable[[tf.Tensor, tf.Tensor | None], tf.Tensor]:
    """tf-agents would standardise over the rows of one worker."""

    def advantage(returns: tf.Tensor, values: tf.Tensor | None) -> tf.Tensor:
        if values is not None:
            # tf-agents lets the policy's gradient into the value network.
            returns = returns - tf.stop_gradient(values)
        return _standardise(returns) if normalize_returns else returns

    return advantage


def _standardise(returns: tf.Tensor) -> tf.Tensor:
    """Of this worker `[B / N, T]`, by mean and deviation of the batch."""
    mean, variance = tf.nn.moments(
        distribution.gather(returns), axes=(0, 1), keepdims=True
    )
    return (returns - mean) / (tf.sqrt(variance) + np.finfo(np.float32).eps)


def build_reinforce_agent(
    time_step_spec: ts.TimeStep,
    action_spec: tf.TensorSpec,
    actor_network: GeneratorNetwork,
    *,
    learning_rate: float,
    seed: int,
    normalize_returns: bool = True,
    clip_norm: float = 1.0,
    entropy_regularization: float | None = None,
    value_baseline: bool = False,
) -> tuple[reinforce_agent.ReinforceAgent, SeededPolicy]:
    """Builds the agent and the policy that collects its poems.

    `loss = -1/B sum_t log pi(y_t | y_<t, x) * A_t`, `A_t` the return from t on,
    less the value baseline, standardised over the batch if `normalize_returns`.
    Nothing is discounted: the reward comes with the last step, behind the
    padding, so that a discount would count padding as tokens.

    Source: Williams (1992); liu18, generator as an agent: the whole poem's
    reward weighs every token. Differs: returns are standardised
    over the batch by default, that of all workers.

    Args:
        time_step_spec: As of the environment.
        action_spec: As of the environment.
        actor_network: The generator.
        learning_rate: Of Adam; liu18 5e-6.
        seed: Of the draws.
        normalize_returns: Whether to standardise returns over batch and time.
        clip_norm: Largest norm of the whole gradient.
        entropy_regularization: Weight of the entropy, or None.
        value_baseline: Whether to learn a value network.

    Returns:
        The agent and its collecting policy.
    """
    optimizer = ClippedAdam(learning_rate, clip_norm)
    value_network = None
    if value_baseline:
        value_network = ValueNetwork(time_step_spec.observation)
    agent = reinforce_agent.ReinforceAgent(
        time_step_spec,
        action_spec,
        actor_network,
        optimizer,
        value_network=value_network,
        advantage_fn=_make_advantage(normalize_returns),
        gamma=1.0,
        normalize_returns=False,  # the advantages are
        entropy_regularization=entropy_regularization,
        train_step_counter=tf.Variable(0, dtype=tf.int64, name="train_step"),
    )
    agent.initialize()
    trained = list(actor_network.trainable_weights)
    if value_network:
        trained += value_network.trainable_weights
    optimizer.build(trained)  # so that a checkpoint finds its slots
    policy = SeededPolicy(time_step_spec, action_spec, actor_network, seed)
    return agent, policy
