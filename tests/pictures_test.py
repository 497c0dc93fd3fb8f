import io
import pathlib
import struct
import zlib

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image

from tests.tiny import decode
from tests.tiny import encode
from visualpoet import pictures
from visualpoet.features import picture_files

READABLE = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC picture"
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def red_above_blue(mode="RGB"):
    """40 x 20 pixels, the upper half red, the lower half blue."""
    picture = Image.new("RGB", (40, 20), RED)
    picture.paste(BLUE, (0, 10, 40, 20))
    return picture.convert(mode)


def noise(width=48, height=32):
    rng = np.random.default_rng(0)
    return Image.fromarray(
        rng.integers(256, size=[height, width, 3], dtype=np.uint8)
    )


def truncated(file_format, share=0.5):
    content = encode(noise(), file_format)
    return content[: int(len(content) * share)]


def oriented(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def png(width, height, bit_depth, colour_type, rows=b""):
    """A PNG whose header says what it likes."""

    def chunk(kind, content):
        check_sum = zlib.crc32(kind + content)
        size = struct.pack(">I", len(content))
        return size + kind + content + struct.pack(">I", check_sum)

    header = struct.pack(
        ">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0
    )
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def assert_near(pixel, expected, tolerance=6):
    assert np.abs(np.subtract(pixel, expected)).max() <= tolerance, pixel


def tensorflow_reads(content):
    return tf.io.decode_image(
        content, channels=3, expand_animations=False
    ).numpy()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_upright_rgb_and_grey_files_pass_as_they_are(file_format, mode):
    content = encode(noise().convert(mode), file_format)
    assert pictures.read_picture(content) is content
    assert tensorflow_reads(content).shape == (32, 48, 3)


def test_progressive_jpeg_and_jpeg_with_exif_data_pass_as_they_are():
    content = encode(noise(), "JPEG", progressive=True, exif=oriented(1))
    assert pictures.read_picture(content) == content


def test_16_bit_rgb_png_passes_as_it_is():
    row = b"\0" + struct.pack(">6H", 0, 0x8000, 0xFFFF, 0xFFFF, 0x4000, 0)
    content = png(2, 1, 16, 2, row)
    assert pictures.read_picture(content) == content
    expected = [[[0, 128, 255], [255, 64, 0]]]
    np.testing.assert_array_equal(tensorflow_reads(content), expected)


def test_bytes_of_any_kind_files_and_tensors(tmp_path):
    content = encode(noise(), "PNG")
    file = tmp_path / "a.png"
    file.write_bytes(content)
    half_read = io.BytesIO(content)
    half_read.read(100)
    for source in (
        *(bytearray(content), memoryview(content), half_read),
        tf.io.read_file(str(file)),
    ):
        assert pictures.read_picture(source) == content
    with file.open("rb") as stream:
        assert pictures.read_picture(stream) == content
    pixels = tf.constant(np.asarray(noise()))
    read = pictures.read_picture(pixels)
    np.testing.assert_array_equal(np.asarray(decode(read)), pixels)
    floats = pictures.read_picture(tf.cast(pixels, tf.float32))
    assert floats == read


def test_files_that_cannot_be_read_are_named(tmp_path):
    file = tmp_path / "a.png"
    file.write_text("text")
    with (
        file.open() as stream,
        pytest.raises(pictures.PictureError, match='mode "rb". Received'),
    ):
        pictures.read_picture(stream)
    with pytest.raises(pictures.PictureError, match="^file: .* closed file"):
        pictures.read_picture(stream)
    with pytest.raises(pictures.PictureError, match="^file: the file is empty"):
        pictures.read_picture(io.BytesIO())


def test_a_closed_image_is_named(tmp_path):
    noise().save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        pass
    with pytest.raises(pictures.PictureError, match="^image: it is closed"):
        pictures.read_picture(image)


def test_one_picture_is_told_from_many(tmp_path):
    image = np.zeros([2, 2, 3], np.uint8)
    path = tmp_path / "a.png"
    for one in (
        *("a.png", path, b"", bytearray(), memoryview(b""), io.BytesIO()),
        *(noise(), image, image[..., 0], tf.constant(image), tf.constant("")),
        *(pictures.ReadPicture(b""), None),
    ):
        assert pictures.is_picture(one)
    for many in (
        *([path], (path,), tmp_path.glob("*"), (p for p in [path]), {path}),
        *(image[None], tf.constant(image[None]), pd.Series(["a.png"])),
        *(np.array(["a.png"]), []),
    ):
        assert not pictures.is_picture(many)


def test_path_may_be_a_string_or_a_path(tmp_path):
    content = encode(noise(), "PNG")
    file = tmp_path / "a.png"
    file.write_bytes(content)
    assert pictures.read_picture(file) == content
    assert pictures.read_picture(str(file)) == content


@pytest.mark.parametrize(
    ("orientation", "size", "red", "blue"),
    [
        (2, (40, 20), (20, 2), (20, 17)),
        (3, (40, 20), (20, 17), (20, 2)),
        (4, (40, 20), (20, 17), (20, 2)),
        (5, (20, 40), (2, 20), (17, 20)),
        (6, (20, 40), (17, 20), (2, 20)),
        (7, (20, 40), (17, 20), (2, 20)),
        (8, (20, 40), (2, 20), (17, 20)),
    ],
)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_exif_orientation_is_applied(file_format, orientation, size, red, blue):
    content = encode(
        red_above_blue(), file_format, exif=oriented(orientation), quality=95
    )
    read = pictures.read_picture(content)
    assert read[:4] == b"\x89PNG"
    picture = decode(read)
    assert picture.size == size
    assert picture.mode == "RGB"
    assert 0x0112 not in picture.getexif()
    assert_near(picture.getpixel(red), RED)
    assert_near(picture.getpixel(blue), BLUE)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_broken_exif_data_do_not_break_the_picture(file_format):
    content = encode(
        red_above_blue(),
        file_format,
        exif=b"Exif\0\0no TIFF header",
        lossless=True,
    )
    picture = decode(pictures.read_picture(content))
    assert picture.getpixel((20, 2)) == RED
    assert picture.getpixel((20, 17)) == BLUE


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP"])
def test_damaged_exif_data_do_not_keep_a_picture_from_being_turned(file_format):
    exif = oriented(6)
    exif[0x011A] = 72.0
    content = encode(
        red_above_blue(), file_format, exif=exif.tobytes(), quality=95
    )
    fraction, byte = b"\x01\x1a\x00\x05", b"\x01\x1a\x00\x01"
    damaged = content.replace(fraction, byte)
    assert damaged != content
    picture = decode(pictures.read_picture(damaged))
    assert picture.size == (20, 40)
    assert_near(picture.getpixel((17, 20)), RED)


def test_alpha_is_laid_on_white():
    pixels = np.zeros([1, 3, 4], np.uint8)
    pixels[0] = [(0, 0, 255, 0), (0, 0, 255, 128), (0, 0, 255, 255)]
    content = encode(Image.fromarray(pixels), "PNG")
    picture = decode(pictures.read_picture(content))
    assert picture.mode == "RGB"
    assert picture.getpixel((0, 0)) == WHITE
    assert picture.getpixel((1, 0)) == (127, 127, 255)
    assert picture.getpixel((2, 0)) == BLUE


def test_transparent_colour_and_palette_are_laid_on_white():
    colour = encode(red_above_blue(), "PNG", transparency=RED)
    palette = red_above_blue("P")
    index = palette.getpixel((0, 0))
    for content in (
        colour,
        encode(palette, "PNG", transparency=index),
        encode(palette, "GIF", transparency=index),
    ):
        picture = decode(pictures.read_picture(content))
        assert picture.mode == "RGB"
        assert picture.getpixel((5, 5)) == WHITE
        assert picture.getpixel((5, 15)) == BLUE


def test_grey_with_alpha_is_laid_on_white():
    grey = Image.merge("LA", [Image.new("L", (4, 4), c) for c in (0, 51)])
    picture = decode(pictures.read_picture(encode(grey, "PNG")))
    assert picture.getpixel((1, 1)) == (204, 204, 204)


@pytest.mark.parametrize(
    ("file_format", "mode", "options"),
    [
        ("JPEG", "CMYK", {"quality": 95}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGB", {"quality": 95}),
        ("GIF", "P", {}),
        ("BMP", "RGB", {}),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}),
        ("AVIF", "RGB", {"quality": 95}),
        ("PNG", "P", {}),
    ],
)
def test_other_formats_become_rgb_png(file_format, mode, options):
    content = encode(red_above_blue(mode), file_format, **options)
    read = pictures.read_picture(content)
    picture = decode(read)
    assert (picture.format, picture.mode) == ("PNG", "RGB")
    assert_near(picture.getpixel((20, 2)), RED)
    assert_near(picture.getpixel((20, 17)), BLUE)
    np.testing.assert_array_equal(tensorflow_reads(read), np.asarray(picture))


