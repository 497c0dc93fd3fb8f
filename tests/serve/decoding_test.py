"""The processes that decode see what the graph does, and can be stopped."""

import asyncio
import contextlib
import os
import signal

import numpy as np
import pytest
from PIL import Image

from tests import bombs
from tests import tiny
from visualpoet.features import images
from visualpoet.features import picture_bounds
from visualpoet.features import picture_files
from visualpoet.serve import decoding
from visualpoet.serve import errors
from visualpoet.serve.decoders import Decoders

LIMIT = 50_000_000


def noise(width, height, mode="RGB"):
    """Of blocks, so that every frequency and colour is in it."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(256, size=[height // 4, width // 4, 3])
    picture = Image.fromarray(blocks.astype(np.uint8)).resize((width, height))
    return picture.convert(mode)


def drawn(size, file_format, mode="RGB", **options):
    """Noise to be encoded when it is called."""
    return lambda: tiny.encode(noise(*size, mode), file_format, **options)


def on_its_side():
    exif = Image.Exif()
    exif[0x0112] = 6
    return tiny.encode(noise(60, 40), "JPEG", exif=exif)


@pytest.mark.parametrize(
    "make",
    [
        *(
            drawn((99, 66), "JPEG", subsampling=n, quality=quality)
            for n in (0, 1, 2)
            for quality in (30, 95)
        ),
        drawn((66, 99), "JPEG", progressive=True),
        drawn((67, 41), "JPEG", "L"),
        drawn((67, 41), "JPEG", "CMYK"),
        drawn((2053, 2501), "JPEG", subsampling=2),
        drawn((4101, 4099), "JPEG"),
        on_its_side,
        *(
            drawn((67, 42), "PNG", mode)
            for mode in ("RGB", "L", "1", "P", "RGBA", "LA", "I;16")
        ),
        drawn((2100, 2049), "PNG"),
        drawn((67, 42), "GIF"),
        drawn((67, 42), "WEBP"),
    ],
    ids=range(22),
)
def test_pixels_are_bit_by_bit_those_of_the_graph(make):
    content = make()
    upright = picture_files.make_upright(content, "a")
    expected = images.decode_image(upright).numpy()
    side = min(expected.shape[:2])
    top, left = (np.array(expected.shape[:2]) - side) // 2
    seen = images.decode_image(decoding.see(content, LIMIT)).numpy()
    np.testing.assert_array_equal(
        seen, expected[top : top + side, left : left + side]
    )
    assert max(seen.shape) < 2048


def test_a_jpeg_that_tensorflow_cannot_decode_is_pillows(monkeypatch):
    def fail(*_, **__):
        raise ValueError("no JPEG")

    monkeypatch.setattr(decoding.simplejpeg, "decode_jpeg", fail)
    content = tiny.encode(noise(40, 40), "JPEG")
    seen = tiny.decode(decoding.see(content, LIMIT))
    np.testing.assert_array_equal(seen, tiny.decode(content))


def test_answers():
    small = tiny.encode(noise(20, 20), "PNG")
    assert decoding.answer(small, 400)[:3] == b"sBM"
    assert decoding.answer(small, 399).startswith(b"lpicture: 20 x 20 is too")
    assert decoding.answer(b"none", 400).startswith(b"rpicture: not a JPEG")
    assert decoding.answer(bombs.scans(150), 400).startswith(b"rpicture: exp")


def test_what_a_decoder_raises_is_no_end(monkeypatch):
    def fail(*_):
        raise KeyError("of any kind")

    monkeypatch.setattr(decoding, "see", fail)
    assert decoding.answer(b"x", 9) == (
        b"rpicture: it cannot be decoded (KeyError)"
    )


# --- the processes


@contextlib.asynccontextmanager
async def decoders(seconds):
    given = Decoders(1, LIMIT, seconds)
    try:
        await given.start()
        yield given
    finally:
        await given.stop()


def see(given, content, seconds=60):
    return given.see(content, asyncio.get_running_loop().time() + seconds)


def number_of(lane):
    return lane._processes[0]._process.pid


SMALL = tiny.encode(noise(20, 20), "PNG")
LARGE = tiny.encode(Image.new("1", (5000, 4000)), "PNG")  # for the slow lane


def test_stuck_and_dead_processes_are_replaced():
    async def scene():
        async with decoders(seconds=30) as given:
            expected = decoding.see(SMALL, LIMIT)
            assert await see(given, SMALL) == expected
            quick = number_of(given._quick)
            os.kill(quick, signal.SIGSTOP)
            assert await see(given, SMALL) == expected  # by the slow lane
            assert await see(given, SMALL) == expected
            assert quick != number_of(given._quick)
            os.kill(number_of(given._quick), signal.SIGKILL)
            given._quick._processes[0]._process.join()
            assert await see(given, SMALL) == expected
            assert len(await see(given, LARGE)) > 1_000_000

    asyncio.run(scene())


def test_a_picture_that_takes_too_long_is_given_up():
    async def scene():
        async with decoders(seconds=0.2) as given:
            given._slow._processes[0].start()
            slow = number_of(given._slow)
            os.kill(slow, signal.SIGSTOP)
            with pytest.raises(errors.ServeError) as caught:
                await see(given, LARGE)
            assert caught.value.code.name == "DEADLINE_EXCEEDED"
            assert caught.value.message == (
                "the picture took more than 0.2 s to decode. Save it again, "
                "smaller and as a baseline JPEG"
            )
            assert given._slow._processes[0]._process is None
            with pytest.raises(errors.ServeError, match="request is over"):
                await see(given, SMALL, seconds=0)

    asyncio.run(scene())


def test_a_process_that_ends_within_a_picture_is_named():
    async def scene():
        async with decoders(seconds=30) as given:
            os.kill(number_of(given._quick), signal.SIGSTOP)
            asking = asyncio.create_task(see(given, SMALL))
            await asyncio.sleep(0.05)
            os.kill(number_of(given._quick), signal.SIGKILL)
            with pytest.raises(errors.ServeError) as caught:
                await asking
            assert caught.value.code.name == "INVALID_ARGUMENT"
            assert caught.value.message == (
                "picture: it ended the process that decodes"
            )
            assert await see(given, SMALL)

    asyncio.run(scene())


def test_what_is_too_large_for_both_lanes_is_refused():
    content = tiny.encode(Image.new("1", (8000, 7000)), "PNG")

    async def scene():
        async with decoders(seconds=30) as given:
            with pytest.raises(errors.ServeError, match="8000 x 7000 is too"):
                await see(given, content)

    asyncio.run(scene())
    with pytest.raises(picture_bounds.TooLargeError):
        decoding.see(content, LIMIT)
