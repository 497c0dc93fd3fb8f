"""The one adapter between `PoemGenerator` and tf-agents, and its policy."""

from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.networks import network
from tf_agents.policies import actor_policy
from tf_agents.specs import distribution_spec
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import policy_step
from tf_agents.trajectories import time_step as ts

from visualpoet import distribution
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.poem_sampling import draw
from visualpoet.generator.poem_sampling import mask_logits
from visualpoet.generator.teacher_forcing import token_losses

Tensors = dict[str, tf.Tensor]


class GeneratorNetwork(network.DistributionNetwork):
    """`PoemGenerator` as the actor network.

    One step uses the generator's step view (the photograph is read where an
    episode begins); whole episodes use its sequence view, and add what keeps
    the language to `losses`: the divergence from the pre-trained generator and
    teacher forcing on human poems, each with its weight.

    Args:
        generator: `PoemGenerator`.
        observation_spec: As of `environment.observation_spec`.
        action_spec: Spec of a token id.
        reference: The pre-trained `PoemGenerator`, or None.
        kl_weight: Weight of `KL(generator || reference)` [nats per poem].
        teacher_spec: Specs of a batch of human poems and photographs
            (`token_ids` and inputs of the sequence view), or None; several
            workers are given all of it, and learn from their rows.
        teacher_weight: Weight of their teacher-forced loss [nats per poem].
    """

    def __init__(
        self,
        generator: PoemGenerator,
        observation_spec: dict[str, tf.TensorSpec],
        action_spec: tf.TensorSpec,
        reference: PoemGenerator | None = None,
        kl_weight: float = 0.0,
        teacher_spec: dict[str, tf.TensorSpec] | None = None,
        teacher_weight: float = 0.0,
    ) -> None:
        size = generator.vocabulary_size
        parameters = {"logits": tf.TensorSpec([size], tf.float32)}
        super().__init__(
            input_tensor_spec=observation_spec,
            state_spec={
                "state": tf.TensorSpec([generator.hidden_dim], tf.float32),
                "condition": tf.TensorSpec(
                    [generator.embedding_dim], tf.float32
                ),
            },
            output_spec=distribution_spec.DistributionSpec(
                tfp.distributions.Categorical,
                parameters,
                sample_spec=tensor_spec.BoundedTensorSpec.from_spec(
                    action_spec
                ),
                dtype=tf.int32,
            ),
            name="generator_network",
        )
        # In a closure: Keras 2 must not track Keras 3 models.
        self._models = lambda: (generator, reference)
        self._kl_weight = kl_weight
        self._teacher_weight = teacher_weight
        self.teacher = {
            name: tf.Variable(tf.zeros(spec.shape, spec.dtype))
            for name, spec in (teacher_spec or {}).items()
        }
        self._losses: list[tf.Tensor] = []
        # Of the last batch that was learnt from [nats per token].
        self.kl = tf.Variable(0.0, trainable=False, name="kl")
        self.entropy = tf.Variable(0.0, trainable=False, name="entropy")

    @property
    def trainable_weights(self) -> list[tf.Variable]:
        return [v.value for v in self._models()[0].trainable_variables]

    @property
    def trainable_variables(self) -> list[tf.Variable]:
        return self.trainable_weights

    @property
    def variables(self) -> list[tf.Variable]:
        return [v.value for v in self._models()[0].variables]

    @property
    def losses(self) -> list[tf.Tensor]:
        return self._losses

    def create_variables(
        self, input_tensor_spec: Any = None, **kwargs: Any
    ) -> distribution_spec.DistributionSpec:
        return self.output_spec

    def set_teacher(self, batch: dict[str, np.ndarray]) -> None:
        for name, variable in self.teacher.items():
            variable.assign(batch[name])

    def call(
        self,
        observation: Tensors,
        step_type: tf.Tensor,
        network_state: Any = (),
        training: bool = False,
    ) -> tuple[tfp.distributions.Categorical, Any]:
        rank = observation["token_id"].shape.rank
        if rank == 1:
            return self._one_step(observation, step_type, network_state)
        return self._episodes(observation), network_state

    def _one_step(
        self, observation: Tensors, step_type: tf.Tensor, network_state: Tensors
    ) -> tuple[tfp.distributions.Categorical, Tensors]:
        generator, _ = self._models()
        view = generator.start_view(
            {n: observation[n] for n in generator.start_view.input}
        )
        first = (step_type == ts.StepType.FIRST)[:, None]
        given = {
            name: tf.where(
                first, tf.cast(view[name], tf.float32), network_state[name]
            )
            for name in ("state", "condition")
        }
        step = generator.step_view(
            {"token_id": observation["token_id"], **given}
        )
        logits = mask_logits(step["logits"], observation["token_id"])
        state = tf.cast(step["state"], tf.float32)
        return self._distribution(logits), {**given, "state": state}

    def _episodes(self, observation: Tensors) -> tfp.distributions.Categorical:
        generator, reference = self._models()
        token_ids = observation["token_id"]  # [B, T]
        inputs = {n: observation[n][:, 0] for n in generator.start_view.input}
        inputs["token_ids"] = token_ids
        logits = mask_logits(generator(inputs), token_ids)
        log_probs = tf.nn.log_softmax(logits)
        mask = tf.cast((token_ids != PAD) & (token_ids != END), tf.float32)
        # Means of all workers, one of which may have empty poems alone.
        tokens, length = distribution.average(
            [
                tf.reduce_sum(mask),
                tf.reduce_mean(tf.reduce_sum(mask, axis=1)),
            ]
        )
        entropy = -_expect(log_probs, log_probs, mask) / tokens
        self.entropy.assign(distribution.average(entropy))
        self._losses = []
        if reference is not None:
            aims = mask_logits(reference(inputs), token_ids)
            gaps = log_probs - tf.nn.log_softmax(tf.stop_gradient(aims))
            kl = _expect(log_probs, gaps, mask) / tokens
            self.kl.assign(distribution.average(kl))
            self._losses.append(self._kl_weight * kl * length)
        if self.teacher:
            self._losses.append(self._teacher_weight * self._teacher_loss())
        return self._distribution(logits)

    def _teacher_loss(self) -> tf.Tensor:
        generator, _ = self._models()
        batch = {
            n: v.read_value()[distribution.own_rows(v.shape[0])]
            for n, v in self.teacher.items()
        }
        poems = batch["token_ids"]
        logits = generator({**batch, "token_ids": poems[:, :-1]})
        total, _ = token_losses(logits, poems)
        return total / tf.cast(tf.shape(poems)[0], tf.float32)

    def _distribution(self, logits: tf.Tensor) -> tfp.distributions.Categorical:
        return self.output_spec.build_distribution(logits=logits)


