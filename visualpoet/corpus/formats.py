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
from visualpoet.corpus.fields import field_name
from visualpoet.corpus.folders import count_skipped
from visualpoet.corpus.folders import is_hidden
from visualpoet.corpus.plain_text import clean_text
from visualpoet.corpus.plain_text import split_title

Row = tuple[int, Mapping[str, Any] | Exception]

FORMATS = (
    "a folder of .txt, .txt, .csv, .tsv, .json, .jsonl (also .gz) or .parquet"
)
_SEPARATORS = ",;\t|"
_LINE_END = re.compile(r"\r\n|\r|\n")
_TXT = re.compile(r"(?i)\.txt(\.gz)?$")
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
        if file.is_file() and not is_hidden(file.relative_to(path))
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
        yield 1, _poem_row(_TXT.sub("", path.name), _read_text(path))
    elif suffix in _ROWS:
        yield from _ROWS[suffix](_read_text(path))
    else:
        raise ValueError(f"expected {FORMATS}. Received: {path.name}")


def _read_text(path: pathlib.Path) -> str:
    content = path.read_bytes()
    if path.suffix.lower() == ".gz":
        content = gzip.decompress(content)
    text, encoding = decode(content)
    if encoding != "utf-8":
        _log.warning("%s: read as %s", path, encoding)
    return text


def _parquet_rows(path: pathlib.Path) -> Iterator[Row]:
    with extras.needs("train"):
        import pyarrow  # noqa: F401
    yield from enumerate(pd.read_parquet(path).to_dict("records"), start=1)


def _poem_row(name: str, text: str) -> Mapping[str, Any]:
    title, author, text = split_title(clean_text(text))
    return {"id": name, "title": title, "author": author, "text": text}


def _jsonl_rows(text: str) -> Iterator[Row]:
    is_list = re.match(r"\s*\[\s*\{", text)  # JSON by the name of lines
    yield from (_json_rows if is_list else _line_rows)(text)


def _line_rows(text: str) -> Iterator[Row]:
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line, strict=False)
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
    if not isinstance(rows, list):
        raise ValueError(
            f"expected a JSON list of objects. Received: {type(rows).__name__}"
        )
    yield from enumerate(rows, start=1)


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
    for number, values in enumerate(rows, start=1):
        if isinstance(values, Exception):
            yield number, values
        else:
            yield number, _csv_row(names, values)


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

    def count_known(separator: str) -> int:
        names = next(csv.reader([head], delimiter=separator), [])
        known = {*TEXT_FIELDS, *IMAGE_FIELDS}
        return len(known & set(map(field_name, names)))

    return max(_SEPARATORS, key=count_known)


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
