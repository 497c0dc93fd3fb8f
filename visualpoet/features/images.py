"""Pixels: one way to turn encoded bytes into the square the networks see."""

import tensorflow as tf

# A JPEG is read at a half, a quarter or an eighth of its size as long as its
# shorter side keeps this many pixels: a photograph of 108 megapixels then takes
# some megabytes instead of 1.7 gigabytes.
_ENOUGH = 1024
_RATIOS = (1, 2, 4, 8)


def decode_image(image_bytes: tf.Tensor) -> tf.Tensor:
    """Decodes JPEG, PNG, GIF (first frame), BMP or WebP.

    A large JPEG is decoded at a part of its size.

    Args:
        image_bytes: string scalar. The encoded file.

    Returns:
        uint8 `[height, width, 3]`.

    Raises:
        tf.errors.InvalidArgumentError: If the bytes are no picture.
    """
    image = tf.switch_case(
        tf.cond(
            tf.io.is_jpeg(image_bytes),
            lambda: _choose_ratio(tf.io.extract_jpeg_shape(image_bytes)),
            lambda: tf.constant(0),
        ),
        [lambda ratio=ratio: _decode(image_bytes, ratio) for ratio in _RATIOS],
    )
    return tf.ensure_shape(image, [None, None, 3])


def _choose_ratio(shape: tf.Tensor) -> tf.Tensor:
    """Index into `_RATIOS`."""
    times = tf.reduce_min(shape[:2]) // _ENOUGH
    return tf.reduce_sum(tf.cast(times >= _RATIOS[1:], tf.int32))


def _decode(image_bytes: tf.Tensor, ratio: int) -> tf.Tensor:
    if ratio > 1:
        return tf.io.decode_jpeg(image_bytes, channels=3, ratio=ratio)
    return tf.io.decode_image(image_bytes, channels=3, expand_animations=False)


def square(image: tf.Tensor, size: int) -> tf.Tensor:
    """Crops the central square and resizes it.

    Args:
        image: uint8 or float `[height, width, 3]` in [0, 255].
        size: Side of the result in pixels.

    Returns:
        float `[size, size, 3]` in [0, 255].
    """
    shape = tf.shape(image)
    side = tf.minimum(shape[0], shape[1])
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    cropped = image[top : top + side, left : left + side]
    resized = tf.image.resize(cropped, [size, size], antialias=True)
    return tf.clip_by_value(resized, 0.0, 255.0)


def random_crop(
    image: tf.Tensor, size: int, seed: tuple[int, int]
) -> tf.Tensor:
    """Crops a random square that a seed determines, and resizes it.

    Args:
        image: uint8 `[height, width, 3]`.
        size: Side of the result in pixels.
        seed: The same seed gives the same part of the picture at any size.

    Returns:
        float `[size, size, 3]` in [0, 255]; the side of the crop is 0.55 to 1
        of the shorter side.
    """
    draws = tf.random.stateless_uniform([3], seed)
    shape = tf.cast(tf.shape(image)[:2], tf.float32)
    side = tf.reduce_min(shape) * (0.55 + 0.45 * draws[0])
    corner = tf.cast((shape - side) * draws[1:], tf.int32)
    side = tf.maximum(tf.cast(side, tf.int32), 1)
    top, left = corner[0], corner[1]
    return square(image[top : top + side, left : left + side], size)


def load_view(image_bytes: tf.Tensor, size: int, view: int) -> tf.Tensor:
    """Decodes a picture and returns one of its views.

    Args:
        image_bytes: string scalar. The encoded file.
        size: Side of the result in pixels.
        view: 0 for the central square, else the number of a random crop that
            is always the same for the same picture and number.

    Returns:
        float `[size, size, 3]` in [0, 255].
    """
    image = decode_image(image_bytes)
    if view == 0:
        return square(image, size)
    name = tf.strings.to_hash_bucket_fast(image_bytes, 2**31 - 1)
    return random_crop(image, size, (tf.cast(name, tf.int32), view))


def load_readable(
    image_bytes: tf.Tensor, size: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes what can be decoded, and returns its central squares.

    A data pipeline inside the graph skips what fails: no other core op does.

    Args:
        image_bytes: string `[B]`. Encoded files, some of them broken.
        size: Side of the squares in pixels.

    Returns:
        Which were decoded, bool `[B]`, and their pixels, float
        `[B, size, size, 3]` in [0, 255], black where not.
    """
    number = tf.size(image_bytes, out_type=tf.int64)
    black = tf.zeros([size, size, 3])
    rows, pixels = (
        tf.data.Dataset.from_tensor_slices(image_bytes)
        .enumerate()
        .map(lambda row, content: (row, load_view(content, size, 0)))
        .ignore_errors()
        # One row more, so that there is always something to get.
        .concatenate(tf.data.Dataset.from_tensors((number, black)))
        .batch(number + 1)
        .get_single_element()
    )
    rows, pixels = rows[:-1, None], pixels[:-1]
    is_read = tf.scatter_nd(rows, tf.fill(tf.shape(rows)[:1], True), [number])
    shape = tf.stack([number, size, size, 3])
    return is_read, tf.scatter_nd(rows, pixels, shape)
