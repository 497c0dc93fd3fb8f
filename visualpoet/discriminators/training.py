"""How a discriminator is trained, and what it takes for what."""

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.discriminators.tasks import Task
from visualpoet.embedding.encoders import PoemTower
from visualpoet.optimization import make_train_step

Batch = tuple[dict[str, tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Discriminator:
    """A discriminator in training.

    Attributes:
        task: What it is to tell apart.
        model: The discriminator.
        optimizer: Its optimizer, built.
        train_step: Updates by a batch, and returns what `make_loss` does.
    """

    task: Task
    model: keras.Model
    optimizer: keras.optimizers.Optimizer
    train_step: Callable

    @property
    def name(self) -> str:
        """Of its task."""
        return self.task.name


def build_discriminator(
    task: Task,
    vocabulary: Vocabulary,
    poem_tower: PoemTower,
    hidden_dim: int,
    dropout: float,
    word_dim: int = 0,
) -> keras.Model:
    """Builds a discriminator that begins with the joint space's word vectors.

    Args:
        task: What it is to tell apart.
        vocabulary: Of what it reads.
        poem_tower: Knows the word vectors.
        hidden_dim: Width of its GRU and of the product.
        dropout: Share of units left out.
        word_dim: How many of their longest directions are left of the word
            vectors; 0 for all.

    Returns:
        The discriminator.
    """
    vectors = keras.ops.convert_to_numpy(
        poem_tower.get_layer("word_vectors").embeddings
    )
    vectors = _narrow(vectors, word_dim or vectors.shape[1])
    model = task.build(
        len(vocabulary),
        vocabulary.mark_ids(),
        poem_tower.embedding_dim,
        vectors.shape[1],
        hidden_dim,
        dropout,
    )
    model.get_layer("token_embedding").embeddings.assign(vectors)
    return model


def _narrow(vectors: np.ndarray, width: int) -> np.ndarray:
    """What is left of vectors along their `width` longest directions."""
    if width == vectors.shape[1]:
        return vectors
    directions = np.linalg.svd(vectors, full_matrices=False)[2]
    return vectors @ directions[:width].T


def prepare_discriminator(
    task: Task,
    model: keras.Model,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
) -> Discriminator:
    """Makes optimizer and train step of a discriminator.

    Args:
        task: What it is to tell apart.
        model: The discriminator.
        learning_rate: Of Adam.

    Returns:
        All of it.
    """
    optimizer = keras.optimizers.Adam(learning_rate)
    train_step = make_train_step(
        make_loss(model), model.trainable_variables, optimizer
    )
    return Discriminator(task, model, optimizer, train_step)


def make_loss(
    model: keras.Model,
) -> Callable[[Batch], tuple[tf.Tensor, tf.Tensor]]:
    """Makes the loss of a discriminator, for `optimization.make_train_step`.

    Softmax cross-entropy over the classes (liu18 does not print the loss).

    Args:
        model: The discriminator.

    Returns:
        Function of a batch, inputs and labels int `[B]`: returns the loss
        [nats] and the confusion matrix int32 `[C, C]`, true classes in rows.
    """

    def loss(batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        inputs, labels = batch
        logits = model(inputs, training=True)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        return tf.reduce_mean(losses), confusion_matrix(logits, labels)

    return loss


def confusion_matrix(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Counts which class was taken for which.

    Args:
        logits: float `[B, C]`.
        labels: int `[B]`.

    Returns:
        int32 `[C, C]`, true classes in rows.
    """
    guesses = tf.argmax(logits, axis=1)
    return tf.math.confusion_matrix(labels, guesses, logits.shape[1])


def class_accuracies(
    confusion: np.ndarray, classes: Sequence[str]
) -> dict[str, float]:
    """Share of each class that was recognised.

    Args:
        confusion: int `[C, C]`, true classes in rows.
        classes: Names of the classes.

    Returns:
        Accuracy by class, NaN for a class without examples.
    """
    confusion = np.asarray(confusion, float)
    totals = confusion.sum(axis=1)
    shares = np.divide(
        confusion.diagonal(),
        totals,
        out=np.full(len(totals), np.nan),
        where=totals > 0,
    )
    return dict(zip(classes, shares.tolist()))


def check_discriminates(
    confusion: np.ndarray, classes: Sequence[str], name: str
) -> None:
    """Refuses a discriminator that gives one class for everything.

    Args:
        confusion: int `[C, C]`, true classes in rows.
        classes: Names of the classes.
        name: Of the discriminator, for the message.

    Raises:
        ValueError: If every example got the same class.
    """
    guessed = np.asarray(confusion).sum(axis=0)
    if np.count_nonzero(guessed) == 1:
        only = classes[int(guessed.argmax())]
        raise ValueError(
            f"{name}: expected a discriminator that tells classes apart. "
            f"Received: {only!r} for all of {int(guessed.sum())} texts; "
            "pre-train it longer or lower its learning rate"
        )
