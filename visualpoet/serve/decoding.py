"""What runs in the processes that decode; imports no TensorFlow."""

import io
import os
import resource
import signal
from multiprocessing.connection import Connection

import numpy as np
import simplejpeg
from PIL import Image

from visualpoet.features import picture_bounds
from visualpoet.features import picture_files
from visualpoet.process_memory import memory_megabytes

# What an answer begins with: no pickle comes out of a process that reads what
# anyone sends.
READY, SEEN, REFUSED, TOO_LARGE = b"+", b"s", b"r", b"l"
_ENOUGH = 1024  # as in features.images
_RATIOS = (8, 4, 2, 1)


def see(content: bytes, max_pixels: int) -> bytes:
    """Decodes what the graph looks at.

    The pixels are those of the central square that `features.images` decodes
    of what `features.picture_files.make_upright` returns, bit by bit.

    Args:
        content: Encoded picture.
        max_pixels: Width times height, at most.

    Returns:
        A BMP of less than 2,048 pixels a side.

    Raises:
        PictureError: If it cannot be used.
    """
    image = _decode(picture_files.make_upright(content, "picture", max_pixels))
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    stream = io.BytesIO()
    image.crop((left, top, left + side, top + side)).save(stream, "BMP")
    return stream.getvalue()


def _decode(upright: bytes) -> Image.Image:
    if upright.startswith(b"\xff\xd8"):
        try:
            return Image.fromarray(_decode_jpeg(upright))
        except ValueError:  # TensorFlow, too, cannot: then Pillow's pixels
            upright = picture_files.to_png(upright)
    return Image.open(io.BytesIO(upright)).convert("RGB")


def _decode_jpeg(content: bytes) -> np.ndarray:
    """By the fast transform, as TensorFlow and unlike Pillow."""
    height, width, *_ = simplejpeg.decode_jpeg_header(content, strict=False)
    times = max(1, min(height, width) // _ENOUGH)
    ratio = next(ratio for ratio in _RATIOS if ratio <= times)
    return simplejpeg.decode_jpeg(
        content,
        "RGB",
        fastdct=True,
        min_height=-(-height // ratio),
        min_width=-(-width // ratio),
        strict=False,
    )


def answer(content: bytes, max_pixels: int) -> bytes:
    """Decodes, and says what came of it in bytes.

    Args:
        content: Encoded picture.
        max_pixels: Width times height, at most.

    Returns:
        SEEN and a BMP, or REFUSED or TOO_LARGE and why.
    """
    try:
        return SEEN + see(content, max_pixels)
    except picture_bounds.TooLargeError as error:
        return TOO_LARGE + str(error).encode()
    except picture_bounds.PictureError as error:
        return REFUSED + str(error).encode()
    except Exception as error:  # decoders raise of all kinds
        message = f"picture: it cannot be decoded ({type(error).__name__})"
        return REFUSED + message.encode()


def work(
    pipe: Connection, max_pixels: int, megabytes: int, niceness: int
) -> None:
    """Answers one picture after the other, until the pipe is closed.

    Args:
        pipe: Of encoded pictures and of what `answer` returns.
        max_pixels: Of a picture, width times height, at most.
        megabytes: That decoding may take.
        niceness: How far it stands back behind other processes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server stops it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(niceness)
    most = int(memory_megabytes(os.getpid(), "VmData") + megabytes) << 20
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    pipe.send_bytes(READY)
    while True:
        try:
            content = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        pipe.send_bytes(answer(content, max_pixels))
