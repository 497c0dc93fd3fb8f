"""The columns of the table of methods, and how they follow from sums."""

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np

from visualpoet.evaluation import bleu

COPIED = 8


@dataclasses.dataclass(frozen=True)
class Measure:
    """A column of the table.

    Attributes:
        name: Its key.
        title: Its head.
        better: `high`, `low`, or empty where neither is.
        meaning: One sentence, with unit.
        digits: After the point.
        in_paper: Whether the paper reports it.
    """

    name: str
    title: str
    better: str
    meaning: str
    digits: int = 2
    in_paper: bool = False


PAPER = [
    Measure(
        "relevance",
        "Relevance",
        "high",
        "Mean cosine of photograph and poem in the joint space, times 100. "
        "The generators are built on this space, so it judges its own.",
    ),
    Measure(
        "novelty_2",
        "Novelty-2",
        "high",
        "Share of 2-grams that occur in the training pairs but are not among "
        "their 2,000 most frequent [%].",
    ),
    Measure("novelty_3", "Novelty-3", "high", "The same of 3-grams [%]."),
    Measure(
        "bleu_1",
        "BLEU-1",
        "high",
        "Against all human poems paired with the photograph [%]; a human "
        "poem against the others.",
    ),
    Measure("bleu_2", "BLEU-2", "high", "The same up to 2-grams [%]."),
    Measure("bleu_3", "BLEU-3", "high", "The same up to 3-grams [%]."),
]
PAPER = [dataclasses.replace(measure, in_paper=True) for measure in PAPER]
MORE = [
    Measure(
        "caption_tfidf",
        "Captions, TF-IDF",
        "high",
        "Share of poems whose own photograph is among the first ten of a "
        "hundred, by words shared with its human captions [%]; by chance 10.",
        1,
    ),
    Measure(
        "caption_sentences",
        "Captions, MiniLM",
        "high",
        "The same by a public sentence embedding [%]. Where the pairs were "
        "mined with it, human poems are its own choice.",
        1,
    ),
    Measure(
        "perplexity",
        "Perplexity",
        "",
        "Of a Kneser-Ney 5-gram model of poems that no generator saw, on known "
        "words: low where the language is that of human verse, and where it "
        "is trite.",
        1,
    ),
    Measure(
        "distinct_1",
        "Distinct-1",
        "high",
        "Different words over all words of all poems.",
        3,
    ),
    Measure("distinct_2", "Distinct-2", "high", "The same of 2-grams.", 3),
    Measure(
        "self_bleu",
        "Self-BLEU-2",
        "low",
        "Of 200 poems, mean BLEU-2 of each against the others [%]: high "
        "where the poems are alike.",
        1,
    ),
    Measure(
        "different_poems",
        "Different",
        "high",
        "Different poems over all poems [%]: 100 if none is word for word "
        "another's.",
        1,
    ),
    Measure(
        "novelty_2_any",
        "Novelty-2, any",
        "high",
        "Share of 2-grams not among the 2,000 most frequent ones, also those "
        "that no training pair has [%].",
    ),
    Measure(
        "novelty_3_any", "Novelty-3, any", "high", "The same of 3-grams [%]."
    ),
    Measure(
        "copied_run",
        "Copied run",
        "low",
        "Mean longest run of words that also stands in a training poem.",
    ),
    Measure(
        "copied",
        "Copied, 8 words",
        "low",
        f"Share of poems that copy a run of {COPIED} words or more [%].",
        1,
    ),
    Measure(
        "bleu_1_other",
        "BLEU-1, other",
        "",
        "BLEU-1 against the human poems of another photograph [%]: what is "
        "left of BLEU-1 when the photograph does not count.",
    ),
    Measure("lines", "Lines", "", "Mean number of lines."),
    Measure("words_a_line", "Words a line", "", "Words over lines."),
    Measure("words", "Words", "", "Mean number of words.", 1),
]
MEASURES = {measure.name: measure for measure in PAPER + MORE}


def _mean(row: np.ndarray) -> float:
    return row[0] / max(row[1], 1)  # words of no line


def _percent(row: np.ndarray) -> float:
    return 100 * row[0] / row[1]


def _exp_mean(row: np.ndarray) -> float:
    return math.exp(row[0] / row[1])


def value_functions(
    options: bleu.BleuOptions,
) -> dict[str, Callable[[np.ndarray], float]]:
    """How each measure follows from the sums of its statistics.

    Args:
        options: Which BLEU.

    Returns:
        Name to a function of float `[S]`. Measures of all poems together
        (distinct-n, self-BLEU, different poems) have none.
    """
    counted: dict[str, Callable[[np.ndarray], float]] = {
        f"bleu_{n}": functools.partial(bleu.score, n=n, options=options)
        for n in range(1, bleu.ORDER + 1)
    }
    counted["bleu_1_other"] = counted["bleu_1"]
    means = dict.fromkeys(
        ("copied_run", "lines", "words_a_line", "words"), _mean
    )
    shares = dict.fromkeys(
        (
            "relevance",
            *(f"novelty_{n}{end}" for n in (2, 3) for end in ("", "_any")),
            "caption_tfidf",
            "caption_sentences",
            "copied",
        ),
        _percent,
    )
    if not options.corpus:
        counted = dict.fromkeys(counted, _mean)
    return counted | means | shares | {"perplexity": _exp_mean}
