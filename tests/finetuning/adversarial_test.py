import csv
import dataclasses
import functools
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests import killing
from tests.finetuning import learning_test
from tests.finetuning import poems
from visualpoet.adversarial import training
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.finetuning import adversarial
from visualpoet.finetuning import voice_batches

pytestmark = pytest.mark.slow
OPTIONS = dataclasses.replace(
    learning_test.OPTIONS, adversarial=True, adversarial_steps=3
)


@pytest.fixture(autouse=True, scope="module")
def _quick():
    settings = functools.partial(adversarial.Settings, log_interval=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adversarial, "DISCRIMINATOR_STEPS", 10)
        patch.setattr(adversarial, "NUM_SAMPLES", 30)
        patch.setattr(adversarial, "Settings", settings)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run, and the weights of its voice before and after.

    Beside it, `killed`, as a kill in the third step leaves it; to go on with
    that, it is put where it was: `run`.
    """
    folder = tmp_path_factory.mktemp("whole")
    run_dir = folder / "run"
    copy = functools.partial(shutil.copytree, run_dir, folder / "killed")
    with pytest.MonkeyPatch.context() as patch:
        killing.act_before(patch, training, "update_discriminator", 2, copy)
        weights = train(run_dir)
    return run_dir.rename(folder / "whole"), *weights


def train(folder, resume=False):
    poet, lessons = learning_test.make_lessons(all_words=True)
    before = poet.generator.get_weights()
    options = dataclasses.replace(OPTIONS, out=folder, resume=resume)
    adversarial.train_adversarially(poet, lessons, options)
    return before, poet.generator.get_weights()


def test_killed_it_ends_with_the_same_voice(whole):
    folder, before, expected = whole
    assert any(map(np.any, map(np.subtract, before, expected)))
    killed = folder.with_name("killed")
    checkpoints = killed / "adversarial" / "checkpoints"
    assert tf.train.latest_checkpoint(str(checkpoints)).endswith("-2")
    _, found = train(killed.rename(folder.with_name("run")), resume=True)
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(value, wanted)


def test_what_is_told_of_it(whole):
    folder, *_ = whole
    with (folder / "discriminator" / "metrics.csv").open() as stream:
        row = list(csv.DictReader(stream))[-1]
    assert {"poetic", "disordered", "generated"} < row.keys()
    with (folder / "adversarial" / "metrics.csv").open() as stream:
        row = list(csv.DictReader(stream))[-1]
    assert 0.0 < float(row["reward/poem_style"]) < 1.0
    assert 0.0 <= float(row["ended"]) <= 1.0
    assert (folder / "adversarial" / "samples" / "000003.jsonl").exists()


def test_batches_are_of_whole_poems():
    poet, lessons = learning_test.read_lessons(all_words=True)
    held, shown = lessons.checked["photograph_and_clues"]
    source = lessons.train[0]
    longest = max(map(len, source.token_ids))
    cut = [list(ids) for ids in source.token_ids]
    cut[0] = cut[0][: longest - 1]
    cut[1][3] = UNKNOWN
    source = dataclasses.replace(source, token_ids=cut)
    batches = voice_batches.VoiceBatches(poet, source, held, shown, OPTIONS)
    assert len(batches.material.poems) == len(poems.POEMS[:28]) - 2
    batch, again = batches.draw(7), batches.draw(7)
    for name in ("photograph", "texts", "teacher"):
        for key, values in batch[name].items():
            assert len(values) == OPTIONS.batch_size
            np.testing.assert_array_equal(values, again[name][key])
    assert (batch["texts"]["poetic"] == END).any(axis=1).all()
    assert batch["teacher"]["token_ids"].shape[1] == batches.max_tokens
    assert list(batch["texts"]) == ["poetic", "disordered"]
    assert (
        batches.draw(8)["texts"]["poetic"] != again["texts"]["poetic"]
    ).any()


def test_poems_without_an_end_are_refused_before_the_training():
    poet, lessons = learning_test.read_lessons(all_words=True)
    source = lessons.train[0]
    cut = [ids[:9] for ids in source.token_ids]
    source = dataclasses.replace(source, token_ids=cut)
    lessons = dataclasses.replace(lessons, train=[source])
    with pytest.raises(ValueError, match="within 9 tokens; raise --max"):
        adversarial.prepare_batches(poet, lessons, OPTIONS)
