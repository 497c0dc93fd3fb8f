"""Poems and paragraphs from plain texts of Project Gutenberg.

Blank lines part blocks. A block is verse if its lines end before the margin,
prose if they run up to it; a line of its own is a heading. Prefaces and notes
are prose, lists of contents have lines without a mark at the end: neither is
among the poems.
"""

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from collections.abc import Sequence

from visualpoet.corpus.characters import break_lines
from visualpoet.corpus.records import Poem
from visualpoet.corpus.scripts import UNSPACED_SCRIPTS
from visualpoet.corpus.scripts import find_script
from visualpoet.corpus.words import list_words

_START = re.compile(r"(?im)^\s*\*\*\* ?START OF .*\*\*\*\s*$")
_END = re.compile(r"(?im)^\s*\*\*\* ?END OF .*\*\*\*\s*$")
_FIELD = r"(?m)^{}:[ \t]*(.+)$"
_NUMBER = re.compile(
    r"(?m)(?:[ \t]{2,}|^[ \t]*)\d+$|\[\d+\]"
)  # of a verse, a note
# What follows such a heading is no verse, whatever it looks like.
_HEADED = re.compile(
    r"(?i)\W*(?:the )?(?:contents|notes?|index|footnotes?|appendix|glossary|"
    r"illustrations?|transcriber)\b"
)
_ASIDE = re.compile(
    r"\[(?:illustration|footnote|transcriber)[^\[\]]*\]", re.IGNORECASE
)
_ENDING = re.compile(r"[.,;:!?'\"’”)\u2014\u2026。，、；：！？」』》؟،؛۔।॥·-]$")
_MARGIN = 56  # characters; prose is broken after more, most verse before
_FEWEST = 0.2  # share of a book's lines that are verse, if it is verse
_HELD = 0.05  # share of poems for validation, and for test


@dataclasses.dataclass(frozen=True)
class Book:
    """A plain text of Project Gutenberg.

    Attributes:
        title: As its head names it.
        author: As its head names it.
        text: What stands between its first and its last mark.
    """

    title: str
    author: str
    text: str


def read_book(text: str) -> Book:
    """Parts a book from what Project Gutenberg writes around it.

    Args:
        text: The whole file.

    Returns:
        The book.

    Raises:
        ValueError: If the marks of its start and end are not there.
    """
    text = break_lines(text)
    start, end = _START.search(text), _END.search(text)
    if not start or not end:
        raise ValueError(
            "expected a plain text of Project Gutenberg, with the lines "
            "*** START OF ... and *** END OF .... Received: one without"
        )
    head = text[: start.start()]
    title, author = (
        found.group(1).strip() if found else ""
        for found in (
            re.search(_FIELD.format(name), head) for name in ("Title", "Author")
        )
    )
    return Book(title, author, text[start.end() : end.start()])


def cut_poems(book: Book, name: str) -> list[Poem]:
    """Cuts the verse of a book at its headings and its prose.

    Args:
        book: The book.
        name: Of its source; poems are called `<name>-<number>`.

    Returns:
        Poems of stanzas with blank lines between them. One in twenty is for
        validation, one in twenty for test; equal poems are of one split.

    Raises:
        ValueError: If the book is prose.
    """
    blocks = _blocks(book.text)
    verse = sum(len(block) for block in blocks if _is_verse(block))
    lines = sum(map(len, blocks))
    if verse < _FEWEST * lines:
        raise ValueError(
            f"expected verse. Received: {book.title or name}, with "
            f"{verse} of {lines} lines of verse; ask for it as prose"
        )
    return [
        Poem(text, f"{name}-{number}", choose_split(text), title, book.author)
        for number, (title, text) in enumerate(_join_stanzas(blocks), start=1)
    ]


def cut_paragraphs(
    book: Book, name: str, min_words: int = 25, max_words: int = 110
) -> list[Poem]:
    """Cuts the prose of a book into paragraphs.

    Args:
        book: The book.
        name: Of its source; paragraphs are called `<name>-<number>`.
        min_words: Fewest words of a paragraph.
        max_words: Most words of a paragraph.

    Returns:
        Each paragraph in one line, with splits as those of `cut_poems`.

    Raises:
        ValueError: If there is none.
    """
    texts = [
        " ".join(" ".join(block).split())
        for block in _blocks(book.text)
        if len(block) > 1 and not _is_verse(block)
    ]
    texts = [t for t in texts if min_words <= _count_words(t) <= max_words]
    if not texts:
        raise ValueError(
            f"expected prose. Received: {book.title or name}, without a "
            f"paragraph of {min_words} to {max_words} words"
        )
    return [
        Poem(text, f"{name}-{number}", choose_split(text), author=book.author)
        for number, text in enumerate(texts, start=1)
    ]


def _count_words(text: str) -> int:
    return len(list_words(text, find_script([text]) in UNSPACED_SCRIPTS))


def choose_split(text: str) -> str:
    """Chooses a split by content, so that nothing is in two of them.

    Args:
        text: The poem, or the name of a photograph.

    Returns:
        `train` in nine of ten cases, else `validation` or `test`.
    """
    digest = hashlib.sha256(" ".join(text.lower().split()).encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    if share < _HELD:
        return "validation"
    return "test" if share < 2 * _HELD else "train"


def _blocks(text: str) -> list[list[str]]:
    text = _NUMBER.sub("", _ASIDE.sub("", text.replace("_", "")))
    blocks = re.split(r"\n(?:[^\S\n]*\n)+", text)
    split = [
        [line.rstrip() for line in block.split("\n") if line.strip()]
        for block in blocks
    ]
    return [_join_turned(lines) for lines in split if lines]


def _join_turned(lines: Sequence[str]) -> list[str]:
    """Joins the rest of a verse that was too long for the page."""
    least = min(map(_indent, lines))
    joined: list[str] = []
    for line in lines:
        words = line.strip()
        if joined and words[:1].islower() and _indent(line) >= least + 4:
            joined[-1] += " " + words
        else:
            joined.append(line)
    return joined


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_verse(lines: Sequence[str]) -> bool:
    if len(lines) < 2:
        return False
    stripped = [line.strip() for line in lines]
    has_marks = any(_ENDING.search(line) for line in stripped)
    if not has_marks or not any(map(_is_written, stripped)):
        return False
    # Long verses are set in, and each begins with a capital.
    capitals = sum(not line[:1].islower() for line in stripped)
    is_long_verse = _indent(lines[-1]) > 0 and 2 * capitals > len(lines)
    return is_long_verse or not _is_full(stripped)


def _is_written(line: str) -> bool:
    """Whether it has letters, not all of them capitals."""
    return any(map(str.isalpha, line)) and not line.isupper()


def _is_full(lines: Sequence[str]) -> bool:
    """Whether all lines but the last run up to the margin."""
    *full, _ = lines
    return all(len(line) > _MARGIN for line in full)


def _join_stanzas(blocks: Sequence[list[str]]) -> Iterator[tuple[str, str]]:
    """Yields the title and the text of each poem."""
    title, stanzas, is_left_out = "", [], False
    for block in [*blocks, [""]]:
        if _is_verse(block):
            if not is_left_out:
                stanzas.append("\n".join(line.strip() for line in block))
            continue
        if stanzas:
            yield title, "\n\n".join(stanzas)
            title, stanzas = "", []
        if len(block) == 1:
            is_left_out = bool(_HEADED.match(block[0]))
            title = _title(block[0])
        else:
            title = ""


def _title(heading: str) -> str:
    words = heading.strip().rstrip(".").strip()
    return "" if re.fullmatch(r"[IVXLC\d\W]*", words) else words
