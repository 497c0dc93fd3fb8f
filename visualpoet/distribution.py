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
import socket
import time
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

CONNECT_SECONDS = 40  # that a worker waits for the others when it starts


# --- who there is


def read_workers(tf_config: str) -> tuple[list[str], int]:
    """Reads the variable `TF_CONFIG`.

    Args:
        tf_config: JSON.

    Returns:
        `host:port` of all workers, the chief first, and which of them this
        process is.

    Raises:
        ValueError: If it does not name this process among different workers.

    Example:
        >>> read_workers(
        ...     '{"cluster": {"worker": ["a:2222", "b:2222"]},'
        ...     ' "task": {"type": "worker", "index": 1}}'
        ... )
        (['a:2222', 'b:2222'], 1)
    """
    try:
        given = json.loads(tf_config)
        cluster, task = given["cluster"], given["task"]
        workers = [*cluster.get("chief", []), *cluster.get("worker", [])]
        number = int(task["index"])
        if task["type"] == "worker":
            number += len(cluster.get("chief", []))
        known = task["type"] in ("chief", "worker")
        if not known or len(set(workers)) != len(workers):
            raise ValueError(task)
        return workers, range(len(workers)).index(number)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            'expected TF_CONFIG as {"cluster": {"worker": ["HOST:PORT", ...]}, '
            '"task": {"type": "worker", "index": 0}}: different workers, this '
            f"one among them. Received: {tf_config}"
        ) from error


@functools.cache
def connect() -> tf.distribute.Strategy | None:
    """Joins the other workers; a recipe does it before everything else.

    TensorFlow can do so once a process, and only before it has done anything.

    Returns:
        The strategy, the same each time; None without `TF_CONFIG`.

    Raises:
        TimeoutError: If a worker is not there within `CONNECT_SECONDS`.
        ValueError: As for `read_workers`, or if another worker knows others.
    """
    tf_config = os.environ.get("TF_CONFIG")
    if not tf_config:
        return None
    meet(*read_workers(tf_config))
    # Should one of them be gone again, TensorFlow would wait for an hour.
    faulthandler.dump_traceback_later(CONNECT_SECONDS, exit=True)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    finally:
        faulthandler.cancel_dump_traceback_later()


def meet(
    workers: Sequence[str], number: int, seconds: float = CONNECT_SECONDS
) -> None:
    """Waits until every worker has been at every other's door.

    TensorFlow, which takes the same addresses later, cannot be told how long
    to wait, and does not say for whom.

    Args:
        workers: As `read_workers` returns them.
        number: Which of them this is.
        seconds: To wait at most.

    Raises:
        TimeoutError: If some are not there in time.
        ValueError: If one comes that knows other workers.
    """
    deadline = time.monotonic() + seconds
    expected = {other for other in range(len(workers)) if other != number}
    unvisited = set(expected)
    with socket.create_server(("", _split(workers[number])[1])) as door:
        door.settimeout(0.2)
        while expected or unvisited:
            if time.monotonic() > deadline:
                missing = [workers[other] for other in expected | unvisited]
                raise TimeoutError(
                    f"expected the {len(workers)} workers of TF_CONFIG within "
                    f"{seconds:g} s. Received: nothing from or no way to "
                    f"{', '.join(sorted(missing))}; start the same command on "
                    "every worker, and let them reach each other"
                )
            unvisited -= {o for o in unvisited if _visit(workers, number, o)}
            expected.discard(_receive(door, workers))


def _split(worker: str) -> tuple[str, int]:
    host, _, port = worker.rpartition(":")
    return host.strip("[]"), int(port)


def _visit(workers: Sequence[str], number: int, other: int) -> bool:
    card = json.dumps({"number": number, "workers": workers}).encode()
    try:
        with socket.create_connection(_split(workers[other]), 2) as door:
            door.sendall(card)
    except OSError:
        return False
    return True


def _receive(door: socket.socket, workers: Sequence[str]) -> int | None:
    """The number of the worker that comes, if one does."""
    try:
        visitor, _ = door.accept()
        with visitor, visitor.makefile("rb") as stream:
            visitor.settimeout(5)
            card = json.loads(stream.read(1 << 20))
    except (OSError, ValueError):
        return None  # nobody, or not one of us
    if card["workers"] != list(workers):
        raise ValueError(
            f"expected the same workers in every TF_CONFIG, {list(workers)}. "
            f"Received: {card['workers']} from worker {card['number']}"
        )
    return card["number"]


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
    return read_workers(tf_config)[1]


def scope() -> contextlib.AbstractContextManager:
    """What is trained is built in it, with its optimizer.

    Returns:
        The strategy's scope; without `TF_CONFIG` one that does nothing.
    """
    strategy = connect()
    return strategy.scope() if strategy else contextlib.nullcontext()


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
    """Brings the rows of all workers together, inside a loss.

    Each then computes the loss of the whole batch, and counts its share of it;
    gradients flow back to the worker that a row came from.

    Args:
        rows: `[B, ...]`, of this worker.

    Returns:
        `[B, ...]`, of all; without `TF_CONFIG` the rows.
    """
    if not connect():
        return rows
    return tf.distribute.get_replica_context().all_gather(rows, axis=0)


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


# --- together or not at all


def check_same(values: Mapping[str, Any]) -> None:
    """Checks that all workers have the same; the first waits for the last.

    Args:
        values: Name to value, as JSON knows it.

    Raises:
        ValueError: If they differ.
    """
    strategy = connect()
    if not strategy:
        return
    texts = [json.dumps(value, sort_keys=True) for value in values.values()]
    sums = tf.constant(
        [[zlib.crc32(text.encode()) for text in texts]], tf.int64
    )

    @tf.function
    def gather_sums() -> tf.Tensor:
        return strategy.run(lambda: gather(sums))

    every = strategy.experimental_local_results(gather_sums())[0]
    same = tf.reduce_all(every == every[:1], axis=0).numpy()
    differ = [name for name, equal in zip(values, same) if not equal]
    if differ:
        raise ValueError(
            f"expected the same {', '.join(differ)} on all workers. Received: "
            f"{dict(values)} on worker {worker_number()}, others elsewhere; "
            "give the same command everywhere, and a --run-dir that all see"
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
