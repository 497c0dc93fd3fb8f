"""Rows of files, whatever their format."""

import csv
import gzip
import io
import json
import logging
import pathlib
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import pandas as pd

from visualpoet import extras
from visualpoet.corpus.encodings import decode
from visualpoet.corpus.fields import IMAGE_FIELDS
from visualpoet.corpus.fields import TEXT_FIELDS
from visualpoet.corpus.fields import describe
from visualpoet.corpus.fields import known_fields
from visualpoet.corpus.folders import count_skipped
from visualpoet.corpus.folders import is_hidden
from visualpoet.corpus.folders import is_there
from visualpoet.corpus.poem_files import split_poems

Row = tuple[int, Mapping[str, Any] | Exception]

FORMATS = (
    "a folder of .txt, or a file: .txt, .csv, .tsv, .json, .jsonl (also .gz) "
    "or .parquet"
)
_SEPARATORS = ",;\t|"
_LINE_END = re.compile(r"\r\n|\r|\n")
_COMMA = re.compile(r",\s*$")
_BROKEN = re.compile(r"[\r\n]|\\n|(?i:<br\b)")
_TXT = re.compile(r"(?i)\.txt(\.gz)?$")
_GZIP = b"\x1f\x8b"
# Documents by the name of a text, by how they begin.
_DOCUMENTS = {
    b"PK\x03\x04": "a document of Word or the like, or an archive",
    b"\xd0\xcf\x11\xe0": "a document of Word or Excel",
    b"{\\rtf": "a document in rich text",
    b"%PDF": "a PDF",
}
_log = logging.getLogger(__name__)


