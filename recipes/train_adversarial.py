"""Train the generator against its discriminators (liu18).

    python recipes/train_adversarial.py --run-dir out/adversarial \
        --generator out/generator/generator.keras \
        --discriminators-dir out/discriminators --paragraphs PARAGRAPHS.jsonl

Each step: write poems for a batch of photographs, score them, update the
discriminators, update the policy.
"""

import os

# Read when TensorFlow is imported; tf-agents builds on Keras 2.
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import contextlib  # noqa: E402
import dataclasses  # noqa: E402
import pathlib  # noqa: E402

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from visualpoet import distribution  # noqa: E402
from visualpoet import extras  # noqa: E402
from visualpoet import run_options  # noqa: E402
from visualpoet import runs  # noqa: E402
from visualpoet.adversarial import training  # noqa: E402
from visualpoet.adversarial.actor import GeneratorNetwork  # noqa: E402
from visualpoet.adversarial.agent import BASELINES  # noqa: E402
from visualpoet.adversarial.agent import build_reinforce_agent  # noqa: E402
from visualpoet.adversarial.batches import Batches  # noqa: E402
from visualpoet.adversarial.environment import PoemEnvironment  # noqa: E402
from visualpoet.adversarial.report import Report  # noqa: E402
from visualpoet.adversarial.rollouts import RolloutRewards  # noqa: E402
from visualpoet.adversarial.scoring import PoemReward  # noqa: E402
from visualpoet.adversarial.scoring import python_part  # noqa: E402
from visualpoet.corpus.prepared import VOCABULARY_FILE  # noqa: E402
from visualpoet.corpus.prepared import corpus_files  # noqa: E402
from visualpoet.corpus.words import ARCHAIC  # noqa: E402
from visualpoet.discriminators import rewards  # noqa: E402
from visualpoet.discriminators import tasks  # noqa: E402
from visualpoet.discriminators.training import make_loss  # noqa: E402
from visualpoet.features.store import feature_files  # noqa: E402
from visualpoet.generator import poem_generator  # noqa: E402, F401
from visualpoet.generator.poem_sampling import sample_poems  # noqa: E402
from visualpoet.optimization import interpolate  # noqa: E402
from visualpoet.optimization import make_train_step  # noqa: E402
from visualpoet.run_options import option  # noqa: E402

with extras.needs("adversarial"):
    from tf_agents.eval import metric_utils
    from tf_agents.utils import common


