import numpy as np
import tensorflow as tf

from tests import tiny
from visualpoet.export.float16_weights import Float16Weights
from visualpoet.features import images
from visualpoet.features.visual_encoder import ENCODER_SIZE


def pixels(kind):
    view = images.load_view(tiny.photograph(kind), ENCODER_SIZE, 0)
    return tf.round(view)[None]


def test_float16_matrices_are_float16_and_vectors_float32():
    stored = Float16Weights(tiny.parts().encoder)
    dtypes = {}
    for variable in stored.variables:
        dtypes.setdefault(len(variable.shape), set()).add(variable.dtype.name)
    assert dtypes == {1: {"float32"}, 2: {"float16"}, 4: {"float16"}}
    assert len(stored.variables) == len(tiny.parts().encoder.variables)
    assert not any(variable.trainable for variable in stored.variables)


def test_float16_encoder_stays_near_the_keras_model():
    expected = tiny.parts().encoder(pixels("sea"), training=False)
    found = Float16Weights(tiny.parts().encoder).read()(pixels("sea"))
    assert list(found) == ["object", "scene", "sentiment"]
    for name, values in expected.items():
        assert found[name].dtype == tf.float32
        np.testing.assert_allclose(found[name], values, rtol=0.01, atol=2e-3)
    assert not np.array_equal(found["object"], expected["object"])


def test_float16_poem_tower_stays_near_the_keras_model():
    token_ids = tf.constant([[4, 9, 17, 0], [5, 6, 7, 8]])
    expected = tiny.parts().poem_tower(token_ids, training=False)
    found = Float16Weights(tiny.parts().poem_tower).read()(token_ids)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_float16_weights_are_a_copy():
    tower = tiny.PoemTower(20, 4, word_dim=3, embedding_dim=5)
    stored = Float16Weights(tower)
    token_ids = tf.constant([[5, 6, 7]])
    before = stored.read()(token_ids)
    tower.get_layer("word_vectors").embeddings.assign(tf.ones([20, 3]))
    np.testing.assert_array_equal(stored.read()(token_ids), before)
    assert not np.allclose(tower(token_ids), before)


def test_float16_keeps_what_float16_cannot_hold():
    tower = tiny.ImageTower({"object": 2, "scene": 2, "sentiment": 2}, 3)
    variance = tower.get_layer("normalize_object").moving_variance
    variance.assign([1e6, 1e-9])
    held = [
        variable.numpy()
        for variable in Float16Weights(tower).fixed
        if variable.dtype == tf.float32 and variable.numpy().max() > 1e5
    ]
    np.testing.assert_array_equal(held, np.float32([[1e6, 1e-9]]))
