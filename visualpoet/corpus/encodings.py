"""Texts from bytes, in whatever encoding they were written."""

import codecs
import re

import chardet

# Those of UTF-32 come first: one of them begins like that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Half a character in what would be UTF-8.
_HALF = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_STRAY = re.compile("[\udc80-\udcff]")
_STRANGE = re.compile(r"[^\x00-\x7f]")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
# They win by chance in short texts.
_UNLIKELY = ("mac-latin2", "hp-roman8")
_END_OF_FILE = "\x1a"  # DOS wrote it behind the text


def decode(content: bytes) -> tuple[str, str]:
    """Reads a text.

    A mark at its beginning tells the encoding, else it is UTF-8 where it can
    be, else what `chardet` takes it for.

    Args:
        content: The text as it was stored.

    Returns:
        The text without byte order marks, and the encoding. Bytes that are
        strange to a text in UTF-8 are lone surrogates, as with Python's
        `surrogateescape`.

    Raises:
        ValueError: If no encoding fits.
    """
    encoding = _encoding(content)
    errors = "surrogateescape" if encoding == "utf-8" else "strict"
    try:
        text = content.decode(encoding, errors)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"expected a text in {encoding}, as its bytes suggest. Received: "
            f"{error}; save it as UTF-8"
        ) from error
    # Joined files have a mark where each of them begins.
    return text.replace("\ufeff", "").rstrip(_END_OF_FILE), encoding


def _encoding(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    is_utf8 = _is_utf8(content)
    if is_utf8 and b"\0" not in content:
        return "utf-8"
    found = _guess(content)
    if is_utf8 and not _is_wide(found):
        return "utf-8"
    if found is None:
        raise ValueError(
            "expected a text. Received: bytes that are text in no encoding; "
            "save it as UTF-8"
        )
    return found.lower()


def _guess(content: bytes) -> str | None:
    """Asks `chardet`; a few strange bytes tell of no rare encoding."""
    era = chardet.EncodingEra
    is_short = len(_BEYOND_ASCII.findall(content)) < 4
    return chardet.detect(
        content,
        encoding_era=era.MODERN_WEB if is_short else era.ALL & ~era.MAINFRAME,
        exclude_encodings=_UNLIKELY,
    )["encoding"]


def _is_wide(encoding: str | None) -> bool:
    """Returns whether letters of ASCII have NUL beside them."""
    return (encoding or "").lower().startswith(("utf-16", "utf-32"))


def _is_utf8(content: bytes) -> bool:
    """Returns whether a text is in UTF-8, but for a few bytes perhaps."""
    text = _HALF.sub(b"?", content).decode("utf-8", "surrogateescape")
    stray = len(_STRAY.findall(text))
    return not stray or len(_STRANGE.findall(text)) > 2 * stray
