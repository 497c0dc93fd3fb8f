"""Albums: the poems of each archive, folder or list in a file of their own."""

import collections
import functools
import json
import os
import pathlib
import threading
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from visualpoet import controls
from visualpoet import extras
from visualpoet import model_folders
from visualpoet import output
from visualpoet import pictures
from visualpoet import poet
from visualpoet import whole_files
from visualpoet.control import Control
from visualpoet.features import photographs
from visualpoet.features import picture_files

FORMATS = ("jsonl", "parquet")
POEMS, DEAD_LETTERS = "poems", "dead_letters"
LIST_SUFFIX = ".txt"
_loading = threading.Lock()  # a worker may have several threads


class SourceError(ValueError):
    """A source that cannot be read to its end."""


def read_controls(
    texts: Sequence[str], model: pathlib.Path
) -> dict[str, float | int | str]:
    """Reads controls, and checks them against a model.

    Args:
        texts: Such as `candidates=4`.
        model: An exported SavedModel.

    Returns:
        Their values by name.

    Raises:
        ValueError: If there is no such control, or it expects something else.
    """
    given: dict[str, float | int | str] = {}
    for text in texts:
        name, _, value = text.partition("=")
        named = [c for c in controls.CONTROLS if c.name == name]
        if not named:
            names = ", ".join(c.name for c in controls.CONTROLS)
            raise ValueError(
                f"expected NAME=VALUE with one of {names}. Received: {text}"
            )
        read = _read_value(named[0], value)
        is_more = named[0].is_list and name in given
        given[name] = f"{given[name]} {read}" if is_more else read
    options = model_folders.read_options(model)
    controls.complete(controls.CONTROLS, given, options)
    return given


def _read_value(control: Control, text: str) -> float | int | str:
    try:
        return control.read(control.kind(text))
    except ValueError as error:
        raise ValueError(
            f"expected {control.name}, {control.expected}. Received: "
            f"{text[:100]}"
        ) from error


def check_sources(sources: Sequence[pathlib.Path]) -> None:
    """Checks that each source is there and has a name of its own.

    Args:
        sources: Tar archives, folders and lists.

    Raises:
        FileNotFoundError: If one does not exist.
        ValueError: If two would write to the same file.
    """
    for source in sources:
        if not source.exists():
            raise FileNotFoundError(
                "expected a tar archive, a folder, or a list of photographs. "
                f"Received: {source}, which does not exist"
            )
    names = collections.Counter(map(_name, sources))
    twice = [str(source) for source in sources if names[_name(source)] > 1]
    if twice:
        raise ValueError(
            "expected sources of different names, which their files are "
            f"called by. Received: {', '.join(twice)}; rename one"
        )


def _name(source: pathlib.Path) -> str:
    name = source.absolute().name  # of `.`, too
    return name.removesuffix(".tar").removesuffix(LIST_SUFFIX)


def find_unwritten(
    sources: Sequence[pathlib.Path], folder: pathlib.Path, output_format: str
) -> list[pathlib.Path]:
    """Cleans up what a killed run left half written, and says what is to do.

    Args:
        sources: Of the album.
        folder: Of its files.
        output_format: One of FORMATS.

    Returns:
        Sources whose poems are not there.
    """
    for name in (POEMS, DEAD_LETTERS):
        (folder / name).mkdir(parents=True, exist_ok=True)
        whole_files.remove_partial(folder / name)
    return [
        source
        for source in sources
        if not _poems_file(source, folder, output_format).exists()
    ]


def _poems_file(
    source: pathlib.Path, folder: pathlib.Path, output_format: str
) -> pathlib.Path:
    return folder / POEMS / f"{_name(source)}.{output_format}"


def write_poems(
    source: pathlib.Path,
    *,
    folder: pathlib.Path,
    output_format: str,
    model: pathlib.Path,
    any_word: bool,
    given: Mapping[str, Any],
) -> collections.Counter[str]:
    """Writes the poems for the photographs of one source.

    `POEMS` gets a file of the records that `visualpoet write` prints, whole or
    not at all, and `DEAD_LETTERS` the records of photographs that cannot be
    used. Of a source that cannot be read to its end `DEAD_LETTERS` alone gets
    a record.

    Args:
        source: A tar archive or folder (`photographs.read_photographs`), or a
            list, `.txt` with a path a line.
        folder: Of the album's files (`find_unwritten`).
        output_format: One of FORMATS.
        model: An exported SavedModel; loaded once in each process.
        any_word: Whether slurs and crude words may be written.
        given: The controls.

    Returns:
        Numbers of `poems`, `dead letters` and `unreadable sources`.
    """
    load = functools.partial(_load, model, any_word)
    letters = folder / DEAD_LETTERS / f"{_name(source)}.jsonl"
    try:
        with whole_files.write_whole(
            _poems_file(source, folder, output_format)
        ) as poems:
            with whole_files.write_whole(letters) as dead:
                entries = output.write_poems(load, _read(source), given)
                counts = _write_lines(entries, poems, dead)
            if not counts["dead letters"]:
                letters.unlink(missing_ok=True)
            if output_format == "parquet":
                _make_parquet(poems)
    except SourceError as error:
        entry = output.Entry(_spell(str(source)), error=_spell(str(error)))
        record = "".join(output.render([entry], "jsonl", True))
        with whole_files.write_whole(letters) as dead:
            dead.write_text(record, encoding="utf-8")
        return collections.Counter({"unreadable sources": 1})
    return counts


def _write_lines(
    entries: Iterator[output.Entry], poems: pathlib.Path, dead: pathlib.Path
) -> collections.Counter[str]:
    counts: collections.Counter[str] = collections.Counter()
    with (
        poems.open("w", encoding="utf-8") as lines,
        dead.open("w", encoding="utf-8") as dead_lines,
    ):
        for entry in entries:
            counts["dead letters" if entry.error else "poems"] += 1
            stream = dead_lines if entry.error else lines
            stream.writelines(output.render([entry], "jsonl", True))
    return counts


def _make_parquet(path: pathlib.Path) -> None:
    """Makes a table of the JSON lines of a file, in its place."""
    with extras.needs("batch"):
        import pyarrow
        from pyarrow import parquet
    with path.open(encoding="utf-8") as lines:
        table = pyarrow.Table.from_pylist(list(map(json.loads, lines)))
    parquet.write_table(table, path)


def _load(model: pathlib.Path, any_word: bool) -> poet.Poet:
    with _loading:
        return _load_once(model, any_word)


@functools.cache
def _load_once(model: pathlib.Path, any_word: bool) -> poet.Poet:
    return poet.load(model, any_word=any_word)


def _read(source: pathlib.Path) -> Iterator[output.Entry]:
    try:
        if source.suffix == LIST_SUFFIX:
            text = os.fsdecode(source.read_bytes())
            for path in filter(None, text.splitlines()):
                yield _read_entry(path, path)
        else:
            for name, content in photographs.read_photographs([source]):
                yield _read_entry(name, content)
    except (OSError, ValueError) as error:
        raise SourceError(str(error)) from error


def _read_entry(path: str, source: str | bytes) -> output.Entry:
    name = _spell(path)
    try:
        if isinstance(source, bytes):
            content = picture_files.make_upright(source, name)
        else:
            content = pictures.read_picture(source)
    except pictures.PictureError as error:
        return output.Entry(name, error=_spell(str(error)))
    return output.Entry(name, content)


def _spell(text: str) -> str:
    """A text with a name of a file in it, which need not be UTF-8."""
    return os.fsencode(text).decode("utf-8", "replace")
