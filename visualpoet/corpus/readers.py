"""Poems, pairs and captions from files; every bad row is named."""

import csv
import dataclasses
import pathlib
import zlib
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

from visualpoet.corpus.fields import clean_row
from visualpoet.corpus.fields import image_name
from visualpoet.corpus.fields import is_missing
from visualpoet.corpus.fields import line_field
from visualpoet.corpus.fields import number_field
from visualpoet.corpus.fields import poem_text
from visualpoet.corpus.formats import find_files
from visualpoet.corpus.formats import read_rows
from visualpoet.corpus.plain_text import clean_text
from visualpoet.corpus.records import BadRow
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem

Record = TypeVar("Record")

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
    "testing": "test",
}
_LEFT_OUT = "none"


def _read(
    path: pathlib.Path, make_record: Callable[[Mapping[str, Any]], Record]
) -> tuple[list[Record], list[BadRow]]:
    records, bad_rows = [], []
    for file in find_files(pathlib.Path(path)):
        try:
            for number, row in read_rows(file):
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
    return clean_row(row)


def _poem(row: Mapping[str, Any]) -> Poem:
    return Poem(
        text=poem_text(row),
        id=line_field(row, "id", "source"),
        split=_split(row, ""),
        title=line_field(row, "title"),
        author=line_field(row, "author"),
    )


def _pair(row: Mapping[str, Any]) -> ImagePoemPair:
    image = image_name(row)
    poem = dataclasses.replace(_poem(row), split=_split(row, image))
    return ImagePoemPair(image, poem, number_field(row, "similarity", 1.0))


def _split(row: Mapping[str, Any], image: str) -> str:
    """The split a row names, else the one its first folder names, else train.

    Data sets disagree on the names: dev, val and training are common, and
    they begin with a capital here and there.
    """
    named = line_field(row, "split").lower()
    folder = image.split("/")[0].lower()
    named = named or (folder if folder in _SPLITS else "train")
    if named != _LEFT_OUT and named not in _SPLITS:
        raise ValueError(
            "expected a split of train, validation, test or none. Received: "
            f"{named}"
        )
    return _SPLITS.get(named, named)


def _photograph(row: Mapping[str, Any]) -> Photograph:
    image = image_name(row)
    moods = (line_field(row, "romantic"), line_field(row, "humorous"))
    return Photograph(
        image=image,
        split=_split(row, image),
        label=line_field(row, "label"),
        captions=_captions(row.get("captions", row.get("caption", ()))),
        moods=tuple(mood for mood in moods if mood),
    )


def _captions(value: Any) -> tuple[str, ...]:
    captions = [value] if isinstance(value, str) else value
    if not isinstance(captions, Sequence) or not all(
        isinstance(caption, str) or is_missing(caption) for caption in captions
    ):
        raise ValueError(f"expected captions as texts. Received: {value!r}")
    lines = (
        " ".join(clean_text(caption).split())
        for caption in captions
        if not is_missing(caption)
    )
    return tuple(line for line in lines if line)


def read_poems(path: pathlib.Path) -> tuple[list[Poem], list[BadRow]]:
    """Reads poems.

    Args:
        path: A folder of .txt (searched at any depth, one poem a file), one
            .txt, .csv, .tsv, .json, .jsonl or .parquet, also with .gz. Rows
            need a field `text` or `poem`; `id`, `title`, `author`, `split` are
            kept. In a .txt a first line of its own is the title.

    Returns:
        The poems, and the rows that could not be read.

    Raises:
        FileNotFoundError: If the path does not exist.

    Example:
        >>> path = pathlib.Path("poems.json")
        >>> _ = path.write_text('[{"text": "The sea"}, {"title": "Day"}]')
        >>> poems, bad_rows = read_poems(path)
        >>> poems[0].text
        'The sea'
        >>> bad_rows[0].reason
        'expected a text in poem or text. Received the fields: title'
    """
    return _read(path, _poem)


def name_poems(poems: Sequence[Poem], path: pathlib.Path) -> list[Poem]:
    """Names poems without an id by their file, its folder, and their place.

    Excerpts of a poem are known by its id, as are the pairs of its excerpts.

    Args:
        poems: What `read_poems` found, in the same order whoever reads them.
        path: Of their file or folder.

    Returns:
        The poems, each with an id.
    """
    path = path.resolve()
    stem = f"{path.parent.name}-{path.name.split('.')[0]}"
    return [
        dataclasses.replace(poem, id=poem.id or f"{stem}-{number}")
        for number, poem in enumerate(poems, start=1)
    ]


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


def _join_texts(first_texts: tuple[str, ...], more: tuple[str, ...]) -> tuple:
    return first_texts + tuple(text for text in more if text not in first_texts)
