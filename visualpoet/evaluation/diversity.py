"""How different poems are from each other and within themselves."""

import collections
from collections.abc import Sequence

from visualpoet.corpus.words import list_n_grams
from visualpoet.corpus.words import split_words


def distinct_n(poems: Sequence[str], n: int) -> float:
    """Share of n-grams that are different, over all poems together.

    Source: Li et al. (2016), a diversity-promoting objective function.

    Args:
        poems: Poems; compare only sets of equal size.
        n: Words of an n-gram.

    Returns:
        Different n-grams over all n-grams.
    """
    grams = []
    for poem in poems:
        grams += list_n_grams(poem, n)
    return len(set(grams)) / max(len(grams), 1)


def commonest_line_share(poems: Sequence[str]) -> tuple[str, float]:
    """Finds the line that most poems share.

    Args:
        poems: Poems.

    Returns:
        The line, and the share of poems that have it; nothing and 0 if no poem
        has a word.
    """
    counts = collections.Counter(
        line
        for poem in poems
        # In their order, so that ties are broken in the same way each time.
        for line in dict.fromkeys(
            " ".join(split_words(text)) for text in poem.split("\n")
        )
        if line
    )
    line, number = counts.most_common(1)[0] if counts else ("", 0)
    return line, number / max(len(poems), 1)
