import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from visualpoet.export.stored_weights import StoredWeights
from visualpoet.export.stored_weights import quantize
from visualpoet.features import images


def pixels(kind):
    view = images.load_view(
        tiny.photograph(kind), tiny.parts().encoder.image_size, 0
    )
    return tf.round(view)[None]


@pytest.mark.parametrize(
    ("matrix", "values", "scale"),
    [
        # Rows that differ in size, columns that do, and a row of nothing.
        ([[1, 127], [20, -2540]], [[1, 127], [1, -127]], [[1], [20]]),
        ([[1, 20], [127, -2540]], [[1, 1], [127, -127]], [[1, 20]]),
        (
            [[0, 0], [63.4, 127], [127, -40.2]],
            [[0, 0], [63, 127], [127, -40]],
            [[1], [1], [1]],
        ),
    ],
)
def test_the_axis_that_loses_least_has_a_scale_a_row(matrix, values, scale):
    found, scales = quantize(np.float32(matrix))
    assert (found.dtype, scales.dtype) == (np.int8, np.float32)
    np.testing.assert_array_equal(found, values)
    np.testing.assert_array_equal(scales, np.float32(scale))


def test_what_was_rounded_is_rounded_to_the_same():
    kernel = tiny.parts().encoder.get_layer("stage1_first").kernel
    values, scale = quantize(np.asarray(kernel))
    again, scale_again = quantize(values * scale)
    np.testing.assert_array_equal(again, values)
    np.testing.assert_allclose(scale_again, scale, rtol=1e-6)


def test_matrices_are_int8_columns_float16_and_vectors_float32():
    stored = StoredWeights(tiny.parts().poem_tower)
    dtypes = {
        path: weight.value.dtype.name for path, weight in stored.weights.items()
    }
    assert dtypes == {
        "log_weights/embeddings": "float16",
        "word_vectors/embeddings": "int8",
        "bend/kernel": "int8",
        "bend/bias": "float32",
        "to_space/kernel": "int8",
        "to_space/bias": "float32",
    }
    assert not any(variable.trainable for variable in stored.variables)


def test_stored_encoder_stays_near_the_keras_model():
    expected = tiny.parts().encoder(pixels("sea"), training=False)
    found = StoredWeights(tiny.parts().encoder).read()(pixels("sea"))
    assert list(found) == ["object", "scene", "sentiment"]
    for name, values in expected.items():
        assert found[name].dtype == tf.float32
        np.testing.assert_allclose(found[name], values, rtol=0.01, atol=2e-3)
    assert not np.array_equal(found["object"], expected["object"])


def test_stored_poem_tower_stays_near_the_keras_model():
    token_ids = tf.constant([[4, 9, 17, 0], [5, 6, 7, 8]])
    expected = tiny.parts().poem_tower(token_ids, training=False)
    found = StoredWeights(tiny.parts().poem_tower).read()(token_ids)
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_stored_weights_are_a_copy():
    tower = tiny.PoemTower(20, 4, word_dim=3, embedding_dim=5)
    stored = StoredWeights(tower)
    token_ids = tf.constant([[5, 6, 7]])
    before = stored.read()(token_ids)
    tower.get_layer("word_vectors").embeddings.assign(tf.ones([20, 3]))
    np.testing.assert_array_equal(stored.read()(token_ids), before)
    assert not np.allclose(tower(token_ids), before)


def test_vectors_are_kept_that_float16_cannot_hold():
    tower = tiny.ImageTower({"object": 2, "scene": 2, "sentiment": 2}, 3)
    variance = tower.get_layer("normalize_object").moving_variance
    variance.assign([1e6, 1e-9])
    held = StoredWeights(tower).weights[variance.path].read()
    np.testing.assert_array_equal(held, np.float32([1e6, 1e-9]))
