import json
import socket
import threading

import pytest

from visualpoet import workers


def config(workers, kind="worker", index=0, **cluster):
    cluster = {"worker": workers, **cluster}
    task = {"type": kind, "index": index}
    return json.dumps({"cluster": cluster, "task": task})


@pytest.mark.parametrize(
    ("tf_config", "expected"),
    [
        (config(["a:1", "b:1"], index=1), (["a:1", "b:1"], 1)),
        (config(["a:1"], index="0"), (["a:1"], 0)),
        (config(["b:1"], "chief", chief=["a:1"]), (["a:1", "b:1"], 0)),
        (config(["b:1"], chief=["a:1"]), (["a:1", "b:1"], 1)),
    ],
)
def test_the_chief_is_the_first_worker(tf_config, expected):
    assert workers.read_workers(tf_config) == expected


@pytest.mark.parametrize(
    "tf_config",
    [
        "workers",
        "[]",
        "{}",
        config([]),
        config(["a:1", "b:1"], index=2),
        config(["a:1", "b:1"], index=-1),
        config(["a:1", "a:1"]),
        config(["a:1"], "evaluator"),
    ],
)
def test_a_process_that_is_no_worker_is_refused(tf_config):
    with pytest.raises(ValueError, match="^expected TF_CONFIG as .*Received:"):
        workers.read_workers(tf_config)


def free_workers(number):
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    addresses = [f"127.0.0.1:{d.getsockname()[1]}" for d in doors]
    for door in doors:
        door.close()
    return addresses


def test_workers_meet():
    addresses = free_workers(3)
    others = [
        threading.Thread(target=workers.meet, args=(addresses, number))
        for number in (1, 2)
    ]
    for other in others:
        other.start()
    workers.meet(addresses, 0)
    for other in others:
        other.join()


def test_a_worker_that_does_not_come_is_named():
    here, missing = free_workers(2)
    with pytest.raises(TimeoutError, match=f"way to {missing}; start"):
        workers.meet([here, missing], 0, seconds=0)


def test_a_worker_that_knows_others_is_refused():
    here, there = free_workers(2)

    def come():
        while not workers._visit([here, there], 1, 0):
            pass  # the door is not open yet

    visitor = threading.Thread(target=come)
    visitor.start()
    with pytest.raises(ValueError, match=r"the same workers .* worker 1$"):
        workers.meet([here, there, "127.0.0.1:1"], 0)
    visitor.join()
