import numpy as np
import tensorflow as tf

from visualpoet.features import regions


def test_a_grid_of_overlapping_crops():
    """Each quarter of the picture has a grey of its own; a crop of 0.6 of the
    side holds one quarter and a strip of its neighbours."""
    greys = np.array([[10, 60], [120, 240]], np.uint8)
    picture = np.kron(greys, np.ones([50, 50], np.uint8))
    content = tf.io.encode_png(np.stack([picture] * 3, -1))
    crops = regions.load_regions(content, 30).numpy()
    assert crops.shape == (4, 30, 30, 3)
    corners = [(0, 0, 0), (1, 0, -1), (2, -1, 0), (3, -1, -1)]
    found = [crops[corner][0] for corner in corners]
    np.testing.assert_allclose(found, [10, 60, 120, 240], rtol=1e-5)
    # The corners would be the same column by column, the middles are not.
    middles = crops[:, 15, 15, 0]
    np.testing.assert_allclose(middles, [10, 60, 120, 240], rtol=1e-5)
    # The middle of the picture is in all of them.
    np.testing.assert_allclose(crops[0, -1, -1, 0], 240, rtol=1e-5)
    np.testing.assert_allclose(crops[3, 0, 0, 0], 10, rtol=1e-5)


def test_a_picture_that_is_not_square():
    content = tf.io.encode_jpeg(np.zeros([40, 90, 3], np.uint8))
    assert regions.load_regions(content, 16).shape == (4, 16, 16, 3)
