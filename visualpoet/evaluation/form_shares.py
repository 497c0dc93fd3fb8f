"""Whether poems keep the form that they were written in."""

import itertools
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from visualpoet.evaluation.pronunciation import count_syllables
from visualpoet.evaluation.pronunciation import find_rhyme
from visualpoet.generator.patterns import Pattern

Poem = Sequence[Sequence[str]]
Hear = Callable[[Iterable[str]], Mapping[str, Sequence[str]]]


def measure_form(
    poems: Sequence[Poem], pattern: Pattern, hear: Hear
) -> dict[str, float]:
    """Measures which poems are as a pattern asks.

    Args:
        poems: Words of each line of each poem.
        pattern: The pattern.
        hear: Phonemes of words, as `pronunciation.transcribe` returns them.

    Returns:
        Shares: `in_form`, poems with all lines, syllables and rhymes; `lines`,
        poems with as many lines as it has; `syllables`, lines of those with as
        many syllables; where it rhymes, `rhymes`, pairs of lines of those that
        should rhyme and do.
    """
    heard = hear(word for poem in poems for line in poem for word in line)
    whole = [poem for poem in poems if len(poem) == len(pattern.syllables)]
    syllables = [_check_syllables(poem, pattern, heard) for poem in whole]
    rhymes = [_check_rhymes(poem, pattern, heard) for poem in whole]
    kept = [all([*a, *b]) for a, b in zip(syllables, rhymes)]
    shares = {
        "in_form": sum(kept) / len(poems),
        "lines": len(whole) / len(poems),
        "syllables": _share(syllables),
    }
    return shares | ({"rhymes": _share(rhymes)} if pattern.rhyme else {})


def _share(groups: Sequence[Sequence[bool]]) -> float:
    checks = list(itertools.chain(*groups))
    return float(np.mean(checks)) if checks else 0.0


def _check_syllables(
    poem: Poem, pattern: Pattern, heard: Mapping[str, Sequence[str]]
) -> list[bool]:
    return [
        sum(count_syllables(heard[word]) for word in line) == wanted
        for line, wanted in zip(poem, pattern.syllables)
    ]


def _check_rhymes(
    poem: Poem, pattern: Pattern, heard: Mapping[str, Sequence[str]]
) -> list[bool]:
    ends = [find_rhyme(heard[line[-1]]) if line else "" for line in poem]
    return [
        a == b != ""
        for (a, x), (b, y) in itertools.combinations(
            zip(ends, pattern.rhyme), 2
        )
        if x == y
    ]
