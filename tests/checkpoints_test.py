import dataclasses
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import full_disk
from visualpoet import runs


@dataclasses.dataclass(frozen=True)
class Config:
    resume: bool = False


def _run(tmp_path, **options):
    return runs.RunDirectory(tmp_path / "run", Config(**options))


@pytest.fixture
def variables():
    return {
        "model": [keras.Variable([1.0, 2.0]), keras.Variable([[3.0]])],
        "optimizer": [keras.Variable(4, dtype="int64")],
    }


def _values(variables):
    return [
        np.asarray(variable).tolist()
        for variable in itertools.chain(*variables.values())
    ]


def _fill(variables, value):
    for variable in itertools.chain(*variables.values()):
        variable.assign(np.full(variable.shape, value))


def _names(run):
    return {path.stem for path in (run.path / "checkpoints").glob("ckpt-*")}


def test_checkpoint_round_trip(tmp_path, variables):
    run = _run(tmp_path)
    run.save_checkpoint(12, variables)
    _fill(variables, 0)
    assert _run(tmp_path, resume=True).restore_checkpoint(variables) == 12
    assert _values(variables) == [[1.0, 2.0], [[3.0]], 4]


def test_run_without_checkpoint_begins_at_0(tmp_path, variables):
    assert _run(tmp_path).restore_checkpoint(variables) == 0
    assert _values(variables) == [[1.0, 2.0], [[3.0]], 4]


def test_newest_checkpoint_is_loaded(tmp_path, variables):
    run = _run(tmp_path)
    for step in (9, 10, 100):
        _fill(variables, step)
        run.save_checkpoint(step, variables)
    _fill(variables, 0)
    assert run.restore_checkpoint(variables) == 100
    assert _values(variables) == [[100.0, 100.0], [[100.0]], 100]


def test_only_the_two_newest_are_kept(tmp_path, variables):
    for step in (1, 2, 3, 4, 5):
        resume = step > 1
        _run(tmp_path, resume=resume).save_checkpoint(step, variables)
    assert _names(_run(tmp_path, resume=True)) == {"ckpt-4", "ckpt-5"}


def test_half_written_checkpoint_is_cleared_away(tmp_path, variables):
    run = _run(tmp_path)
    run.save_checkpoint(5, variables)
    folder = run.path / "checkpoints"
    (folder / "ckpt-6_temp").mkdir()
    (folder / "ckpt-6_temp" / "part-00000-of-00001.data").write_text("half")
    (folder / "ckpt-6.data-00000-of-00001").write_text("half")
    assert run.restore_checkpoint(variables) == 5
    assert _names(run) == {"ckpt-5"}


def test_same_step_is_written_again(tmp_path, variables):
    run = _run(tmp_path)
    run.save_checkpoint(3, variables)
    _fill(variables, 7)
    run.save_checkpoint(3, variables)
    _fill(variables, 0)
    assert run.restore_checkpoint(variables) == 3
    assert _values(variables) == [[7.0, 7.0], [[7.0]], 7]


def test_full_disk_leaves_the_earlier_checkpoint_usable(
    tmp_path, variables, monkeypatch
):
    run = _run(tmp_path)
    run.save_checkpoint(3, variables)
    _fill(variables, 7)
    with monkeypatch.context() as patch:
        patch.setattr(tf.train.Checkpoint, "_write", full_disk.write)
        with pytest.raises(OSError, match="No space left"):
            run.save_checkpoint(4, variables)
    assert run.restore_checkpoint(variables) == 3
    assert _values(variables) == [[1.0, 2.0], [[3.0]], 4]
    run.save_checkpoint(4, variables)
    assert run.restore_checkpoint(variables) == 4
    assert _names(run) == {"ckpt-3", "ckpt-4"}


def _named(*names):
    return {"model": [keras.Variable([1.0], name=name) for name in names]}


def test_tensors_are_found_by_name(tmp_path):
    run = _run(tmp_path)
    saved = _named("kernel", "bias")
    saved["model"][0].assign([2.0])
    run.save_checkpoint(1, saved)
    turned = _named("bias", "kernel")
    run.restore_checkpoint(turned)
    assert _values(turned) == [[1.0], [2.0]]
    path = tf.train.latest_checkpoint(str(run.path / "checkpoints"))
    names = [
        name.split("/.ATTR")[0] for name, _ in tf.train.list_variables(path)
    ]
    assert {"model/kernel", "model/bias", "step"} < set(names)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["kernel"], "(?s)Received: others.*model.bias"),
        (["kernel", "bias", "scale"], "Received: others.*scale"),
        (["kernel", "scale"], "Received: others.*"),
    ],
)
def test_other_tensors_are_refused_and_named(tmp_path, names, message):
    run = _run(tmp_path)
    run.save_checkpoint(1, _named("kernel", "bias"))
    with pytest.raises(ValueError, match=message):
        run.restore_checkpoint(_named(*names))


def test_another_shape_is_refused(tmp_path):
    run = _run(tmp_path)
    run.save_checkpoint(1, _named("kernel"))
    wide = {"model": [keras.Variable([1.0, 2.0], name="kernel")]}
    with pytest.raises(ValueError, match=r"Received: others.*shape \(1,\)"):
        run.restore_checkpoint(wide)


def test_what_the_process_built_before_changes_no_name(tmp_path):
    run = _run(tmp_path)

    def build():
        layers = [keras.layers.Dense(2), keras.layers.Dense(2)]
        model = keras.Sequential([keras.Input([2]), *layers])
        return {"model": model.variables}

    saved, again = build(), build()
    assert saved["model"][0].path != again["model"][0].path
    run.save_checkpoint(1, saved)
    run.restore_checkpoint(again)
    assert _values(again) == _values(saved)


def test_what_tensorflow_tracks_is_kept_too(tmp_path):
    run = _run(tmp_path)
    module = tf.Module()
    module.mean = tf.Variable([1.0, 2.0])
    run.save_checkpoint(1, {"reward": module, "draws": tf.Variable(7)})
    module.mean.assign([0.0, 0.0])
    draws = tf.Variable(0)
    run.restore_checkpoint({"reward": module, "draws": draws})
    assert module.mean.numpy().tolist() == [1.0, 2.0]
    assert int(draws) == 7
