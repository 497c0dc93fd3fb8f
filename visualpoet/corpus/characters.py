"""What a character is taken for: one table for Python and for the graph.

Patterns are written in what Oniguruma (`tokenizers`) and RE2 (TensorFlow)
have in common.
"""


def _ranges(*ends: tuple[int, int]) -> str:
    return "".join(chr(c) for a, b in ends for c in range(a, b + 1))


LINE_BREAKS = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_BLANKS = "\t\x1f\xa0\u1680\u202f\u205f\u3000" + _ranges((0x2000, 0x200A))
# Controls, format characters and fillers of Unicode (Cc, Cf and what else
# is not drawn); no joiners, which belong to their letter in many scripts.
INVISIBLE = _ranges(
    (0x00, 0x08),
    (0x0E, 0x1B),
    (0x7F, 0x84),
    (0x86, 0x9F),
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x600, 0x605),
    (0x61C, 0x61C),
    (0x6DD, 0x6DD),
    (0x70F, 0x70F),
    (0x890, 0x891),
    (0x8E2, 0x8E2),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200B),
    (0x200E, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF9, 0xFFFD),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x13438),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0001, 0xE0001),
    (0xE0020, 0xE007F),
    (0xE0100, 0xE01EF),
)
# What each of some characters is read as.
FOLDED = {
    "\n": LINE_BREAKS,
    " ": _BLANKS,
    "": INVISIBLE,
    "'": "`´‘’‛′‵ʹʻʼʽʾʿˈˊˋ՚׳ߴߵꞌ΄᾽᾿\u1ffd❛❜＇｀",
    "-": "֊־᠆‐‑−⁃˗⸗﹣－",
    "\u2014": "‒–―⸺⸻─━﹘︱︲",
    '"': "“”„‟‚‹›«»″‶ʺˮ״〝〞〟❝❞❟❠❮❯⹂🙶🙷🙸＂",
}
# Marks that are neither spoken nor a pause: words go on without them.
UNSPOKEN = '"*_[]{}<>|~^=+#@/\\「」『』【】〔〕《》〈〉〖〗〘〙〚〛'


def break_lines(text: str) -> str:
    r"""Ends every line with the same character.

    Args:
        text: With line breaks of any kind.

    Returns:
        The text with `\n` for each of them, none at its end.
    """
    # Text mode on Windows makes the first of what was \r\n already.
    return "\n".join(text.replace("\r\r\n", "\n").splitlines())


def as_class(characters: str) -> str:
    """Writes a character class.

    Args:
        characters: The characters.

    Returns:
        A pattern that matches one of them.
    """
    ends: list[list[int]] = []
    for code in sorted(map(ord, characters)):
        if ends and ends[-1][1] == code - 1:
            ends[-1][1] = code
        else:
            ends.append([code, code])
    pieces = (f"\\x{{{a:x}}}-\\x{{{b:x}}}" for a, b in ends)
    return f"[{''.join(pieces)}]"


_JOINERS = r"\x{200c}\x{200d}"  # U+200C keeps letters apart, U+200D joins them
_TONES = r"\x{1f3fb}-\x{1f3ff}"  # of skin
# Scripts of Africa and Asia in which a joiner changes how letters are written.
_JOINING = r"\x{600}-\x{dff}\x{1000}-\x{109f}\x{1780}-\x{18af}"
JOINABLE = rf"{_JOINING}\p{{So}}{_TONES}"
JOINER = f"[{_JOINERS}]"
# What follows a letter and is no letter of its own.
ATTACHED = rf"\p{{M}}{_JOINERS}"
IN_WORD = r"\p{L}\p{M}\p{Nd}\p{Pc}"
# What is written apart from the word that it belongs to: they' ll.
SUFFIXES = "d|st|n|er|ry|re|t|ll|ve|m"
WORD = rf"[\p{{L}}\p{{N}}][\p{{L}}\p{{N}}{ATTACHED}]*"
# A flag, or one pictograph, or several that are joined to one.
PICTOGRAPH = (
    rf"[\x{{1f1e6}}-\x{{1f1ff}}]{{2}}"
    rf"|\p{{So}}[{_TONES}]?(?:\x{{200d}}\p{{So}}[{_TONES}]?)*"
)
# Scripts that are written without blanks between words.
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\x{3000}-\x{303f}\x{ff00}-\x{ffef}"
