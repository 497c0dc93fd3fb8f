"""Rewards of your own: functions of poems and photographs to [0, 1].

PYTHONPATH=recipes python recipes/train_adversarial.py \
        --rewards example_rewards.rhyme=0.2 example_rewards.no_banned_words=0.1
"""

import re
from collections.abc import Sequence

BANNED = frozenset({"blood", "death", "dead", "grave"})


def rhyme(poems: Sequence[str], photographs: Sequence[str]) -> list[float]:
    """Share of lines that end in a word which rhymes with another one.

    Words rhyme if their last two letters are the same; a word does not rhyme
    with itself, and counts once.

    Args:
        poems: Poems, lines between line breaks.
        photographs: Names of their photographs, not used.

    Returns:
        One number in [0, 1] a poem.
    """
    return [_share_of_rhymes(poem) for poem in poems]


def _share_of_rhymes(poem: str) -> float:
    lines = [re.findall(r"[a-z]+", line) for line in poem.lower().split("\n")]
    words = {line[-1] for line in lines if line}
    endings = [word[-2:] for word in words]
    rhymes = sum(endings.count(ending) > 1 for ending in endings)
    return rhymes / len(lines)


def no_banned_words(
    poems: Sequence[str], photographs: Sequence[str]
) -> list[float]:
    """1 for a poem without a banned word, else 0.

    Args:
        poems: Poems.
        photographs: Names of their photographs, not used.

    Returns:
        One number in [0, 1] a poem.
    """
    words = (set(re.findall(r"[a-z]+", poem.lower())) for poem in poems)
    return [float(BANNED.isdisjoint(poem_words)) for poem_words in words]
