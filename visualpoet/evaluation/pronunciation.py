"""Syllables and rhymes by eSpeak's rules, of the extra `evaluate`.

The table that patterns are written by is of another dictionary
(`visualpoet/corpus/sounds.py`): no tool judges itself.
"""

import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from visualpoet import extras

_VOWEL = re.compile("[aeiouyæɐɑɒɔəɚɛɜɝɪɵøœʊʌᵻ\u0329]")  # or a syllabic mark
_STRESS = re.compile("[ˈˌ]")
_LENGTH = "ː"


def transcribe(words: Iterable[str]) -> dict[str, list[str]]:
    """Transcribes words, each as if it stood alone.

    Args:
        words: English words.

    Returns:
        The phonemes of each, as in the international alphabet; a diphthong is
        one, with the mark of its stress before it.
    """
    with extras.needs("evaluate"):
        import espeakng_loader
        from phonemizer.backend import EspeakBackend
        from phonemizer.backend.espeak.wrapper import EspeakWrapper
        from phonemizer.separator import Separator

    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    different = sorted(set(words))
    heard = EspeakBackend("en-us", with_stress=True).phonemize(
        different, Separator(phone=" ", word=" | "), strip=True
    )
    return {
        word: text.replace("|", "").split()
        for word, text in zip(different, heard)
    }


def count_syllables(phonemes: Sequence[str]) -> int:
    """Counts the vowels of a word; a syllabic consonant is one.

    Args:
        phonemes: Of the word, as `transcribe` returned them.

    Returns:
        Its syllables.

    Example:
        >>> count_syllables(["b", "ˈʌ", "ʔ", "n̩"])
        2
    """
    return sum(bool(_VOWEL.search(phoneme)) for phoneme in phonemes)


def find_rhyme(phonemes: Sequence[str]) -> str:
    """Finds what a word must share with another to rhyme.

    Args:
        phonemes: Of the word, as `transcribe` returned them.

    Returns:
        Its phonemes from the last stressed vowel on, or from the last vowel if
        none is stressed, without marks of stress and length; empty without a
        vowel.

    Example:
        >>> find_rhyme(["t", "ə", "n", "ˈaɪ", "t"])
        'aɪ t'
    """
    vowels = [i for i, one in enumerate(phonemes) if _VOWEL.search(one)]
    stressed = [i for i in vowels if _STRESS.search(phonemes[i])]
    if not vowels:
        return ""
    ending = " ".join(phonemes[(stressed or vowels)[-1] :])
    return _STRESS.sub("", ending).replace(_LENGTH, "")


def hear_characters(characters: Iterable[str]) -> Mapping[str, list[str]]:
    """Hears each character as a syllable, and nothing of rhymes.

    Args:
        characters: Of a script without blanks.

    Returns:
        One vowel for each.
    """
    return {character: ["a"] for character in characters}
