import dataclasses
import functools
import pathlib
import shutil

import keras
import numpy as np
import pytest

from tests import killing
from tests.finetuning import poems
from visualpoet import runs
from visualpoet.finetuning import extension
from visualpoet.finetuning import learning
from visualpoet.finetuning import tuning
from visualpoet.finetuning.options import Options
from visualpoet.generator.poem_generator import PoemGenerator

OPTIONS = Options(pathlib.Path("poems"), epochs=3, batch_size=8, patience=99)


@functools.cache
def read_lessons(all_words=False):
    """The base and its lessons, which nobody changes."""
    poet = poems.base_poet()
    if all_words:
        vocabulary = poet.vocabulary.extend(poems.POEMS, 1, 100)
        poet = extension.extend_poet(poet, vocabulary, poems.POEMS)
    train, held = (
        learning.place_poems(poet, texts, "haiku", 60)
        for texts in (poems.POEMS[:28], poems.POEMS[28:])
    )
    return poet, learning.prepare_lessons(poet, [train], held)


def make_lessons(all_words=False):
    """The same with a generator of its own, to be trained."""
    poet, lessons = read_lessons(all_words)
    keras.utils.set_random_seed(0)
    generator = PoemGenerator.from_config(poet.generator.get_config())
    generator.set_weights(poet.generator.get_weights())
    return dataclasses.replace(poet, generator=generator), lessons


def values(training):
    variables = (*training.generator.variables, *training.optimizer.variables)
    return [variable.numpy() for variable in variables]


def assert_same(found, expected):
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(value, wanted)


def train(folder, resume=False):
    """Trains, after an estimate that changes nothing."""
    options = dataclasses.replace(OPTIONS, out=folder, resume=resume)
    poet, lessons = make_lessons()
    run = runs.RunDirectory(folder, options)
    training = learning.prepare_training(poet.generator, lessons, options)
    before = values(training)
    tuning.estimate(training, lessons, options)
    assert_same(values(training), before)
    learning.train_voice(run, training, lessons, options)
    return [variable.numpy() for variable in poet.generator.variables]


@pytest.mark.slow
def test_a_run_that_was_killed_ends_with_the_same_weights(
    tmp_path, monkeypatch
):
    run_dir, killed = tmp_path / "run", tmp_path / "killed"
    # As a kill would leave it.
    killing.watch_steps(
        monkeypatch, 5, lambda: shutil.copytree(run_dir, killed)
    )
    expected = train(run_dir)
    whole = run_dir.rename(tmp_path / "whole")
    killed.rename(run_dir)
    # A checkpoint that was being written.
    (run_dir / "checkpoints" / "ckpt-6.index").write_text("half")
    assert_same(train(run_dir, resume=True), expected)
    rows = [
        (folder / "metrics.csv").read_text().splitlines()
        for folder in (whole, run_dir)
    ]
    assert [row.split(",")[0] for row in rows[0]] == ["step", "4", "8", "12"]
    drop_loss = [[row.split(",")[2:] for row in r] for r in rows]
    assert drop_loss[0] == drop_loss[1]


def test_poems_lie_as_far_off_as_photographs():
    poet = poems.base_poet()
    source = learning.place_poems(poet, poems.POEMS, "verse", 60)
    assert source.forms.tolist() == [2] * len(poems.POEMS)
    cosines = source.perturbation.cosines
    assert cosines.mean() == pytest.approx(0.36, abs=0.02)
    assert cosines.min() == 0.0
