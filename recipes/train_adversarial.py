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

import dataclasses  # noqa: E402
import pathlib  # noqa: E402

import keras  # noqa: E402

from visualpoet import distribution  # noqa: E402
from visualpoet import run_options  # noqa: E402
from visualpoet import runs  # noqa: E402
from visualpoet.adversarial import loop  # noqa: E402
from visualpoet.adversarial import scoring  # noqa: E402
from visualpoet.adversarial.batches import Batches  # noqa: E402
from visualpoet.adversarial.settings import Settings  # noqa: E402
from visualpoet.corpus.prepared import VOCABULARY_FILE  # noqa: E402
from visualpoet.corpus.prepared import corpus_files  # noqa: E402
from visualpoet.corpus.words import ARCHAIC  # noqa: E402
from visualpoet.discriminators import material  # noqa: E402
from visualpoet.discriminators import rewards  # noqa: E402
from visualpoet.discriminators import tasks  # noqa: E402
from visualpoet.discriminators import training  # noqa: E402
from visualpoet.features.store import feature_files  # noqa: E402
from visualpoet.generator import poem_generator  # noqa: E402, F401
from visualpoet.optimization import interpolate  # noqa: E402
from visualpoet.run_options import expect  # noqa: E402
from visualpoet.run_options import option  # noqa: E402


@dataclasses.dataclass(frozen=True)
class Config(Settings):
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
    folds: tuple[pathlib.Path, ...] = option(
        (),
        "outputs of train_embedding.py with a fold left out each, in their "
        "order: training photographs lie where new ones would",
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
        "discriminators; real_or_generated alone is SeqGAN; none where "
        "--rewards are the whole reward",
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
    form: str = option("", "of the poems, if the generator has learnt forms")
    max_unknown: float = option(0.1, "share of unknown words of a human text")
    leave_out: tuple[str, ...] = option(
        ARCHAIC, "no poetic poem has these words; those of the generator's run"
    )
    min_similarity: float = option(0.3, "of a pair, to count as one")
    caption_share: float = option(
        0.0, "of the multi-modal discriminator's pairs, captions cut like poems"
    )
    hard_negatives: int = option(
        1,
        "others drawn for each photograph; the poem of the nearest of them is "
        "unpaired",
    )
    interpolation: float = option(
        1.0,
        "which generator is saved: 1 the trained one, 0 the pre-trained one, "
        "between them a mean of their weights",
    )
    num_shown: int = option(8, "validation photographs to write for each time")
    resume: bool = option(False, "go on with the run in --run-dir")

    def __post_init__(self):
        super().__post_init__()
        discriminators, share = self.discriminators, self.paired_weight
        names = [
            *discriminators,
            *(rewards.parse(given)[0] for given in self.rewards),
        ]
        known = set(discriminators) <= set(tasks.NAMES)
        expect(
            known and len(discriminators) <= 2,
            f"at most two --discriminators of {tasks.NAMES}",
            discriminators,
        )
        expect(names, "--discriminators, or else --rewards", names)
        once = len(set(names)) == len(names)
        expect(once, "every discriminator and reward once", names)
        expect(
            len(discriminators) < 2 or tasks.MULTIMODAL.name in discriminators,
            f"{tasks.MULTIMODAL.name} among two --discriminators: "
            "--paired-weight is its share",
            discriminators,
        )
        expect(0 <= share <= 1, "a --paired-weight in [0, 1]", share)
        share = self.pairing_share
        expect(share <= 1, "a --pairing-share of at most 1", share)
        count = self.hard_negatives
        expect(count >= 1, "--hard-negatives of 1 or more", count)
        kept = self.interpolation
        expect(0 <= kept <= 1, "an --interpolation in [0, 1]", kept)

    @property
    def draws(self) -> material.PairDraws:
        """How the discriminators' pairs are drawn."""
        return material.PairDraws(self.caption_share, self.hard_negatives)


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
    reference = keras.saving.load_model(config.generator)
    loop.train(
        run,
        config,
        loop.Players(generator, reference, discriminators),
        batches,
        _build_reward(config, batches, rows, generator, discriminators),
    )
    interpolate(generator.trainable_variables, before, config.interpolation)
    generator.save(run.path / "generator.keras")
    for discriminator in discriminators:
        file = discriminator.task.locate(run.path)
        file.parent.mkdir(exist_ok=True)
        discriminator.model.save(file)


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
        *(folder / "image_tower.keras" for folder in config.folds),
        *(path for path in given if path.is_file()),
    ]


def _build_batches(config, generator):
    return Batches(
        config.corpus_dir,
        config.features_dir,
        config.embedding_dir,
        config.paragraphs,
        generator,
        folds=config.folds,
        batch_size=config.batch_size,
        num_shown=config.num_shown,
        seed=config.seed,
        max_tokens=config.max_tokens,
        max_unknown=config.max_unknown,
        min_similarity=config.min_similarity,
        leave_out=config.leave_out,
        draws=config.draws,
        form=config.form,
    )


def _load_discriminator(config, task):
    return training.prepare_discriminator(
        task,
        keras.saving.load_model(task.locate(config.discriminators_dir)),
        config.discriminator_learning_rate,
    )


def _build_reward(config, batches, rows, generator, discriminators):
    weights = tasks.weigh_tasks(
        [discriminator.task for discriminator in discriminators],
        config.paired_weight,
    )
    parts = {}
    for discriminator, weight in zip(discriminators, weights):
        parts |= scoring.discriminator_parts(
            discriminator, weight, config.pairing_share
        )
    for given in config.rewards:
        name, weight = rewards.parse(given)
        part = scoring.python_part(
            name,
            rewards.load_reward(name),
            batches.vocabulary.decode,
            lambda: batches.names[rows],
        )
        parts[name] = part, weight
    return scoring.build_reward(parts, config, generator)


if __name__ == "__main__":
    main(run_options.parse_config(Config))
