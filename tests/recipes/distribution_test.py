"""The generator trained by two workers, beside that trained by one."""

import csv
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests import two_workers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def alone(paths, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("workers") / "alone"
    two_workers.train(paths, run_dir)
    return run_dir


@pytest.fixture(scope="module")
def shared(paths, tmp_path_factory):
    root = tmp_path_factory.mktemp("workers")
    command = [sys.executable, "-m", "tests.two_workers"]
    ended = subprocess.run(
        [*command, paths.corpus.parent, root / "run"], check=False
    )
    logs = sorted((root / "run.log").iterdir())
    assert ended.returncode == 0, [log.read_text() for log in logs]
    return root / "run"


def rows(run_dir):
    with (run_dir / "metrics.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_losses_are_those_of_one_worker(alone, shared):
    found, expected = (
        [float(row["loss"]) for row in rows(run_dir)]
        for run_dir in (shared, alone)
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert len(set(expected)) == two_workers.STEPS


def test_one_of_them_writes(alone, shared):
    steps = [int(row["step"]) for row in rows(shared)]
    assert steps == list(range(1, two_workers.STEPS + 1))
    assert (shared / "log.txt").read_text().count("step 10/10") == 1
    assert len(list((shared / "tensorboard").iterdir())) == 1
    found, expected = (
        {path.name for path in run_dir.iterdir()} for run_dir in (shared, alone)
    )
    assert found == expected


def weights(run_dir):
    return keras.saving.load_model(run_dir / "generator.keras").weights


def test_the_model_is_that_of_one_worker(alone, shared):
    for ours, theirs in zip(weights(shared), weights(alone), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


def test_one_worker_goes_on_with_their_run(paths, shared):
    before = weights(shared)
    two_workers.train(paths, shared, resume=True)
    assert len(rows(shared)) == two_workers.STEPS
    for ours, theirs in zip(weights(shared), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