@dataclasses.dataclass(frozen=True)
class Config:
    """Train the generator against its discriminators."""

    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    features_dir: pathlib.Path = option(
        pathlib.Path("out/features"), "output of extract_features.py"
    )
    embedding_dir: pathlib.Path = option(
        pathlib.Path("out/embedding"), "output of train_embedding.py"
    )
    generator: pathlib.Path = option(
        pathlib.Path("out/generator/generator.keras"),
        "output of pretrain_generator.py",
    )
    discriminators_dir: pathlib.Path = option(
        pathlib.Path("out/discriminators"),
        "outputs of pretrain_discriminator.py, <name>/<name>.keras",
    )
    paragraphs: pathlib.Path = option(
        pathlib.Path("paragraphs.jsonl.gz"), "prose, for the class paragraphic"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/adversarial"), "output")
    discriminators: tuple[str, ...] = option(
        (tasks.MULTIMODAL.name, tasks.POEM_STYLE.name),
        "discriminators; real_or_generated alone is SeqGAN",
    )
    paired_weight: float = option(
        rewards.PAIRED_WEIGHT,
        "lambda, of two discriminators multimodal's; liu18 0.8",
    )
    pairing_share: float = option(
        -1.0,
        "of multimodal's reward, p(paired | human), the rest 1 - p(generated); "
        "below 0 p(paired), which is their product (liu18)",
    )
    rewards: tuple[str, ...] = option(
        (), "further rewards as package.module.function=weight"
    )
    baseline: str = option(
        "greedy", "none, running_mean, greedy (self-critical) or value"
    )
    rollouts: int = option(0, "completions of each prefix; 0: whole poems only")
    rollout_interval: int = option(12, "tokens between prefixes")
    normalize_returns: bool = option(True, "standardise over the batch")
    entropy_weight: float = option(0.0, "of the entropy of the next token")
    kl_weight: float = option(
        0.05, "of the divergence from the pre-trained generator [nats a poem]"
    )
    teacher_weight: float = option(
        0.1, "of the teacher-forced loss on paired poems [nats a poem]"
    )
    form: str = option("", "of the poems, if the generator has learnt forms")
    max_tokens: int = option(48, "tokens of a poem, START and END included")
    max_unknown: float = option(0.1, "share of unknown words of a human text")
    leave_out: tuple[str, ...] = option(
        ARCHAIC, "no poetic poem has these words; those of the generator's run"
    )
    min_similarity: float = option(0.3, "of a pair, to count as one")
    caption_share: float = option(
        0.0, "of the multi-modal discriminator's pairs, captions cut like poems"
    )
    batch_size: int = option(64, "photographs a step")
    num_steps: int = option(300, "adversarial steps")
    learning_rate: float = option(1e-4, "Adam, of the generator; liu18 5e-6")
    clip_norm: float = option(1.0, "largest norm of the gradient")
    discriminator_learning_rate: float = option(
        2e-4, "Adam, of the discriminators"
    )
    interpolation: float = option(
        1.0,
        "which generator is saved: 1 the trained one, 0 the pre-trained one, "
        "between them a mean of their weights",
    )
    min_entropy: float = option(0.5, "stop below it [nats per token]")
    min_distinct: float = option(0.05, "stop below it, distinct-2 of samples")
    log_interval: int = option(25, "steps between rows, samples, checkpoints")
    num_shown: int = option(8, "validation photographs to write for each time")
    seed: int = option(0, "of Python, NumPy and TensorFlow")
    resume: bool = option(False, "go on with the run in --run-dir")

    def __post_init__(self):
        discriminators, share = self.discriminators, self.paired_weight
        names = [
            *discriminators,
            *(rewards.parse(given)[0] for given in self.rewards),
        ]
        known = set(discriminators) <= set(tasks.NAMES)
        _expect(
            known and len(discriminators) in (1, 2),
            f"one or two --discriminators of {tasks.NAMES}",
            discriminators,
        )
        once = len(set(names)) == len(names)
        _expect(once, "every discriminator and reward once", names)
        _expect(
            len(discriminators) == 1 or tasks.MULTIMODAL.name in discriminators,
            f"{tasks.MULTIMODAL.name} among two --discriminators: "
            "--paired-weight is its share",
            discriminators,
        )
        _expect(0 <= share <= 1, "a --paired-weight in [0, 1]", share)
        share = self.pairing_share
        _expect(share <= 1, "a --pairing-share of at most 1", share)
        baseline, interval = self.baseline, self.rollout_interval
        _expect(baseline in BASELINES, f"a --baseline of {BASELINES}", baseline)
        _expect(
            baseline != "running_mean" or not self.normalize_returns,
            "--no-normalize-returns with running_mean: the mean of "
            "standardised returns is taken off already",
            "--normalize-returns",
        )
        _expect(
            baseline == "none" or not self.rollouts,
            "--baseline none with --rollouts: the values of prefixes are one",
            baseline,
        )
        _expect(interval >= 1, "a --rollout-interval of 1 or more", interval)


def _expect(holds, expected, received):
    if not holds:
        raise ValueError(f"expected {expected}. Received: {received}")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    distribution.connect()
    rows = distribution.own_rows(config.batch_size)
    keras.utils.set_random_seed(config.seed)
    runs.check_same_input(config.generator, config.corpus_dir / VOCABULARY_FILE)
    run = runs.RunDirectory(config.run_dir, config, _inputs(config))
    generator = keras.saving.load_model(config.generator)
    before = [v.numpy() for v in generator.trainable_variables]
    batches = _build_batches(config, generator)
    with distribution.scope():
        discriminators = [
            _load_discriminator(config, tasks.find_task(name))
            for name in config.discriminators
        ]
    reward = _build_reward(config, batches, rows, generator, discriminators)
    environment = PoemEnvironment(
        config.batch_size,
        config.max_tokens,
        generator.vocabulary_size,
        batches.photograph_spec,
        reward,
    )
    network = _build_network(config, batches, generator, environment)
    agent, policy = _build_agent(config, environment, network)
    collector = training.build_collector(environment, agent, policy)
    rollouts = RolloutRewards(
        generator, reward, config.rollouts, config.rollout_interval, config.seed
    )
    update_policy = common.function(
        lambda experience: distribution.average(agent.train(experience))
    )
    state = {
        "agent": agent,
        "generator": generator.variables,
        "draws": policy.counter,
        "reward": reward,
        "metrics": metric_utils.MetricsGroup(collector.metrics, "metrics"),
        **_discriminator_state(discriminators),
    }
    step = run.restore_checkpoint(state)
    run.forget_metrics_after(step)
    distribution.check_same({"step": step, **run.given})
    for discriminator in discriminators:
        distribution.draw_apart(discriminator.model.variables)
    report = Report(
        run.path,
        run.write_json,
        batches,
        generator,
        discriminators,
        network,
        collector.metrics,
        config.max_tokens,
    )

    while step < config.num_steps:
        with _naming(step), distribution.expect_all_workers():
            batch = batches.draw(step)
            experience, poems = training.sample(
                collector, batch["photograph"], reward
            )
            report.add_samples(reward, poems)
            experience = rollouts.spread(experience, environment, step)
            for discriminator in discriminators:
                texts = discriminator.task.make_batch(
                    batch["texts"],
                    poems,
                    batch["photograph"]["image_embedding"],
                )
                report.add_discriminator(
                    discriminator,
                    *training.update_discriminator(discriminator, *texts),
                )
            network.set_teacher(batch["teacher"])
            loss = update_policy(experience)
            training.check_update(agent)
            report.add_policy(loss, agent)
        step += 1
        if step % config.log_interval == 0 or step == config.num_steps:
            _log(config, run, step, report.write(step))
            run.save_checkpoint(step, state)
    interpolate(generator.trainable_variables, before, config.interpolation)
    generator.save(run.path / "generator.keras")
    for discriminator in discriminators:
        file = discriminator.task.locate(run.path)
        file.parent.mkdir(exist_ok=True)
        discriminator.model.save(file)


@contextlib.contextmanager
def _naming(step):
    """Says at which step an error was."""
    try:
        yield
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(f"step {step}: {error}") from error


def _inputs(config):
    given = [
        config.paragraphs,
        config.generator,
        *(
            tasks.find_task(name).locate(config.discriminators_dir)
            for name in config.discriminators
        ),
    ]
    return [
        *corpus_files(config.corpus_dir),
        *feature_files(config.features_dir),
        *sorted(config.embedding_dir.glob("**/*.keras")),
        *(path for path in given if path.is_file()),
    ]


def _build_batches(config, generator):
    return Batches(
        config.corpus_dir,
        config.features_dir,
        config.embedding_dir,
        config.paragraphs,
        generator,
        batch_size=config.batch_size,
        num_shown=config.num_shown,
        seed=config.seed,
        max_tokens=config.max_tokens,
        max_unknown=config.max_unknown,
        min_similarity=config.min_similarity,
        leave_out=config.leave_out,
        caption_share=config.caption_share,
        form=config.form,
    )


def _load_discriminator(config, task):
    model = keras.saving.load_model(task.locate(config.discriminators_dir))
    optimizer = keras.optimizers.Adam(config.discriminator_learning_rate)
    train_step = make_train_step(
        make_loss(model), model.trainable_variables, optimizer
    )
    return training.Discriminator(task, model, optimizer, train_step)


def _build_reward(config, batches, rows, generator, discriminators):
    weights = tasks.weigh_tasks(
        [discriminator.task for discriminator in discriminators],
        config.paired_weight,
    )
    parts = {}
    for discriminator, weight in zip(discriminators, weights):
        parts |= _discriminator_parts(config, discriminator, weight)
    for given in config.rewards:
        name, weight = rewards.parse(given)
        part = python_part(
            name,
            rewards.load_reward(name),
            batches.vocabulary.decode,
            lambda: batches.names[rows],
        )
        parts[name] = part, weight
    return PoemReward(
        {name: part for name, (part, _) in parts.items()},
        [weight for _, weight in parts.values()],
        config.batch_size,
        config.baseline,
        lambda photograph: sample_poems(
            generator, photograph, config.max_tokens
        ),
    )


def _discriminator_parts(config, discriminator, weight):
    """Parts of the reward with their weights, by name."""

    def make_part(probability):
        def part(token_ids, photograph):
            given = {"token_ids": token_ids, **photograph}
            given = {name: given[name] for name in discriminator.model.input}
            return probability(discriminator.model(given))

        return part

    name, share = discriminator.name, config.pairing_share
    if share < 0 or not discriminator.task.reads_photograph:
        return {name: (make_part(rewards.first_class_probability), weight)}
    return {
        f"{name}/pairing": (
            make_part(rewards.pairing_probability),
            weight * share,
        ),
        f"{name}/human": (
            make_part(rewards.human_probability),
            weight * (1 - share),
        ),
    }


def _build_network(config, batches, generator, environment):
    reference = keras.saving.load_model(config.generator)
    size = config.batch_size
    teacher_spec = {
        name: tf.TensorSpec([size, *spec.shape], spec.dtype)
        for name, spec in batches.photograph_spec.items()
    }
    teacher_spec["token_ids"] = tf.TensorSpec(
        [size, config.max_tokens], tf.int32
    )
    return GeneratorNetwork(
        generator,
        environment.observation_spec(),
        environment.action_spec(),
        reference,
        config.kl_weight,
        teacher_spec if config.teacher_weight else None,
        config.teacher_weight,
    )


def _build_agent(config, environment, network):
    return build_reinforce_agent(
        environment.time_step_spec(),
        environment.action_spec(),
        network,
        learning_rate=config.learning_rate,
        seed=config.seed,
        normalize_returns=config.normalize_returns,
        clip_norm=config.clip_norm,
        entropy_regularization=config.entropy_weight or None,
        value_baseline=config.baseline == "value",
    )


def _discriminator_state(discriminators):
    state = {}
    for discriminator in discriminators:
        optimizer = f"{discriminator.name}_optimizer"
        state[discriminator.name] = discriminator.model.variables
        state[optimizer] = discriminator.optimizer.variables
    return state


def _log(config, run, step, row):
    run.write_metrics({"step": step, **row})
    written = ", ".join(f"{k} {v:.3g}" for k, v in row.items())
    run.log(f"step {step}/{config.num_steps}: {written}")
    training.check_alive(
        row["entropy"],
        row["distinct_2"],
        config.min_entropy,
        config.min_distinct,
    )


if __name__ == "__main__":
    main(run_options.parse_config(Config))
