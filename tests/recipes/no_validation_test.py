"""Own data of which everything is for training: nothing is measured."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from recipes import pretrain_hierarchical
from recipes import train_clues
from tests.recipes.stages import embed
from tests.recipes.stages import learn_sentiment
from visualpoet.features.store import feature_files


@pytest.fixture(scope="module")
def own(paths, tmp_path_factory):
    """The corpus of the stages, no photograph of which is held out."""
    root = tmp_path_factory.mktemp("own")
    corpus = shutil.copytree(paths.corpus, root / "corpus")
    rows = (corpus / "photographs.jsonl").read_text().splitlines()
    rows = [{**json.loads(row), "split": "train"} for row in rows]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (corpus / "photographs.jsonl").write_text(text)
    own = dataclasses.replace(
        paths, corpus=corpus, embedding=root / "embedding"
    )
    embed(own)
    return own


def check(run_dir):
    columns, *rows = (run_dir / "metrics.csv").read_text().splitlines()
    assert columns == "step,loss"
    assert len(rows) == 1
    assert json.loads((run_dir / "results.json").read_text()) == {}


def inputs_of(run_dir):
    return list(json.loads((run_dir / "inputs.json").read_text()))


@pytest.mark.slow
def test_embedding(own):
    check(own.embedding)


@pytest.mark.slow
def test_sentiment(own, tmp_path):
    learn_sentiment(own, tmp_path / "sentiment")
    check(tmp_path / "sentiment")


@pytest.mark.slow
def test_clues(own, tmp_path):
    train_clues.main(
        train_clues.Config(
            corpus_dir=own.corpus,
            features_dir=own.features,
            embedding_dir=own.embedding,
            run_dir=tmp_path / "clues",
            min_photographs=1,
            min_count=1,
            max_frequency=1.0,
            num_steps=2,
        )
    )
    check(tmp_path / "clues")
    expected = feature_files(own.features)
    assert inputs_of(tmp_path / "clues")[4:7] == list(map(str, expected))


@pytest.mark.slow
def test_hierarchical(own, tmp_path):
    index = json.loads((own.features / "index.json").read_text())
    rows = np.ones([len(index), 4, 3], np.float16)
    np.savez(tmp_path / "regions.npz", names=list(index), rows=rows)
    run_dir = tmp_path / "hierarchical"
    pretrain_hierarchical.main(
        pretrain_hierarchical.Config(
            corpus_dir=own.corpus,
            regions=tmp_path / "regions.npz",
            run_dir=run_dir,
            embedding_dim=5,
            hidden_dim=6,
            max_unknown=1.0,
            batch_size=4,
            num_steps=1,
        )
    )
    assert (run_dir / "hierarchical.keras").exists()
    columns = (run_dir / "metrics.csv").read_text().splitlines()[0]
    assert columns == "step,loss"
