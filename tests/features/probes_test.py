import pathlib

import numpy as np
import pytest

from visualpoet.corpus.records import Photograph
from visualpoet.features import probes
from visualpoet.features import store

LABELS = ["sea", "hill", "lake"]
EXPERTS, ENCODER = pathlib.Path("experts"), pathlib.Path("encoder")


def _clusters(seed):
    """Three classes, 30 rows each, that two of five features tell apart."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 0.1, [90, 5])
    for index in range(3):
        angle = 2 * np.pi * index / 3
        features[30 * index : 30 * index + 30, 1] += np.cos(angle)
        features[30 * index : 30 * index + 30, 3] += np.sin(angle)
    return features, np.repeat(LABELS, 30)


def test_classes_that_features_tell_apart():
    assert probes.linear_probe(*_clusters(0), *_clusters(1)) == 1.0


@pytest.mark.parametrize("wrong", [9, 45])
def test_share_of_right_answers(wrong):
    features, labels = _clusters(1)
    labels = labels.copy()
    labels[:wrong] = "none of them"
    result = probes.linear_probe(*_clusters(0), features, labels)
    assert result == pytest.approx(1 - wrong / 90)


def test_scale_of_a_feature_does_not_matter():
    train, train_labels = _clusters(0)
    test, test_labels = _clusters(1)
    scale = np.array([1e4, 1e-3, 1.0, 1e3, 1e-4])
    result = probes.linear_probe(
        train * scale, train_labels, test * scale, test_labels
    )
    assert result == 1.0


def photograph(name, split, label):
    return Photograph(name, split, label, collection="places")


def test_labelled_photographs_without_features_are_left_out(monkeypatch):
    """One has none of the encoder, one none of the experts."""
    photographs = [
        photograph("sea.jpg", "train", "sea"),
        photograph("hill.jpg", "train", "hill"),
        photograph("beach.jpg", "test", "sea"),
        photograph("torn.jpg", "test", "hill"),
        photograph("lost.jpg", "train", "hill"),
    ]
    rows = {"sea.jpg": [1.0, 0.0], "hill.jpg": [0.0, 1.0]}
    rows["beach.jpg"] = [0.9, 0.1]
    features = {
        EXPERTS: {"object": {**rows, "torn.jpg": [0.0, 1.0]}},
        ENCODER: {"object": {**rows, "lost.jpg": [0.0, 1.0]}},
    }
    for kinds in features.values():
        for kind in ("object", "scene", "sentiment"):
            kinds[kind] = {n: np.array(r) for n, r in kinds["object"].items()}

    def load_features(folder, names):
        kinds = features[folder].items()
        return {kind: {n: rows[n] for n in names} for kind, rows in kinds}

    monkeypatch.setattr(store, "load_index", lambda f: features[f]["object"])
    monkeypatch.setattr(store, "load_features", load_features)
    folders = {"experts": EXPERTS, "encoder": ENCODER}
    assert probes.probe_folders(folders, photographs) == {
        "places": {"experts": 1.0, "encoder": 1.0}
    }
