import re
import sys
import unicodedata

from visualpoet.corpus import characters

ALL = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if not 0xD800 <= code < 0xE000
]
FOLDED = [c for some in characters.FOLDED.values() for c in some]


def test_a_character_is_folded_once():
    assert len(FOLDED) == len(set(FOLDED))
    assert set(FOLDED).isdisjoint(characters.FOLDED)
    assert set(FOLDED).isdisjoint(characters.UNSPOKEN)


def test_every_control_and_format_character_is_folded_but_the_joiners():
    hidden = {c for c in ALL if unicodedata.category(c) in ("Cc", "Cf")}
    assert hidden - set(FOLDED) == {"\n", "\u200c", "\u200d"}


def test_every_blank_is_folded():
    blanks = {c for c in ALL if c.isspace()}
    assert blanks - set(FOLDED) == {"\n", " "}


def test_every_break_of_pythons_lines_is_a_line_break():
    breaks = {c for c in ALL if len(f"a{c}b".splitlines()) == 2}
    assert breaks == {"\n", *characters.LINE_BREAKS}


def test_class_of_runs_and_single_characters():
    pattern = characters.as_class("dba]^-")
    assert pattern == (
        r"[\x{2d}-\x{2d}\x{5d}-\x{5e}\x{61}-\x{62}\x{64}-\x{64}]"
    )
    found = re.compile(re.sub(r"\\x{(\w+)}", r"\\x\1", pattern))
    assert found.findall("abcd-]^[") == ["a", "b", "d", "-", "]", "^"]
