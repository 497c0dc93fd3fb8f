"""The adversarial loop, as in the paper's algorithm."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from tf_agents.agents.reinforce import reinforce_agent
from tf_agents.drivers import dynamic_step_driver
from tf_agents.metrics import tf_metrics
from tf_agents.replay_buffers import tf_uniform_replay_buffer
from tf_agents.trajectories import trajectory

from visualpoet import distribution
from visualpoet.adversarial.actor import SeededPolicy
from visualpoet.adversarial.environment import PoemEnvironment
from visualpoet.adversarial.scoring import PoemReward
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import START
from visualpoet.discriminators import training as discriminator_training
from visualpoet.discriminators.training import Discriminator

LOWER = "begin a new run with a lower learning rate"


class Collapse(Exception):
    """The generator has lost its entropy or its diversity."""


@dataclasses.dataclass(frozen=True)
class Collector:
    """tf-agents' driver, buffer and metrics around the environment.

    Attributes:
        environment: Where poems are written.
        collect: Writes a batch of poems, and returns the trajectories.
        gather: Returns the poems of all workers, int32 `[B, T]`.
        metrics: tf-agents' own counts, of all workers.
    """

    environment: PoemEnvironment
    collect: Callable
    gather: Callable
    metrics: list


def build_collector(
    environment: PoemEnvironment,
    agent: reinforce_agent.ReinforceAgent,
    policy: SeededPolicy,
) -> Collector:
    """Builds what collects one batch of poems.

    Args:
        environment: Where poems are written.
        agent: The agent whose `collect_data_spec` the buffer takes.
        policy: Who writes.

    Returns:
        The collector.
    """
    steps = environment.max_tokens - 1
    size = environment.batch_size
    buffer = tf_uniform_replay_buffer.TFUniformReplayBuffer(
        agent.collect_data_spec, batch_size=size, max_length=steps
    )
    driver = dynamic_step_driver.DynamicStepDriver(
        environment,
        policy,
        observers=[buffer.add_batch],
        num_steps=steps * size,
    )
    size *= distribution.count_workers()
    metrics = [
        tf_metrics.NumberOfEpisodes(),
        tf_metrics.EnvironmentSteps(),
        tf_metrics.AverageReturnMetric(batch_size=size, buffer_size=size),
    ]

    @tf.function
    def collect() -> trajectory.Trajectory:
        buffer.clear()
        driver.run(environment.reset())
        experience = buffer.gather_all()
        _observe(metrics, experience)
        return experience

    @tf.function
    def gather() -> tf.Tensor:
        return distribution.gather(environment.token_ids.read_value())

    return Collector(environment, collect, gather, metrics)


def _observe(metrics: list, experience: trajectory.Trajectory) -> None:
    """Counts the episodes of all workers, step by step, as a driver does."""
    counted = experience.replace(observation=(), action=())
    counted = tf.nest.map_structure(distribution.gather, counted)
    for time in tf.range(tf.shape(counted.reward)[1]):
        take = functools.partial(tf.gather, indices=time, axis=1)
        for metric in metrics:
            metric(tf.nest.map_structure(take, counted))


def sample(
    collector: Collector, photograph: dict[str, np.ndarray], reward: PoemReward
) -> tuple[object, np.ndarray]:
    """Writes and scores poems for a batch of photographs.

    Args:
        collector: The environment and what is around it.
        photograph: Inputs of the generator's `start_view`, for all workers.
        reward: The environment's reward.

    Returns:
        The trajectories of this worker, and the token ids of all, int32
        `[B, T]`.

    Raises:
        ValueError: If a reward is no number in [0, 1], or every poem is empty.
    """
    collector.environment.show(photograph)
    experience = collector.collect()
    token_ids = collector.gather().numpy()
    reward.gather()
    reward.check()
    check_not_empty(token_ids)
    return experience, token_ids


def check_not_empty(token_ids: np.ndarray) -> None:
    """Refuses a batch in which no poem has a word.

    Args:
        token_ids: int `[B, T]`.

    Raises:
        ValueError: If all poems are empty, or begin with padding, which is
            drawn where the scores of the tokens are no numbers.
    """
    if (token_ids[:, 1] == PAD).all():
        raise ValueError(
            "samples: expected tokens. Received: padding where all "
            f"{len(token_ids)} poems begin; the generator's scores are no "
            f"numbers: {LOWER}"
        )
    if not np.isin(token_ids, [PAD, START, END], invert=True).any():
        raise ValueError(
            f"samples: expected poems. Received: {len(token_ids)} empty ones; "
            "the generator ends at once"
        )


def update_discriminator(
    discriminator: Discriminator, inputs: dict, labels: np.ndarray
) -> tuple:
    """Updates a discriminator.

    Args:
        discriminator: The discriminator.
        inputs: Its inputs.
        labels: int `[N]`.

    Returns:
        Its loss [nats] and its confusion matrix before the update.

    Raises:
        ValueError: If its loss is no number, or it gives one class only.
    """
    loss, confusion = discriminator.train_step((inputs, labels))
    if not np.isfinite(float(loss)):
        raise ValueError(
            f"{discriminator.name}: expected a finite loss. Received: "
            f"{float(loss)}"
        )
    confusion = confusion.numpy()
    discriminator_training.check_discriminates(
        confusion, discriminator.model.classes, discriminator.name
    )
    return float(loss), confusion


def check_update(agent: reinforce_agent.ReinforceAgent) -> None:
    """Refuses an update of the policy by what is no number.

    Args:
        agent: As of `build_reinforce_agent`, after its update.

    Raises:
        ValueError: If the norm of the gradient is infinite or NaN.
    """
    norm = float(agent._optimizer.norm)
    if not np.isfinite(norm):
        raise ValueError(
            f"policy: expected a finite gradient. Received: a norm of {norm}; "
            f"{LOWER}"
        )


def check_alive(
    entropy: float, distinct: float, min_entropy: float, min_distinct: float
) -> None:
    """Warns of collapse in time.

    Args:
        entropy: Of the next token, mean over the poems [nats].
        distinct: Share of bigrams of the samples that are different.
        min_entropy: Lowest entropy to go on with.
        min_distinct: Lowest share to go on with.

    Raises:
        Collapse: If either falls through its bound.
    """
    for name, value, bound in (
        ("entropy", entropy, min_entropy),
        ("distinct-2 of the samples", distinct, min_distinct),
    ):
        if not value >= bound:  # NaN, too
            raise Collapse(
                f"expected {name} of at least {bound}. Received: {value:.4g}; "
                "the generator is collapsing: raise the weights of KL or "
                "teacher forcing, or lower the learning rate"
            )