def test_first_frame_of_an_animation_counts():
    frames = [Image.new("P", (8, 8), 0) for _ in range(2)]
    frames[0].putpalette(RED)
    frames[1].putpalette(BLUE)
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(content).n_frames == 2
    picture = decode(pictures.read_picture(content))
    assert picture.getpixel((4, 4)) == RED


def test_bilevel_png_becomes_black_and_white():
    picture = Image.new("1", (4, 2), 0)
    picture.putpixel((3, 1), 1)
    read = decode(pictures.read_picture(encode(picture, "PNG")))
    assert read.getpixel((0, 0)) == (0, 0, 0)
    assert read.getpixel((3, 1)) == WHITE


def test_16_bit_grey_png_keeps_its_greys():
    grey = np.array([[0, 0x4000, 0x8000, 0xFFFF]], np.uint16)
    content = encode(Image.fromarray(grey), "PNG")
    read = np.asarray(decode(pictures.read_picture(content)))
    np.testing.assert_array_equal(read[0, :, 0], [0, 64, 128, 255])


def test_large_pictures_that_are_encoded_again_are_made_smaller():
    content = encode(Image.new("RGB", (2048, 512), RED), "BMP")
    assert decode(pictures.read_picture(content)).size == (1024, 256)


def test_uint8_arrays():
    pixels = np.asarray(noise())
    read = decode(pictures.read_picture(pixels))
    np.testing.assert_array_equal(np.asarray(read), pixels)


