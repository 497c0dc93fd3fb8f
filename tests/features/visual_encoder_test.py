import keras
import numpy as np
import pytest

from visualpoet.features.visual_encoder import VisualEncoder

FEATURE_DIMS = {"object": 5, "scene": 3, "sentiment": 4}


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(0)
    model = VisualEncoder(FEATURE_DIMS, filters=(4, 6), trunk_dim=7)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(
                np.linspace(-0.1, 0.1, layer.moving_mean.shape[0])
            )
    return model


@pytest.fixture(scope="module")
def pixels():
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, [2, 128, 128, 3]).astype(np.float32)


@pytest.mark.parametrize(
    ("depths", "most"),
    [((1, 1, 1, 1), 3_000_000), ((1, 1, 2, 1), 3_500_000)],
)
def test_what_ships_is_small(depths, most):
    dims = {"object": 1280, "scene": 512, "sentiment": 256}
    model = VisualEncoder(dims, depths=depths)
    assert model.count_params() <= most
    # A trunk worth its name: the heads alone have 512 * 2048 + 2048.
    assert model.count_params() >= 2_000_000


def test_heads(encoder, pixels):
    outputs = encoder(pixels)
    assert {name: value.shape for name, value in outputs.items()} == {
        "object": (2, 5),
        "scene": (2, 3),
        "sentiment": (2, 4),
    }
    for value in outputs.values():
        assert np.abs(np.asarray(value[0] - value[1])).max() > 1e-4


def test_pixels_are_rescaled_inside(encoder):
    inputs = encoder.input
    rescaling = next(
        layer
        for layer in encoder.layers
        if isinstance(layer, keras.layers.Rescaling)
    )
    rescaled = keras.Model(inputs, rescaling.output)
    values = np.array([0.0, 127.5, 255.0], np.float32)
    picture = np.broadcast_to(values, [1, 128, 128, 3])
    np.testing.assert_allclose(rescaled(picture)[0, 0, 0], [-1, 0, 1])


def test_batch_of_two_equals_two_batches_of_one(encoder, pixels):
    together = encoder(pixels)
    for row in range(2):
        alone = encoder(pixels[row : row + 1])
        for name, value in together.items():
            np.testing.assert_allclose(
                alone[name][0], value[row], rtol=1e-3, atol=1e-5
            )


def test_stages_halve_the_picture_except_the_last():
    model = VisualEncoder(FEATURE_DIMS, filters=(4, 6, 8), trunk_dim=7)
    (pooled,) = (
        layer.input
        for layer in model.layers
        if isinstance(layer, keras.layers.GlobalAveragePooling2D)
    )
    # 128 / 2 for the stem, / 4 for two of three stages.
    assert pooled.shape == (None, 16, 16, 7)


def test_a_further_block_changes_nothing_before_it_is_trained(encoder, pixels):
    deeper = VisualEncoder(
        FEATURE_DIMS, filters=(4, 6), depths=(1, 2), trunk_dim=7
    )
    assert deeper.count_params() == encoder.count_params() + 2 * 6 * (54 + 4)
    own = {layer.name: layer for layer in deeper.layers}
    for layer in encoder.layers:
        if layer.weights:
            own[layer.name].set_weights(layer.get_weights())
    for name, value in encoder(pixels).items():
        np.testing.assert_allclose(deeper(pixels)[name], value, atol=1e-5)


def test_pictures_have_the_size_it_is_told():
    encoder = VisualEncoder(
        FEATURE_DIMS, filters=(4, 6), trunk_dim=7, image_size=64
    )
    assert encoder.input_shape == (None, 64, 64, 3)


@pytest.mark.parametrize("depths", [(1, 1, 2), (), (0, 1)])
def test_stages_without_a_depth_are_refused(depths):
    with pytest.raises(ValueError, match="expected 2 depths of 1 or more"):
        VisualEncoder(FEATURE_DIMS, filters=(4, 6), depths=depths)


@pytest.mark.parametrize("image_size", [0, 50])
def test_pictures_that_cannot_be_halved_are_refused(image_size):
    with pytest.raises(ValueError, match="multiple of 4. Received"):
        VisualEncoder(FEATURE_DIMS, filters=(4, 6), image_size=image_size)


def test_round_trip_gives_the_same_numbers(encoder, pixels, tmp_path):
    path = tmp_path / "encoder.keras"
    encoder.save(path)
    loaded = keras.saving.load_model(path)
    assert isinstance(loaded, VisualEncoder)
    assert dict(loaded.feature_dims) == FEATURE_DIMS
    assert tuple(loaded.filters) == (4, 6)
    assert loaded.trunk_dim == 7
    for name, value in encoder(pixels).items():
        np.testing.assert_array_equal(loaded(pixels)[name], value)
