"""What comes of photographs, and how it is printed: text, JSON or a page."""

import dataclasses
import itertools
import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from visualpoet import pictures
from visualpoet import poet
from visualpoet.embedding.retrieval import FoundPoem
from visualpoet.features import picture_files
from visualpoet.written_poem import WrittenPoem

FORMATS = ("text", "json", "jsonl", "html")


@dataclasses.dataclass(frozen=True)
class Entry:
    """What came of one photograph.

    Attributes:
        name: The photograph.
        content: Its bytes, for the page; empty if it could not be read.
        written: Its poem, or None.
        error: Why there is none, or empty.
        found: Human poems for it, nearest first.
    """

    name: str
    content: bytes = b""
    written: WrittenPoem | None = None
    error: str = ""
    found: Sequence[FoundPoem] = ()

    @property
    def picture(self) -> str:
        """A small JPEG in base 64."""
        return picture_files.spell_thumbnail(self.content, 960)


def write_poems(
    load: Callable[[], poet.Poet],
    entries: Iterable[Entry],
    given: Mapping[str, Any],
) -> Iterator[Entry]:
    """Gives the entries of photographs that were read their poems.

    Args:
        load: Returns the poet; not called before it is needed.
        entries: Read as the poems are asked for, a batch ahead.
        given: The controls.

    Yields:
        The entries, in order; those with an error as they are.
    """
    entries = iter(entries)
    while batch := list(itertools.islice(entries, poet.BATCH)):
        read = [
            pictures.ReadPicture(entry.content)
            for entry in batch
            if not entry.error
        ]
        written = iter(load().write(read, **given) if read else [])
        for entry in batch:
            if entry.error:
                yield entry
            else:
                yield dataclasses.replace(entry, written=next(written))


def _as_dict(entry: Entry) -> dict:
    if entry.error:
        return {"photograph": entry.name, "error": entry.error}
    if entry.written:
        return {"photograph": entry.name, **entry.written.to_dict()}
    return {
        "photograph": entry.name,
        "poems": [
            {
                "id": found.poem.id,
                "title": found.poem.title,
                "author": found.poem.author,
                "poem": found.poem.text,
                "fit": found.fit,
            }
            for found in entry.found
        ],
    }


def _text(entries: Iterable[Entry], many: bool) -> Iterator[str]:
    for entry in entries:
        if entry.written:
            title = f"# {entry.name}\n\n" if many else ""
            yield f"{title}{entry.written.poem}\n" + ("\n" if many else "")
        for found in entry.found:
            title = f"# {entry.name}: {found.source} ({found.fit:.2f})"
            yield f"{title}\n\n{found.poem.text}\n\n"


def _json(entries: Iterable[Entry]) -> Iterator[str]:
    rows = [_as_dict(entry) for entry in entries]
    yield json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def _jsonl(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        yield json.dumps(_as_dict(entry), ensure_ascii=False) + "\n"


def _html(entries: Iterable[Entry]) -> Iterator[str]:
    from visualpoet import templating  # jinja2, for the page alone

    yield templating.render("poems.html", entries=list(entries))


def render(
    entries: Iterable[Entry], output_format: str, many: bool
) -> Iterator[str]:
    """Renders what came of the photographs.

    Args:
        entries: As they come; text and JSON lines are passed on at once.
        output_format: One of FORMATS.
        many: Whether a text names the photographs.

    Returns:
        Pieces of output.
    """
    if output_format == "text":
        return _text(entries, many)
    renderers = {"json": _json, "jsonl": _jsonl, "html": _html}
    return renderers[output_format](entries)
