"""Small pictures that would take long to decode, made once a process."""

import functools
import io
import struct
import zlib

from PIL import Image

PNG_START = b"\x89PNG\r\n\x1a\n"


def _jpeg(side, **options):
    stream = io.BytesIO()
    Image.new("RGB", (side, side)).save(stream, "JPEG", **options)
    return stream.getvalue()


@functools.cache
def scans(number, side=2000):
    """A progressive JPEG whose last scan comes again and again."""
    content = _jpeg(side, progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * number + b"\xff\xd9"


def remarks_in_jpeg(number):
    content = _jpeg(8)
    return content[:2] + b"\xff\xfe\0\3x" * number + content[2:]


def lying_jpeg(width, height):
    content = _jpeg(8)
    start = content.index(b"\xff\xc0") + 5
    size = struct.pack(">HH", height, width)
    return content[:start] + size + content[start + 4 :]


def chunk(kind, content):
    check_sum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check_sum


def framed(width, height, *chunks):
    """An RGB PNG of these chunks."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    ends = chunk(b"IHDR", header), chunk(b"IEND", b"")
    return PNG_START + ends[0] + b"".join(chunks) + ends[1]


@functools.cache
def _zeros():
    """20 MB of them, packed."""
    return zlib.compress(bytes(20_000_000))


def png(width, height):
    """Says how large it is, and holds 20 MB of zeros."""
    return framed(width, height, chunk(b"IDAT", _zeros()))


@functools.cache
def inflated_png():
    """A single pixel with 120 MB of data."""
    packer = zlib.compressobj(9)
    pieces = [packer.compress(bytes(2**20)) for _ in range(120)]
    return framed(1, 1, chunk(b"IDAT", b"".join([*pieces, packer.flush()])))


@functools.cache
def remarks_in_png(number):
    remarks = (chunk(b"tEXt", b"key%d\0text" % n) for n in range(number))
    return framed(1, 1, *remarks, chunk(b"IDAT", zlib.compress(b"\0\0\0\0")))
