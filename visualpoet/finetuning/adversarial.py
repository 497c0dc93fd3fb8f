"""A voice against a discriminator that knows the corpus.

Source: liu18, multi-adversarial training. Differs: poem-style discriminator
alone, of a corpus without prose; no photographs, but places in the joint space
as in the training before.
"""

from collections.abc import Iterator

import keras
import numpy as np

from visualpoet.adversarial import loop
from visualpoet.adversarial import scoring
from visualpoet.adversarial.settings import Settings
from visualpoet.discriminators import tasks
from visualpoet.discriminators import training
from visualpoet.discriminators.material import Material
from visualpoet.finetuning.base import PoetParts
from visualpoet.finetuning.learning import Lessons
from visualpoet.finetuning.options import Options
from visualpoet.finetuning.voice_batches import VoiceBatches
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.poem_sampling import sample_rows
from visualpoet.runs import RunDirectory
from visualpoet.runs import train

TASK = tasks.VOICE_STYLE
# Some hundred poems are soon learnt by heart: a small discriminator that leaves
# much out and keeps its word vectors tells more held-out texts apart.
HIDDEN_DIM, DROPOUT = 128, 0.5
DISCRIMINATOR_STEPS, DISCRIMINATOR_RATE = 300, 1e-3
NUM_SAMPLES = 1000


def train_adversarially(
    poet: PoetParts, lessons: Lessons, options: Options
) -> None:
    """Trains a voice on, by what a discriminator of the corpus says.

    Args:
        poet: The voice; its generator is trained.
        lessons: What it has learnt from.
        options: The options; the runs `discriminator` and `adversarial` stand
            in their `out`.
    """
    keras.utils.set_random_seed(options.seed)  # also where a run is resumed
    batches = prepare_batches(poet, lessons, options)
    model = training.build_discriminator(
        TASK, poet.vocabulary, poet.poem_tower, HIDDEN_DIM, DROPOUT
    )
    model.get_layer("token_embedding").trainable = False
    schedule = keras.optimizers.schedules.CosineDecay(
        DISCRIMINATOR_RATE, DISCRIMINATOR_STEPS
    )
    discriminator = training.prepare_discriminator(TASK, model, schedule)
    _pretrain(discriminator, poet.generator, batches, options)
    settings = Settings(
        max_tokens=batches.max_tokens,
        batch_size=options.batch_size,
        num_steps=options.adversarial_steps,
        need_end=True,
        min_entropy=0.0,
        min_distinct=0.0,
        seed=options.seed,
    )
    loop.train(
        RunDirectory(options.out / "adversarial", options),
        settings,
        loop.Players(
            poet.generator,
            _copy(poet.generator),
            [
                training.prepare_discriminator(
                    TASK,
                    discriminator.model,
                    settings.discriminator_learning_rate,
                )
            ],
        ),
        batches,
        scoring.build_reward(
            scoring.discriminator_parts(discriminator, 1.0),
            settings,
            poet.generator,
        ),
    )


def prepare_batches(
    poet: PoetParts, lessons: Lessons, options: Options
) -> VoiceBatches:
    """Prepares what the voice is trained against.

    Args:
        poet: The voice.
        lessons: What it learns from.
        options: The options.

    Returns:
        Its batches.

    Raises:
        ValueError: If no poem has known words alone and its end.
    """
    held, shown = lessons.checked["photograph_and_clues"]
    return VoiceBatches(poet, lessons.train[0], held, shown, options)


def _pretrain(
    discriminator: training.Discriminator,
    generator: PoemGenerator,
    batches: VoiceBatches,
    options: Options,
) -> None:
    """Teaches the discriminator the corpus, and what the voice writes."""
    held = batches.held_photographs
    samples = _sample(generator, batches, options)
    held_samples = sample_rows(
        generator,
        held,
        np.arange(batches.num_held),
        batches.max_tokens,
        np.random.default_rng(0),
    )
    model = discriminator.model

    def draw(
        material: Material, generated: np.ndarray, rng: np.random.Generator
    ) -> tuple[tasks.Inputs, np.ndarray]:
        texts = material.style_batch(len(generated), rng)
        return TASK.make_batch(texts, generated, np.zeros(0), batches.draws)

    def iterate(start: int) -> Iterator[tuple[tasks.Inputs, np.ndarray]]:
        for step in range(start, DISCRIMINATOR_STEPS):
            rng = np.random.default_rng((options.seed, 4, step))
            chosen = rng.integers(len(samples), size=options.batch_size)
            yield draw(batches.material, samples[chosen], rng)

    inputs, labels = draw(
        batches.held_material, held_samples, np.random.default_rng(0)
    )

    def evaluate() -> dict[str, float]:
        logits = model.predict(inputs, batch_size=256, verbose=0)
        confusion = training.confusion_matrix(logits, labels)
        return training.class_accuracies(confusion.numpy(), model.classes)

    train(
        RunDirectory(options.out / "discriminator", options),
        num_steps=DISCRIMINATOR_STEPS,
        batches=iterate,
        train_step=lambda batch: discriminator.train_step(batch)[0],
        variables={
            "discriminator": model.variables,
            "optimizer": discriminator.optimizer.variables,
        },
        evaluate=evaluate,
        evaluation_interval=100,
    )


def _sample(
    generator: PoemGenerator, batches: VoiceBatches, options: Options
) -> np.ndarray:
    """What the voice writes before, int32 `[S, T]`."""
    rng = np.random.default_rng((options.seed, 5))
    poems = batches.poems
    chosen = rng.integers(len(poems.token_ids), size=NUM_SAMPLES)
    photographs, _ = batches.place(poems, chosen, rng)
    return sample_rows(
        generator,
        photographs,
        np.arange(NUM_SAMPLES),
        batches.max_tokens,
        rng,
    )


def _copy(generator: PoemGenerator) -> PoemGenerator:
    copy = PoemGenerator.from_config(generator.get_config())
    copy.set_weights(generator.get_weights())
    return copy