def test_grey_arrays():
    grey = np.array([[0, 7, 255]], np.uint8)
    for array in (grey, grey[..., None]):
        read = np.asarray(decode(pictures.read_picture(array)))
        assert read.shape == (1, 3, 3)
        np.testing.assert_array_equal(read[0, :, 1], [0, 7, 255])


def test_arrays_with_alpha_are_laid_on_white():
    array = np.zeros([2, 2, 4])
    read = np.asarray(decode(pictures.read_picture(array)))
    np.testing.assert_array_equal(read, np.full([2, 2, 3], 255))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_arrays_are_in_0_to_1_or_in_0_to_255(dtype):
    """What leaves the range by a little does so by resizing."""
    unit = np.array([[0.0, 0.5, 1.0, 1.05, -0.05]], dtype)
    for array in (unit, unit * 255):
        read = np.asarray(decode(pictures.read_picture(array)))
        np.testing.assert_array_equal(read[0, :, 0], [0, 128, 255, 255, 0])


@pytest.mark.parametrize(
    ("values", "received"),
    [
        ((-1.0, 1.0), "values from -1 to 1; scale them"),
        ((-123.5, 151.0), "values from -123.5 to 151"),
        ((0.0, 1.5), "values from 0 to 1.5"),
        ((0.0, 65535.0), "values from 0 to 65535"),
        ((0.0, np.nan), "values from nan to nan"),
        ((0.0, np.inf), "values from 0 to inf"),
    ],
)
def test_float_arrays_of_another_range_are_refused(values, received):
    with pytest.raises(
        pictures.PictureError,
        match=rf"float in \[0, 1\] or in \[0, 255\]. Received: {received}",
    ):
        pictures.read_picture(np.array([values]))


@pytest.mark.parametrize(
    ("shape", "dtype", "received"),
    [
        ((4, 4, 3), np.int64, r"int64 \(4, 4, 3\)"),
        ((4, 4), bool, r"bool \(4, 4\)"),
        ((4, 4, 2), np.uint8, r"uint8 \(4, 4, 2\)"),
        ((5,), np.float32, r"float32 \(5,\)"),
        ((2, 4, 4, 3), np.uint8, r"uint8 \(2, 4, 4, 3\)"),
        ((2, 4, 1, 3), np.uint8, r"uint8 \(2, 4, 1, 3\)"),
        ((), np.uint8, r"uint8 \(\)"),
        ((0, 4, 3), np.uint8, r"uint8 \(0, 4, 3\)"),
    ],
)
def test_other_arrays_are_refused(shape, dtype, received):
    with pytest.raises(
        pictures.PictureError, match=rf"^array: .*Received: {received}$"
    ):
        pictures.read_picture(np.zeros(shape, dtype))


