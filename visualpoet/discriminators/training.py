"""The loss of a discriminator, and what it takes for what."""

from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

Batch = tuple[dict[str, tf.Tensor], tf.Tensor]


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
