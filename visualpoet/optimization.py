"""The train step of every model that is trained here: loss, gradients, update.

Of the policy there are the gradients alone: tf-agents trains that, by an
optimizer of `adversarial/agent.py`.
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visualpoet import distribution


def sum_gradients(gradients: Sequence) -> list[tf.Tensor]:
    """Makes gradients dense, so that what they hold of one row is summed.

    Keras 3.15's Adam squares each slice of a sparse gradient before it sums
    them, and so does a norm: a token that occurs twice would get a wrong step.

    Args:
        gradients: Dense or `IndexedSlices`.

    Returns:
        Dense gradients.
    """
    return [tf.convert_to_tensor(gradient) for gradient in gradients]


def average_gradients(gradients: Sequence) -> list[tf.Tensor]:
    """Averages the gradients of all workers, each of as many rows.

    Before they are clipped: what is clipped first averages to something else.

    Args:
        gradients: Dense or `IndexedSlices`, of this worker's mean loss.

    Returns:
        Dense gradients of the mean loss of the batch.
    """
    return distribution.average(sum_gradients(gradients))


def warm_up_and_decay(
    learning_rate: float, num_steps: int, warmup_steps: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Builds a schedule that rises in a line and falls by half a cosine.

    Args:
        learning_rate: The highest one.
        num_steps: Train steps until it is 0.
        warmup_steps: How many of them it rises for, from 0.

    Returns:
        The schedule.
    """
    return keras.optimizers.schedules.CosineDecay(
        0.0,
        num_steps - warmup_steps,
        warmup_target=learning_rate,
        warmup_steps=warmup_steps,
    )


def make_train_step(
    loss: Callable[[Any], Any],
    variables: Sequence[keras.Variable],
    optimizer: keras.optimizers.Optimizer,
    spec: Any = None,
    weight: Callable[[Any], tf.Tensor] = distribution.count_rows,
) -> Callable[[Any], Any]:
    """Makes the update that lowers a loss.

    Args:
        loss: Maps a batch to its loss, or to a tuple of which it is the first.
        variables: What is trained.
        optimizer: Its optimizer; built here, so that a checkpoint finds its
            slots.
        spec: Of a batch, if its shapes vary and one graph is to do for all.
        weight: Maps a batch to how many the loss is the mean of, where several
            workers have rows of it; what else `loss` returns is added up.

    Returns:
        Function of a batch: updates, and returns what `loss` does, from before
        the update.
    """
    strategy = distribution.connect()
    with distribution.scope():
        optimizer.build(variables)

    def differentiate(batch: Any, share: tf.Tensor | None = None) -> Any:
        with tf.GradientTape() as tape:
            outputs = loss(batch)
            value = outputs[0] if isinstance(outputs, tuple) else outputs
        gradients = tape.gradient(value, variables, output_gradients=share)
        return sum_gradients(gradients), outputs

    def differentiate_rows(rows: Any, share: tf.Tensor) -> Any:
        gradients, outputs = differentiate(rows, share)
        if isinstance(outputs, tuple):
            return gradients, (share * outputs[0], *outputs[1:])
        return gradients, share * outputs

    def train_step(batch: Any) -> Any:
        gradients, outputs = differentiate(batch)
        optimizer.apply(gradients, variables)
        return outputs

    def train_step_of_all(batch: Any) -> Any:
        # Summed before they are clipped: Keras would clip each worker's own.
        gradients, outputs = distribution.run_on_rows(
            strategy, differentiate_rows, batch, weight
        )
        optimizer.apply(gradients, variables)
        return outputs

    return tf.function(
        train_step_of_all if strategy else train_step,
        input_signature=None if spec is None else [spec],
        reduce_retracing=True,
    )


def interpolate(
    variables: Sequence[keras.Variable], before: Sequence[Any], share: float
) -> None:
    """Moves variables back towards what they were before a training.

    `share * now + (1 - share) * before`

    Source: Wortsman et al. (2022), robust fine-tuning; Ramé et al. (2024),
    WARP, after reinforcement learning: much of the gain for less loss of what
    was known.

    Args:
        variables: What was trained; assigned in place.
        before: Their values before, in the same order.
        share: 1 changes nothing, 0 takes all of the training back.
    """
    for variable, earlier in zip(variables, before, strict=True):
        variable.assign(share * variable + (1.0 - share) * earlier)
