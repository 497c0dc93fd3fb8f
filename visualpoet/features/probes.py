"""Linear probes: what can be read off features with one linear layer."""

import pathlib
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from visualpoet.corpus.records import Photograph
from visualpoet.features import store


def linear_probe(
    train_features: np.ndarray,
    train_labels: Sequence[str],
    test_features: np.ndarray,
    test_labels: Sequence[str],
) -> float:
    """Trains a logistic regression on fixed features.

    Args:
        train_features: float `[N, F]`.
        train_labels: N classes.
        test_features: float `[M, F]`.
        test_labels: M classes.

    Returns:
        Share of test photographs that are classified right.
    """
    probe = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, max_iter=500)
    )
    probe.fit(train_features, train_labels)
    return float(probe.score(test_features, test_labels))


def probe_folders(
    folders: Mapping[str, pathlib.Path], photographs: Iterable[Photograph]
) -> dict[str, dict[str, float]]:
    """Probes the features of folders for the labels of photographs.

    Args:
        folders: By name, as for `store.load_features`.
        photographs: Those without label, or without features in a folder, are
            left out.

    Returns:
        By collection, and by folder, the share of its test photographs that
        are classified right; collections without two labels to learn, or
        without a test photograph, are left out.
    """
    indices = [store.load_index(folder) for folder in folders.values()]
    collections: dict[str, list[Photograph]] = {}
    for photo in photographs:
        known = all(photo.image in index for index in indices)
        if known and photo.label and photo.split in ("train", "test"):
            collections.setdefault(photo.collection, []).append(photo)
    names = [photo.image for photos in collections.values() for photo in photos]
    features = {
        name: store.load_features(folder, names=names)
        for name, folder in folders.items()
        if names
    }
    results = {}
    for collection, photos in collections.items():
        train = [photo for photo in photos if photo.split == "train"]
        test = [photo for photo in photos if photo.split == "test"]
        if len({photo.label for photo in train}) > 1 and test:
            results[collection] = {
                name: _probe(rows, train, test)
                for name, rows in features.items()
            }
    return results


def _probe(
    features: Mapping[str, Mapping[str, np.ndarray]],
    train: Sequence[Photograph],
    test: Sequence[Photograph],
) -> float:
    train_features, test_features = (
        store.join_features(features, [photo.image for photo in some])
        for some in (train, test)
    )
    return linear_probe(
        train_features,
        [photo.label for photo in train],
        test_features,
        [photo.label for photo in test],
    )
