import json
import socket
import threading

import keras
import pytest
import tensorflow as tf

from visualpoet import distribution


def config(workers, kind="worker", index=0, **cluster):
    cluster = {"worker": workers, **cluster}
    task = {"type": kind, "index": index}
    return json.dumps({"cluster": cluster, "task": task})


# --- who there is


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
    assert distribution.read_workers(tf_config) == expected


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
        distribution.read_workers(tf_config)


def free_workers(number):
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    addresses = [f"127.0.0.1:{d.getsockname()[1]}" for d in doors]
    for door in doors:
        door.close()
    return addresses


def test_workers_meet():
    workers = free_workers(3)
    others = [
        threading.Thread(target=distribution.meet, args=(workers, number))
        for number in (1, 2)
    ]
    for other in others:
        other.start()
    distribution.meet(workers, 0)
    for other in others:
        other.join()


def test_a_worker_that_does_not_come_is_named():
    here, missing = free_workers(2)
    with pytest.raises(TimeoutError, match=f"way to {missing}; start"):
        distribution.meet([here, missing], 0, seconds=0)


def test_a_worker_that_knows_others_is_refused():
    here, there = free_workers(2)

    def come():
        while not distribution._visit([here, there], 1, 0):
            pass  # the door is not open yet

    visitor = threading.Thread(target=come)
    visitor.start()
    with pytest.raises(ValueError, match=r"the same workers .* worker 1$"):
        distribution.meet([here, there, "127.0.0.1:1"], 0)
    visitor.join()


# --- one alone


def test_without_tf_config_nothing_changes():
    assert distribution.connect() is None
    assert distribution.worker_number() == 0
    rows = tf.ones([2, 3])
    assert distribution.gather(rows) is rows
    with distribution.scope():
        assert not tf.distribute.has_strategy()


def test_a_recipe_for_one_worker_refuses_several(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config(["a:1", "b:1"]))
    distribution.connect.cache_clear()
    with pytest.raises(ValueError, match="several workers can run.*unset it$"):
        distribution.worker_number()


def test_the_chief_draws_as_one_alone_and_others_apart(monkeypatch):
    layer = keras.layers.Dropout(0.5, seed=7)
    states = []
    for number in (0, 1):
        monkeypatch.setattr(distribution, "worker_number", lambda n=number: n)
        distribution.draw_apart(layer.variables)
        states.append(layer.variables[0].numpy().tolist())
    assert states == [[7, 0], [8, 0]]


def test_rows_are_counted():
    batch = ({"a": tf.ones([4, 2])}, tf.ones([4]))
    assert float(distribution.count_rows(batch)) == 4.0


def test_errors_that_are_no_loss_of_a_worker_stay():
    with pytest.raises(tf.errors.InvalidArgumentError, match="mine"):
        with distribution.expect_all_workers():
            raise tf.errors.InvalidArgumentError(None, None, "mine")
