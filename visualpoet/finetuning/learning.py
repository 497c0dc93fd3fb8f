"""What a voice learns from, and how."""

import dataclasses
import math
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visualpoet import runs
from visualpoet.corpus import datasets
from visualpoet.embedding.clues import weigh_clues
from visualpoet.embedding.encoders import embed_token_ids
from visualpoet.finetuning.base import PoetParts
from visualpoet.finetuning.early_stopping import EarlyStopping
from visualpoet.finetuning.options import Options
from visualpoet.generator import examples
from visualpoet.generator import perplexity
from visualpoet.generator.examples import ConditioningDropout
from visualpoet.generator.examples import Examples
from visualpoet.generator.examples import Perturbation
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.training import iterate_batches
from visualpoet.generator.training import make_loss
from visualpoet.optimization import make_train_step

# Of new photographs and their poems in the joint space of the shipped model,
# on validation pairs: mean and standard deviation.
COSINE_MEAN, COSINE_STD = 0.35, 0.19
CLIP_NORM = 1.0
SAMPLED_TOKENS = 2048  # to normalise over, as in pre-training
STOPPED_BY = "perplexity/photograph_and_clues"


@dataclasses.dataclass(frozen=True)
class Lessons:
    """Examples and how much of their conditions is shown.

    Attributes:
        train: What is learnt from: poems, and pairs if there are any.
        shares: Share of batches of each.
        checked: By name held-out examples, and what is shown of them.
        conditioning: What is shown in training.
        spec: Of a batch.
    """

    train: Sequence[Examples]
    shares: Sequence[float]
    checked: dict[str, tuple[Examples, ConditioningDropout]]
    conditioning: ConditioningDropout
    spec: dict[str, tf.TensorSpec]


@dataclasses.dataclass(frozen=True)
class Training:
    """What is trained, and what trains it.

    Attributes:
        generator: The base's, with all words.
        optimizer: Its optimizer.
        update: The train step: a function of a batch.
    """

    generator: PoemGenerator
    optimizer: keras.optimizers.Optimizer
    update: Callable[[Any], tf.Tensor]


def place_poems(
    poet: PoetParts, texts: Sequence[str], form: str, max_tokens: int
) -> Examples:
    """Makes examples of poems, each for its own place in the joint space.

    The place is moved towards another poem's, at right angles, until the
    cosine is one that a new photograph has with its poem; what is said of the
    photograph are the words of that other poem.

    Args:
        poet: Places poems.
        texts: Poems.
        form: One that the poet has learnt, or empty.
        max_tokens: As for `datasets.frame`.

    Returns:
        The examples.
    """
    token_ids = datasets.frame_poems(poet.vocabulary, texts, max_tokens)
    places = embed_token_ids(poet.poem_tower, token_ids)
    cosines = np.random.default_rng(0).normal(COSINE_MEAN, COSINE_STD, 4096)
    return Examples(
        token_ids=token_ids,
        image_embeddings=places,
        descriptions=[[]],
        image_rows=[[row] for row in range(len(places))],
        forms=np.full(len(places), poet.number_form(form)),
        perturbation=Perturbation(
            places, token_ids, np.clip(cosines, 0.0, 0.95)
        ),
    )


def prepare_lessons(
    poet: PoetParts,
    train: Sequence[Examples],
    held: Examples,
) -> Lessons:
    """Puts together what is learnt and what is checked.

    Args:
        poet: The base, with all its words.
        train: Poems of the corpus, and pairs if there are any.
        held: Held-out poems.

    Returns:
        The lessons.
    """
    conditioning = ConditioningDropout(
        weigh_clues(poet.vocabulary, poet.poem_tower)
    )
    nothing = dataclasses.replace(conditioning, no_photograph=1.0)
    everything = dataclasses.replace(
        conditioning, no_photograph=0.0, no_image=0.0, no_clues=0.0
    )
    return Lessons(
        train,
        examples.balance(train, 1.0).tolist(),
        {
            "no_photograph": (held, nothing),
            "photograph_and_clues": (held, everything),
        },
        conditioning,
        examples.element_spec(poet.generator.image_dim, conditioning.num_clues),
    )


def count_steps(lessons: Lessons, options: Options) -> tuple[int, int]:
    """Counts train steps.

    Args:
        lessons: What is learnt.
        options: The options.

    Returns:
        Those of an epoch of the corpus, and those in all.
    """
    poems = sum(len(source.token_ids) for source in lessons.train)
    epoch = math.ceil(poems / options.batch_size)
    return epoch, options.epochs * epoch


def measure(
    generator: PoemGenerator, lessons: Lessons
) -> Callable[[], dict[str, float]]:
    """Makes what looks at the held-out poems.

    Args:
        generator: The generator.
        lessons: What is checked.

    Returns:
        Function without arguments: perplexities by name.
    """
    score = perplexity.make_score(generator, lessons.spec)
    return lambda: {
        f"perplexity/{name}": perplexity.measure_perplexity(score, *source)
        for name, source in lessons.checked.items()
    }


def train_voice(
    run: runs.RunDirectory,
    training: Training,
    lessons: Lessons,
    options: Options,
) -> None:
    """Trains by teacher forcing until the held-out poems gain nothing more.

    Args:
        run: Where checkpoints and metrics go.
        training: The generator, which ends with the best weights.
        lessons: What is learnt.
        options: The options.
    """
    generator = training.generator
    epoch, num_steps = count_steps(lessons, options)
    stopping = EarlyStopping(generator.trainable_variables, options.patience)
    look = measure(generator, lessons)

    def evaluate() -> dict[str, float]:
        found = look()
        stopping.look(found[STOPPED_BY])
        return found

    runs.train(
        run,
        num_steps=num_steps,
        batches=lambda start: iterate(lessons, options, start),
        train_step=training.update,
        variables={
            "generator": generator.variables,
            "optimizer": training.optimizer.variables,
            "stopping": stopping,
        },
        evaluate=evaluate,
        evaluation_interval=epoch,
        checkpoint_minutes=1.0,
        is_over=stopping.is_over,
    )
    stopping.restore()


def iterate(
    lessons: Lessons, options: Options, start: int
) -> Iterator[dict[str, tf.Tensor]]:
    """Yields batches from a step on."""
    return iterate_batches(
        lessons.train,
        lessons.shares,
        options.batch_size,
        lessons.conditioning,
        options.seed,
        start,
        lessons.spec,
    )


def prepare_training(
    generator: PoemGenerator, lessons: Lessons, options: Options
) -> Training:
    """Makes optimizer and train step.

    Args:
        generator: The base's, with all words.
        lessons: What is learnt.
        options: The options.

    Returns:
        Both, with the generator.
    """
    optimizer = keras.optimizers.Adam(
        options.learning_rate, global_clipnorm=CLIP_NORM
    )
    update = make_train_step(
        make_loss(generator, optimizer, SAMPLED_TOKENS, options.seed),
        generator.trainable_variables,
        optimizer,
        lessons.spec,
    )
    return Training(generator, optimizer, update)
