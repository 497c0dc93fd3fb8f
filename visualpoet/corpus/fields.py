"""Values of a row, cleaned of what files and exports leave in them."""

import math
import pathlib
import re
import urllib.parse
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from visualpoet.corpus.characters import INVISIBLE
from visualpoet.corpus.encodings import decode
from visualpoet.corpus.plain_text import clean_text

TEXT_FIELDS = ("poem", "text")
IMAGE_FIELDS = ("file", "image", "photograph", "photo")
_OTHER_FIELDS = {
    *("id", "source", "title", "author", "split", "form", "similarity"),
    *("label", "caption", "captions", "romantic", "humorous"),
}
# Names under which data sets have what is called otherwise here.
_NAMES = {
    "content": "text",
    "lines": "text",
    "poem name": "title",
    "poet": "author",
    "file_name": "file",
    "filename": "file",
    "image_url": "image",
}


def clean_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Takes from a row what has a name and a value.

    Args:
        row: Field to value.

    Returns:
        The same without values that are none, such as NaN; names in lower
        case and without blanks around them.

    Raises:
        ValueError: If a text holds NUL or half a character.
    """
    cleaned: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, bytes):
            value, _ = decode(value)
        if isinstance(value, (np.ndarray, np.generic)):
            value = value.tolist()
        if is_missing(value):
            continue
        name = field_name(str(name))
        _check_characters(name, value)
        cleaned.setdefault(name, value)
    return cleaned


def field_name(name: str) -> str:
    """Returns what a field is called here, whatever a file calls it.

    Args:
        name: As the file has it.

    Returns:
        Its name in lower case.
    """
    name = name.strip(f"{INVISIBLE} \t\r\n").lower()
    return _NAMES.get(name, name)


def known_fields(names: Iterable[str]) -> set[str]:
    """Returns the names that mean something here.

    Args:
        names: As the file has them.

    Returns:
        Those that are known, as `field_name` returns them.
    """
    known = {*TEXT_FIELDS, *IMAGE_FIELDS, *_OTHER_FIELDS}
    return known & set(map(field_name, names))


def describe(names: Iterable[str]) -> str:
    """Lists the first of some names, for a message.

    Args:
        names: As a file has them.

    Returns:
        Them behind a colon, each in a line and cut; empty if there are none.
    """
    shown = [" ".join(name.split())[:30] for name, _ in zip(names, range(4))]
    return f": {', '.join(shown)}" if shown else ""


def is_missing(value: Any) -> bool:
    """Returns whether a value is none.

    Args:
        value: Any.

    Returns:
        Whether it is None, NaN or the like, or a text of blanks.
    """
    return bool(pd.api.types.is_scalar(value) and pd.isna(value)) or (
        isinstance(value, str) and not value.strip()
    )


def _check_characters(name: str, value: Any) -> None:
    texts = value if isinstance(value, list) else [value]
    for text in texts:
        found = isinstance(text, str) and re.search("[\0\ud800-\udfff]", text)
        if found:
            raise ValueError(
                f"expected a text in {name}. Received: "
                f"{_broken(found.group())} at offset {found.start()}; save "
                "the file as UTF-8"
            )


def _broken(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # as `encodings.decode` leaves them
        return f"byte {code - 0xDC00:#04x}, which is no UTF-8,"
    return "NUL" if not code else f"U+{code:04X}, half a character,"


def text_field(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """Finds the text of a row.

    Args:
        row: As `clean_row` returns it.
        names: Names of the field, the first that is there counts.

    Returns:
        The text; one that is a list of lines is joined.

    Raises:
        ValueError: If there is none.
    """
    for name in names:
        value = row.get(name)
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            value = "\n".join(value)
        if isinstance(value, str) and value.strip():
            return value
    expected = " or ".join(names)
    raise ValueError(
        f"expected a text in {expected}. Received the fields: "
        f"{', '.join(row) or 'none'}"
    )


def poem_text(row: Mapping[str, Any]) -> str:
    """Finds the poem of a row.

    Args:
        row: As `clean_row` returns it.

    Returns:
        The poem in plain lines.

    Raises:
        ValueError: If there is none.
    """
    text = clean_text(text_field(row, TEXT_FIELDS))
    if not text.strip():
        raise ValueError("expected a poem. Received: a text without a letter")
    return text


def image_name(row: Mapping[str, Any]) -> str:
    """Finds the photograph of a row.

    Args:
        row: As `clean_row` returns it.

    Returns:
        Its name inside its folder or archive; of an address the last part.

    Raises:
        ValueError: If there is none.
    """
    name = text_field(row, IMAGE_FIELDS).strip()
    if re.match(r"(?i)https?://", name):
        path = urllib.parse.urlsplit(name).path
        name = urllib.parse.unquote(pathlib.PurePosixPath(path).name)
    name = name.replace("\\", "/").removeprefix("./")
    if not name:
        raise ValueError(
            "expected an address that ends in the name of a photograph. "
            f"Received: {text_field(row, IMAGE_FIELDS)}"
        )
    return name


def line_field(row: Mapping[str, Any], *names: str) -> str:
    """Finds a value and writes it in one line.

    Args:
        row: As `clean_row` returns it.
        *names: Names of the field, the first that is there counts.

    Returns:
        The line; empty where there is none. A number that is whole has no
        fraction.
    """
    value = next((row[name] for name in names if name in row), "")
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # pandas makes fractions of a column with gaps
    return " ".join(clean_text(str(value)).split())


def number_field(row: Mapping[str, Any], name: str, default: float) -> float:
    """Finds a number.

    Args:
        row: As `clean_row` returns it.
        name: Name of the field.
        default: What an absent one is.

    Returns:
        The number.

    Raises:
        ValueError: If it is none, or not finite.
    """
    value = row.get(name, default)
    try:
        number = float(str(value).replace(",", "."))
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"expected a number in {name}. Received: {value!r}")
    return number
