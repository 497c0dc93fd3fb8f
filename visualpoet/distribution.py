"""Several workers that train one model, each on its rows of every batch.

`TF_CONFIG` names them, as everywhere in TensorFlow; without it nothing here
does anything. A step takes the rows of all workers, so that a model is the
same however many there are. The first of them is the chief: only what it
writes stays.
"""

import contextlib
import faulthandler
import functools
import json
import os
import re
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visualpoet import workers

# --- who there is


@functools.cache
def connect() -> tf.distribute.Strategy | None:
    """Joins the other workers; a recipe does it before everything else.

    TensorFlow can do so once a process, and only before it has done anything.

    Returns:
        The strategy, the same each time; None without `TF_CONFIG`.

    Raises:
        TimeoutError: As for `workers.meet`.
        ValueError: As for `workers.meet` and `workers.read_workers`.
    """
    tf_config = os.environ.get("TF_CONFIG")
    if not tf_config:
        return None
    workers.meet(*workers.read_workers(tf_config))
    # Should one of them be gone again, TensorFlow would wait for an hour.
    faulthandler.dump_traceback_later(workers.MEET_SECONDS, exit=True)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    finally:
        faulthandler.cancel_dump_traceback_later()


def worker_number() -> int:
    """Says which of the workers this is.

    Returns:
        0 for the chief, and without `TF_CONFIG`.

    Raises:
        ValueError: If there are others and the recipe has not called `connect`:
            each would do all of the work, and all would write.
    """
    tf_config = os.environ.get("TF_CONFIG")
    if not tf_config:
        return 0
    if not connect.cache_info().currsize:
        raise ValueError(
            "expected a recipe that several workers can run (docs/scaling.md). "
            f"Received: another one, and TF_CONFIG={tf_config}; unset it"
        )
    return workers.read_workers(tf_config)[1]


def count_workers() -> int:
    """Counts the workers.

    Returns:
        1 without `TF_CONFIG`.
    """
    tf_config = os.environ.get("TF_CONFIG")
    return len(workers.read_workers(tf_config)[0]) if tf_config else 1


@contextlib.contextmanager
def scope() -> Iterator[None]:
    """Enters the strategy's scope, in which what is trained is built.

    Without `TF_CONFIG` it does nothing.

    Raises:
        SystemExit: As for `expect_all_workers`.
    """
    strategy = connect()
    if not strategy:
        yield
        return
    with expect_all_workers(), strategy.scope():
        yield


# --- what a step does


def count_rows(batch: Any) -> tf.Tensor:
    """Counts the rows of a batch.

    Args:
        batch: Tensors `[B, ...]`, nested.

    Returns:
        float32 scalar.
    """
    return tf.cast(tf.shape(tf.nest.flatten(batch)[0])[0], tf.float32)


def run_on_rows(
    strategy: tf.distribute.Strategy,
    replica_step: Callable[[Any, tf.Tensor], Any],
    batch: Any,
    weight: Callable[[Any], tf.Tensor],
) -> Any:
    """Runs a step on every worker's rows of a batch and adds the results up.

    Args:
        strategy: What `connect` returned.
        replica_step: Maps rows of the batch, and their share of the batch's
            weight in [0, 1], to tensors, nested.
        batch: Tensors `[B, ...]`, nested, the same on all workers.
        weight: Maps a batch to what it counts, such as its tokens.

    Returns:
        The sums, the same on all workers.

    Raises:
        tf.errors.InvalidArgumentError: If there is not a row for each.
    """
    tf.debugging.assert_greater_equal(
        count_rows(batch),
        float(strategy.num_replicas_in_sync),
        "expected a row of a batch for every worker; raise the size of the "
        "batch, or train with fewer workers",
    )

    def run(batch: Any) -> Any:
        context = tf.distribute.get_replica_context()
        first = context.replica_id_in_sync_group
        every = context.num_replicas_in_sync
        rows = tf.nest.map_structure(lambda x: x[first::every], batch)
        weights = context.all_reduce("SUM", weight(rows))
        share = tf.math.divide_no_nan(weight(rows), weights)
        return _add_up(replica_step(rows, share))

    sums = strategy.run(run, [batch])
    return tf.nest.map_structure(
        lambda x: strategy.experimental_local_results(x)[0], sums
    )


def _add_up(values: Any) -> Any:
    """Sums over all workers, in one message, so as floats: counts to 2^24."""
    flat = tf.nest.flatten(values)
    sums = tf.distribute.get_replica_context().all_reduce(
        "SUM", [tf.cast(value, tf.float32) for value in flat]
    )
    sums = [tf.cast(total, value.dtype) for total, value in zip(sums, flat)]
    return tf.nest.pack_sequence_as(values, sums)


