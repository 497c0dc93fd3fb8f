"""From class probabilities to rewards: pure functions."""

import importlib
import math
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

Reward = Callable[[list[str], list[str]], Sequence[float]]

PAIRED_WEIGHT = 0.8


def adversarial_reward(
    paired: tf.Tensor, poetic: tf.Tensor, paired_weight: float = PAIRED_WEIGHT
) -> tf.Tensor:
    """Reward of a poem from both discriminators.

    `R(y|x) = lambda * C_m(paired | x, y) + (1 - lambda) * C_p(poetic | y)`

    Source: liu18, multi-adversarial training.

    Args:
        paired: float `[B]` in [0, 1]. Probability of the class paired.
        poetic: float `[B]` in [0, 1]. Probability of the class poetic.
        paired_weight: lambda; liu18 0.8.

    Returns:
        float `[B]` in [0, 1].

    Raises:
        ValueError: If `paired_weight` is not in [0, 1].

    Example:
        >>> paired, poetic = tf.constant([1.0, 0.0]), tf.constant([0.0, 1.0])
        >>> adversarial_reward(paired, poetic, paired_weight=0.75).numpy()
        array([0.75, 0.25], dtype=float32)
    """
    if not 0.0 <= paired_weight <= 1.0:
        raise ValueError(
            f"expected a weight in [0, 1]. Received: {paired_weight}"
        )
    return paired_weight * paired + (1.0 - paired_weight) * poetic


def first_class_probability(logits: tf.Tensor) -> tf.Tensor:
    """Probability of what a poem should be: paired, poetic, real.

    Args:
        logits: float `[B, C]`, that class first.

    Returns:
        float32 `[B]`.

    Example:
        >>> first_class_probability(tf.zeros([2, 4])).numpy()
        array([0.25, 0.25], dtype=float32)
    """
    return tf.nn.softmax(tf.cast(logits, tf.float32))[:, 0]


def pairing_probability(logits: tf.Tensor) -> tf.Tensor:
    """Probability of a poem to be paired, if it is of human hand.

    `p(paired | not generated) = p(paired) / (1 - p(generated))`: what is left
    of `first_class_probability` without `human_probability`.

    Args:
        logits: float `[..., C]`, paired first, generated last.

    Returns:
        float32 `[...]`.

    Example:
        >>> logits = tf.math.log([[0.3, 0.1, 0.6]])
        >>> pairing_probability(logits).numpy().round(3)
        array([0.75], dtype=float32)
    """
    return tf.nn.softmax(tf.cast(logits[..., :-1], tf.float32))[..., 0]


def human_probability(logits: tf.Tensor) -> tf.Tensor:
    """Probability of a poem not to be generated.

    Args:
        logits: float `[..., C]`, generated last.

    Returns:
        float32 `[...]`.

    Example:
        >>> human_probability(tf.math.log([[0.3, 0.1, 0.6]])).numpy().round(3)
        array([0.4], dtype=float32)
    """
    return 1.0 - tf.nn.softmax(tf.cast(logits, tf.float32))[..., -1]


def check_rewards(values: Sequence[float], size: int, name: str) -> np.ndarray:
    """Checks what a reward returned.

    Args:
        values: What it returned.
        size: Poems it was given.
        name: Of the reward, for the message.

    Returns:
        float32 `[size]`.

    Raises:
        ValueError: If they are no numbers, the shape is another, or a value
            is NaN or outside [0, 1].

    Example:
        >>> check_rewards([0.5, 1], size=2, name="rhymes")
        array([0.5, 1. ], dtype=float32)
    """
    try:
        rewards = np.asarray(values, np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"reward {name}: expected one number a poem. Received: {error}"
        ) from error
    if rewards.shape != (size,):
        raise ValueError(
            f"reward {name}: expected one number a poem, shape ({size},). "
            f"Received: shape {rewards.shape}"
        )
    bad = ~((rewards >= 0.0) & (rewards <= 1.0))  # NaN compares false
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"reward {name}: expected numbers in [0, 1]. Received: "
            f"{rewards[row]} for poem {row}, and {int(bad.sum())} such in all"
        )
    return rewards


def parse(given: str) -> tuple[str, float]:
    """Reads what an option says of a reward.

    Args:
        given: `package.module.function=weight`, or without weight for 1.

    Returns:
        Dotted name and weight.

    Raises:
        ValueError: If the weight is no finite number.
    """
    name, _, weight = given.partition("=")
    try:
        value = float(weight or 1.0)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(
            "expected a reward as package.module.function=weight with a finite "
            f"weight. Received: {given}"
        )
    return name, value


def load_reward(name: str) -> Reward:
    """Finds a reward by its dotted name.

    Args:
        name: `package.module.function`; the function maps poems and names of
            photographs, `[B]` each, to numbers in [0, 1].

    Returns:
        The function.

    Raises:
        ValueError: If there is none, or if it cannot be called.

    Example:
        >>> load_reward("builtins.min")([0.2, 0.7], [0.5, 0.5])
        [0.2, 0.7]
    """
    module, _, function = name.rpartition(".")
    try:
        reward = getattr(importlib.import_module(module), function)
        if not callable(reward):
            raise TypeError(f"{type(reward).__name__} cannot be called")
        return reward
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            "expected a reward as package.module.function that Python can "
            f"import. Received: {name} ({error}); is its folder on PYTHONPATH?"
        ) from error
