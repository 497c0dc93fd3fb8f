import numpy as np
import pytest
import tensorflow as tf

from visualpoet.features import views
from visualpoet.features.distillation import Distillation
from visualpoet.features.experts import FEATURE_NAMES

DEVIATION = dict.fromkeys(FEATURE_NAMES, np.ones(2, np.float32)) | {
    "scene": np.array([2.0, 1.0], np.float32)
}


class Encoder:
    """Whose features are how bright a picture is, and 0."""

    def __call__(self, pixels, training):
        assert training and pixels.dtype == tf.float32
        return self._encode(pixels)

    def predict(self, pixels, batch_size, verbose):
        return self._encode(tf.cast(pixels, tf.float32))

    def _encode(self, pixels):
        bright = tf.reduce_mean(pixels, [1, 2, 3])[:, None]
        features = tf.concat([bright, 0 * bright], axis=1)
        return dict.fromkeys(FEATURE_NAMES, features)


def place(features):
    """Two places at right angles."""
    is_bright = features["object"][:, :1] > 3.0
    return tf.where(is_bright, [[1.0, 0.0]], [[0.0, 1.0]])


def make_pixels(*values):
    return np.array(values, np.uint8)[:, None, None, None] + np.zeros(
        [1, 2, 2, 3], np.uint8
    )


def make_features(size):
    return dict.fromkeys(FEATURE_NAMES, np.zeros([size, 2], np.float32))


# Squares of 2 and 4, beside zeros: 5; of the scene a quarter of that.
@pytest.mark.parametrize(("tower", "loss"), [(None, 3.75), (place, 4.25)])
def test_loss_is_distance_and_displacement(tower, loss):
    distillation = Distillation(Encoder(), DEVIATION, tower)
    batch = make_pixels(2, 4), make_features(2)
    assert float(distillation.loss(batch)) == pytest.approx(loss)


def test_every_view_counts_alike(monkeypatch):
    monkeypatch.setattr(views, "BLOCK", 2)
    some = views.Views(make_pixels(2, 4, 0), make_features(3))
    assert Distillation(Encoder(), DEVIATION, place).measure(some) == {
        "distance": pytest.approx(2.5),
        "displacement": pytest.approx(1 / 3),
    }
