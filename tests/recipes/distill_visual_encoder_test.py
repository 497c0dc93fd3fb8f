import pathlib

import numpy as np
import pytest

from recipes import distill_visual_encoder
from recipes import extract_features
from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import Photograph
from visualpoet.features import store

CONFIG = distill_visual_encoder.Config(photographs=(pathlib.Path("p"),))


def test_the_crops_are_those_that_were_extracted():
    extracted = extract_features.Config(photographs=CONFIG.photographs)
    assert extracted.num_crops == CONFIG.num_crops


def _photograph(name, split, label):
    return Photograph(name, split, label, collection="places")


def test_without_a_training_photograph_it_says_so():
    photographs = [
        _photograph("sea.jpg", "validation", "sea"),
        _photograph("hill.jpg", "train", "hill"),
    ]
    corpus = PreparedCorpus([], [], {p.image: p for p in photographs}, None)
    with pytest.raises(ValueError, match="1 that are in both, 1 of them for"):
        distill_visual_encoder._write_views(CONFIG, None, corpus, {"sea.jpg"})


def test_labelled_photographs_without_features_are_left_out(monkeypatch):
    """One has none of the encoder, one none of the experts."""
    photographs = [
        _photograph("sea.jpg", "train", "sea"),
        _photograph("hill.jpg", "train", "hill"),
        _photograph("beach.jpg", "test", "sea"),
        _photograph("torn.jpg", "test", "hill"),
        _photograph("lost.jpg", "train", "hill"),
    ]
    rows = {"sea.jpg": [1.0, 0.0], "hill.jpg": [0.0, 1.0]}
    rows["beach.jpg"] = [0.9, 0.1]
    features = {
        CONFIG.features_dir: {"object": {**rows, "torn.jpg": [0.0, 1.0]}},
        CONFIG.run_dir: {"object": {**rows, "lost.jpg": [0.0, 1.0]}},
    }
    for kinds in features.values():
        for kind in ("object", "scene", "sentiment"):
            kinds[kind] = {n: np.array(r) for n, r in kinds["object"].items()}

    def load_features(folder, names):
        kinds = features[folder].items()
        return {kind: {n: rows[n] for n in names} for kind, rows in kinds}

    monkeypatch.setattr(store, "load_index", lambda f: features[f]["object"])
    monkeypatch.setattr(store, "load_features", load_features)
    corpus = PreparedCorpus([], [], {p.image: p for p in photographs}, None)
    assert distill_visual_encoder._probe(CONFIG, CONFIG.run_dir, corpus) == {
        "places": {"experts": 1.0, "encoder": 1.0}
    }