def _expect(
    log_probs: tf.Tensor, values: tf.Tensor, mask: tf.Tensor
) -> tf.Tensor:
    """Expectation of `values` under `exp(log_probs)`, sum over real tokens."""
    expected = tf.reduce_sum(tf.exp(log_probs) * values, axis=-1)
    return tf.reduce_sum(expected * mask)


class SeededPolicy(actor_policy.ActorPolicy):
    """Draws every token from numbers that a seed and a counter determine.

    tf-agents' own collect policy draws from a state that no checkpoint holds,
    so that a resumed run would write other poems. Workers draw for their rows
    what one alone would draw for them.

    Args:
        time_step_spec: As of the environment.
        action_spec: As of the environment.
        actor_network: `GeneratorNetwork`.
        seed: Of the draws.
    """

    def __init__(
        self,
        time_step_spec: ts.TimeStep,
        action_spec: tf.TensorSpec,
        actor_network: GeneratorNetwork,
        seed: int,
    ) -> None:
        super().__init__(time_step_spec, action_spec, actor_network)
        self._seed = seed
        self.counter = tf.Variable(0, dtype=tf.int32, name="draws")

    def _action(
        self, time_step: ts.TimeStep, policy_state: Tensors, seed: Any
    ) -> policy_step.PolicyStep:
        step = self._distribution(time_step, policy_state)
        logits = step.action.logits_parameter()
        uniform = distribution.draw_uniform(
            time_step.step_type.shape, tf.stack([self._seed, self.counter])
        )
        self.counter.assign_add(1)
        return policy_step.PolicyStep(draw(logits, uniform), step.state)
