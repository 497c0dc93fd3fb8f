import numpy as np
import pytest

from visualpoet.features.probes import linear_probe

LABELS = ["sea", "hill", "lake"]


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
    assert linear_probe(*_clusters(0), *_clusters(1)) == 1.0


@pytest.mark.parametrize("wrong", [9, 45])
def test_share_of_right_answers(wrong):
    features, labels = _clusters(1)
    labels = labels.copy()
    labels[:wrong] = "none of them"
    result = linear_probe(*_clusters(0), features, labels)
    assert result == pytest.approx(1 - wrong / 90)


def test_scale_of_a_feature_does_not_matter():
    train, train_labels = _clusters(0)
    test, test_labels = _clusters(1)
    scale = np.array([1e4, 1e-3, 1.0, 1e3, 1e-4])
    result = linear_probe(
        train * scale, train_labels, test * scale, test_labels
    )
    assert result == 1.0
