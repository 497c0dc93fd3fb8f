import dataclasses
import pathlib

import keras
import numpy as np
import pytest

from tests import tiny
from tests.finetuning import poems
from visualpoet import runs
from visualpoet.finetuning import base
from visualpoet.finetuning import extension
from visualpoet.finetuning import learning
from visualpoet.finetuning import tuning
from visualpoet.finetuning.options import Options

OPTIONS = Options(pathlib.Path("poems"), epochs=3, batch_size=8, patience=99)


def make_lessons(all_words=False):
    folder = tiny.exported()  # has seeds of its own, when it is made
    keras.utils.set_random_seed(0)
    poet = base.read_poet(folder)
    if all_words:
        vocabulary = poet.vocabulary.extend(poems.POEMS, 1, 100)
        poet = extension.extend_poet(poet, vocabulary, poems.POEMS)
    train, held = (
        learning.place_poems(poet, texts, "haiku", 60)
        for texts in (poems.POEMS[:28], poems.POEMS[28:])
    )
    return poet, learning.prepare_lessons(poet, [train], held)


def train(folder, resume=False, options=OPTIONS, estimated=True):
    options = dataclasses.replace(options, out=folder, resume=resume)
    poet, lessons = make_lessons()
    run = runs.RunDirectory(folder, options)
    training = learning.prepare_training(poet.generator, lessons, options)
    if estimated:
        tuning.estimate(training, lessons, options)
    learning.train_voice(run, training, lessons, options)
    return [variable.numpy() for variable in poet.generator.variables]


@pytest.fixture
def watched(monkeypatch):
    """Saves after each step; may be killed before one."""
    train = runs.train
    killed = []

    def watch(run, *, train_step, checkpoint_minutes, **rest):
        def step(batch):
            if killed and not killed[0]:
                raise KeyboardInterrupt
            killed[:] = [n - 1 for n in killed]
            return train_step(batch)

        train(run, train_step=step, checkpoint_minutes=0.0, **rest)

    monkeypatch.setattr(runs, "train", watch)
    return killed


@pytest.mark.slow
def test_a_run_that_was_killed_ends_with_the_same_weights(tmp_path, watched):
    expected = train(tmp_path / "whole", estimated=False)
    watched.append(5)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed")
    watched.clear()
    # A checkpoint that was being written.
    (tmp_path / "killed" / "checkpoints" / "ckpt-6.index").write_text("half")
    found = train(tmp_path / "killed", resume=True)
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(value, wanted)
    rows = [
        (tmp_path / name / "metrics.csv").read_text().splitlines()
        for name in ("whole", "killed")
    ]
    assert [row.split(",")[0] for row in rows[0]] == ["step", "4", "8", "12"]
    drop_loss = [[row.split(",")[2:] for row in r] for r in rows]
    assert drop_loss[0] == drop_loss[1]


def test_poems_lie_as_far_off_as_photographs():
    poet = base.read_poet(tiny.exported())
    source = learning.place_poems(poet, poems.POEMS, "verse", 60)
    assert source.forms.tolist() == [2] * len(poems.POEMS)
    cosines = source.perturbation.cosines
    assert cosines.mean() == pytest.approx(0.36, abs=0.02)
    assert cosines.min() == 0.0
