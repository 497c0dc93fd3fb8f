"""Models trained by two workers, beside those trained by one."""

import csv
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests import two_workers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("recipe", two_workers.STEPS),
]


@pytest.fixture(scope="module")
def alone(paths, pretrained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    for work in two_workers.train(paths, pretrained, folder):
        work()
    return folder


@pytest.fixture(scope="module")
def shared(paths, pretrained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    command = [sys.executable, "-m", "tests.two_workers"]
    ended = subprocess.run(
        [*command, paths.corpus.parent, pretrained, folder], check=False
    )
    logs = sorted(folder.glob("*.log/*"))
    assert ended.returncode == 0, [log.read_text() for log in logs]
    return folder


def rows(run_dir):
    with (run_dir / "metrics.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_metrics_are_those_of_one_worker(alone, shared, recipe):
    """All of them: losses, and what else is counted of a batch."""
    found, expected = (rows(folder / recipe) for folder in (shared, alone))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.keys() == theirs.keys()
        for name, value in theirs.items():
            # What the policy loses is a small difference of large sums.
            bound = 1e-4 if name == "loss/policy" else 1e-5
            np.testing.assert_allclose(
                float(ours[name]), float(value), 0, bound, err_msg=name
            )
    (loss,) = {"loss", "loss/policy"} & expected[0].keys()
    assert len({row[loss] for row in expected}) == two_workers.STEPS[recipe]


def test_one_of_them_writes(alone, shared, recipe):
    steps = [int(row["step"]) for row in rows(shared / recipe)]
    last = two_workers.STEPS[recipe]
    assert steps == list(range(1, last + 1))
    log = (shared / recipe / "log.txt").read_text()
    assert log.count(f"step {last}/{last}") == 1
    assert len(list((shared / recipe / "tensorboard").iterdir())) == 1
    found, expected = (
        {path.name for path in (folder / recipe).iterdir()}
        for folder in (shared, alone)
    )
    assert found == expected


def weights(run_dir):
    paths = sorted(run_dir.rglob("*.keras"))
    return [w for p in paths for w in keras.saving.load_model(p).weights]


def test_models_are_those_of_one_worker(alone, shared, recipe):
    found, expected = (weights(folder / recipe) for folder in (shared, alone))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


def test_one_worker_goes_on_with_their_run(paths, pretrained, shared, recipe):
    before = weights(shared / recipe)
    trainings = two_workers.train(paths, pretrained, shared, resume=True)
    dict(zip(two_workers.STEPS, trainings))[recipe]()
    assert len(rows(shared / recipe)) == two_workers.STEPS[recipe]
    for ours, theirs in zip(weights(shared / recipe), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
