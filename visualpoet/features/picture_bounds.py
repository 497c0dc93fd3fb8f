"""What decoding may cost, told by the structure of a file before it begins."""

import re
import struct
from collections.abc import Iterator

MAX_PIXELS = 120_000_000
_MAX_SIDE = 65_535  # what a JPEG can have
_MAX_SEGMENTS = 4000
_MAX_SCANS = 100  # as libvips; encoders write about ten
# Each scan of a progressive JPEG goes over all of its pixels.
_SCANS_OF_LARGEST = 12
_MAX_CHUNKS = 10_000  # and one more each kilobyte of pixels
_SMALLEST_CHUNK = 1024
_DEFLATE_RATIO = 1032  # zlib packs no more zeros into a byte
_ENOUGH_DATA = 65_536
_PIXELS_OF_A_BYTE = 512  # a block of 8 x 8 takes a bit or more
_PNG_START = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Stuffed bytes, restarts and fill bytes are none.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
_START_OF_SCAN, _END = 0xDA, 0xD9
_HUFFMAN_FRAMES = (0xC0, 0xC1, 0xC2)


class PictureError(ValueError):
    """A picture that cannot be used; the message says which and why."""


class TooLargeError(PictureError):
    """A picture that takes more than it may, and could where more is let."""


def check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    """Refuses what has too many pixels, or a side of too many.

    Args:
        size: Width and height.
        name: Of the picture, for errors.
        max_pixels: Width times height, at most.

    Raises:
        PictureError: If it is too large.
    """
    width, height = size
    if width * height > max_pixels:
        raise TooLargeError(
            f"{name}: {width} x {height} is too large, expected at most "
            f"{max_pixels} pixels"
        )
    if max(size) > _MAX_SIDE:
        raise PictureError(
            f"{name}: {width} x {height} is too long, expected sides of at "
            f"most {_MAX_SIDE} pixels"
        )


def check_cost(content: bytes, name: str, max_pixels: int) -> None:
    """Refuses JPEG and PNG files that take long, whatever their size.

    What is broken is left to whoever decodes it.

    Args:
        content: Encoded picture.
        name: Of the picture, for errors.
        max_pixels: Width times height, at most.

    Raises:
        PictureError: If it has too many parts or scans, or far more or less
            data than its pixels take.
    """
    try:
        if content.startswith(_PNG_START):
            _check_png(content, name)
        elif content.startswith(b"\xff\xd8"):
            _check_jpeg(content, name, max_pixels)
    except struct.error:  # it ends within a header
        return


def _check_jpeg(content: bytes, name: str, max_pixels: int) -> None:
    scans = pixels = 0
    for number, (kind, place) in enumerate(_find_segments(content), 1):
        scans += kind == _START_OF_SCAN
        if kind in _HUFFMAN_FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 3)
            pixels = width * height
        if number > _MAX_SEGMENTS or scans > _MAX_SCANS:
            raise PictureError(
                f"{name}: expected at most {_MAX_SCANS} scans and "
                f"{_MAX_SEGMENTS} segments. Received: a JPEG of more; save it "
                "again"
            )
    if scans * pixels > _SCANS_OF_LARGEST * max_pixels:
        raise TooLargeError(
            f"{name}: {scans} scans are too many for a JPEG of {pixels} "
            "pixels; save it again as a baseline JPEG"
        )
    if pixels > max(_ENOUGH_DATA, len(content)) * _PIXELS_OF_A_BYTE:
        raise PictureError(
            f"{name}: broken or truncated ({len(content)} bytes for {pixels} "
            "pixels)"
        )


def _find_segments(content: bytes) -> Iterator[tuple[int, int]]:
    """Kind of each segment of a JPEG, and where its length stands."""
    kind, place = None, 0
    while kind != _END and (found := _JPEG_MARKER.search(content, place)):
        kind, place = found[1][0], found.end()
        yield kind, place
        place += int.from_bytes(content[place : place + 2], "big")


def _check_png(content: bytes, name: str) -> None:
    data = expected = 0
    for number, (kind, place, size) in enumerate(_find_chunks(content), 1):
        if kind == b"IHDR":
            expected = _raw_bytes(*struct.unpack_from(">IIBB", content, place))
        if kind == b"IDAT":
            data += min(size, len(content) - place)
        if number > _MAX_CHUNKS + data // _SMALLEST_CHUNK:
            raise PictureError(
                f"{name}: expected at most {_MAX_CHUNKS} chunks. Received: a "
                "PNG of more; save it again"
            )
    if not expected:
        return
    if data > 4 * expected + _ENOUGH_DATA:
        raise PictureError(
            f"{name}: expected about {expected} bytes of pixels. Received: a "
            f"PNG with {data}, and they are compressed"
        )
    if (data + 1) * _DEFLATE_RATIO < expected:
        raise PictureError(
            f"{name}: broken or truncated ({data} bytes for {expected} of "
            "pixels)"
        )


def _find_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place and size of what each chunk of a PNG holds."""
    kind, place = b"", len(_PNG_START)
    while place < len(content) and kind != b"IEND":
        size, kind = struct.unpack_from(">I4s", content, place)
        yield kind, place + 8, size
        place += size + 12


def _raw_bytes(width: int, height: int, depth: int, colour: int) -> int:
    """Of all rows, each with the byte that names its filter."""
    row = (width * depth * _CHANNELS.get(colour, 4) + 7) // 8 + 1
    return row * height
