"""Poems of a plain text file, without what parts, heads and counts them."""

import re
from collections.abc import Iterator
from collections.abc import Mapping

from visualpoet.corpus.plain_text import clean_text
from visualpoet.corpus.plain_text import split_title

_LINE_END = re.compile(r"\r*\n|\r")
# A line of signs, a new page, or three blank lines.
_BORDER = re.compile(
    r"\n\f\n?|\f\n|\n(?:[ \t]*\n){3,}"
    r"|(?:^|\n)[ \t]*(?:[*=~_%#\u2042\u2014-][ \t]*){3,}(?:\n|$)"
    r"|(?:^|\n)[ \t]*%[ \t]*(?:\n|$)"
)
_FRONT = re.compile(r"\A\s*---[ \t]*\n((?:[\w-]+:.*\n|[ \t-].*\n)*)---[ \t]*\n")
_FIELD = re.compile(r"(?mi)^(title|author):[ \t]*(['\"]?)(.+?)\2[ \t]*$")
_NUMBER = re.compile(r"[ \t]*(\d+)[.):]?[ \t]+(?=\S)")
_BEHIND = re.compile(r"(?m)(?:[ \t]{2,}|\t)\d{0,2}[05]$")  # every fifth line's
_HEADING = re.compile(r"(?m)^[ \t]*(?:[IVXLC]+|\d+)\.?[ \t]*$")


def split_poems(text: str) -> Iterator[Mapping[str, str]]:
    """Parts the poems of a file.

    A line of signs as `---` or `* * *`, a new page or three blank lines stand
    between two. YAML before the first names title and author. Numbers of
    lines and of stanzas are no part of a poem.

    Args:
        text: The file.

    Yields:
        `title`, `author` and `text` of each poem, one at least.

    Raises:
        ValueError: As for `clean_text`.
    """
    text = _LINE_END.sub("\n", text)
    front = _FRONT.match(text)
    known = {}
    if front:
        known = {n.lower(): v for n, _, v in _FIELD.findall(front.group(1))}
        text = text[front.end() :]
    texts = [poem for poem in _BORDER.split(text) if poem.strip()]
    for poem in texts or [""]:
        poem = _remove_numbers(clean_text(poem))
        title, author, poem = split_title(poem)
        yield {"title": title, "author": author, "text": poem, **known}


def _remove_numbers(text: str) -> str:
    if len(set(_HEADING.findall(text))) > 1:
        text = _HEADING.sub("", text).strip("\n")
    lines = [line for line in text.split("\n") if line.strip()]
    found = [_NUMBER.match(line) for line in lines]
    numbers = [int(number.group(1)) for number in found if number]
    if len(lines) > 2 and numbers == list(range(1, len(lines) + 1)):
        text = re.sub(rf"(?m)^{_NUMBER.pattern}", "", text)
    return _BEHIND.sub("", text)
