"""Adversarial training on 20 small pictures."""

import functools
import json
import pathlib
import re
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from recipes import endure_adversarial
from recipes import train_adversarial
from recipes import write_poems
from tests import killing
from tests.recipes import stages
from tests.recipes.adversarial_stages import train
from visualpoet import runs
from visualpoet.adversarial import report
from visualpoet.adversarial import training
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.discriminators import tasks
from visualpoet.embedding.clues import HEAD_FILE
from visualpoet.embedding.clues import ClueHead
from visualpoet.embedding.clues import clue_mask
from visualpoet.generator.poem_generator import PoemGenerator

pytestmark = pytest.mark.slow

# When `whole` is copied.
MOMENTS = (
    (training, "sample", 1),
    (training, "update_discriminator", 7),  # of two a step
    (report.Report, "add_policy", 5),
    (report.Report, "write", 1),
)


@pytest.fixture(scope="module")
def whole(paths, pretrained, tmp_path_factory):
    """A run; beside it, by name, what a kill at each moment would have left.

    To go on with those, they are put where it was: `run`.
    """
    folder = tmp_path_factory.mktemp("whole")
    run_dir = folder / "run"
    with pytest.MonkeyPatch.context() as patched:
        for owner, name, number in MOMENTS:
            copy = functools.partial(shutil.copytree, run_dir, folder / name)
            killing.act_before(patched, owner, name, number, copy)
        train(paths, pretrained, run_dir)
    return run_dir.rename(folder / "whole")


def weights(run_dir):
    """Of all networks that a run has saved."""
    found = {}
    for path in sorted(run_dir.rglob("*.keras")):
        model = keras.saving.load_model(path)
        found |= {f"{path.name}/{v.path}": v.numpy() for v in model.weights}
    return found


def last_step(run_dir):
    """Of the last checkpoint; None where there is none."""
    path = tf.train.latest_checkpoint(str(run_dir / "checkpoints"))
    return path and int(path.rpartition("-")[2])


def lines(path):
    return path.read_text().splitlines()


def rows(run_dir):
    return lines(run_dir / "metrics.csv")


def test_the_run_directory(whole, pretrained, paths):
    found = {path.name for path in whole.iterdir()}
    assert found == {
        "checkpoints",
        "config.json",
        "confusion.json",
        "environment.json",
        "generator.keras",
        "inputs.json",
        "log.txt",
        "metrics.csv",
        "multimodal",
        "poem_style",
        "samples",
        "tensorboard",
    }
    held = json.loads((whole / "inputs.json").read_text())
    inputs = {pathlib.Path(name).name for name in held}
    assert {"paragraphs.jsonl", "index.json", "image_tower.keras"} < inputs
    assert "multimodal.keras" in inputs
    assert (
        "real_or_generated.keras" not in inputs
    )  # is none of its discriminators
    samples = sorted(path.name for path in (whole / "samples").iterdir())
    assert samples == [f"{step:06d}.jsonl" for step in (3, 6, 9, 12)]
    shown = [
        [json.loads(line)["photograph"] for line in lines(path)]
        for path in sorted((whole / "samples").iterdir())
    ]
    assert shown == [shown[0]] * 4
    assert len(shown[0]) == 2
    header = rows(whole)[0].split(",")
    for name in ("reward/multimodal", "reward/poem_style", "entropy", "kl"):
        assert name in header
    assert [row.split(",")[0] for row in rows(whole)[1:]] == [
        "3",
        "6",
        "9",
        "12",
    ]


def test_every_column_is_in_the_glossary(whole):
    glossary = (
        pathlib.Path(train_adversarial.__file__).parent / "README.md"
    ).read_text()
    _, glossary = glossary.split("## Columns of metrics.csv")
    names = re.findall(r"^\| `([^`]+)`", glossary, re.MULTILINE)
    patterns = [re.sub("<[^>]+>", "[a-z_]+", name) for name in names]
    columns = rows(whole)[0].split(",")
    assert len(columns) > 15
    for column in columns:
        assert any(re.fullmatch(p, column) for p in patterns), column


