import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from visualpoet.features import images

PIXELS = np.array(
    [
        [[255, 0, 0], [0, 255, 0], [0, 0, 255]],
        [[255, 255, 255], [0, 0, 0], [9, 99, 199]],
    ],
    np.uint8,
)


def _encode(image, picture_format, **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    stream = io.BytesIO()
    image.save(stream, picture_format, **options)
    return stream.getvalue()


def _ramps(height, width):
    """Red is the column, green the row: values tell where a crop is."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns, rows, 0 * rows], -1).astype(np.uint8)


# --- decoding


@pytest.mark.parametrize(
    ("picture_format", "options"),
    [("PNG", {}), ("GIF", {}), ("BMP", {}), ("WEBP", {"lossless": True})],
)
def test_lossless_formats(picture_format, options):
    decoded = images.decode_image(_encode(PIXELS, picture_format, **options))
    assert decoded.dtype == tf.uint8
    np.testing.assert_array_equal(decoded, PIXELS)


def test_jpeg():
    flat = np.full([5, 11, 3], (200, 100, 50), np.uint8)
    decoded = images.decode_image(_encode(flat, "JPEG", quality=95))
    assert decoded.shape == (5, 11, 3)
    np.testing.assert_allclose(decoded, flat, atol=3)


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG", "BMP", "GIF"])
def test_grey_picture_has_three_equal_channels(picture_format):
    grey = np.full([5, 11], 77, np.uint8)
    decoded = images.decode_image(_encode(grey, picture_format))
    np.testing.assert_allclose(decoded, np.full([5, 11, 3], 77), atol=1)


def test_alpha_is_dropped():
    alpha = np.array([[0, 128, 255], [255, 0, 1]], np.uint8)[..., None]
    decoded = images.decode_image(
        _encode(np.concatenate([PIXELS, alpha], -1), "PNG")
    )
    np.testing.assert_array_equal(decoded, PIXELS)


def test_palette_png():
    image = Image.fromarray(PIXELS).convert("P", palette=Image.ADAPTIVE)
    np.testing.assert_array_equal(
        images.decode_image(_encode(image, "PNG")), PIXELS
    )


def test_first_frame_of_an_animation():
    frames = [
        Image.fromarray(np.full([2, 3, 3], value, np.uint8))
        for value in (10, 200)
    ]
    content = _encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(
        images.decode_image(content), np.full([2, 3, 3], 10)
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture at all",
        _encode(PIXELS, "TIFF"),
        _encode(PIXELS, "PNG")[:-30],
        _encode(PIXELS, "JPEG")[:-30],
    ],
)
def test_junk_raises(content):
    with pytest.raises(tf.errors.InvalidArgumentError):
        images.decode_image(content)


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (2047, 2100, (2047, 2100)),
        (2048, 3000, (1024, 1500)),
        (9000, 2047, (9000, 2047)),
        (4100, 4096, (1025, 1024)),
        (8192, 8200, (1024, 1025)),
    ],
)
def test_large_jpeg_is_decoded_at_a_part_of_its_size(height, width, expected):
    flat = np.full([height, width], 77, np.uint8)
    decoded = images.decode_image(_encode(flat, "JPEG"))
    assert decoded.shape == (*expected, 3)
    assert decoded[0, 0].numpy().tolist() == [77, 77, 77]


def test_large_png_is_decoded_whole():
    decoded = images.decode_image(_encode(np.zeros([2100, 2100], "u1"), "PNG"))
    assert decoded.shape == (2100, 2100, 3)


def test_square_of_a_large_jpeg_is_nearly_the_same():
    ramps = _ramps(256, 256).repeat(9, axis=0).repeat(9, axis=1)
    content = _encode(ramps, "JPEG")
    whole = tf.io.decode_image(content, channels=3)
    np.testing.assert_allclose(
        images.load_view(content, 32, 0), images.square(whole, 32), atol=1.5
    )


def test_load_readable_passes_over_what_is_broken():
    good = [_encode(PIXELS, "PNG"), _encode(_ramps(40, 60), "JPEG")]
    broken = [b"", b"junk", good[1][:300], good[0][:-20]]
    contents = tf.constant([broken[0], good[0], *broken[1:], good[1]])
    is_read, pixels = images.load_readable(contents, 8)
    assert is_read.numpy().tolist() == [False, True, False, False, False, True]
    np.testing.assert_array_equal(pixels[1], images.load_view(good[0], 8, 0))
    np.testing.assert_array_equal(pixels[5], images.load_view(good[1], 8, 0))
    assert not np.any(pixels.numpy()[[0, 2, 3, 4]])


@pytest.mark.parametrize("contents", [[b"junk"], []])
def test_load_readable_of_nothing(contents):
    is_read, pixels = images.load_readable(tf.constant(contents, tf.string), 8)
    assert not np.any(is_read)
    assert pixels.shape == (len(contents), 8, 8, 3)


# --- the central square


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [(2, 6, [0, 1], [2, 3]), (6, 2, [2, 3], [0, 1]), (2, 5, [0, 1], [1, 2])],
)
def test_square_is_the_centre(height, width, rows, columns):
    cropped = images.square(tf.constant(_ramps(height, width)), 2)
    assert cropped.dtype == tf.float32
    np.testing.assert_allclose(cropped[0, :, 0], columns)
    np.testing.assert_allclose(cropped[:, 0, 1], rows)


def test_square_averages_when_it_shrinks():
    # A triangle of four pixels' width: weights 3/7, 3/7, 1/7 at the border.
    image = tf.constant(_ramps(4, 4) * 10)
    np.testing.assert_allclose(
        images.square(image, 2)[..., 0],
        [[50 / 7, 160 / 7], [50 / 7, 160 / 7]],
        rtol=1e-5,
    )


def test_square_interpolates_when_it_grows():
    image = tf.constant(_ramps(2, 2) * 100)
    np.testing.assert_allclose(
        images.square(image, 4)[0, :, 0], [0, 25, 75, 100], atol=1e-4
    )


def test_square_keeps_to_the_range():
    image = tf.constant([[[300.0, -5.0, 7.0]]])
    np.testing.assert_allclose(images.square(image, 1), [[[255, 0, 7]]])


# --- views


@pytest.fixture(scope="module")
def content():
    return _encode(_ramps(80, 100), "PNG")


def _place(view):
    """Left, right, top and bottom pixel of a view that was enlarged."""
    red, green = view[..., 0], view[..., 1]
    return [
        round(float(value))
        for value in (
            tf.reduce_min(red),
            tf.reduce_max(red),
            tf.reduce_min(green),
            tf.reduce_max(green),
        )
    ]


def test_view_0_is_the_central_square(content):
    assert _place(images.load_view(content, 160, 0)) == [10, 89, 0, 79]
    np.testing.assert_array_equal(
        images.load_view(content, 16, 0),
        images.square(images.decode_image(content), 16),
    )


def test_views_are_squares_inside_the_picture(content):
    places = [_place(images.load_view(content, 160, v)) for v in range(1, 9)]
    for left, right, top, bottom in places:
        assert right - left == bottom - top
        assert 44 <= right - left + 1 <= 80
        assert 0 <= left < right < 100
        assert 0 <= top < bottom < 80


def test_views_differ_and_come_back(content):
    views = [_place(images.load_view(content, 160, v)) for v in range(1, 9)]
    again = [_place(images.load_view(content, 160, v)) for v in range(1, 9)]
    assert views == again
    assert len(set(map(tuple, views))) == 8


def test_view_does_not_depend_on_the_global_seed(content):
    first = images.load_view(content, 16, 3)
    tf.random.set_seed(12345)
    np.testing.assert_array_equal(images.load_view(content, 16, 3), first)


def test_view_depends_on_the_picture(content):
    # One pixel more in blue, which leaves places as they are.
    pixels = _ramps(80, 100)
    pixels[0, 0, 2] = 255
    other = _encode(pixels, "PNG")
    assert _place(images.load_view(content, 160, 1)) != _place(
        images.load_view(other, 160, 1)
    )


@pytest.mark.parametrize("view", [0, 1, 2, 3])
def test_view_is_the_same_part_at_any_size(content, view):
    small, large = (images.load_view(content, size, view) for size in (8, 160))
    assert (small.shape, large.shape) == ((8, 8, 3), (160, 160, 3))
    np.testing.assert_allclose(
        tf.reduce_mean(small, [0, 1]), tf.reduce_mean(large, [0, 1]), atol=0.2
    )
    # Ends of the small one are means over its outermost pixels.
    left, right, _, _ = _place(large)
    side = right - left + 1
    first, last = small[0, 0, 0], small[0, -1, 0]
    np.testing.assert_allclose(last - first, side * 7 / 8, atol=side / 20)


def test_views_in_a_graph_equal_eager_ones(content):
    dataset = tf.data.Dataset.from_tensors(content).map(
        lambda item: images.load_view(item, 16, 2)
    )
    np.testing.assert_allclose(
        next(iter(dataset)), images.load_view(content, 16, 2), atol=1e-4
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 1)])
def test_tiniest_pictures_have_views(shape):
    content = _encode(np.full([*shape, 3], 9, np.uint8), "PNG")
    for view in range(4):
        np.testing.assert_allclose(
            images.load_view(content, 4, view), np.full([4, 4, 3], 9), rtol=1e-6
        )
