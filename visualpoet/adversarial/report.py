"""What is logged each interval; recipes/README.md says what it means."""

import json
import pathlib
from collections.abc import Callable
from collections.abc import Sequence
from typing import SupportsFloat

import numpy as np
import tensorflow as tf
from tf_agents.agents import tf_agent
from tf_agents.agents.reinforce import reinforce_agent

from visualpoet.adversarial.actor import GeneratorNetwork
from visualpoet.adversarial.batches import BatchSource
from visualpoet.adversarial.scoring import PoemReward
from visualpoet.corpus.vocabulary import END
from visualpoet.discriminators.diagnostics import decompose
from visualpoet.discriminators.training import Discriminator
from visualpoet.discriminators.training import class_accuracies
from visualpoet.evaluation.diversity import distinct_n
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.poem_sampling import sample_poems


class Report:
    """Gathers numbers and poems, and writes them.

    Args:
        folder: The run directory.
        write_json: Writes a value as a file of it, whole or not at all.
        batches: Of the run.
        generator: Who writes.
        discriminators: The discriminators.
        network: What tf-agents trains.
        metrics: tf-agents' own.
        max_tokens: Of a poem.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        write_json: Callable[[str, object], None],
        batches: BatchSource,
        generator: PoemGenerator,
        discriminators: Sequence[Discriminator],
        network: GeneratorNetwork,
        metrics: Sequence,
        max_tokens: int,
    ):
        self._folder, self._batches = folder, batches
        self._write_json = write_json
        self._discriminators, self._network = discriminators, network
        self._metrics = metrics
        self._writer = tf.summary.create_file_writer(
            str(folder / "tensorboard")
        )
        self._decode: Callable = tf.function(
            lambda photograph: sample_poems(generator, photograph, max_tokens)
        )
        self._forget()

    def _forget(self) -> None:
        self._values: dict[str, list[float]] = {}
        self._confusions: dict[str, np.ndarray] = {}
        self._poems: list[str] = []

    def _add(self, name: str, value: SupportsFloat) -> None:
        self._values.setdefault(name, []).append(float(value))

    def add_samples(self, reward: PoemReward, token_ids: np.ndarray) -> None:
        """Takes down what was written, and its rewards.

        Args:
            reward: What has scored it.
            token_ids: int `[B, T]`.
        """
        for name, values in zip(reward.names, reward.values.numpy()):
            self._add(f"reward/{name}", values.mean())
            self._add(f"reward_std/{name}", values.std())
        self._add("ended", (token_ids == END).any(axis=1).mean())
        self._poems += map(self._batches.vocabulary.decode, token_ids)

    def add_discriminator(
        self, discriminator: Discriminator, loss: float, confusion: np.ndarray
    ) -> None:
        """Takes down an update of a discriminator.

        Args:
            discriminator: The discriminator.
            loss: Its loss [nats].
            confusion: int `[C, C]`.
        """
        self._add(f"loss/{discriminator.name}", loss)
        held = self._confusions.get(discriminator.name, 0)
        self._confusions[discriminator.name] = held + confusion

    def add_policy(
        self,
        loss: tf_agent.LossInfo,
        agent: reinforce_agent.ReinforceAgent,
    ) -> None:
        """Takes down an update of the policy.

        Args:
            loss: As of `agent.train`.
            agent: The agent.
        """
        self._add("loss/policy", loss.extra.policy_gradient_loss)
        self._add("gradient_norm", agent._optimizer.norm)
        self._add("entropy", self._network.entropy)
        self._add("kl", self._network.kl)

    def write(self, step: int) -> dict[str, float]:
        """Writes the poems and the confusion matrices, and begins anew.

        Args:
            step: Steps done.

        Returns:
            The row of `metrics.csv`.
        """
        tokens = self._decode(self._batches.shown_photographs).numpy()
        poems = list(map(self._batches.vocabulary.decode, tokens))
        row = self._summarise() | self._decompose(tokens)
        matrices = {n: c.tolist() for n, c in self._confusions.items()}
        self._write_json("confusion.json", matrices)
        self._write_samples(step, poems)
        with self._writer.as_default(step=step):
            for name, value in row.items():
                tf.summary.scalar(name, value)
            for name, poem in zip(self._batches.shown, poems):
                tf.summary.text(name, poem.replace("\n", "  \n"))
        self._forget()
        return row

    def _summarise(self) -> dict[str, float]:
        row = {name: float(np.mean(v)) for name, v in self._values.items()}
        for discriminator in self._discriminators:
            accuracies = class_accuracies(
                self._confusions[discriminator.name],
                discriminator.model.classes,
            )
            for label, share in accuracies.items():
                row[f"accuracy/{discriminator.name}/{label}"] = share
        row["distinct_2"] = distinct_n(self._poems, 2)
        lines = [poem.count("\n") + 1 for poem in self._poems]
        row["lines"] = float(np.mean(lines))
        for metric in self._metrics:
            row[f"tf_agents/{metric.name}"] = float(metric.result())
        return row

    def _decompose(self, token_ids: np.ndarray) -> dict[str, float]:
        """What poems for photographs held out would be paid for."""
        seen = self._batches.shown_photographs["image_embedding"]
        row = {}
        for discriminator in self._discriminators:
            if discriminator.task.reads_photograph:
                own, other = (
                    discriminator.model(
                        {"token_ids": token_ids, "image_embedding": beside}
                    )
                    for beside in (seen, np.roll(seen, 1, axis=0))
                )
                for name, value in decompose(own, other).items():
                    row[f"held_out/{discriminator.name}/{name}"] = value
        return row

    def _write_samples(self, step: int, poems: Sequence[str]) -> None:
        folder = self._folder / "samples"
        folder.mkdir(exist_ok=True)
        with (folder / f"{step:06d}.jsonl").open("w") as stream:
            for name, poem in zip(self._batches.shown, poems):
                line = {"photograph": name, "poem": poem}
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
