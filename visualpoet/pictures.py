"""Photographs as people have them: any format, any way up, maybe broken."""

import dataclasses
import io
import os
import pathlib
import warnings
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
from PIL import Image

from visualpoet.features.photographs import SUFFIXES

MAX_PIXELS = 120_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
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


class PictureError(ValueError):
    """A picture that cannot be used; the message says which and why."""


@dataclasses.dataclass(frozen=True)
class ReadPicture:
    """A picture that was read, to be written for without a second reading.

    Attributes:
        content: What `read_picture` returned.
    """

    content: bytes


PictureSource = (
    str | pathlib.Path | bytes | Image.Image | np.ndarray | ReadPicture
)


def read_picture(source: PictureSource, max_pixels: int = MAX_PIXELS) -> bytes:
    """Returns encoded bytes that the poet can decode.

    JPEG and PNG files that are upright and grey or RGB pass as they are, so
    that every interface sees the same bytes. Everything else is turned
    upright, laid on white where it is transparent, made RGB and encoded as
    PNG.

    Args:
        source: A path, encoded bytes, a PIL image, or an array: uint8
            `[H, W]`, `[H, W, 3]` or `[H, W, 4]`, or float of the same shapes
            in [0, 1].
        max_pixels: Width times height of encoded pictures, at most.

    Returns:
        JPEG or PNG bytes.

    Raises:
        PictureError: If it is missing, no picture, truncated, or too large.
        TypeError: If the source is of another type.
    """
    if isinstance(source, ReadPicture):
        return source.content
    if isinstance(source, Image.Image):
        return _encode(source, "image")
    if isinstance(source, np.ndarray):
        return _encode(_from_array(source), "array")
    if isinstance(source, bytes):
        return _check(source, "picture", max_pixels)
    if isinstance(source, str | pathlib.Path):
        content = _read_file(pathlib.Path(source))
        return _check(content, str(source), max_pixels)
    raise TypeError(
        "expected a path, bytes, a PIL image or an array. Received: "
        f"{type(source).__name__}"
    )


def _read_file(path: pathlib.Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path}: {error.strerror}") from error


def to_decodable(content: bytes, max_pixels: int) -> bytes:
    """Returns what the graph may decode, without a look at all of it.

    Args:
        content: Encoded picture.
        max_pixels: Width times height, at most.

    Returns:
        JPEG and PNG as they are, other formats as PNG: frames of a GIF would
        all be decoded by the graph, however many there are.

    Raises:
        PictureError: If it is no picture or too large; if it is broken, where
            it is neither JPEG nor PNG.
    """
    image = _open(content, "picture", max_pixels)
    if image.format in ("JPEG", "MPO", "PNG"):
        return content
    return _encode(image, "picture")


def to_png(content: bytes) -> bytes:
    """Encodes a picture again, which Pillow reads and another reader may not.

    Args:
        content: What `read_picture` returned.

    Returns:
        PNG bytes.
    """
    return _encode(_open(content, "picture"), "picture")


def _from_array(array: np.ndarray) -> Image.Image:
    is_float = np.issubdtype(array.dtype, np.floating)
    channels = array.shape[2] if array.ndim == 3 else 1
    if (
        not (is_float or array.dtype == np.uint8)
        or array.ndim not in (2, 3)
        or channels not in (1, 3, 4)
        or not array.size
    ):
        raise PictureError(
            "array: expected uint8 (or float in [0, 1]) of shape [H, W], "
            f"[H, W, 3] or [H, W, 4]. Received: {array.dtype} {array.shape}"
        )
    if is_float:
        array = np.clip(np.nan_to_num(array), 0.0, 1.0)
        array = (array * 255.0 + 0.5).astype(np.uint8)
    return Image.fromarray(
        array.squeeze(2) if array.shape[2:] == (1,) else array
    )


def _open(
    content: bytes, name: str, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    if not content:
        raise PictureError(f"{name}: the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of size and of broken EXIF data
            image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise PictureError(f"{name}: too large ({error})") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureError(
            f"{name}: not a JPEG, PNG, WebP, GIF or BMP picture"
        ) from error
    width, height = image.size
    if width * height > max_pixels:
        raise PictureError(
            f"{name}: {width} x {height} is too large, expected at most "
            f"{max_pixels} pixels"
        )
    return image


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
    # A part of the size of a JPEG is enough, to check it as to encode it.
    image.draft("RGB", (_LARGEST_SIDE, _LARGEST_SIDE))
    if upright and plain and "transparency" not in image.info:
        _load(image, name)
        return content
    return _encode(image, name)


def _load(image: Image.Image, name: str) -> None:
    _attempt(image.load, name)


def _attempt(read: Callable[[], object], name: str) -> None:
    try:
        read()
    except (OSError, ValueError, SyntaxError, MemoryError) as error:
        raise PictureError(f"{name}: broken or truncated ({error})") from error


def _orientation(image: Image.Image) -> int:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return image.getexif().get(_ORIENTATION, 1)
    except Exception:  # of many kinds; without EXIF data it is a picture still
        return 1


def _encode(image: Image.Image, name: str) -> bytes:
    _load(image, name)
    turn = _TURNS.get(_orientation(image))
    image = image.copy() if turn is None else image.transpose(turn)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
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
        content: What `read_picture` returned.
        side: Its longer side in pixels, at most.

    Returns:
        JPEG bytes.
    """
    image = _open(content, "picture")
    image.thumbnail((side, side))  # of a JPEG it decodes a part
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "JPEG", quality=85)
    return stream.getvalue()


def find_pictures(patterns: Sequence[str]) -> Iterator[pathlib.Path]:
    """Names the files meant by files, folders and globs.

    Args:
        patterns: A folder stands for the pictures at any depth in it. What
            matches nothing is passed on, so that it is reported by name.

    Yields:
        Paths; a file that is named twice comes once.
    """
    seen = set()
    for pattern in patterns:
        for path in _expand(pattern):
            if path not in seen:
                seen.add(path)
                yield path


def _expand(pattern: str) -> list[pathlib.Path]:
    path = pathlib.Path(pattern)
    # Not path.is_dir() and path.exists(), which raise where a name is too long
    # or a folder may not be entered.
    if os.path.isdir(pattern):
        files = sorted(p for p in path.rglob("*") if p.is_file())
        return [p for p in files if p.suffix.lower() in SUFFIXES] or [path]
    if os.path.exists(pattern) or not any(sign in pattern for sign in "*?["):
        return [path]
    root = pathlib.Path(path.anchor) if path.anchor else pathlib.Path()
    relative = str(path.relative_to(path.anchor)) if path.anchor else pattern
    try:
        found = [p for p in root.glob(relative) if p.is_file()]
    except ValueError:  # `**` within a name
        found = []
    return sorted(found) or [path]
