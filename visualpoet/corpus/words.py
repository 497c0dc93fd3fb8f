"""Words of a text as people count them, at whatever level it is modelled."""

import re
from collections.abc import Sequence

import numpy as np

# Of another age: what is written now should not sound like it.
ARCHAIC = ("thee", "thou", "thy", "thine", "hath", "doth")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def split_words(text: str, lower_case: bool = True) -> list[str]:
    """Returns the words of a text, without punctuation.

    Args:
        text: The text.
        lower_case: Whether to write them in lower case.

    Returns:
        Its words.
    """
    text = text.lower() if lower_case else text
    return _WORD.findall(text.replace("\u2019", "'"))


def list_words(text: str, is_unspaced: bool) -> list[str]:
    """Lists the words of a text, or its characters.

    Args:
        text: The text.
        is_unspaced: Whether each character is a word, as in a script without
            blanks between words.

    Returns:
        Its words in lower case, without marks.

    Example:
        >>> list_words("The sea,", False), list_words("明月,", True)
        (['the', 'sea'], ['明', '月'])
    """
    words = split_words(text)
    return list("".join(words)) if is_unspaced else words


def list_n_grams(text: str, n: int) -> list[tuple[str, ...]]:
    """Lists the runs of words of a text, across line ends.

    Args:
        text: A poem.
        n: Words of a run.

    Returns:
        All of them, in order.
    """
    words = split_words(text)
    return list(zip(*(words[offset:] for offset in range(n))))


def find_twins(words: Sequence[str]) -> np.ndarray:
    """Finds for each word the same one with or without an s at its end.

    Args:
        words: The words, each once.

    Returns:
        int `[V]`; the place of its twin, the word's own where it has none.
    """
    place = {word: index for index, word in enumerate(words)}
    twins = np.arange(len(words))
    for word, index in place.items():
        many = place.get(f"{word}s") if word[-3:].isalpha() else None
        if many is not None and len(word) > 2:
            twins[index], twins[many] = many, index
    return twins
