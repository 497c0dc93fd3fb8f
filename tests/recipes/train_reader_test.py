import dataclasses
import json
import math

import numpy as np
import pytest

from recipes import grade_drafts
from recipes import train_reader
from tests import bert
from visualpoet.corpus.prepared import load_corpus
from visualpoet.evaluation.reader import describe
from visualpoet.evaluation.reader import load_reader

WORDS = ["a", "dog", "sea", "gull", "the", "/", "on", "of", "rain"]
SCORES = ("fit", "fluency", "novelty", "repetition")


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def grade_all(photographs, rng):
    """Two readers who like the sea; one is stricter, and of another spread."""
    for name in photographs:
        for reader, strict in (("mild", 1.0), ("strict", 2.0)):
            for _ in range(6):
                words = rng.choice(WORDS, 4).tolist()
                kept = float("sea" in words) / strict
                yield {
                    "photograph": name,
                    "poem": " ".join(words),
                    "grade": 3.0 / strict + kept,
                    "goes": 2.0 * ("sea" in words),
                    "reader": reader,
                }


@pytest.fixture(scope="module")
def config(paths, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    bert.write(folder, WORDS)
    rng = np.random.default_rng(0)
    photographs = load_corpus(paths.corpus).photographs
    return train_reader.Config(
        corpus_dir=paths.corpus,
        grades=(
            write_rows(folder / "grades.jsonl", grade_all(photographs, rng)),
        ),
        encoder=str(folder),
        batch_size=4,
        num_epochs=30,
        learning_rate=0.01,
        warmup_steps=5,
        run_dir=folder / "run",
    )


@pytest.fixture(scope="module")
def trained(config):
    train_reader.main(config)
    return config.run_dir


def test_it_tells_what_readers_keep_of_photographs_held_out(trained):
    results = json.loads((trained / "results.json").read_text())
    assert results["grade"] > 0.8
    assert results["goes"] > 0.8


@pytest.mark.parametrize("learning_rate", [1e-9, 0.01])
def test_it_is_trained_on(trained, config, tmp_path, learning_rate):
    given = dataclasses.replace(
        config,
        start_from=str(trained),
        encoder="",
        num_epochs=1,
        learning_rate=learning_rate,
        run_dir=tmp_path / "run",
    )
    train_reader.main(given)
    before, after = (
        load_reader(folder).encoder for folder in (trained, given.run_dir)
    )
    moved = {
        name: np.abs(
            after.get_layer(name).get_weights()[0]
            - before.get_layer(name).get_weights()[0]
        ).max()
        for name in ("words", "grades")
    }
    assert moved["words"] == 0.0
    assert (moved["grades"] > 1e-4) == (learning_rate > 1e-4)


def test_it_begins_as_one_thing(config):
    with pytest.raises(ValueError, match="Received: both"):
        dataclasses.replace(config, start_from="reader")


def test_drafts_are_graded_by_it(trained, config, tmp_path):
    poems = ["the sea", "the rain"]
    photographs = load_corpus(config.corpus_dir).photographs
    name = next(iter(photographs))
    scores = dict.fromkeys(SCORES, 0.5)
    row = {
        "photograph": name,
        "candidates": [{"poem": poem, **scores} for poem in poems],
    }
    grade_drafts.main(
        grade_drafts.Config(
            corpus_dir=config.corpus_dir,
            drafts=(write_rows(tmp_path / "poems.jsonl", [row]),),
            reader=trained,
            run_dir=tmp_path / "run",
        )
    )
    lines = (tmp_path / "run" / "grades.jsonl").read_text().splitlines()
    graded = [json.loads(line) for line in lines]
    shown = [describe(photographs[name])] * 2
    expected = load_reader(trained).grade(shown, poems)
    assert len(graded) == 2
    for found, poem, grade in zip(graded, poems, expected):
        assert math.isclose(found.pop("grade"), grade, rel_tol=1e-4)
        assert found == {
            "photograph": name,
            "poem": poem,
            **scores,
            "reader": "trained",
        }
    assert expected[0] > expected[1]


@pytest.mark.parametrize("recipe", [train_reader, grade_drafts])
def test_what_is_learnt_from_is_asked_for(recipe):
    with pytest.raises(ValueError, match="Received: none"):
        recipe.Config()


def test_a_row_without_a_grade_is_refused(config, tmp_path):
    row = {"photograph": "a", "poem": "b", "reader": "c", "grade": 1.0}
    bare = write_rows(tmp_path / "bare.jsonl", [{**row, "goes": 1.0}, row])
    given = dataclasses.replace(
        config, grades=(bare,), run_dir=tmp_path / "run"
    )
    with pytest.raises(ValueError, match="expected `goes` in every row"):
        train_reader.main(given)
