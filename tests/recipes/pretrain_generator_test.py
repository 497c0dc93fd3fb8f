import dataclasses
import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from recipes import prepare_corpus
from tests import tiny_runs
from tests.recipes import stages
from visualpoet.corpus.prepared import load_corpus


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """A corpus of verse, and of its first two lines as haiku."""
    root = tmp_path_factory.mktemp("forms")
    paths = dataclasses.replace(tiny_runs.made(), corpus=root / "corpus")
    rows = (paths.data / "poems.jsonl").read_text().splitlines()
    with (root / "haiku.jsonl").open("w") as stream:
        for row in map(json.loads, rows):
            text = "\n".join(row["text"].split("\n")[:2])
            haiku = {**row, "text": text, "id": f"haiku-{row['id']}"}
            stream.write(json.dumps(haiku) + "\n")
    prepare_corpus.main(
        prepare_corpus.Config(
            poems=(paths.data / "poems.jsonl", root / "haiku.jsonl"),
            forms=("verse", "haiku"),
            pairs=(paths.data / "pairs.csv",),
            captions=(paths.data / "captions.jsonl",),
            vocabulary_size=300,
            run_dir=paths.corpus,
        )
    )
    return paths


def train(paths, run_dir, **options):
    stages.generate(
        paths,
        run_dir,
        num_steps=3,
        warmup_steps=1,
        mixed_precision=False,
        seed=0,
        **options,
    )


@pytest.fixture(scope="module")
def trained(paths, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("trained") / "run"
    train(paths, run_dir)
    return run_dir


def test_corpus_has_the_forms(paths):
    corpus = load_corpus(paths.corpus)
    assert corpus.forms() == ["haiku", "verse"]
    assert len(corpus.texts("train", "haiku")) == 5
    assert {pair.poem.form for pair in corpus.pairs} == {"verse"}
    assert all("\n" in text for text in corpus.texts("train", "haiku"))


def test_one_form_is_expected_for_each_file(tmp_path):
    with pytest.raises(ValueError, match="each of 2 --poems. Received: 1"):
        prepare_corpus.Config(poems=(tmp_path, tmp_path), forms=("verse",))


def test_generator_learns_the_forms(trained):
    generator = keras.saving.load_model(trained / "generator.keras")
    assert generator.forms == ("haiku", "verse")
    table = generator.get_layer("know_form").embeddings.numpy()
    assert np.abs(table).max(axis=1).astype(bool).tolist() == [
        False,
        True,
        True,
    ]
    header, _ = (trained / "metrics.csv").read_text().splitlines()
    assert header.split(",")[2:4] == [
        "perplexity/no_photograph/haiku",
        "perplexity/no_photograph/verse",
    ]
    log = (trained / "log.txt").read_text()
    assert "5 haiku poems of 86 tokens, 25.0% of batches" in log


def test_what_is_saved_is_the_average_of_the_weights(paths, tmp_path):
    train(paths, tmp_path, ema_momentum=1.0)
    path = tf.train.latest_checkpoint(str(tmp_path / "checkpoints"))
    generator = keras.saving.load_model(tmp_path / "generator.keras")
    variable = generator.get_layer("project").bias
    (name,) = (
        name
        for name, _ in tf.train.list_variables(path)
        if re.match(r"generator/.*project.*bias", name)
    )
    last = tf.train.load_variable(path, name)
    # Of momentum 1 the average stays where the first update left it.
    moved = np.abs(variable.numpy() - last).max()
    assert 1e-4 < moved < 1e-2


def test_folds_are_seen_by_their_towers(paths, tmp_path):
    folds = stages.make_folds(paths, tmp_path)
    train(paths, tmp_path / "run", folds=folds)
    inputs = json.loads((tmp_path / "run" / "inputs.json").read_text())
    assert str(tmp_path / "1" / "image_tower.keras") in inputs


def test_a_generator_goes_on_in_its_own_size(paths, tmp_path):
    train(paths, tmp_path / "first")
    before = tmp_path / "first" / "generator.keras"
    with pytest.raises(ValueError, match="expected --hidden-dim .* Received"):
        train(paths, tmp_path / "second", start_from=str(before), hidden_dim=77)
