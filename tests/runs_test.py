import csv
import dataclasses
import importlib.metadata
import itertools
import json
import pathlib
import re
import sys
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.util import event_pb2

from tests import full_disk
from visualpoet import runs
from visualpoet.optimization import make_train_step
from visualpoet.provenance import file_digest
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Train something."""

    run_dir: pathlib.Path = option(pathlib.Path("out/run"), "output")
    num_steps: int = option(5, "train steps")
    rate: float = option(0.5, "share of steps")
    name: str = option("", "what to call it")
    words: tuple[str, ...] = option(("a", "b"), "words to use")
    files: tuple[pathlib.Path, ...] = option((), "files to read")
    shuffle: bool = option(True, "shuffle the rows")
    resume: bool = option(False, "go on")


# --- run directories


def _run(tmp_path, inputs=(), **options):
    return runs.RunDirectory(tmp_path / "run", Config(**options), inputs)


def _json(path):
    return json.loads(path.read_text())


def test_options_are_recorded(tmp_path):
    run = _run(tmp_path, words=("c",), files=(pathlib.Path("p/q"),))
    assert _json(run.path / "config.json") == {
        "run_dir": "out/run",
        "num_steps": 5,
        "rate": 0.5,
        "name": "",
        "words": ["c"],
        "files": ["p/q"],
        "shuffle": True,
    }


def test_environment_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["recipes/train.py", "--name", "x"])
    held = _json(_run(tmp_path).path / "environment.json")
    assert held["recipe"] == "train.py"
    assert held["python"] == ".".join(map(str, sys.version_info[:3]))
    for package in ("tensorflow", "keras", "numpy"):
        version = importlib.metadata.version(package)
        assert held["packages"][package] == version


def test_machine_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    held = _json(_run(tmp_path).path / "environment.json")
    assert held["commit"] == "unknown"


def test_packages_of_other_extras_are_left_out(tmp_path, monkeypatch):
    version = importlib.metadata.version

    def find(name):
        if name == "tensorflow-hub":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", find)
    held = _json(_run(tmp_path).path / "environment.json")["packages"]
    assert held.keys() == {"tensorflow", "keras", "numpy", "tokenizers"}


def test_nothing_is_written_before_all_is_known(tmp_path, monkeypatch):
    def fail():
        raise OSError("no machine")

    monkeypatch.setattr(runs, "describe_environment", fail)
    with pytest.raises(OSError, match="no machine"):
        _run(tmp_path)
    assert not (tmp_path / "run").exists()


# SHA-256 of "abc".
DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_digests_of_inputs_are_recorded(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(b"abc")
    run = _run(tmp_path, [path])
    assert file_digest(path) == DIGEST
    assert _json(run.path / "inputs.json") == {str(path): DIGEST}


def test_lineage_names_no_place_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["out/corpus/a.jsonl", "notes.md", "out/b.keras", "poems/c.gz"]
    paths = [pathlib.Path(name) for name in names]
    paths[3] = pathlib.Path("out", "..", "..", tmp_path.name, names[3])
    paths[2] = tmp_path / paths[2]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"abc")
    run = _run(tmp_path, paths)
    assert run.describe_lineage() == {
        "commit": _json(run.path / "environment.json")["commit"],
        "inputs": dict.fromkeys(names, DIGEST),
    }


def test_existing_run_is_refused(tmp_path):
    run = _run(tmp_path)
    before = (run.path / "config.json").read_text()
    with pytest.raises(FileExistsError, match="holds a run; add --resume"):
        _run(tmp_path, num_steps=6)
    assert (run.path / "config.json").read_text() == before


def test_other_options_are_refused_and_named(tmp_path):
    run = _run(tmp_path, words=("c",))
    with pytest.raises(ValueError) as error:
        _run(tmp_path, words=("d",), num_steps=6, resume=True)
    message = str(error.value)
    assert f"run in {run.path} (num_steps=5, words=['c'])" in message
    assert "Received: num_steps=6, words=['d'];" in message
    assert "rate" not in message
    assert _json(run.path / "config.json")["num_steps"] == 5


def test_option_that_the_run_did_not_have_is_named(tmp_path):
    run = _run(tmp_path)
    held = _json(run.path / "config.json")
    del held["rate"]
    run.write_json("config.json", held)
    with pytest.raises(ValueError, match=r"\(rate=None\). Received: rate=0.5"):
        _run(tmp_path, resume=True)


def test_same_options_resume(tmp_path):
    first = _run(tmp_path, words=("c",), files=(pathlib.Path("p"),))
    first.write_json("results.json", {"kept": 1})
    again = _run(
        tmp_path, words=("c",), files=(pathlib.Path("p"),), resume=True
    )
    assert _json(again.path / "results.json") == {"kept": 1}


def test_missing_input_leaves_no_run_behind(tmp_path):
    path = tmp_path / "corpus.jsonl"
    with pytest.raises(FileNotFoundError, match="corpus.jsonl"):
        _run(tmp_path, [path])
    path.write_bytes(b"abc")
    assert _run(tmp_path, [path], num_steps=6).path.exists()


def test_other_inputs_are_refused_and_named(tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("one")
    _run(tmp_path, [corpus])
    _run(tmp_path, [corpus], resume=True)
    corpus.write_text("another")
    with pytest.raises(ValueError, match="Received: another .*corpus.txt"):
        _run(tmp_path, [corpus], resume=True)
    corpus.write_text("one")
    more = tmp_path / "more.txt"
    more.write_text("two")
    for inputs in ([corpus, more], []):
        with pytest.raises(ValueError, match="Received: .*added or gone"):
            _run(tmp_path, inputs, resume=True)
    _run(tmp_path, [corpus], resume=True)


def test_metrics_of_steps_to_be_done_again_are_dropped(tmp_path):
    run = _run(tmp_path)
    for step in (2, 4, 6):
        run.write_metrics({"step": step, "loss": 0.5})
    run.forget_metrics_after(4)
    assert (run.path / "metrics.csv").read_text().splitlines() == [
        "step,loss",
        "2,0.5",
        "4,0.5",
    ]


def test_json_is_written_whole_or_not_at_all(tmp_path):
    run = _run(tmp_path)
    run.write_json("results.json", {"a": [1, 2], "path": pathlib.Path("p")})
    circular = []
    circular.append(circular)
    with pytest.raises(ValueError, match="Circular"):
        run.write_json("results.json", circular)
    assert _json(run.path / "results.json") == {"a": [1, 2], "path": "p"}
    assert list(run.path.glob("*.partial")) == []


def _set_clock(monkeypatch, monotonic):
    """Of `runs` alone: threads of servers of other tests have theirs."""
    clock = types.SimpleNamespace(monotonic=monotonic)
    monkeypatch.setattr(runs, "time", clock)


def test_log_is_printed_and_kept(tmp_path, capsys, monkeypatch):
    clock = iter([1000.0, 1000.0, 1090.0])
    _set_clock(monkeypatch, lambda: next(clock))
    run = _run(tmp_path)
    run.log("begun")
    run.log("done")
    kept = (run.path / "log.txt").read_text()
    assert kept == "[   0.0 min] begun\n[   1.5 min] done\n"
    assert capsys.readouterr().out == kept


# --- metrics


def _metrics(run):
    with (run.path / "metrics.csv").open(newline="") as stream:
        return list(csv.reader(stream))


def test_first_row_fixes_the_columns(tmp_path):
    run = _run(tmp_path)
    run.write_metrics({"step": 1, "loss": 0.5})
    run.write_metrics({"step": 2, "loss": 0.25})
    expected = [["step", "loss"], ["1", "0.5"], ["2", "0.25"]]
    for row in ({"step": 3}, {"step": 3, "cost": 1}, {"loss": 1, "step": 3}):
        with pytest.raises(
            ValueError, match=r"columns \['step', 'loss'\]. Received"
        ):
            run.write_metrics(row)
    assert _metrics(run) == expected
    resumed = _run(tmp_path, resume=True)
    resumed.write_metrics({"step": 3, "loss": 0.125})
    assert _metrics(run) == [*expected, ["3", "0.125"]]


# --- training


class Killed(Exception):
    pass


class _Training:
    """A model with dropout and its optimizer, fresh as in a new process."""

    def __init__(self, seed):
        keras.utils.set_random_seed(seed)
        self.model = keras.Sequential(
            [
                keras.Input([5]),
                keras.layers.Dense(8, activation="tanh"),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(1),
            ]
        )
        self.optimizer = keras.optimizers.Adam(0.01)
        self.train_step = make_train_step(
            self.loss, self.model.trainable_variables, self.optimizer
        )
        self.variables = {
            "model": self.model.variables,
            "optimizer": self.optimizer.variables,
        }
        self.steps = []

    def loss(self, batch):
        inputs, targets = batch
        outputs = self.model(inputs, training=True)
        return tf.reduce_mean(tf.square(outputs - targets))

    def batches(self, start):
        for step in itertools.count(start):
            self.steps.append(step)
            rng = np.random.default_rng(step)
            inputs = rng.normal(size=[2, 5]).astype(np.float32)
            yield tf.constant(inputs), tf.constant(inputs[:, :1] * 2)

    def run(self, run, **changes):
        options = {
            "num_steps": 6,
            "batches": self.batches,
            "train_step": self.train_step,
            "variables": self.variables,
            "evaluate": lambda: {"accuracy": 0.5},
            "evaluation_interval": 2,
            "checkpoint_minutes": 0.0,
        }
        runs.train(run, **{**options, **changes})
        return [np.asarray(v) for v in itertools.chain(*self.all_variables())]

    def all_variables(self):
        return self.variables.values()


@pytest.fixture
def uninterrupted(tmp_path):
    """Nor is it saved before the end."""
    run = _run(tmp_path / "uninterrupted")
    return _Training(0).run(run, checkpoint_minutes=9.0)


def _assert_identical(received, expected):
    assert len(received) == len(expected)
    for one, other in zip(received, expected):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("done", [1, 3, 5])
def test_killed_and_resumed_run_reaches_the_same_weights(
    tmp_path, uninterrupted, done
):
    killed = _Training(0)

    def train_step(batch):
        if killed.optimizer.iterations == done:
            raise Killed
        return killed.train_step(batch)

    with pytest.raises(Killed):
        killed.run(_run(tmp_path), train_step=train_step)
    # Another seed: all that counts must come from the checkpoint.
    resumed = _Training(99)
    result = resumed.run(_run(tmp_path, resume=True))
    assert resumed.steps == list(range(done, 7))
    _assert_identical(result, uninterrupted)


def test_steps_after_the_last_checkpoint_are_done_again(
    tmp_path, uninterrupted, monkeypatch
):
    killed = _Training(0)
    run = _run(tmp_path)
    with monkeypatch.context() as patch:
        write = tf.train.Checkpoint._write

        def full_at_4(self, path, *arguments, **options):
            if killed.optimizer.iterations == 4:
                full_disk.write(self, path)
            return write(self, path, *arguments, **options)

        patch.setattr(tf.train.Checkpoint, "_write", full_at_4)
        with pytest.raises(OSError, match="No space left"):
            killed.run(run)
    resumed = _Training(99)
    result = resumed.run(_run(tmp_path, resume=True))
    assert resumed.steps == [3, 4, 5, 6]
    _assert_identical(result, uninterrupted)


def test_dropout_and_optimizer_are_part_of_the_comparison(uninterrupted):
    fresh = _Training(0)
    initial = [np.asarray(v) for v in itertools.chain(*fresh.all_variables())]
    changed = [
        not np.array_equal(one, other)
        for one, other in zip(initial, uninterrupted)
    ]
    names = [v.path for v in itertools.chain(*fresh.all_variables())]
    # All but the learning rate, the seed of dropout among them.
    assert [
        name.split("/")[-1] for name, new in zip(names, changed) if not new
    ] == ["learning_rate"]
    assert any("seed" in name for name in names)


def test_finished_run_does_nothing(tmp_path):
    _Training(0).run(_run(tmp_path))
    finished = _Training(99)
    result = finished.run(
        _run(tmp_path, resume=True), train_step=lambda batch: 1 / 0
    )
    _assert_identical(result, _Training(0).run(_run(tmp_path / "again")))


def _count_to_five(run, **changes):
    """Losses 1, 2, 3, 4, 5, evaluated every second step and at the end."""
    count = keras.Variable(0.0)

    def train_step(batch):
        count.assign_add(batch)
        return tf.convert_to_tensor(count.value)

    options = {
        "num_steps": 5,
        "batches": lambda start: itertools.repeat(1.0),
        "train_step": train_step,
        "variables": {"count": [count]},
        "evaluate": lambda: {"twice": 2 * float(count.value)},
        "evaluation_interval": 2,
    }
    runs.train(run, **{**options, **changes})
    return float(count.value)


def test_loss_is_the_mean_since_the_last_evaluation(tmp_path, capsys):
    run = _run(tmp_path)
    assert _count_to_five(run) == 5.0
    assert _metrics(run) == [
        ["step", "loss", "twice"],
        ["2", "1.5", "4.0"],
        ["4", "3.5", "8.0"],
        ["5", "5.0", "10.0"],
    ]
    assert re.findall("] (.*)", capsys.readouterr().out) == [
        "step 2/5: loss 1.5, twice 4",
        "step 4/5: loss 3.5, twice 8",
        "step 5/5: loss 5, twice 10",
    ]


def test_summaries_hold_the_metrics(tmp_path):
    run = _run(tmp_path)
    _count_to_five(run)
    (path,) = (run.path / "tensorboard").glob("events*")
    events = [
        event_pb2.Event.FromString(record.numpy())
        for record in tf.data.TFRecordDataset([str(path)])
    ]
    losses = {
        event.step: tf.make_ndarray(value.tensor).item()
        for event in events
        for value in event.summary.value
        if value.tag == "loss"
    }
    assert losses == {2: 1.5, 4: 3.5, 5: 5.0}


def test_checkpoint_at_the_end_and_by_the_clock_only(tmp_path, monkeypatch):
    saved = []
    save = runs.RunDirectory.save_checkpoint

    def save_checkpoint(self, step, variables):
        saved.append(step)
        save(self, step, variables)

    monkeypatch.setattr(runs.RunDirectory, "save_checkpoint", save_checkpoint)
    _count_to_five(_run(tmp_path / "a"))
    assert saved == [5]
    saved.clear()
    # A clock that goes on by a minute each time it is read: once by the run,
    # once before the first step, then after each step and each checkpoint.
    clock = itertools.count()
    _set_clock(monkeypatch, lambda: 60.0 * next(clock))
    _count_to_five(
        _run(tmp_path / "b"), evaluation_interval=9, checkpoint_minutes=1.5
    )
    assert saved == [2, 4, 5]


# --- what a run made


@pytest.fixture
def made(tmp_path):
    """A model of a run that read old/vocabulary.json."""
    for name, text in (("old", "a b"), ("new", "b a"), ("copy", "a b")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vocabulary.json").write_text(text)
    inputs = [tmp_path / "old" / "vocabulary.json"]
    runs.RunDirectory(tmp_path / "run", Config(), inputs)
    return tmp_path / "run" / "generator.keras"


def test_what_a_run_made_goes_with_what_it_read(made, tmp_path):
    for folder in ("old", "copy"):
        runs.check_same_input(made, tmp_path / folder / "vocabulary.json")
    other = tmp_path / "new" / "vocabulary.json"
    with pytest.raises(ValueError, match=f"Received: {re.escape(str(other))}"):
        runs.check_same_input(made, other)


def test_of_what_stands_alone_nothing_is_known(made, tmp_path):
    other = tmp_path / "new" / "vocabulary.json"
    runs.check_same_input(tmp_path / "generator.keras", other)
    runs.check_same_input(made, tmp_path / "new" / "excerpts.jsonl")
