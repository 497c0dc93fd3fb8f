"""Which script a text is written in."""

import collections
import unicodedata
from collections.abc import Iterable

# Without blanks between words.
UNSPACED_SCRIPTS = frozenset(
    {"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"}
)
RIGHT_TO_LEFT = frozenset({"ARABIC", "HEBREW", "SYRIAC", "THAANA"})
NO_SCRIPT = "none"


def find_script(texts: Iterable[str]) -> str:
    """Finds the script that most letters of some texts are of.

    Args:
        texts: The texts.

    Returns:
        As Unicode names it in its names of letters: LATIN, CJK, ARABIC;
        `NO_SCRIPT` without any letter.

    Example:
        >>> find_script(["The sea", "море"])
        'LATIN'
    """
    letters = collections.Counter(
        letter for text in texts for letter in text if letter.isalpha()
    )
    scripts: collections.Counter[str] = collections.Counter()
    for letter, count in letters.items():
        scripts[unicodedata.name(letter, NO_SCRIPT).split()[0]] += count
    return max(scripts, key=scripts.__getitem__, default=NO_SCRIPT)
