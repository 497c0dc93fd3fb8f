"""Photographs as people have them: files, bytes, images, arrays, folders."""

import dataclasses
import logging
import os
import pathlib
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import IO
from typing import Any
from typing import Protocol

import numpy as np
from PIL import Image

from visualpoet.corpus.folders import count_skipped
from visualpoet.corpus.folders import is_hidden
from visualpoet.corpus.folders import is_there
from visualpoet.features.photographs import SUFFIXES
from visualpoet.features.picture_files import MAX_PIXELS
from visualpoet.features.picture_files import PictureError
from visualpoet.features.picture_files import encode
from visualpoet.features.picture_files import make_upright

# Values of a picture that was resized leave their range by so much.
_OVERSHOOT = 0.1
_log = logging.getLogger(__name__)


class ArrayLike(Protocol):
    """What NumPy can read, as a `tf.Tensor`."""

    def __array__(self) -> np.ndarray: ...


@dataclasses.dataclass(frozen=True)
class ReadPicture:
    """A picture that was read, to be written for without a second reading.

    Attributes:
        content: What `read_picture` returned.
    """

    content: bytes


PictureSource = (
    str
    | os.PathLike
    | bytes
    | bytearray
    | memoryview
    | IO[bytes]
    | Image.Image
    | np.ndarray
    | ArrayLike
    | ReadPicture
)


def is_picture(source: Any) -> bool:
    """Returns whether something is one picture, and not many of them.

    Args:
        source: A `PictureSource`, or an iterable of them: a list, a generator,
            a Series of paths, an array `[N, H, W, 3]`.

    Returns:
        Whether it is no such iterable.
    """
    if isinstance(source, str | bytes | bytearray | memoryview):
        return True
    if hasattr(source, "__array__"):
        return np.ndim(source) not in (1, 4)
    return hasattr(source, "read") or not isinstance(source, Iterable)


def read_picture(source: PictureSource, max_pixels: int = MAX_PIXELS) -> bytes:
    """Returns encoded bytes that the poet can decode.

    Every interface sees the same bytes (see `features.picture_files`).

    Args:
        source: A path, encoded bytes, a file that is open for reading bytes,
            a PIL image, or an array or tensor: uint8 `[H, W]`, `[H, W, 3]` or
            `[H, W, 4]`, or float of the same shapes in [0, 1], or in [0, 255]
            if a value is above 1.
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
        return encode(source, "image")
    if isinstance(source, str | os.PathLike):
        return make_upright(_read_path(source), os.fspath(source), max_pixels)
    if isinstance(source, bytes | bytearray | memoryview):
        return make_upright(bytes(source), "picture", max_pixels)
    if hasattr(source, "__array__"):
        return _read_array(np.asarray(source), max_pixels)
    if hasattr(source, "read"):
        return make_upright(_read_file(source), "file", max_pixels)
    raise TypeError(
        "expected a path, bytes, an open file, a PIL image or an array. "
        f"Received: {type(source).__name__}"
    )


def _read_path(path: str | os.PathLike) -> bytes:
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise PictureError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # a NUL in it
        raise PictureError(f"{path!r}: {error}") from error


def _read_file(file: IO[bytes]) -> bytes:
    try:
        if file.seekable():
            file.seek(0)
        content = file.read()
    except (OSError, ValueError) as error:
        raise PictureError(f"file: {error}") from error
    if isinstance(content, str):
        raise PictureError(
            'file: expected one that is open for reading bytes, mode "rb". '
            "Received: one for texts"
        )
    return content


def _read_array(array: np.ndarray, max_pixels: int) -> bytes:
    if not array.ndim and isinstance(array.item(), bytes):  # tf.io.read_file
        return make_upright(array.item(), "picture", max_pixels)
    return encode(_from_array(array), "array")


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
            "array: expected uint8 (or float in [0, 1] or [0, 255]) of shape "
            f"[H, W], [H, W, 3] or [H, W, 4]. Received: {array.dtype} "
            f"{array.shape}"
        )
    if is_float:
        array = _to_uint8(array)
    return Image.fromarray(
        array.squeeze(2) if array.shape[2:] == (1,) else array
    )


def _to_uint8(array: np.ndarray) -> np.ndarray:
    low, high = float(array.min()), float(array.max())
    scale = 1.0 if high < 2.0 else 255.0
    margin = _OVERSHOOT * scale
    if not (-margin <= low and high <= scale + margin):  # so is NaN
        raise PictureError(
            "array: expected float in [0, 1] or in [0, 255]. Received: values "
            f"from {low:g} to {high:g}; scale them"
        )
    scaled = array.astype(np.float64) * (255.0 / scale)
    return (np.clip(scaled, 0.0, 255.0) + 0.5).astype(np.uint8)


def find_pictures(patterns: Sequence[str]) -> Iterator[pathlib.Path]:
    """Names the files meant by files, folders and globs.

    Hidden files of a folder are left out; others that are no pictures by their
    suffix are counted in the log.

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
        return _list_folder(path) or [path]
    if os.path.exists(pattern) or not any(sign in pattern for sign in "*?["):
        return [path]
    root = pathlib.Path(path.anchor) if path.anchor else pathlib.Path()
    relative = str(path.relative_to(path.anchor)) if path.anchor else pattern
    try:
        found = [p for p in root.glob(relative) if p.is_file()]
    except ValueError:  # `**` within a name
        found = []
    return sorted(found) or [path]


def _list_folder(folder: pathlib.Path) -> list[pathlib.Path]:
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if not is_hidden(path.relative_to(folder)) and is_there(path)
    ]
    skipped = [path for path in files if path.suffix.lower() not in SUFFIXES]
    if skipped:
        said = count_skipped(skipped, "no pictures by their suffix")
        _log.warning("%s: %s", folder, said)
    return [path for path in files if path.suffix.lower() in SUFFIXES]
