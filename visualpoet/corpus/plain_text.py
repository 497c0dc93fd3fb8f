"""Plain lines from texts as files, exports and web pages have them."""

import html
import re

from visualpoet.corpus.characters import INVISIBLE
from visualpoet.corpus.characters import break_lines

_UNSEEN_LINE = re.compile(rf"(?m)^[ \t\xa0{re.escape(INVISIBLE)}]+$")
# A line break, and a quotation mark, as programs write them into one line.
_WRITTEN_BREAK = re.compile(r"(?<!\\)(?:(?:\\+r)?\\+n|\\+r)")
_COMMAND = re.compile(r"\\[nr][a-z]")
_WRITTEN_QUOTE = re.compile(r"(?<!\\)\\+(['\"])")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]\w{1,31});")
_ENDS = r"(?:\s+[\w-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s<>]+))*\s*/?>"
_PAGE = re.compile(r"(?i)<(?:!doctype|\?xml|html|head|script|style|table)\b")
_LINE_TAG = re.compile(rf"(?i)(?<![ \t])[ \t]*</?br{_ENDS}[ \t]*\n?")
_STANZA_TAG = re.compile(
    rf"(?i)(?<!\s)\s*(?:</?(?:p|div|blockquote|hr){_ENDS}\s*)+"
)
_OTHER_TAG = re.compile(
    r"(?i)<!--.*?-->|</?(?:a|b|center|em|font|i|img|pre|small|span|strong|sub|"
    rf"sup|u){_ENDS}"
)
_LONGEST_TITLE = 80
_GOES_ON = (",", ";", ":", "-", "\u2013", "\u2014")
_BY = re.compile(r"(?i)by\s+(?=\S)")


def clean_text(text: str) -> str:
    """Writes a text in plain lines.

    Args:
        text: With any line breaks, HTML entities and simple tags.

    Returns:
        Lines joined by line breaks; a blank line between stanzas.

    Raises:
        ValueError: If it is a page of HTML, or breaks lines in two ways.
    """
    # Most texts have none of these signs, and the patterns are slow.
    if "&" in text:
        text = _unescape(text)
    text = break_lines(text)
    if "<" in text:
        text = _remove_tags(text)
    if "\\" in text:
        text = _break_written_lines(text.strip("\n"))
        text = _WRITTEN_QUOTE.sub(r"\1", text)
    if not text.isascii():
        text = _UNSEEN_LINE.sub("", text)
    return text.strip("\n")


def _unescape(text: str) -> str:
    """Reads entities, also those of a text that was escaped twice."""
    for _ in range(3):
        text = _ENTITY.sub(lambda found: html.unescape(found.group()), text)
    return text


def _remove_tags(text: str) -> str:
    if page := _PAGE.search(text):
        raise ValueError(
            "expected a poem. Received: a page of HTML, with "
            f"{page.group()}; give the poem alone"
        )
    text = _LINE_TAG.sub("\n", text)
    text = _STANZA_TAG.sub("\n\n", text)
    return _OTHER_TAG.sub("", text)


def _break_written_lines(text: str) -> str:
    """Breaks lines where a backslash and an n stand for that."""
    if "\n" in text and _COMMAND.search(text):
        raise ValueError(
            "expected line breaks of one kind. Received: a text with line "
            r"breaks and with a literal \n or \r; write them as line breaks"
        )
    return _WRITTEN_BREAK.sub("\n", text)


def split_title(text: str) -> tuple[str, str, str]:
    """Takes the title off a poem.

    A title is a line of its own before a stanza, not one that goes on with a
    comma or dash unless it is the first verse again; a line "by ..." under it,
    or after a blank line, names the author.

    Args:
        text: A poem in plain lines.

    Returns:
        The title, the author, and the poem without them; empty where there is
        none.
    """
    head, *stanzas = re.split(r"\n(?:[^\S\n]*\n)+", text)
    title, *under = head.strip().split("\n")
    if not under and len(stanzas) > 1 and _author(stanzas[0]):
        under = [stanzas.pop(0)]
    author = _author(under[0]) if len(under) == 1 else ""
    verse, *more = stanzas[0].strip().split("\n") if stanzas else [""]
    if not more or (under and not author) or not _is_title(title, verse):
        return "", "", text
    return title.strip(), author, "\n\n".join(stanzas)


def _author(line: str) -> str:
    line = line.strip()
    found = _BY.match(line)
    return line[found.end() :] if found and "\n" not in line else ""


def _is_title(line: str, verse: str) -> bool:
    line, verse = line.strip().casefold(), verse.strip().casefold()
    goes_on = line.endswith(_GOES_ON) and line != verse
    return len(line) <= _LONGEST_TITLE and not goes_on