def find_files(path: pathlib.Path) -> list[pathlib.Path]:
    """Lists what to read; says what is left out.

    Args:
        path: A file, or a folder, whose .txt (.gz) are meant at any depth.

    Returns:
        The files in order. Hidden ones are left out.

    Raises:
        FileNotFoundError: If the path does not exist.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"expected {FORMATS}. Received: {path}, which does not exist"
        )
    if not path.is_dir():
        return [path]
    files = [
        file
        for file in sorted(path.rglob("*"))
        if is_there(file) and not is_hidden(file.relative_to(path))
    ]
    skipped = [file for file in files if not _TXT.search(file.name)]
    if skipped:
        _log.warning("%s: %s", path, count_skipped(skipped, "no .txt"))
    return [file for file in files if _TXT.search(file.name)]


def read_rows(path: pathlib.Path) -> Iterator[Row]:
    """Reads the rows of a file; says in which encoding, unless in UTF-8.

    Args:
        path: The file.

    Yields:
        Number of each row, and the row, or why it cannot be read.

    Raises:
        ValueError: If the file cannot be read.
    """
    suffix = pathlib.Path(path.name.lower().removesuffix(".gz")).suffix
    if suffix == ".parquet":
        yield from _parquet_rows(path)
    elif suffix == ".txt":
        yield from _poem_rows(_TXT.sub("", path.name), _read_text(path))
    elif suffix in _ROWS:
        yield from _ROWS[suffix](_read_text(path))
    else:
        raise ValueError(
            f"expected {FORMATS}. Received: {path.name}; save the poems as one "
            "of these"
        )


def _read_text(path: pathlib.Path) -> str:
    content = path.read_bytes()
    if path.suffix.lower() == ".gz" or content.startswith(_GZIP):
        content = gzip.decompress(content)
    for start, kind in _DOCUMENTS.items():
        if content.startswith(start):
            raise ValueError(
                f"expected plain text. Received: {path.name}, which is {kind}; "
                "save the poems as plain text, .txt"
            )
    text, encoding = decode(content)
    if encoding != "utf-8":
        _log.warning("%s: read as %s", path, encoding)
    return text


def _parquet_rows(path: pathlib.Path) -> Iterator[Row]:
    with extras.needs("train"):
        import pyarrow  # noqa: F401
    yield from enumerate(pd.read_parquet(path).to_dict("records"), start=1)


def _poem_rows(name: str, text: str) -> Iterator[Row]:
    poems = list(split_poems(text))
    for number, poem in enumerate(poems, start=1):
        yield number, {"id": f"{name}-{number}" if poems[1:] else name, **poem}


def _jsonl_rows(text: str) -> Iterator[Row]:
    is_list = re.match(r"\s*\[\s*\{", text)  # JSON by the name of lines
    yield from (_json_rows if is_list else _line_rows)(text)


def _line_rows(text: str) -> Iterator[Row]:
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(_COMMA.sub("", line), strict=False)
        except (ValueError, RecursionError) as error:
            yield number, error


def _json_rows(text: str) -> Iterator[Row]:
    try:
        rows = json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):
            raise
        yield from _line_rows(text)  # lines by the name of JSON
        return
    yield from enumerate(_find_list(rows), start=1)


def _find_list(content: Any) -> list[Any]:
    """Returns a list of objects, whatever holds it: columns, too, or one."""
    if isinstance(content, list):
        return content
    names = content if isinstance(content, dict) else {}
    is_table = all(isinstance(v, list | dict) for v in names.values())
    if known_fields(names) and is_table and len(names) > 1:
        return pd.DataFrame(content).to_dict("records")
    if known_fields(names):
        return [content]
    lists = [
        value
        for value in names.values()
        if isinstance(value, list) and any(isinstance(v, dict) for v in value)
    ]
    if len(lists) != 1:
        raise ValueError(
            "expected a JSON list of objects. Received: "
            f"{type(content).__name__}{describe(names)}"
        )
    return lists[0]


def _csv_rows(text: str) -> Iterator[Row]:
    # Excel names the separator in a line before the field names.
    told = re.match(r"(?i)\"?sep=(.)\"?(?:\r\n|\r|\n)", text)
    text = text[told.end() :] if told else text
    rows = _csv_values(text, told.group(1) if told else _separator(text))
    names = next(rows, None)
    if names is None:
        raise ValueError("expected a row of field names. Received: none")
    if isinstance(names, Exception):
        raise names
    if not known_fields(names):
        names, rows = _name_fields(names, list(rows))
    for number, values in enumerate(rows, start=1):
        if isinstance(values, Exception):
            yield number, values
        elif values != names:  # again where files were joined
            yield number, _csv_row(names, values)


def _name_fields(
    first: list[str], rest: list[list[str] | ValueError]
) -> tuple[list[str], Iterator[list[str] | ValueError]]:
    """Finds the poems of a table without a row of field names.

    They are what has line breaks, or a whole table of one column; there a
    first row of one line is a name that is not known.
    """
    rows = [first, *rest]
    places = {
        place
        for row in rows
        if isinstance(row, list)
        for place, value in enumerate(row)
        if _BROKEN.search(value.strip())
    }
    if len(places) != 1:
        raise ValueError(
            "expected a row of field names, with poem or text for poems, file "
            f"for photographs. Received{describe(first)}; write the names "
            "into the first line"
        )
    (place,) = places
    names = [f"column {number}" for number in range(1, len(first) + 1)]
    if place < len(names):
        names[place] = TEXT_FIELDS[-1]
    has_names = not any(_BROKEN.search(value.strip()) for value in first)
    return names, iter(rest if has_names else rows)


def _csv_values(text: str, separator: str) -> Iterator[list[str] | ValueError]:
    """Yields the values of each row that is not empty."""
    csv.field_size_limit(2**31 - 1)  # the default refuses a long poem
    taken: list[str] = []

    def take() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    lines = take()
    reader = csv.reader(
        lines, delimiter=separator, skipinitialspace=True, strict=True
    )
    while True:
        taken.clear()
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # A text that is still open goes on for lines that are no rows.
            while "".join(taken).count('"') % 2 and next(lines, None):
                pass
            yield ValueError(
                "expected a text between quotation marks, with those inside "
                f"doubled. Received: {error}"
            )
            continue
        if values:
            yield values


def _separator(text: str) -> str:
    """Returns the one that parts the field names."""
    head = _LINE_END.split(text.lstrip("\r\n"), maxsplit=1)[0]

    def count(separator: str) -> tuple[int, int]:
        names = next(csv.reader([head], delimiter=separator), [])
        known = known_fields(names) & {*TEXT_FIELDS, *IMAGE_FIELDS}
        return len(known), len(names)

    return max(_SEPARATORS, key=count)


def _csv_row(
    names: list[str], values: list[str]
) -> Mapping[str, Any] | Exception:
    while len(values) > len(names) and not values[-1].strip():
        values = values[:-1]
    if len(values) != len(names):
        return ValueError(
            f"expected {len(names)} fields. Received: {len(values)}; put a "
            "text with commas or line breaks between quotation marks"
        )
    return dict(zip(names, values, strict=True))


_ROWS: Mapping[str, Callable[[str], Iterator[Row]]] = {
    ".csv": _csv_rows,
    ".tsv": _csv_rows,
    ".json": _json_rows,
    ".jsonl": _jsonl_rows,
    ".ndjson": _jsonl_rows,
}