@pytest.mark.parametrize(
    ("orientation", "size"), [(1, (1024, 536)), (6, (536, 1024))]
)
def test_pil_image_is_read_and_left_alone(orientation, size):
    content = encode(
        Image.new("RGB", (4200, 2200), RED), "JPEG", exif=oriented(orientation)
    )
    image = decode(content)
    read = decode(pictures.read_picture(image))
    assert read.size == size
    assert_near(read.getpixel((100, 100)), RED)
    assert image.size == (4200, 2200)
    assert image.getexif()[0x0112] == orientation


@pytest.mark.parametrize("source", [None, 3, [1, 2], object()])
def test_sources_of_another_type_are_refused(source):
    name = type(source).__name__
    with pytest.raises(TypeError, match=f"a path, .*Received: {name}$"):
        pictures.read_picture(source)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (
            b"Shall I compare thee to a summer's day?\n",
            f"not a {READABLE}",
        ),
        (b"\xff\xd8\xff", f"not a {READABLE}, but a JPEG that is broken"),
        (b"%PDF-1.7", "but a PDF; save its page as a JPEG or PNG$"),
        (b"\n<!DOCTYPE html>", "but a web page; save the picture itself$"),
        (b"\0\0\0\x18ftypmp42\0\0", "but a video, or an AVIF or HEIC"),
        (encode(noise().convert("F"), "TIFF"), "8 or 16 bits .*Received: 32"),
        (truncated("TIFF"), "broken or truncated|but"),
        (truncated("AVIF"), "broken or truncated"),
        (truncated("JPEG", 0.8), "broken or truncated"),
        (encode(noise(), "JPEG")[:-2], "broken or truncated"),
        (truncated("PNG"), "broken or truncated"),
        (encode(noise(), "PNG")[:-12], "broken or truncated"),
        (encode(noise(), "PNG")[:-3], "broken or truncated"),
        (truncated("GIF", 0.8), "broken or truncated"),
        (truncated("BMP"), "broken or truncated"),
        (truncated("WEBP", 0.8), "broken|not a JPEG"),
        (png(60000, 60000, 8, 2), "broken or truncated .8 bytes for 108000"),
        (png(0, 7, 8, 2), f"not a {READABLE}, but a PNG that is broken"),
        (
            png(13000, 13000, 1, 0, bytes(13000 * 1626)),
            "13000 x 13000 is too large, expected at most 120000000 pixels",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else f"{len(value)} bytes",
)
def test_what_is_no_usable_picture_is_named(tmp_path, content, reason):
    file = tmp_path / "holiday.jpg"
    file.write_bytes(content)
    for source, name in ((file, str(file)), (content, "picture")):
        with pytest.raises(pictures.PictureError, match=reason) as caught:
            pictures.read_picture(source)
        message = str(caught.value)
        assert message.startswith(f"{name}: ")
        assert "\n" not in message


def test_a_picture_of_as_many_pixels_as_allowed_is_read():
    content = png(12000, 10000, 1, 0, bytes(10000 * 1501))
    assert decode(pictures.read_picture(content)).size == (1024, 853)


def test_missing_file_is_named():
    with pytest.raises(
        pictures.PictureError,
        match="^no/such/photo.jpg: No such file or directory$",
    ):
        pictures.read_picture("no/such/photo.jpg")


def test_folder_is_no_picture(tmp_path):
    with pytest.raises(pictures.PictureError, match="Is a directory$"):
        pictures.read_picture(tmp_path)


def test_what_was_read_is_not_read_again():
    read = pictures.ReadPicture(b"as it was")
    assert pictures.read_picture(read) == b"as it was"


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF"])
def test_a_picture_may_be_as_large_as_the_caller_says(file_format):
    content = encode(noise(20, 10), file_format)
    assert pictures.read_picture(content, 200)
    with pytest.raises(
        pictures.PictureError,
        match="^picture: 20 x 10 is too large, expected at most 199 pix",
    ):
        pictures.read_picture(content, 199)


