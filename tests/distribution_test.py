import types

import keras
import pytest
import tensorflow as tf

from visualpoet import distribution


def test_without_tf_config_nothing_changes():
    assert distribution.connect() is None
    assert distribution.worker_number() == 0
    rows = tf.ones([2, 3])
    assert distribution.gather(rows) is rows
    assert distribution.average(rows) is rows
    assert distribution.own_rows(2) == slice(0, 2)
    with distribution.scope():
        assert not tf.distribute.has_strategy()


def test_a_recipe_for_one_worker_refuses_several(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "of several")
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


def test_workers_share_the_rows_of_a_batch(monkeypatch):
    whole = tf.random.stateless_uniform([6, 2], [3, 4])
    monkeypatch.setattr(distribution, "count_workers", lambda: 2)
    for number, rows in enumerate([slice(0, 3), slice(3, 6)]):
        monkeypatch.setattr(distribution, "worker_number", lambda n=number: n)
        assert distribution.own_rows(6) == rows
        drawn = distribution.draw_uniform([3, 2], [3, 4])
        assert drawn.numpy().tolist() == whole[rows].numpy().tolist()
    with pytest.raises(ValueError, match="2 workers can share.*: 5 rows"):
        distribution.own_rows(5)


def test_a_worker_with_several_gpus_has_no_rows(monkeypatch):
    several = types.SimpleNamespace(num_replicas_in_sync=4)
    monkeypatch.setattr(distribution, "connect", lambda: several)
    monkeypatch.setattr(distribution, "count_workers", lambda: 2)
    with pytest.raises(ValueError, match="each GPU. .*: 4 GPUs for 2 workers"):
        distribution.own_rows(8)


def test_rows_are_counted():
    batch = ({"a": tf.ones([4, 2])}, tf.ones([4]))
    assert float(distribution.count_rows(batch)) == 4.0


def test_errors_that_are_no_loss_of_a_worker_stay():
    with pytest.raises(tf.errors.InvalidArgumentError, match="mine"):
        with distribution.expect_all_workers():
            raise tf.errors.InvalidArgumentError(None, None, "mine")
