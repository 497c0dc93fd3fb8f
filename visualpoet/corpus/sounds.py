"""How the tokens of a vocabulary sound: syllables and rhymes."""

import dataclasses
import re
import unicodedata

import numpy as np

from visualpoet import extras
from visualpoet.corpus.vocabulary import Vocabulary

# Of a word that the dictionary does not have: vowels written together sound
# as one, and neither the last e nor the e of -ed and -es does.
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(
    r"(?<=[^aeiouy])(e|(?<![td])ed|(?<![sxz])es|(?<=[^td])'d)$"
)
_ENDING = re.compile(r"[aeiouy]+[^aeiouy]*$")
# Of the dictionary's sounds, and of letters.
_HISS = re.compile(r"\b(S|Z|SH|ZH|CH|JH)$|([sxz]|sh|ch)$")


@dataclasses.dataclass(frozen=True)
class Sounds:
    """What a token adds to a line, and what it rhymes with.

    Attributes:
        syllables: int `[V]`; 0 for marks and what leans on a word.
        rhyme: int `[V]`; tokens of the same number rhyme, 0 with none.
        hisses: bool `[V]`; words with whose genitive comes a syllable more.
    """

    syllables: np.ndarray
    rhyme: np.ndarray
    hisses: np.ndarray


def measure_sounds(vocabulary: Vocabulary) -> Sounds:
    """Measures the words of a vocabulary.

    At word level by the CMU pronouncing dictionary, English words that it does
    not have by their spelling; at character level a Chinese, Japanese or
    Korean character is a syllable, and nothing is known of rhymes.

    Args:
        vocabulary: The vocabulary.

    Returns:
        The sounds.
    """
    tokens, is_word = vocabulary.tokens, vocabulary.is_word()
    if vocabulary.level == "character":
        syllables = np.array([int(_is_syllabic(token)) for token in tokens])
        return Sounds(syllables, 0 * syllables, syllables < 0)
    heard = [_hear(t) if w else (0, "") for t, w in zip(tokens, is_word)]
    endings = sorted({ending for _, ending in heard})
    numbers = {ending: number for number, ending in enumerate(endings)}
    return Sounds(
        np.array([syllables for syllables, _ in heard]),
        np.array([numbers[ending] for _, ending in heard]),
        np.array([bool(_HISS.search(ending)) for _, ending in heard]),
    )


def _is_syllabic(token: str) -> bool:
    name = unicodedata.name(token, "") if len(token) == 1 else ""
    return name.startswith(("CJK UNIFIED", "HANGUL SYLL", "HIRAG", "KATAK"))


def _hear(word: str) -> tuple[int, str]:
    """Syllables of a word, and how it ends from the last stress on."""
    with extras.needs("train"):
        import pronouncing
    known = pronouncing.phones_for_word(word)
    if known:
        rhyme = re.sub(r"\d", "", pronouncing.rhyming_part(known[0]))
        return pronouncing.syllable_count(known[0]), rhyme
    bare = _SILENT.sub("", word)
    ending = _ENDING.search(bare)
    # In lower case: never one of the dictionary's.
    return max(1, len(_VOWELS.findall(bare))), ending[0] if ending else ""
