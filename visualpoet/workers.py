"""The workers that `TF_CONFIG` names, and how they find each other."""

import json
import socket
import time
from collections.abc import Sequence

MEET_SECONDS = 40  # that a worker waits for the others when it starts


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


def meet(
    workers: Sequence[str], number: int, seconds: float = MEET_SECONDS
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
