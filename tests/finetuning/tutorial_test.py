"""The commands of docs/fine-tuning.md, on small poems and a small base."""

import contextlib
import io
import json
import os
import pathlib
import re
import shlex

import numpy as np
import pytest
import tensorflow as tf

from tests import shared
from tests import tiny
from tests.finetuning import poems
from visualpoet import cli
from visualpoet import models
from visualpoet.corpus import datasets
from visualpoet.export import checking
from visualpoet.export.graph_constants import GraphConstants
from visualpoet.finetuning import tuning

ROOT = pathlib.Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "fine-tuning.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("visualpoet ")
]
# Of a language that the test has no poems of; of a server that does not end.
NOT_RUN = ("quatrains", "serve")
POINTS = ("check_folder", "check_ops", "check_metadata")
QUICK = ["--epochs", "1", "--batch-size", "8"]


@pytest.fixture(scope="module")
def said():
    """What each command printed, and the folder where they ran."""
    folder = pathlib.Path(os.environ[shared.ROOT], "tutorial")
    folder.mkdir()
    poems.write(folder / "poems")
    (folder / "photos").mkdir()
    (folder / "photos" / "sea.jpg").write_bytes(tiny.photograph("sea"))
    printed = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("visualpoet.model_folders.default_model", tiny.exported)
        patch.setattr(
            "visualpoet.finetuning.base.default_folder", tiny.exported
        )
        _leave_out_what_others_test(patch)
        for command in COMMANDS:
            if not any(name in command for name in NOT_RUN):
                printed[command] = _run(command)
    return printed, folder


def _leave_out_what_others_test(patch):
    """Most signatures, and points of the check that run them."""
    tiny.export_only(patch, "serving_default", "compose")
    points = [p for p in checking.POINTS if p.__name__ in POINTS]
    patch.setattr(checking, "POINTS", points)


def _run(command):
    arguments = shlex.split(command)[1:]
    arguments += QUICK if arguments[0] == "fine-tune" else []
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.MonkeyPatch.context() as p:
        if "out/again" in command:  # the first dry run estimates
            p.setattr(tuning, "estimate", lambda *_: "")
        assert cli.main(arguments) == 0, command
    return printed.getvalue()


def output_of(said, *words):
    printed, _ = said
    (found,) = (
        text
        for command, text in printed.items()
        if all(word in command for word in words)
    )
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command):
    arguments = cli._parser().parse_args(shlex.split(command)[1:])
    assert callable(arguments.run)


@pytest.mark.slow
def test_a_dry_run_reports_and_stops(said):
    report = output_of(said, "--out out/poems --dry-run")
    assert report.startswith("36 poems, 36 excerpts (4 validation, 28 train, ")
    assert "\nrejected: 0\nwords unknown to the base: 32.3%\n" in report
    last = report.splitlines()[-1]
    assert last.startswith("training: 4 steps at most, 4 an epoch, about ")


@pytest.mark.slow
def test_a_run_leaves_what_is_promised(said):
    _, folder = said
    out = folder / "out" / "poems"
    assert {path.name for path in out.iterdir()} == {
        *("poems", "before_after.html", "pairs.csv", "pairs.html"),
        *("report.json", "results.json", "metrics.csv", "log.txt"),
        *("config.json", "environment.json", "inputs.json"),
        *("checkpoints", "tensorboard"),
    }
    assert {path.name for path in (out / "poems").iterdir()} == {
        "1",
        "MODEL_CARD.md",
    }
    results = json.loads((out / "results.json").read_text())
    assert results["pairs"] == 3
    assert results["copied"]["poems"] == 4 * 4
    log = (out / "log.txt").read_text()
    assert log.count(" passed\n") == len(POINTS) and "FAILED" not in log
    page = (out / "before_after.html").read_text(encoding="utf-8")
    assert page.count("<article>") == 4
    assert page.count("poems · seed") == 16
    card = (out / "poems" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "fine-tuned on 36 poems, 900 words, in the script LATIN" in card
    assert (
        f"| this voice | {results['after']['perplexity/no_photograph']:.1f}"
        in card
    )
    lineage = json.loads((out / "poems/1/metadata.json").read_text())["lineage"]
    assert "poems/00.txt" in lineage["inputs"]


@pytest.mark.slow
def test_given_pairs_are_learnt(said):
    report = output_of(said, "out/again", "--dry-run")
    assert "\npairs: 3\n" in report
    _, folder = said
    assert not (folder / "out" / "again").exists()


@pytest.mark.slow
def test_a_voice_writes(said):
    poem = output_of(said, "visualpoet write")
    assert len(poem.strip().splitlines()) >= 4


@pytest.mark.slow
def test_a_voice_can_be_a_base_and_knows_what_it_must_not_recite(said):
    _, folder = said
    version = folder / "out" / "poems" / "poems" / "1"
    vocabulary = models.Vocabulary.from_preset(version)
    assert "harmonica" in vocabulary.tokens
    generator = models.PoemGenerator.from_preset(version)
    assert generator.vocabulary_size == len(vocabulary)
    constants = GraphConstants(version)
    known = constants.read_known_runs(constants.read_kinds(vocabulary))
    ids = datasets.pad_token_ids(vocabulary.encode_batch(poems.POEMS))
    copied = known.measure_copied(tf.constant(ids)).numpy()
    # Words that occur once in the training poems are unknown in the others.
    assert np.mean(copied == 1.0) > 0.8
    options = json.loads((version / "assets.extra/options.json").read_text())
    assert list(options["forms"]) == ["verse"]
    assert options["forms"]["verse"]["min_lines"] == 4


def test_a_corpus_that_is_too_small_is_said_and_costs_nothing(tmp_path, capsys):
    folder = poems.write(tmp_path / "poems", poems.POEMS[:3])
    out = tmp_path / "out"
    command = ["fine-tune", str(folder), "--out", str(out)]
    assert cli.main([*command, "--base", str(tiny.exported())]) == 2
    assert capsys.readouterr().err.endswith(f"Received: 3 in {folder}\n")
    assert not out.exists()
