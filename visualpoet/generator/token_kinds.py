"""What sort of token each one is, by how poems use it."""

import dataclasses
import re
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus.sounds import measure_sounds
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.corpus.words import find_twins
from visualpoet.generator.patterns import Pattern
from visualpoet.generator.patterns import PatternRules
from visualpoet.generator.patterns import check_reachable
from visualpoet.generator.patterns import make_rules

# Figures, and Roman numerals but the word I.
NUMERAL = re.compile(r"\d+|(?=[ivx]{2})x{0,3}(ix|iv|v?i{0,3})")


@dataclasses.dataclass(frozen=True)
class TokenKinds:
    """What sort of token each one is.

    Attributes:
        is_word: bool `[V]`; letters, so that it counts as a word of a line.
        is_mark: bool `[V]`; punctuation.
        is_content: bool `[V]`; a word that should not come twice.
        is_open: bool `[V]`; what calls for another word, as `the` does.
        is_pause: bool `[V]`; a mark that no poem ends with, as the comma.
        is_numeral: bool `[V]`; a number in figures or a Roman one, that of a
            stanza or a canto, which is never written.
        twin: int `[V]`; the same word with or without an s at its end, which
            is used when it is; the token itself if there is none.
        line_break: Id of the line break.
        rules: What patterns of syllables and rhymes ask of the tokens; None
            where no form has one.
    """

    is_word: np.ndarray
    is_mark: np.ndarray
    is_content: np.ndarray
    is_open: np.ndarray
    is_pause: np.ndarray
    is_numeral: np.ndarray
    twin: np.ndarray
    line_break: int
    rules: PatternRules | None = None

    @property
    def is_any_word(self) -> np.ndarray:
        """Words and the unknown one, `[V]`: it is a word, though not which."""
        return self.is_word | (np.arange(len(self.is_word)) == UNKNOWN)


def sort_tokens(
    vocabulary: Vocabulary, token_ids: Sequence[Sequence[int]]
) -> TokenKinds:
    """Sorts the tokens of a vocabulary by how poems use them.

    Content words are rarer than 0.4 % of all tokens. Open words are followed
    by a mark, a line break or the end in less than 4 % of cases, pauses by the
    end in less than 1 %.

    Args:
        vocabulary: The vocabulary.
        token_ids: Poems, each with START and END.

    Returns:
        The kinds.
    """
    is_word = vocabulary.is_word()
    is_mark = np.isin(np.arange(len(vocabulary)), vocabulary.mark_ids())
    stream = np.concatenate([np.asarray(ids, int) for ids in token_ids])
    size = len(vocabulary)
    counts = np.bincount(stream, minlength=size)
    stopped = _count_stopped(vocabulary, stream)
    ended = np.bincount(stream[:-1][stream[1:] == END], minlength=size)
    is_hyphen = np.array([token == "-" for token in vocabulary.tokens])
    return TokenKinds(
        is_word=is_word,
        is_mark=is_mark,
        is_content=is_word & (counts < 0.004 * len(stream)),
        is_open=is_hyphen | is_word & (counts > 0) & (stopped < 0.04 * counts),
        is_pause=is_mark & (ended < 0.01 * counts),
        is_numeral=np.array(
            [bool(NUMERAL.fullmatch(token)) for token in vocabulary.tokens]
        ),
        twin=find_twins(vocabulary.tokens),
        line_break=vocabulary.line_break,
    )


def _count_stopped(vocabulary: Vocabulary, stream: np.ndarray) -> np.ndarray:
    """How often a mark, a line break or the end follows each token."""
    stops = [END, vocabulary.line_break, *vocabulary.mark_ids()]
    before = stream[:-1][np.isin(stream[1:], stops)]
    return np.bincount(before, minlength=len(vocabulary))


def add_rules(
    kinds: TokenKinds,
    vocabulary: Vocabulary,
    token_ids: Sequence[Sequence[int]],
    patterns: Mapping[str, Pattern],
) -> TokenKinds:
    """Adds how words sound and close lines, for forms that are patterns.

    A line is filled by a word that is followed by a mark, a line break or the
    end in a quarter of cases or more; of all words, a fifth is.

    Args:
        kinds: Of the vocabulary.
        vocabulary: The vocabulary.
        token_ids: Poems, each with START and END.
        patterns: By form, what is to be written.

    Returns:
        The kinds with their `rules`.

    Raises:
        ValueError: If the vocabulary cannot fill a pattern.
    """
    stream = np.concatenate([np.asarray(ids, int) for ids in token_ids])
    counts = np.bincount(stream, minlength=len(vocabulary))
    closes = _count_stopped(vocabulary, stream) >= 0.25 * np.maximum(counts, 1)
    stops = np.isin(np.arange(len(vocabulary)), [END, vocabulary.line_break])
    rules = make_rules(
        measure_sounds(vocabulary),
        kinds.is_word,
        kinds.is_word & closes & ~kinds.is_open & ~kinds.is_numeral,
        ~kinds.is_word & ~stops & (kinds.is_open | ~kinds.is_mark),
        kinds.is_pause,
        stops,
    )
    for form, pattern in patterns.items():
        check_reachable(rules, pattern, form)
    return dataclasses.replace(kinds, rules=rules)
