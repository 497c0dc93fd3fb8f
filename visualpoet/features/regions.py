"""Regions of a photograph: a grid of crops."""

import tensorflow as tf

from visualpoet.features import images

GRID = 2
REGIONS = GRID * GRID
SHARE = 0.6  # of the side; neighbours overlap


def load_regions(image_bytes: tf.Tensor, size: int) -> tf.Tensor:
    """Decodes a picture and cuts it into a grid of overlapping crops.

    Source: liu18, compared methods, Regions-Hierarchical (Krause et al.,
    2017). Differs: a grid instead of a region proposal network.

    Args:
        image_bytes: string scalar. The encoded file.
        size: Side of each region in pixels.

    Returns:
        float `[REGIONS, size, size, 3]` in [0, 255], row by row.
    """
    image = images.decode_image(image_bytes)
    shape = tf.cast(tf.shape(image)[:2], tf.float32)
    side = tf.cast(shape * SHARE, tf.int32)
    crops = []
    for row in range(GRID):
        for column in range(GRID):
            place = tf.constant([row, column], tf.float32) / (GRID - 1)
            corner = tf.cast(place * shape * (1 - SHARE), tf.int32)
            crop = image[
                corner[0] : corner[0] + side[0],
                corner[1] : corner[1] + side[1],
            ]
            crops.append(images.square(crop, size))
    return tf.stack(crops)
