"""Stops a training that gains nothing, and keeps the best weights."""

from collections.abc import Sequence

import keras
import tensorflow as tf


class EarlyStopping(tf.Module):
    """The best weights so far; a checkpoint holds them with the others.

    Args:
        variables: What is trained.
        patience: Looks without a better one, after which it is over.
    """

    def __init__(self, variables: Sequence[keras.Variable], patience: int):
        super().__init__()
        self._variables = lambda: variables  # in a closure: not its own
        self._patience = patience
        self.lowest = tf.Variable(float("inf"), trainable=False)
        self.waited = tf.Variable(0, trainable=False)
        self.best = [
            tf.Variable(variable.value, trainable=False)
            for variable in variables
        ]

    def look(self, value: float) -> None:
        """Keeps the weights if they are the best so far.

        Args:
            value: What is to be low.
        """
        if not value < float(self.lowest):
            self.waited.assign_add(1)
            return
        self.lowest.assign(value)
        self.waited.assign(0)
        for kept, variable in zip(self.best, self._variables(), strict=True):
            kept.assign(variable.value)

    def is_over(self) -> bool:
        """Returns whether patience is at its end."""
        return int(self.waited) >= self._patience

    def restore(self) -> None:
        """Goes back to the best weights."""
        for kept, variable in zip(self.best, self._variables(), strict=True):
            variable.assign(kept)
