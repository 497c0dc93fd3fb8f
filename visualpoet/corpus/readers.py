"""Poems, pairs and captions from files; every bad row is named."""

import csv
import dataclasses
import gzip
import io
import itertools
import json
import pathlib
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

import numpy as np
import pandas as pd

from visualpoet.corpus.records import BadRow
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem

Record = TypeVar("Record")
Row = tuple[int, Mapping[str, Any] | Exception]

FORMATS = "a folder of .txt, .txt, .csv, .json, .jsonl (also .gz) or .parquet"
_TEXT_FIELDS = ("poem", "text")
_IMAGE_FIELDS = ("file", "image", "photograph", "photo")
_UNREADABLE = (
    ValueError,
    RecursionError,
    OSError,
    EOFError,
    zlib.error,
    csv.Error,
)
_SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "dev": "validation",
    "val": "validation",
    "test": "test",
}


def _read_bytes(path: pathlib.Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix.lower() == ".gz" else content


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"expected UTF-8. Received: byte {content[error.start]:#04x} at "
            f"offset {error.start}; convert the file, for example with "
            "`iconv -f latin1 -t utf-8`"
        ) from error


def _jsonl_rows(path: pathlib.Path) -> Iterator[Row]:
    for number, line in enumerate(_read_bytes(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(_decode(line))
        except (ValueError, RecursionError) as error:
            yield number, error


def _json_rows(path: pathlib.Path) -> Iterator[Row]:
    rows = json.loads(_decode(_read_bytes(path)))
    if not isinstance(rows, list):
        raise ValueError(
            f"expected a JSON list of objects. Received: {type(rows).__name__}"
        )
    yield from enumerate(rows, start=1)


def _frame_rows(frame: pd.DataFrame) -> Iterator[Row]:
    records = frame.to_dict("records")
    for number, record in enumerate(records, start=1):
        yield (
            number,
            {k: _plain(v) for k, v in record.items() if not _missing(v)},
        )


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _csv_rows(path: pathlib.Path) -> Iterator[Row]:
    csv.field_size_limit(2**31 - 1)  # the default refuses a long poem
    text = io.StringIO(_decode(_read_bytes(path)), newline="")
    reader = csv.DictReader(text, strict=True)
    if not reader.fieldnames:
        raise ValueError("expected a row of field names. Received: none")
    for number in itertools.count(1):
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, error
            continue
        yield number, _csv_row(row, len(reader.fieldnames))


def _csv_row(
    row: dict[str | None, Any], num_fields: int
) -> Mapping[str, Any] | Exception:
    extra = row.pop(None, [])
    if extra:
        return ValueError(
            f"expected {num_fields} fields. Received: "
            f"{num_fields + len(extra)}; put a text with commas between "
            "quotation marks"
        )
    return {name: text for name, text in row.items() if text is not None}


def _parquet_rows(path: pathlib.Path) -> Iterator[Row]:
    return _frame_rows(pd.read_parquet(path))


def _txt_rows(path: pathlib.Path) -> Iterator[Row]:
    name = path.name.removesuffix(".gz").removesuffix(".txt")
    yield 1, {"id": name, "text": _decode(_read_bytes(path)).strip("\n")}


_ROWS: Mapping[str, Callable[[pathlib.Path], Iterator[Row]]] = {
    ".txt": _txt_rows,
    ".csv": _csv_rows,
    ".json": _json_rows,
    ".jsonl": _jsonl_rows,
    ".parquet": _parquet_rows,
}


def _files(path: pathlib.Path) -> list[pathlib.Path]:
    if not path.exists():
        raise FileNotFoundError(
            f"expected {FORMATS}. Received: {path}, which does not exist"
        )
    return sorted(path.rglob("*.txt")) if path.is_dir() else [path]


def _read_rows(path: pathlib.Path) -> Iterator[Row]:
    suffix = pathlib.Path(path.name.lower().removesuffix(".gz")).suffix
    if suffix not in _ROWS:
        raise ValueError(f"expected {FORMATS}. Received: {path.name}")
    yield from _ROWS[suffix](path)


def _read(
    path: pathlib.Path, make_record: Callable[[Mapping[str, Any]], Record]
) -> tuple[list[Record], list[BadRow]]:
    records, bad_rows = [], []
    for file in _files(pathlib.Path(path)):
        try:
            for number, row in _read_rows(file):
                try:
                    records.append(make_record(_as_mapping(row)))
                except ValueError as error:
                    bad_rows.append(BadRow(str(file), number, str(error)))
        except _UNREADABLE as error:
            bad_rows.append(BadRow(str(file), 0, str(error)))
    return records, bad_rows


def _as_mapping(row: Mapping[str, Any] | Exception) -> Mapping[str, Any]:
    if isinstance(row, Exception):
        raise ValueError(str(row))
    if not isinstance(row, Mapping):
        raise ValueError(
            f"expected a JSON object. Received: {type(row).__name__}"
        )
    return row


def _field(row: Mapping[str, Any], names: Sequence[str]) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return value
    expected = " or ".join(names)
    raise ValueError(
        f"expected a text in {expected}. Received the fields: "
        f"{', '.join(map(str, row)) or 'none'}"
    )


def _poem(row: Mapping[str, Any]) -> Poem:
    return Poem(
        text=_field(row, _TEXT_FIELDS).strip("\n"),
        id=str(row.get("id") or row.get("source") or ""),
        split=_split(row, ""),
        title=str(row.get("title") or ""),
        author=str(row.get("author") or ""),
    )


def _pair(row: Mapping[str, Any]) -> ImagePoemPair:
    image = _field(row, _IMAGE_FIELDS)
    poem = dataclasses.replace(_poem(row), split=_split(row, image))
    return ImagePoemPair(image, poem, _similarity(row))


def _similarity(row: Mapping[str, Any]) -> float:
    value = row.get("similarity")
    if value is None or value == "":
        return 1.0
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"expected a number in similarity. Received: {value!r}"
        ) from error


def _split(row: Mapping[str, Any], image: str) -> str:
    """The split a row names, else the one its first folder names, else train.

    Data sets disagree on the names: dev, val and training are common, and
    they begin with a capital here and there.
    """
    named = str(row.get("split") or "").strip().lower()
    folder = image.split("/")[0].lower()
    named = named or (folder if folder in _SPLITS else "train")
    return _SPLITS.get(named, named)


def _photograph(row: Mapping[str, Any]) -> Photograph:
    captions = row.get("captions") or row.get("caption") or ()
    if isinstance(captions, str):
        captions = [captions]
    if not isinstance(captions, Sequence) or not all(
        isinstance(caption, str) for caption in captions
    ):
        raise ValueError(f"expected captions as texts. Received: {captions!r}")
    moods = (row.get("romantic"), row.get("humorous"))
    image = _field(row, _IMAGE_FIELDS)
    return Photograph(
        image=image,
        split=_split(row, image),
        label=str(row.get("label") or ""),
        captions=tuple(captions),
        moods=tuple(mood for mood in moods if mood),
    )


def read_poems(path: pathlib.Path) -> tuple[list[Poem], list[BadRow]]:
    """Reads poems.

    Args:
        path: A folder of .txt (searched at any depth, one poem a file), one
            .txt, .csv, .json, .jsonl or .parquet, also with .gz. Rows need a
            field `text` or `poem`; `id`, `title`, `author`, `split` are kept.

    Returns:
        The poems, and the rows that could not be read.

    Raises:
        FileNotFoundError: If the path does not exist.
    """
    return _read(path, _poem)


def read_pairs(path: pathlib.Path) -> tuple[list[ImagePoemPair], list[BadRow]]:
    """Reads image-poem pairs.

    Args:
        path: As for `read_poems`. Rows need `file` (or `image`) and `poem`
            (or `text`); `similarity` and `split` are kept.

    Returns:
        The pairs, and the rows that could not be read.

    Raises:
        FileNotFoundError: If the path does not exist.
    """
    return _read(path, _pair)


def read_captions(
    path: pathlib.Path,
) -> tuple[list[Photograph], list[BadRow]]:
    """Reads what is known of photographs.

    Args:
        path: As for `read_poems`. Rows need `file` (or `image`); `captions`
            or `caption` (a list, or one text), `label`, `split`, `romantic`,
            `humorous` are kept.

    Returns:
        The photographs, and the rows that could not be read.

    Raises:
        FileNotFoundError: If the path does not exist.
    """
    return _read(path, _photograph)


def merge_photographs(
    photographs: Sequence[Photograph], pairs: Sequence[ImagePoemPair]
) -> list[Photograph]:
    """Joins the rows of each photograph; a paired one without a row gets one.

    Args:
        photographs: What rows say of photographs, some of them several times.
        pairs: Image-poem pairs.

    Returns:
        One record a photograph, with all captions and moods, in the order of
        the first rows. It is of the split train if all its rows are; a pair
        counts where there is no row.
    """
    known = {photo.image for photo in photographs}
    paired = [
        Photograph(pair.image, pair.poem.split)
        for pair in pairs
        if pair.image not in known
    ]
    merged: dict[str, Photograph] = {}
    for photo in [*photographs, *paired]:
        first = merged.get(photo.image)
        merged[photo.image] = _join(first, photo) if first else photo
    return list(merged.values())


def _join(first: Photograph, photo: Photograph) -> Photograph:
    return dataclasses.replace(
        first,
        split=photo.split if first.split == "train" else first.split,
        label=first.label or photo.label,
        captions=_join_texts(first.captions, photo.captions),
        moods=_join_texts(first.moods, photo.moods),
    )


def _join_texts(some: tuple[str, ...], more: tuple[str, ...]) -> tuple:
    return some + tuple(text for text in more if text not in some)
