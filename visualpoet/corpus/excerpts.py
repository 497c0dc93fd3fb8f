"""Excerpts of 3 to 10 lines, cut at stanza borders; a haiku may have 2."""

import dataclasses
import re
from collections.abc import Iterator
from collections.abc import Sequence

from visualpoet.controls import MAX_LINES
from visualpoet.corpus.characters import break_lines
from visualpoet.corpus.records import Poem

MIN_LINES = 3
MIN_LINES_OF_FORM = {"haiku": 2}
_SENTENCE_END = re.compile(r"[.!?;…。！？；।॥؟۔][\"')’”»›」』]*$")


def _stanzas(text: str) -> list[list[str]]:
    blocks = re.split(r"\n\s*\n", break_lines(text).strip())
    stanzas = [[s.strip() for s in b.split("\n") if s.strip()] for b in blocks]
    return [stanza for stanza in stanzas if stanza]


def _cut(
    stanza: Sequence[str], min_lines: int, max_lines: int
) -> Iterator[list[str]]:
    """Cuts a stanza that is too long, at a sentence end where there is one."""
    rest = list(stanza)
    while len(rest) > max_lines:
        window = range(max_lines, min_lines - 1, -1)
        ends = (n for n in window if _SENTENCE_END.search(rest[n - 1]))
        size = next(ends, max_lines)
        yield rest[:size]
        rest = rest[size:]
    yield rest


def cut_excerpts(
    text: str, min_lines: int = MIN_LINES, max_lines: int = MAX_LINES
) -> list[str]:
    r"""Cuts a poem into excerpts.

    Stanzas stay whole where they fit, short ones are joined to the next,
    long ones are cut at the last sentence end that fits. What remains shorter
    than `min_lines` is left out.

    Source: liu18, data (poems of 3 to 10 lines).

    Args:
        text: Lines joined by line breaks; a blank line between stanzas.
        min_lines: Fewest lines of an excerpt.
        max_lines: Most lines of an excerpt.

    Returns:
        Excerpts without blank lines.

    Example:
        >>> cut_excerpts("a\nb\n\nc\nd", min_lines=3, max_lines=4)
        ['a\nb\nc\nd']
    """
    excerpts: list[list[str]] = []
    pending: list[str] = []
    for stanza in _stanzas(text):
        for piece in _cut(stanza, min_lines, max_lines):
            if len(pending) + len(piece) > max_lines:
                pending = []
            pending = pending + piece
            if len(pending) >= min_lines:
                excerpts.append(pending)
                pending = []
    return ["\n".join(lines) for lines in excerpts]


def cut_poems(poems: Sequence[Poem]) -> tuple[list[Poem], list[Poem]]:
    """Cuts poems into excerpts.

    Args:
        poems: The poems.

    Returns:
        The excerpts, each with what is known of its poem, and the poems that
        give none.
    """
    excerpts, without = [], []
    for poem in poems:
        min_lines = MIN_LINES_OF_FORM.get(poem.form, MIN_LINES)
        texts = cut_excerpts(poem.text, min_lines)
        excerpts += [dataclasses.replace(poem, text=text) for text in texts]
        if not texts:
            without.append(poem)
    return excerpts, without


def name_short(poems: Sequence[Poem]) -> str:
    """Counts poems without an excerpt, for a message.

    Args:
        poems: One or more.

    Returns:
        How many there are, and the first ones by name; one without a name by
        its first words.
    """
    names = [poem.id or poem.title or poem.text[:30] for poem in poems[:3]]
    listed = ", ".join(" ".join(name.split()) for name in names)
    more = ", ..." if len(poems) > 3 else ""
    return (
        f"poems left out, with no excerpt of {MIN_LINES} to {MAX_LINES} lines: "
        f"{len(poems)} ({listed}{more})"
    )
