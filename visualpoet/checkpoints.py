"""Checkpoints of which the newest is whole, whenever a run is killed."""

import collections
import pathlib
import re
import shutil
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


def open_checkpoints(
    folder: pathlib.Path, state: Mapping[str, Any]
) -> tuple[tf.train.Checkpoint, tf.train.CheckpointManager]:
    """Opens a folder of checkpoints, and removes what is not whole.

    Args:
        folder: The folder; it need not exist.
        state: Group name (`model`, `optimizer`) to a list of Keras variables,
            or to what TensorFlow can track.

    Returns:
        What is kept, `step` among it, and who keeps the two newest of it.
    """
    checkpoint = tf.train.Checkpoint(
        step=tf.Variable(0, dtype=tf.int64),
        **{
            group: _name_variables(part) if isinstance(part, list) else part
            for group, part in state.items()
        },
    )
    manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=2)
    whole = {pathlib.Path(path).name for path in manager.checkpoints}
    for path in folder.glob("ckpt-*"):  # what a killed run left behind
        if path.is_dir():
            shutil.rmtree(path)
        elif path.stem not in whole:
            path.unlink()
    return checkpoint, manager


def restore_newest(
    checkpoint: tf.train.Checkpoint, folder: pathlib.Path
) -> int:
    """Loads the newest whole checkpoint, if there is one.

    Args:
        checkpoint: As of `open_checkpoints`; assigned in place.
        folder: Where to look.

    Returns:
        Train steps done, 0 without a checkpoint.

    Raises:
        ValueError: If it holds other variables.
    """
    path = tf.train.latest_checkpoint(str(folder))
    if not path:
        return 0
    try:
        checkpoint.restore(path).assert_consumed()
    except (AssertionError, ValueError) as error:
        raise ValueError(
            f"expected the variables of the checkpoint {path}. Received: "
            f"others; name another folder for another model ({error})"
        ) from error
    return int(checkpoint.step)


def _name_variables(
    variables: Sequence[keras.Variable],
) -> dict[str, tf.Variable]:
    """Names variables by their paths.

    Keras numbers what has no name of its own, such as an optimizer, by all
    that the process has built before; here it is numbered within the group.
    """
    named: dict[str, tf.Variable] = {}
    count: collections.Counter[str] = collections.Counter()
    for variable in variables:
        name = re.sub(r"_\d+(?=[/_]|$)", "", variable.path)
        earlier = count[name]
        count[name] += 1
        named[f"{name}_{earlier}" if earlier else name] = variable.value
    return named
