import base64
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.tiny import decode
from tests.tiny import encode
from visualpoet import pictures
from visualpoet.features import images
from visualpoet.features import picture_files
from visualpoet.features import png_chunks

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
# 64 x 32 pixels, the upper half red, the lower half blue.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAb5tZXRhAAAAAAAAACFoZGxyAAAAAA"
    "AAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRpbG9jAAAAAERAAAIAAQAAAAAB4gABAAAAAAAA"
    "AKYAAgAAAAACiAABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABodm"
    "MxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBj"
    "bwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAA"
    "MAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAA"
    "AwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAE"
    "AAAAAoY2xhcAAAAEAAAAABAAAAIAAAAAEAAAAAAAAAAv///+AAAAACAAAAEHBpeGkAAAAA"
    "AwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQ"
    "ABAAAA0m1kYXQAAACiKAGvCeAhOTQf//I7v//ysHZfvEeqFIo/+8Zor/DzuP/ZLVzsxRWI"
    "+6VFOJw97VHVaCGBH3O1SsVMFntUDQ7KwpKb73q3D91G0/CMVc2sD8KryzzpyJY/P3Ecqn"
    "2Qi88riXuEIlMcxYl1h2EbfMaeRxiAD3zyo/X+t+n+oc7o6mDtY+DvpT6QMJHdClViwU1f"
    "jULanCgHAnGYCBQ91vrYPoiwAAAABkV4aWYAAE1NACoAAAAIAAEBEgADAAAAAQABAAAAAA"
    "AA"
)


def red_above_blue():
    picture = Image.new("RGB", (64, 32), RED)
    picture.paste(BLUE, (0, 16, 64, 32))
    return picture


def assert_near(pixel, expected):
    assert np.abs(np.subtract(pixel, expected)).max() <= 6, pixel


def chunk(kind, content, check_sum=None):
    if check_sum is None:
        check_sum = zlib.crc32(kind + content)
    size = struct.pack(">I", len(content))
    return size + kind + content + struct.pack(">I", check_sum)


def with_chunk(content, added, place=33):
    """After the header by default."""
    return content[:place] + added + content[place:]


LARGE_TEXT = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2 << 20)))
WRONG_TIME = chunk(b"tIME", bytes(7), check_sum=1)
WRONG_PROFILE = chunk(b"iCCP", b"name\0\0" + bytes(40), check_sum=2)
WRONG_TEXT = chunk(b"iTXt", b"no text", check_sum=3)


def test_heic():
    picture = decode(picture_files.make_upright(HEIC, "photo.heic"))
    assert (picture.format, picture.size) == ("PNG", (64, 32))
    assert_near(picture.getpixel((30, 4)), RED)
    assert_near(picture.getpixel((30, 28)), BLUE)


def test_half_a_heic_is_named():
    with pytest.raises(picture_files.PictureError, match="^a.heic: .*broken"):
        picture_files.make_upright(HEIC[: len(HEIC) // 2], "a.heic")


def test_tiff_is_turned_upright():
    content = encode(red_above_blue(), "TIFF", tiffinfo={0x0112: 6})
    picture = decode(picture_files.make_upright(content, "scan.tif"))
    assert picture.size == (32, 64)
    assert picture.getpixel((30, 30)) == RED
    assert picture.getpixel((2, 30)) == BLUE


@pytest.mark.parametrize(
    "remark", [LARGE_TEXT, WRONG_TIME, WRONG_PROFILE, WRONG_TEXT]
)
@pytest.mark.parametrize("place", [33, -12], ids=["first", "last"])
def test_png_whose_remarks_are_damaged_or_large_are_pictures(remark, place):
    content = encode(red_above_blue(), "PNG")
    damaged = with_chunk(content, remark, place)
    if remark == LARGE_TEXT:
        with pytest.raises(ValueError):
            decode(damaged).load()
    read = picture_files.make_upright(damaged, "a.png")
    np.testing.assert_array_equal(
        tf.io.decode_png(read), np.asarray(red_above_blue())
    )


def test_transparency_stays_where_remarks_are_left_out():
    content = encode(red_above_blue(), "PNG", transparency=RED)
    read = picture_files.make_upright(with_chunk(content, WRONG_TIME), "a.png")
    assert decode(read).getpixel((2, 2)) == WHITE
    assert decode(read).getpixel((2, 30)) == BLUE


def test_png_whose_pixels_are_damaged_is_none():
    content = bytearray(encode(red_above_blue(), "PNG"))
    content[content.index(b"IDAT") + 8] ^= 255
    with pytest.raises(picture_files.PictureError, match="^a.png: broken"):
        picture_files.make_upright(bytes(content), "a.png")


def test_without_remarks():
    content = encode(red_above_blue(), "PNG")
    for place in (33, -12):
        longer = with_chunk(content, LARGE_TEXT, place) + b"more"
        assert png_chunks.without_remarks(longer) == content
    for other in (content, content[:50], content[:8], b"", HEIC):
        assert png_chunks.without_remarks(other) == other


def bmp(pixels):
    """With a mask for alpha in its header, as Windows writes it."""
    height, width, _ = pixels.shape
    masks = (0xFF << 16, 0xFF << 8, 0xFF, 0xFF << 24)
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, *[0] * 5)
    header += struct.pack("<4I", *masks) + bytes(52)
    rows = pixels[::-1, :, [2, 1, 0, 3]].tobytes()
    size = 14 + len(header) + len(rows)
    return struct.pack("<2sIII", b"BM", size, 0, 122) + header + rows


def test_bmp_whose_alpha_is_nowhere_is_opaque():
    pixels = np.zeros([4, 4, 4], np.uint8)
    pixels[..., 2] = 255
    assert decode(bmp(pixels)).mode == "RGBA"
    picture = decode(picture_files.make_upright(bmp(pixels), "sea.bmp"))
    assert picture.getpixel((1, 1)) == BLUE
    pixels[0, 0, 3] = 255
    picture = decode(picture_files.make_upright(bmp(pixels), "sea.bmp"))
    assert picture.getpixel((0, 0)) == BLUE
    assert picture.getpixel((1, 1)) == WHITE


def on_its_side():
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(red_above_blue(), "JPEG", exif=exif, quality=95)


def cut_out():
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    picture.paste(BLUE, (0, 32, 64, 64))
    return encode(picture, "PNG")


@pytest.mark.parametrize("content", [on_its_side(), cut_out(), HEIC])
def test_training_sees_what_writing_sees(content):
    trained = picture_files.make_upright(content, "a")
    assert trained == pictures.read_picture(content)
    assert images.load_view(trained, 32, 0).shape == (32, 32, 3)
