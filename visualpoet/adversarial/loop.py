"""A whole adversarial training, in a run directory.

Each step: write poems for a batch of photographs, score them, update the
discriminators, update the policy.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tf_agents.eval import metric_utils
from tf_agents.utils import common

from visualpoet import distribution
from visualpoet.adversarial import training
from visualpoet.adversarial.actor import GeneratorNetwork
from visualpoet.adversarial.actor import SeededPolicy
from visualpoet.adversarial.agent import build_reinforce_agent
from visualpoet.adversarial.batches import BatchSource
from visualpoet.adversarial.environment import PoemEnvironment
from visualpoet.adversarial.report import Report
from visualpoet.adversarial.rollouts import RolloutRewards
from visualpoet.adversarial.scoring import PoemReward
from visualpoet.adversarial.settings import Settings
from visualpoet.discriminators.training import Discriminator
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.runs import RunDirectory


@dataclasses.dataclass(frozen=True)
class Players:
    """Who writes, and who judges.

    Attributes:
        generator: Is trained.
        reference: As it was before; it must not move far from it.
        discriminators: Are trained, too.
    """

    generator: PoemGenerator
    reference: PoemGenerator
    discriminators: Sequence[Discriminator]


def train(
    run: RunDirectory,
    settings: Settings,
    players: Players,
    batches: BatchSource,
    reward: PoemReward,
) -> None:
    """Trains generator and discriminators, from the newest checkpoint on.

    Args:
        run: Where checkpoints, metrics and samples go.
        settings: How.
        players: Generator and discriminators.
        batches: Photographs and human texts.
        reward: Scores poems; it may ask the discriminators.

    Raises:
        Collapse: If the generator loses its entropy or its diversity.
        ValueError: If a reward, a loss or a gradient is no number, with the
            step.
    """
    loop = _Loop(run, settings, players, batches, reward)
    step = loop.restore()
    while step < settings.num_steps:
        with _naming(step), distribution.expect_all_workers():
            loop.take_step(step)
        step += 1
        if step % settings.log_interval == 0 or step == settings.num_steps:
            loop.log(step)


@contextlib.contextmanager
def _naming(step: int) -> Iterator[None]:
    """Says at which step an error was."""
    try:
        yield
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(f"step {step}: {error}") from error


class _Loop:
    """Agent, environment and what is around them."""

    def __init__(
        self,
        run: RunDirectory,
        settings: Settings,
        players: Players,
        batches: BatchSource,
        reward: PoemReward,
    ):
        self._run, self._settings = run, settings
        self._players, self._batches = players, batches
        self._reward = reward
        self._environment = PoemEnvironment(
            settings.batch_size,
            settings.max_tokens,
            players.generator.vocabulary_size,
            batches.photograph_spec,
            reward,
        )
        self._network = _build_network(
            settings, players, batches, self._environment
        )
        self._agent, self._policy = _build_agent(
            settings, self._environment, self._network
        )
        self._collector = training.build_collector(
            self._environment, self._agent, self._policy
        )
        self._rollouts = RolloutRewards(
            players.generator,
            reward,
            settings.rollouts,
            settings.rollout_interval,
            settings.seed,
        )
        self._update_policy = common.function(
            lambda experience: distribution.average(
                self._agent.train(experience)
            )
        )
        self._state = self._name_state()
        self._report = Report(
            run.path,
            run.write_json,
            batches,
            players.generator,
            players.discriminators,
            self._network,
            self._collector.metrics,
            settings.max_tokens,
        )

    def _name_state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        metrics = self._collector.metrics
        state = {
            "agent": self._agent,
            "generator": self._players.generator.variables,
            "draws": self._policy.counter,
            "reward": self._reward,
            "metrics": metric_utils.MetricsGroup(metrics, "metrics"),
        }
        for one in self._players.discriminators:
            state[one.name] = one.model.variables
            state[f"{one.name}_optimizer"] = one.optimizer.variables
        return state

    def restore(self) -> int:
        """Takes up the newest checkpoint; steps that are done."""
        step = self._run.restore_checkpoint(self._state)
        self._run.forget_metrics_after(step)
        distribution.check_same({"step": step, **self._run.given})
        for one in self._players.discriminators:
            distribution.draw_apart(one.model.variables)
        return step

    def take_step(self, step: int) -> None:
        """Writes, scores and learns once."""
        batch = self._batches.draw(step)
        experience, poems = training.sample(
            self._collector, batch["photograph"], self._reward
        )
        self._report.add_samples(self._reward, poems)
        experience = self._rollouts.spread(experience, self._environment, step)
        for discriminator in self._players.discriminators:
            texts = discriminator.task.make_batch(
                batch["texts"],
                poems,
                batch["photograph"]["image_embedding"],
                self._batches.draws,
            )
            self._report.add_discriminator(
                discriminator,
                *training.update_discriminator(discriminator, *texts),
            )
        self._network.set_teacher(batch["teacher"])
        loss = self._update_policy(experience)
        training.check_update(self._agent)
        self._report.add_policy(loss, self._agent)

    def log(self, step: int) -> None:
        """Writes a row of metrics, samples and a checkpoint."""
        row: Mapping[str, float] = self._report.write(step)
        self._run.write_metrics({"step": step, **row})
        written = ", ".join(f"{k} {v:.3g}" for k, v in row.items())
        self._run.log(f"step {step}/{self._settings.num_steps}: {written}")
        training.check_alive(
            row["entropy"],
            row["distinct_2"],
            self._settings.min_entropy,
            self._settings.min_distinct,
        )
        self._run.save_checkpoint(step, self._state)


def _build_network(
    settings: Settings,
    players: Players,
    batches: BatchSource,
    environment: PoemEnvironment,
) -> GeneratorNetwork:
    size = settings.batch_size
    teacher_spec = {
        name: tf.TensorSpec([size, *spec.shape], spec.dtype)
        for name, spec in batches.photograph_spec.items()
    }
    teacher_spec["token_ids"] = tf.TensorSpec(
        [size, settings.max_tokens], tf.int32
    )
    return GeneratorNetwork(
        players.generator,
        environment.observation_spec(),
        environment.action_spec(),
        players.reference,
        settings.kl_weight,
        teacher_spec if settings.teacher_weight else None,
        settings.teacher_weight,
    )


def _build_agent(
    settings: Settings, environment: PoemEnvironment, network: GeneratorNetwork
) -> tuple[Any, SeededPolicy]:
    return build_reinforce_agent(
        environment.time_step_spec(),
        environment.action_spec(),
        network,
        learning_rate=settings.learning_rate,
        seed=settings.seed,
        normalize_returns=settings.normalize_returns,
        clip_norm=settings.clip_norm,
        entropy_regularization=settings.entropy_weight or None,
        value_baseline=settings.baseline == "value",
    )