def test_all_networks_have_moved(whole, pretrained):
    moved = {
        "generator/generator.keras": "generator.keras",
        "discriminators/multimodal/multimodal.keras": (
            "multimodal/multimodal.keras"
        ),
        "discriminators/poem_style/poem_style.keras": (
            "poem_style/poem_style.keras"
        ),
    }
    for before, after in moved.items():
        old = keras.saving.load_model(pretrained / before).get_weights()
        new = keras.saving.load_model(whole / after).get_weights()
        assert any(not np.array_equal(a, b) for a, b in zip(old, new)), after


def files(run_dir):
    """What a resumed run may read, and more."""
    held = {path.relative_to(run_dir): path for path in run_dir.rglob("*")}
    return {
        name: path.read_bytes()
        for name, path in held.items()
        if path.is_file() and name.parts[0] != "tensorboard"
    }


def collapse():
    raise training.Collapse("expected entropy of at least 0.5.")


def test_killed_in_every_part_or_collapsed_it_ends_the_same(
    whole, paths, pretrained, monkeypatch
):
    copies = [whole.with_name(name) for _, name, _ in MOMENTS]
    assert list(map(last_step, copies)) == [None, 3, 3, 3]
    first, *later = copies
    for copy in later:
        assert files(copy) == files(later[0])
    run_dir = shutil.copytree(first, whole.with_name("run"))
    with monkeypatch.context() as patched:
        killing.act_before(patched, training, "check_alive", 1, collapse)
        with pytest.raises(training.Collapse, match="expected entropy"):
            train(paths, pretrained, run_dir, resume=True)
    assert last_step(run_dir) == 3
    assert not (run_dir / "generator.keras").exists()
    for part, last in (
        ((report.Report, "_write_samples", 1), 6),
        ((runs.RunDirectory, "write_metrics", 1), 9),
    ):
        with monkeypatch.context() as patched, pytest.raises(killing.Killed):
            killing.act_before(patched, *part, killing.kill)
            train(paths, pretrained, run_dir, resume=True)
        assert last_step(run_dir) == last
    train(paths, pretrained, run_dir, resume=True)
    assert endure_adversarial.compare_runs(whole, run_dir) > 50
    found, expected = weights(run_dir), weights(whole)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, name)


def test_runs_that_differ_are_told_apart(whole, tmp_path):
    other = tmp_path / "run"
    shutil.copytree(whole, other)
    assert endure_adversarial.compare_runs(whole, other) > 50
    for number, file in enumerate(
        ["metrics.csv", "samples/000003.jsonl", "samples/more.jsonl"], 1
    ):
        (other / file).write_text("other")
        with pytest.raises(
            ValueError, match=f"Received: {number} differences.*{file}"
        ):
            endure_adversarial.compare_runs(whole, other)


def nan(poems, photographs):
    return [float("nan")] * len(poems)


def test_a_bad_reward_names_step_and_part(paths, pretrained, tmp_path):
    name = "tests.recipes.adversarial_test.nan"
    message = f"(?s)step 0: .*{name}.*Received: nan for poem 0"
    with pytest.raises(ValueError, match=message):
        train(
            paths,
            pretrained,
            tmp_path / "run",
            rewards=(f"{name}=0.5",),
            discriminators=("poem_style",),
            baseline="none",
            teacher_weight=0.0,
        )


@pytest.mark.parametrize(
    "options",
    [
        {
            "discriminators": ("real_or_generated",),
            "baseline": "running_mean",
            "normalize_returns": False,
        },
        {
            "discriminators": ("multimodal",),
            "baseline": "value",
            "caption_share": 0.5,
            "hard_negatives": 3,
            "need_end": True,
        },
        {
            "discriminators": ("poem_style",),
            "baseline": "none",
            "rollouts": 1,
            "rollout_interval": 6,
            "entropy_weight": 0.01,
        },
        {
            "discriminators": (),
            "rewards": ("recipes.example_rewards.no_banned_words",),
        },
    ],
)
def test_the_other_methods_run(options, paths, pretrained, tmp_path):
    train(paths, pretrained, tmp_path / "run", num_steps=2, **options)
    header = rows(tmp_path / "run")[0]
    name = [*options["discriminators"], *options.get("rewards", ())][0]
    assert f"reward/{name}" in header


