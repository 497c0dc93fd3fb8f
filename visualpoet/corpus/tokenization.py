"""Rules by which texts become tokens, for the `tokenizers` library.

`export.tokenizer` has the same rules for the graph.
"""

from collections.abc import Iterable

import tokenizers
from tokenizers import models
from tokenizers import normalizers
from tokenizers import pre_tokenizers

from visualpoet.corpus.characters import ATTACHED
from visualpoet.corpus.characters import FOLDED
from visualpoet.corpus.characters import IN_WORD
from visualpoet.corpus.characters import JOINABLE
from visualpoet.corpus.characters import JOINER
from visualpoet.corpus.characters import PICTOGRAPH
from visualpoet.corpus.characters import SUFFIXES
from visualpoet.corpus.characters import UNSPACED
from visualpoet.corpus.characters import UNSPOKEN
from visualpoet.corpus.characters import WORD
from visualpoet.corpus.characters import as_class
from visualpoet.corpus.quotations import APOSTROPHES
from visualpoet.corpus.quotations import BEGINS
from visualpoet.corpus.quotations import PERHAPS
from visualpoet.corpus.quotations import QUOTATIONS
from visualpoet.corpus.quotations import SURELY

_ENDS = rf"(?![{IN_WORD}])"
_PATTERNS = {
    "word": (
        rf"\n|'s{_ENDS}|{WORD}(?:'(?!s{_ENDS}){WORD})*"
        rf"|'\p{{L}}[\p{{L}}{ATTACHED}]*|{PICTOGRAPH}|[^\w\s{ATTACHED}]"
    ),
    "character": rf"\n| |{PICTOGRAPH}|[^\s{ATTACHED}][{ATTACHED}]*",
}
# Joiners stay where they change how letters are written.
_JOINERS = (
    (rf"(?<![{JOINABLE}]){JOINER}+", ""),
    (rf"(?<=[\p{{L}}\p{{So}}]){JOINER}(?![{JOINABLE}])", ""),
)
_BLANKS = (
    (r" +", " "),
    (r" ?\n[ \n]*", "\n"),
)
# Stand for the mark that begins each kind of quotation: folding leaves no text
# with one.
_BEGUN = "\u201c\u201e"
_QUOTATIONS = (
    *(
        (rf"(?<={before})'(?={after})", sign)
        for before, after, sign in APOSTROPHES
    ),
    *(
        rule
        for begun, (quoted, end, after) in zip(_BEGUN, QUOTATIONS)
        for rule in (
            (rf"(?<={BEGINS})'(?={quoted}{end}{after})", begun),
            (rf"{begun}[^{end}]*\K{end}", ""),
        )
    ),
    (f"[{_BEGUN}]", ""),
    (f"[{SURELY}{PERHAPS}]", "'"),
)
_CLEANING = {
    "word": (
        *_JOINERS,
        (as_class(UNSPOKEN), " "),
        (r"''+", " "),
        (r"\u2014+|--+| - ", " \u2014 "),
        (rf"(?<=\p{{L}})' (?=(?:{SUFFIXES}){_ENDS})", "'"),
        (r"(?<=\s)'+(?=\s)", ""),
        *_QUOTATIONS,
        *_BLANKS,
    ),
    "character": (
        *_JOINERS,
        (rf"(?<=[{UNSPACED}]) +(?=[{UNSPACED}])", ""),
        *_BLANKS,
    ),
}


def make_tokenizer(level: str, unknown: str) -> tokenizers.Tokenizer:
    """Makes a tokenizer that knows no token yet.

    Args:
        level: `word` or `character`.
        unknown: What stands for every token that is not known.

    Returns:
        The tokenizer.
    """
    tokenizer = tokenizers.Tokenizer(models.WordLevel(unk_token=unknown))
    tokenizer.normalizer = _normalizer(level)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        tokenizers.Regex(_PATTERNS[level]), "removed", invert=True
    )
    return tokenizer


def _normalizer(level: str) -> normalizers.Normalizer:
    folding = [(as_class(folded), one) for one, folded in FOLDED.items()]
    normal: list[normalizers.Normalizer] = [normalizers.NFC()]
    if level == "word":
        normal = [normalizers.NFKC(), normalizers.Lowercase(), *normal]
    return normalizers.Sequence(
        [
            *_replacements(folding),
            *normal,
            normalizers.Strip(),
            *_replacements(_CLEANING[level]),
            normalizers.Strip(),
        ]
    )


def _replacements(
    rules: Iterable[tuple[str, str]],
) -> list[normalizers.Normalizer]:
    return [
        normalizers.Replace(tokenizers.Regex(pattern), content)
        for pattern, content in rules
    ]