def test_picture_error_is_a_value_error():
    assert issubclass(pictures.PictureError, ValueError)


def test_thumbnail_is_a_small_jpeg():
    content = encode(red_above_blue().resize((1200, 600)), "PNG")
    small = decode(picture_files.thumbnail(content, 300))
    assert (small.format, small.mode, small.size) == (
        "JPEG",
        "RGB",
        (300, 150),
    )
    assert_near(small.getpixel((150, 20)), RED)


def test_thumbnail_does_not_enlarge():
    content = encode(noise(48, 32).convert("L"), "PNG")
    assert decode(picture_files.thumbnail(content, 960)).size == (48, 32)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_large_png_are_made_smaller_since_no_decoder_does_it(file_format):
    content = encode(Image.new("RGB", (2400, 2048), RED), file_format)
    read = pictures.read_picture(content)
    assert (read == content) == (file_format == "JPEG")
    assert file_format == "JPEG" or decode(read).size == (1024, 874)
    content = encode(Image.new("RGB", (2400, 2047), RED), file_format)
    assert pictures.read_picture(content) == content


def test_thumbnail_of_a_very_large_picture_warns_of_nothing():
    content = encode(Image.new("1", (12000, 8000)), "PNG")
    assert decode(pictures.read_picture(content)).size == (1024, 683)
    assert decode(picture_files.thumbnail(content, 100)).size == (100, 67)


# --- find_pictures


@pytest.fixture
def album(tmp_path, monkeypatch):
    """b.jpg, a.PNG, notes.txt, 2024/c.webp, 2024/may/d.gif, 2024/e[1].bmp"""
    monkeypatch.chdir(tmp_path)
    for name in (
        "b.jpg",
        "a.PNG",
        "notes.txt",
        "2024/c.webp",
        "2024/may/d.gif",
        "2024/e[1].bmp",
        "empty/readme",
        ".thumbnails/b.jpg",
        "2024/.c/e.webp",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path


def found(*patterns):
    return [path.as_posix() for path in pictures.find_pictures(patterns)]


def test_folder_stands_for_its_pictures_at_any_depth(album):
    expected = ["2024/c.webp", "2024/e[1].bmp", "2024/may/d.gif"]
    assert found(".") == [*expected, "a.PNG", "b.jpg"]
    assert found("2024/") == expected
    assert found(str(album)) == [
        f"{album}/{name}" for name in (*expected, "a.PNG", "b.jpg")
    ]


@pytest.mark.parametrize(
    "name",
    ["a.jfif", "a.jpe", "a.heic", "a.HEIF", "a.avif", "a.tif", "a.TIFF"],
)
def test_suffixes_of_phones_scanners_and_browsers(tmp_path, name):
    (tmp_path / name).touch()
    assert found(str(tmp_path)) == [f"{tmp_path}/{name}"]


def test_what_is_left_out_of_a_folder_is_counted(album, caplog):
    found(".", "b.jpg")
    assert caplog.messages == [
        ".: files left out that are no pictures by their suffix: 2 (readme "
        "1, .txt 1)"
    ]


def test_glob(album):
    assert found("*.jpg") == ["b.jpg"]
    assert found("**/*.gif") == ["2024/may/d.gif"]
    assert found("?.*") == ["a.PNG", "b.jpg"]
    assert found(f"{album}/2024/*.webp") == [f"{album}/2024/c.webp"]
    assert found("*") == ["a.PNG", "b.jpg", "notes.txt"]


def test_file_whose_name_looks_like_a_glob(album):
    assert found("2024/e[1].bmp") == ["2024/e[1].bmp"]


def test_file_that_is_named_twice_comes_once_in_the_first_place(album):
    assert found("b.jpg", "./b.jpg", "*.jpg", "2024/may", "2024") == [
        "b.jpg",
        "2024/may/d.gif",
        "2024/c.webp",
        "2024/e[1].bmp",
    ]


def test_what_matches_nothing_is_passed_on(album):
    long_name = "x" * 300 + ".jpg"
    names = ["no.jpg", "*.tif", "empty", "-", "notes.txt", long_name]
    assert found(*names) == names
    with pytest.raises(pictures.PictureError, match="File name too long"):
        pictures.read_picture(pathlib.Path(long_name))