def test_folds_are_seen_by_their_towers(paths, pretrained, tmp_path):
    folds = stages.make_folds(paths, tmp_path)
    options = {"discriminators": ("poem_style",), "num_steps": 1}
    train(paths, pretrained, tmp_path / "run", folds=folds, **options)
    inputs = json.loads((tmp_path / "run" / "inputs.json").read_text())
    assert str(tmp_path / "1" / "image_tower.keras") in inputs


def test_the_saved_generator_lies_between(whole, pretrained, paths, tmp_path):
    run = shutil.copytree(whole, tmp_path / "run")
    options = json.loads((run / "config.json").read_text())
    options |= {"interpolation": 0.25, "run_dir": str(run)}
    (run / "config.json").write_text(json.dumps(options))
    train(paths, pretrained, run, interpolation=0.25, resume=True)
    before, after, between = (
        keras.saving.load_model(folder / "generator.keras").get_weights()
        for folder in (pretrained / "generator", whole, run)
    )
    for old, new, mean in zip(before, after, between):
        np.testing.assert_allclose(mean, 0.75 * old + 0.25 * new, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"discriminators": ()},
            r"--discriminators, or else --rewards. Received: \[\]",
        ),
        (
            {"discriminators": tasks.NAMES},
            "at most two --discriminators of",
        ),
        (
            {"discriminators": ("poem_style", "real_or_generated")},
            "expected multimodal among two --discriminators",
        ),
        (
            {"discriminators": ("poem_style",) * 2},
            "every discriminator and reward once",
        ),
        ({"rewards": ("a.b=1", "a.b")}, "every discriminator and reward once"),
        ({"rewards": ("a.b=nan",)}, "finite weight. Received: a.b=nan"),
        ({"paired_weight": 1.5}, "a --paired-weight .*Received: 1.5"),
        ({"baseline": "running_mean"}, "expected --no-normalize-returns"),
        ({"rollout_interval": 0}, "of 1 or more. Received: 0"),
        ({"hard_negatives": 0}, "--hard-negatives of 1 or more. Received: 0"),
        ({"interpolation": 2}, r"--interpolation in \[0, 1\]. Received: 2"),
        ({"baseline": "mine"}, "expected a --baseline of .*Received: mine"),
        ({"rollouts": 2}, "expected --baseline none with --rollouts"),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        train_adversarial.Config(**options)


def write_config(paths, tmp_path, **options):
    return write_poems.Config(
        corpus_dir=paths.corpus,
        features_dir=paths.features,
        output=tmp_path / "a" / "poems.jsonl",
        max_tokens=40,
        **options,
    )


def test_poems_for_every_photograph(whole, paths, tmp_path):
    config = write_config(
        paths,
        tmp_path,
        generator=whole / "generator.keras",
        embedding_dir=paths.embedding,
    )
    write_poems.main(config)
    written = [json.loads(line) for line in lines(config.output)]
    assert len(written) == 5
    assert len({row["photograph"] for row in written}) == 5
    shown = json.loads(lines(whole / "samples" / "000012.jsonl")[0])
    assert written[0]["photograph"] == shown["photograph"]


def test_poems_of_a_generator_that_takes_clues(paths, tmp_path):
    vocabulary = Vocabulary.load(paths.corpus / "vocabulary.json")
    embedding = shutil.copytree(paths.embedding, tmp_path / "embedding")
    (embedding / "clues").mkdir()
    words = np.flatnonzero(clue_mask(vocabulary))
    ClueHead(words, 6).save(embedding / HEAD_FILE)
    PoemGenerator(len(vocabulary), 9, 10, 6).save(tmp_path / "clues.keras")
    config = write_config(
        paths,
        tmp_path,
        generator=tmp_path / "clues.keras",
        embedding_dir=embedding,
    )
    write_poems.main(config)
    assert len(lines(config.output)) == 5