def gather(rows: tf.Tensor) -> tf.Tensor:
    """Brings the rows of all workers together, in a graph.

    Inside a loss each then computes that of the whole batch, and counts its
    share of it; gradients flow back to the worker that a row came from.

    Args:
        rows: `[B, ...]`, of this worker.

    Returns:
        `[B, ...]`, of all; without `TF_CONFIG` the rows.
    """
    return _combine(lambda context, x: context.all_gather(x, axis=0), rows)


def _combine(combine: Callable[[Any, Any], Any], values: Any) -> Any:
    """What comes of the values of all, inside a step of theirs or outside."""
    strategy = connect()
    if not strategy:
        return values

    def run() -> Any:
        placed = tf.nest.map_structure(tf.identity, values)  # on its device
        return combine(tf.distribute.get_replica_context(), placed)

    if tf.distribute.has_strategy():
        return run()
    return tf.nest.map_structure(
        lambda x: strategy.experimental_local_results(x)[0], strategy.run(run)
    )


def normalize_over_all(model: keras.Model) -> None:
    """Lets BatchNormalization see the rows of all workers.

    Args:
        model: Changed in place; without `TF_CONFIG` it stays.
    """
    for layer in model.layers if connect() else []:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def draw_apart(variables: Sequence[Any]) -> None:
    """Gives every worker draws of its own, such as what dropout leaves out.

    The chief's stay as they are, so that a checkpoint of it serves all.

    Args:
        variables: Of a model just built or restored, the states of its draws
            among them; assigned in place.
    """
    for variable in variables if worker_number() else []:
        if variable.path.endswith("seed_generator_state"):
            seed, counter = variable.numpy()
            variable.assign([seed + worker_number(), counter])


# --- what a worker does with its rows between two steps


def own_rows(batch_size: int) -> slice:
    """Says which rows of a batch this worker has outside of `run_on_rows`.

    All have as many of them, so that a mean over the workers' means is one
    over the batch, and `gather` returns them in their order.

    Args:
        batch_size: Rows of all workers.

    Returns:
        The rows; all of them without `TF_CONFIG`.

    Raises:
        ValueError: If workers cannot have as many, or if one has several GPUs.
    """
    number, strategy = count_workers(), connect()
    if strategy and strategy.num_replicas_in_sync != number:
        raise ValueError(
            "expected a worker for each GPU. Received: "
            f"{strategy.num_replicas_in_sync} GPUs for {number} workers; start "
            "one for each, with its own CUDA_VISIBLE_DEVICES"
        )
    if batch_size % number:
        raise ValueError(
            f"expected a batch that {number} workers can share evenly. "
            f"Received: {batch_size} rows; change the size of the batch"
        )
    size, first = batch_size // number, worker_number()
    return slice(first * size, (first + 1) * size)


def draw_uniform(shape: Sequence[int], seed: tf.Tensor) -> tf.Tensor:
    """Draws for this worker's rows what one alone would draw for them.

    Args:
        shape: `[B / N, ...]`, of these rows.
        seed: int `[2]`.

    Returns:
        float32 of this shape in [0, 1).
    """
    batch_size = shape[0] * count_workers()
    drawn = tf.random.stateless_uniform([batch_size, *shape[1:]], seed)
    return drawn[own_rows(batch_size)]


def average(values: Any) -> Any:
    """Averages what workers have found in their rows, as many for each.

    No gradient flows through it but inside a step of `run_on_rows`.

    Args:
        values: float32, nested.

    Returns:
        The means, the same on all workers; without `TF_CONFIG` the values.
    """
    return _combine(lambda context, x: context.all_reduce("MEAN", x), values)


# --- together or not at all


def check_same(values: Mapping[str, Any]) -> None:
    """Checks that all workers have the same; the first waits for the last.

    Args:
        values: Name to value, as JSON knows it.

    Raises:
        ValueError: If they differ.
    """
    if not connect():
        return
    texts = [json.dumps(value, sort_keys=True) for value in values.values()]
    sums = tf.constant(
        [[zlib.crc32(text.encode()) for text in texts]], tf.int64
    )

    with expect_all_workers():
        every = tf.function(gather)(sums).numpy()
    different = every != every[:1]  # [N, V]
    if different.any():
        names = [n for n, column in zip(values, different.T) if column.any()]
        where = different.any(axis=1).nonzero()[0].tolist()
        raise ValueError(
            f"expected the same {', '.join(names)} on all workers. Received: "
            f"others than worker 0's on {where}; give the same command "
            "everywhere, the same files, and a --run-dir that all see"
        )


@contextlib.contextmanager
def expect_all_workers() -> Iterator[None]:
    """Ends the process with a line if another worker is lost.

    Raises:
        SystemExit: In place of TensorFlow's pages about it.
    """
    try:
        yield
    except tf.errors.OpError as error:
        reason = re.search(r"Collective ops is aborted by: (.*)", str(error))
        if not (connect() and reason):
            raise
        raise SystemExit(
            f"worker {worker_number()}: expected all workers until the end. "
            f"Received: {reason[1].rstrip(':')}; start all of them again with "
            "--resume"
        ) from None
