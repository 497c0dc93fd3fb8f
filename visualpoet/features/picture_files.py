"""Encoded pictures of any format, any way up, maybe broken.

What is read for writing and for training comes through here: one place turns
a picture upright and lays it on white.
"""

import base64
import functools
import io
import warnings
from collections.abc import Callable

import numpy as np
from PIL import Image

from visualpoet.features import picture_bounds
from visualpoet.features.picture_bounds import MAX_PIXELS
from visualpoet.features.picture_bounds import PictureError
from visualpoet.features.png_chunks import without_remarks

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
_READABLE = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC picture"
_ORIENTATION = 0x0112
# What turns a picture upright, by its EXIF orientation. ImageOps.exif_transpose
# writes the EXIF data again, too, and fails where they are damaged.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PNG_END = b"IEND\xaeB`\x82"
_LARGEST_SIDE = 1024
# How files begin that are taken for pictures, and are none or cannot be read.
_BEGINNINGS = (
    (b"\xff\xd8\xff", "a JPEG that is broken or truncated"),
    (b"\x89PNG", "a PNG that is broken or truncated"),
    (b"GIF8", "a GIF that is broken or truncated"),
    (b"RIFF", "a WebP that is broken or truncated, or a sound or a video"),
    (b"%PDF", "a PDF; save its page as a JPEG or PNG"),
    (b"\xff\x0a", "a JPEG XL; save it as a JPEG or PNG"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL; save it as a JPEG or PNG"),
    (b"<svg", "an SVG drawing; save it as a PNG"),
    (b"<?xml", "XML, maybe an SVG drawing; save it as a PNG"),
    (b"<!doctype html", "a web page; save the picture itself"),
    (b"<html", "a web page; save the picture itself"),
    (b"version https://git-lfs", "a Git LFS pointer; try `git lfs pull`"),
)


def make_upright(
    content: bytes, name: str, max_pixels: int = MAX_PIXELS
) -> bytes:
    """Returns the bytes that networks and people see in the same way.

    JPEG and PNG files that are upright and grey or RGB pass as they are, but
    for PNG of 2,048 pixels or more on the shorter side. Everything else is
    turned upright, laid on white where it is transparent, made RGB and of at
    most 1,024 pixels a side, and encoded as PNG.

    Args:
        content: Encoded picture.
        name: Of the picture, for errors.
        max_pixels: Width times height, at most.

    Returns:
        JPEG or PNG bytes.

    Raises:
        PictureError: If it is no picture, truncated, too large, or takes too
            long to decode.
    """
    picture_bounds.check_cost(content, name, max_pixels)
    try:
        return _check(content, name, max_pixels)
    except PictureError:
        bare = without_remarks(content)
        if bare == content:
            raise
    return _check(bare, name, max_pixels)


def to_png(content: bytes) -> bytes:
    """Encodes a picture again, which Pillow reads and another reader may not.

    Args:
        content: What `make_upright` returned.

    Returns:
        PNG bytes.
    """
    return encode(_open(content, "picture"), "picture")


@functools.cache
def _know_heif() -> None:
    import pi_heif  # tens of milliseconds

    pi_heif.register_heif_opener()


def _open(
    content: bytes, name: str, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    if not content:
        raise PictureError(f"{name}: the file is empty")
    _know_heif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of size and of broken EXIF data
            image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise PictureError(f"{name}: too large ({error})") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureError(
            f"{name}: not a {_READABLE}{_name_kind(content)}"
        ) from error
    picture_bounds.check_size(image.size, name, max_pixels)
    return image


def _name_kind(content: bytes) -> str:
    """What it is instead, where that is plain."""
    start = content[:64].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning) or start.startswith(beginning):
            return f", but {kind}"
    if content[4:8] == b"ftyp":
        return ", but a video, or an AVIF or HEIC that is broken or truncated"
    return ""


def _check(content: bytes, name: str, max_pixels: int) -> bytes:
    image = _open(content, name, max_pixels)
    if image.format == "PNG":
        # TensorFlow wants every check sum to the last; Pillow does not.
        _attempt(image.verify, name)
        if _PNG_END not in content:
            raise PictureError(f"{name}: broken or truncated (no end)")
        image = _open(content, name, max_pixels)  # Pillow wants it anew
    if image.format not in ("JPEG", "MPO"):
        _load(image, name)  # the EXIF data may come after the pixels
    upright = _orientation(image) == 1
    plain = image.format in ("JPEG", "PNG") and image.mode in ("RGB", "L")
    # A large JPEG is decoded at a part of its size, a PNG cannot be.
    plain &= image.format != "PNG" or min(image.size) < 2 * _LARGEST_SIDE
    # A part of the size of a JPEG is enough, to check it as to encode it.
    image.draft("RGB", (_LARGEST_SIDE, _LARGEST_SIDE))
    if upright and plain and "transparency" not in image.info:
        _load(image, name)
        return content
    return encode(image, name)


def _load(image: Image.Image, name: str) -> None:
    _attempt(image.load, name)


def _attempt(read: Callable[[], object], name: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read()
    except AssertionError as error:  # what Pillow says of a closed image
        raise PictureError(
            f"{name}: it is closed; use it inside its `with` block"
        ) from error
    except (OSError, ValueError, SyntaxError, MemoryError) as error:
        raise PictureError(f"{name}: broken or truncated ({error})") from error


def _orientation(image: Image.Image) -> int:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return image.getexif().get(_ORIENTATION, 1)
    except Exception:  # of many kinds; without EXIF data it is a picture still
        return 1


def encode(image: Image.Image, name: str) -> bytes:
    """Encodes an image as `make_upright` would its file.

    Args:
        image: It is left as it is.
        name: Of the picture, for errors.

    Returns:
        PNG bytes.

    Raises:
        PictureError: If it is broken or closed, or has more than 16 bits a
            channel.
    """
    _load(image, name)
    if image.mode in ("I", "F"):
        raise PictureError(
            f"{name}: expected 8 or 16 bits a channel. Received: 32; save it "
            "with 8"
        )
    turn = _TURNS.get(_orientation(image))
    is_bmp = image.format == "BMP"
    image = image.copy() if turn is None else image.transpose(turn)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if is_bmp and image.mode == "RGBA" and not image.getchannel(3).getbbox():
        image = image.convert("RGB")  # its fourth byte means nothing
    image.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def thumbnail(content: bytes, side: int) -> bytes:
    """Makes a small JPEG to show beside a poem.

    Args:
        content: What `make_upright` returned.
        side: Its longer side in pixels, at most.

    Returns:
        JPEG bytes.
    """
    image = _open(content, "picture")
    image.thumbnail((side, side))  # of a JPEG it decodes a part
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "JPEG", quality=85)
    return stream.getvalue()


def spell_thumbnail(content: bytes, side: int) -> str:
    """Makes a small JPEG for a page that holds its own pictures.

    Args:
        content: As for `thumbnail`.
        side: As for `thumbnail`.

    Returns:
        The JPEG in base64.
    """
    return base64.b64encode(thumbnail(content, side)).decode()
