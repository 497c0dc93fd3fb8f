import struct
import zlib

import pytest
from PIL import Image

from tests import bombs
from tests.tiny import encode
from visualpoet import pictures
from visualpoet.features import picture_bounds


@pytest.mark.parametrize(
    ("make", "given", "reason"),
    [
        (bombs.scans, [150], "expected at most 100 scans and 4000 segments"),
        (bombs.remarks_in_jpeg, [5000], "at most 100 scans and 4000 segments"),
        (bombs.inflated_png, [], "expected about 4 bytes .* PNG with [0-9]{6}"),
        (bombs.remarks_in_png, [50_000], "expected at most 10000 chunks"),
        (bombs.png, [1, 5_000_000], "1 x 5000000 is too long, expected sides"),
        (bombs.png, [5_000_000, 1], "5000000 x 1 is too long, expected sides"),
        (bombs.png, [9000, 9000], "broken or truncated .*243009000 of"),
        (
            bombs.lying_jpeg,
            [10_000, 10_000],
            "broken or truncated .* 100000000",
        ),
    ],
    ids=range(8),
)
def test_what_would_take_long_is_refused(make, given, reason):
    content = make(*given)
    assert len(content) < 2_000_000
    with pytest.raises(pictures.PictureError, match=f"^picture: .*{reason}"):
        pictures.read_picture(content)


def test_scans_are_fewer_the_larger_a_picture_is():
    content = bombs.scans(20, side=512)
    assert pictures.read_picture(content) == content
    with pytest.raises(picture_bounds.TooLargeError, match="^a: 30 scans are"):
        picture_bounds.check_cost(content, "a", 512 * 512)
    picture_bounds.check_cost(content, "a", 30 * 512 * 512 // 12 + 1)


@pytest.mark.parametrize("progressive", [False, True])
def test_ordinary_pictures_are_far_from_the_bounds(progressive):
    picture = Image.new("RGB", (2000, 1500))  # nothing packs tighter
    jpeg = encode(picture, "JPEG", progressive=progressive, quality=1)
    png = encode(picture, "PNG", compress_level=9)
    remarked = bombs.remarks_in_jpeg(300), bombs.remarks_in_png(3000)
    for content in (jpeg, png, encode(picture.convert("1"), "PNG"), *remarked):
        picture_bounds.check_cost(content, "a", 2000 * 1500)
        assert pictures.read_picture(content)


def test_many_small_pieces_of_pixels_are_no_remarks():
    packed = zlib.compress(bytes(300 * 400 * 3 + 400), 0)
    pieces = [packed[n : n + 25] for n in range(0, len(packed), 25)]
    content = bombs.framed(
        300, 400, *(bombs.chunk(b"IDAT", piece) for piece in pieces)
    )
    with pytest.raises(pictures.PictureError, match="expected at most 10000"):
        pictures.read_picture(content)
    pieces = [packed[n : n + 64] for n in range(0, len(packed), 64)]
    content = bombs.framed(
        300, 400, *(bombs.chunk(b"IDAT", piece) for piece in pieces)
    )
    assert len(pieces) > 5000
    assert pictures.read_picture(content) == content


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\xff\xd8", b"\xff\xd8\xff\xc0", b"\xff\xd8\xff\xda\xff"),
        *(b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"),
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**32 - 1) + b"IDAT",
        b"\xff\xd8" + b"\xff" * 1_000_000,
    ],
    ids=range(8),
)
def test_what_is_broken_is_left_to_the_decoder(content):
    picture_bounds.check_cost(content, "a", 1000)
    with pytest.raises(pictures.PictureError):
        pictures.read_picture(content)
