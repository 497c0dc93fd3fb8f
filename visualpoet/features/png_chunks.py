"""PNG files without what is no matter of their pixels."""

import zlib

_START = b"\x89PNG\r\n\x1a\n"
# Of those that a reader may leave out: transparency, and which way is up.
_KEPT = (b"tRNS", b"eXIf")


def without_remarks(content: bytes) -> bytes:
    """Leaves out texts, times, colour profiles and the like.

    Where one of them is damaged or very large, Pillow refuses the picture;
    libpng, TensorFlow and browsers do not.

    Args:
        content: Encoded picture.

    Returns:
        A PNG of the same pixels; the content itself if it is no PNG.
    """
    if not content.startswith(_START):
        return content
    kept, start, kind = [_START], len(_START), b""
    while start < len(content) and kind != b"IEND":
        size = int.from_bytes(content[start : start + 4], "big")
        chunk = content[start : start + size + 12]
        kind = chunk[4:8]
        if kind[:1].isupper() or kind in _KEPT and _is_whole(chunk):
            kept.append(chunk)
        start += size + 12
    return b"".join(kept)


def _is_whole(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
