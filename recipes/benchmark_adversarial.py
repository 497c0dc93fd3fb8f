"""What adversarial training costs, part by part, in one run.

    python recipes/benchmark_adversarial.py

tf-agents' driver and buffer beside a bare loop with the same weights; seconds
of a step by part; how they grow; and the share of the time that the matrix
products alone need at the speed measured here.
"""

import os

# Read when TensorFlow is imported; tf-agents builds on Keras 2.
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import dataclasses  # noqa: E402
import statistics  # noqa: E402
import timeit  # noqa: E402

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from visualpoet import extras  # noqa: E402
from visualpoet import run_options  # noqa: E402
from visualpoet.adversarial import training  # noqa: E402
from visualpoet.adversarial.actor import GeneratorNetwork  # noqa: E402
from visualpoet.adversarial.agent import build_reinforce_agent  # noqa: E402
from visualpoet.adversarial.environment import PoemEnvironment  # noqa: E402
from visualpoet.adversarial.scoring import PoemReward  # noqa: E402
from visualpoet.discriminators.poem_style import PoemStyleDiscriminator  # noqa: E402
from visualpoet.discriminators.training import make_loss  # noqa: E402
from visualpoet.generator.poem_generator import PoemGenerator  # noqa: E402
from visualpoet.generator.poem_sampling import sample_poems  # noqa: E402
from visualpoet.optimization import make_train_step  # noqa: E402
from visualpoet.run_options import option  # noqa: E402

with extras.needs("adversarial"):
    from tf_agents.utils import common

IMAGE_DIM = 256


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure what adversarial training costs, part by part."""

    poems: int = option(64, "poems a step")
    tokens: int = option(50, "tokens a poem")
    vocabulary: int = option(8000, "tokens of the vocabulary")
    hidden: int = option(512, "width of GRU and token embedding")
    repeats: int = option(5, "runs of each part; the median counts")
    growth: bool = option(True, "measure half and double sizes too")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    speed = _matrix_speed(config)
    print(f"matrix products: {speed / 1e9:.0f} GFLOP/s (float32)")
    seconds = _measure(config)
    floor = _arithmetic(config)
    ratio = seconds["driver and buffer"] / seconds["bare loop"]
    print(f"driver and buffer over a bare loop: {ratio:.3f}")
    print("| part | seconds | of the arithmetic alone |")
    print("|---|---|---|")
    for part, value in seconds.items():
        share = ""
        if part in floor:
            share = f"{floor[part] / speed / value:.0%}"
        print(f"| {part} | {value:.3f} | {share} |")
    samples = config.poems / seconds["driver and buffer"]
    print(f"samples a second: {samples:.0f}")
    if config.growth:
        _print_growth(config)


def _print_growth(config):
    print("| poems | tokens | vocabulary | sample | update policy |")
    print("|---|---|---|---|---|")
    for name in ("poems", "tokens", "vocabulary"):
        for factor in (0.5, 2):
            size = int(getattr(config, name) * factor)
            other = dataclasses.replace(config, **{name: size})
            seconds = _measure(other)
            print(
                f"| {other.poems} | {other.tokens} | {other.vocabulary} | "
                f"{seconds['driver and buffer']:.3f} | "
                f"{seconds['update policy']:.3f} |"
            )


def _median(function, repeats):
    function()  # traced
    return statistics.median(timeit.repeat(function, number=1, repeat=repeats))


def _matrix_speed(config):
    """Operations a second of the largest product of a step."""
    rows = config.poems * config.tokens
    a = tf.random.normal([rows, config.hidden])
    b = tf.random.normal([config.hidden, config.vocabulary])
    multiply = tf.function(lambda: tf.reduce_sum(tf.matmul(a, b)[:1]))
    work = 2 * rows * config.hidden * config.vocabulary
    return work / _median(lambda: multiply().numpy(), config.repeats)


def _arithmetic(config):
    """Operations of the matrix products of each part."""
    hidden = config.hidden
    gru = 2 * 2 * hidden * 3 * hidden
    ahead = 2 * hidden * config.vocabulary + 2 * hidden * hidden + gru
    tokens = config.poems * config.tokens
    return {
        "driver and buffer": tokens * ahead,
        "bare loop": tokens * ahead,
        "update policy": 3 * tokens * ahead,
    }


def _measure(config):
    keras.utils.set_random_seed(0)
    generator = PoemGenerator(
        config.vocabulary,
        config.hidden,
        config.hidden,
        IMAGE_DIM,
        "first_state",
    )
    photograph = {
        "image_embedding": tf.random.normal([config.poems, IMAGE_DIM])
    }
    discriminator = PoemStyleDiscriminator(config.vocabulary, [], 256, 192)
    optimizer = keras.optimizers.Adam(1e-4)
    update_discriminator = make_train_step(
        make_loss(discriminator), discriminator.trainable_variables, optimizer
    )
    nothing = PoemReward(
        {"nothing": lambda ids, _: tf.fill([config.poems], 0.5)},
        [1.0],
        config.poems,
        "none",
    )
    environment = PoemEnvironment(
        config.poems,
        config.tokens + 1,
        config.vocabulary,
        {"image_embedding": tf.TensorSpec([IMAGE_DIM], tf.float32)},
        nothing,
    )
    network = GeneratorNetwork(
        generator, environment.observation_spec(), environment.action_spec()
    )
    agent, policy = build_reinforce_agent(
        environment.time_step_spec(),
        environment.action_spec(),
        network,
        learning_rate=1e-6,
        seed=0,
    )
    collector = training.build_collector(environment, agent, policy)
    environment.show(photograph)
    train = common.function(agent.train)
    experience = collector.collect()
    texts = environment.token_ids.numpy()
    four = {"token_ids": np.concatenate([texts] * 4)}
    labels = np.repeat(np.arange(4), config.poems)

    @tf.function
    def bare(seed):
        uniform = tf.random.stateless_uniform(
            [config.poems, config.tokens + 1], [0, seed]
        )
        return sample_poems(generator, photograph, config.tokens + 1, uniform)

    score = tf.function(lambda ids: discriminator({"token_ids": ids}))
    parts = {
        "bare loop": lambda: bare(tf.constant(1)).numpy(),
        "driver and buffer": lambda: collector.collect().reward.numpy(),
        "score with one discriminator": lambda: score(texts).numpy(),
        "update one discriminator, four classes": lambda: update_discriminator(
            (four, labels)
        )[0].numpy(),
        "update policy": lambda: train(experience).loss.numpy(),
    }
    return {name: _median(part, config.repeats) for name, part in parts.items()}


if __name__ == "__main__":
    main(run_options.parse_config(Config))
