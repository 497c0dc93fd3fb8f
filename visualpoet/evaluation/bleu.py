"""BLEU of poems against human poems, on the counts of sacrebleu.

The paper does not say which BLEU it reports, so what it leaves open is an
option here, and the defaults are those of caption evaluation.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from visualpoet import extras
from visualpoet.corpus.words import split_words

with extras.needs("evaluate"):
    from sacrebleu.metrics import BLEU

ORDER = 3
SMOOTHING = ("none", "floor", "add-k", "exp")
_LINE_BREAK = "<line>"


@dataclasses.dataclass(frozen=True)
class BleuOptions:
    """What has to be said for a BLEU to be comparable.

    Punctuation never counts.

    Attributes:
        cumulative: Geometric mean of the precisions up to n, or the precision
            of n-grams alone.
        smoothing: One of SMOOTHING, as in sacrebleu, with its constants.
        corpus: Counts are added up over all poems, or each poem has a BLEU
            and their mean is taken.
        lower_case: Whether case does not matter.
        line_breaks: Whether the line break counts as a word.
    """

    cumulative: bool = True
    smoothing: str = "none"
    corpus: bool = True
    lower_case: bool = True
    line_breaks: bool = False

    def __post_init__(self) -> None:
        if self.smoothing not in SMOOTHING:
            raise ValueError(
                f"expected a smoothing of {SMOOTHING}. Received: "
                f"{self.smoothing}"
            )


DEFAULT = BleuOptions()


def tokenized(poem: str, options: BleuOptions = DEFAULT) -> str:
    """Writes a poem as BLEU counts it.

    Args:
        poem: The poem.
        options: Case, and whether line breaks count.

    Returns:
        Its words with blanks between them.
    """
    lines = [
        " ".join(split_words(line, lower_case=options.lower_case))
        for line in poem.split("\n")
    ]
    between = f" {_LINE_BREAK} " if options.line_breaks else " "
    return between.join(line for line in lines if line)


def statistics(
    poems: Sequence[str],
    references: Sequence[Sequence[str]],
    options: BleuOptions = DEFAULT,
) -> np.ndarray:
    """Counts what BLEU is made of, poem by poem.

    Args:
        poems: N poems.
        references: The human poems of each, one or more.
        options: How to count.

    Returns:
        float `[N, 2 ORDER + 2]`: n-grams that match, n-grams, for n from 1 to
        ORDER, then words of the poem and of the reference nearest in length.
        Sums of rows are the statistics of the poems together.
    """
    # Only its counts are used, so the order does not matter.
    counter = BLEU(tokenize="none", max_ngram_order=ORDER, effective_order=True)
    rows = []
    for poem, texts in zip(poems, references):
        found = counter.sentence_score(
            tokenized(poem, options), [tokenized(t, options) for t in texts]
        )
        lengths = [found.sys_len, found.ref_len]
        rows.append([*found.counts, *found.totals, *lengths])
    return np.array(rows, float).reshape(-1, 2 * ORDER + 2)


def score(row: np.ndarray, n: int, options: BleuOptions = DEFAULT) -> float:
    """Computes BLEU from its statistics.

    `exp(min(0, 1 - r / c)) (p_1 ... p_n)^(1 / n)`, of c words and a reference
    of r words; `p_n` in place of the mean where it is not cumulative.

    Source: Papineni et al. (2002).

    Args:
        row: float `[2 ORDER + 2]`, a row of `statistics` or a sum of rows.
        n: Longest n-gram, 1 to ORDER.
        options: Smoothing, and cumulative or not.

    Returns:
        BLEU-n [%].
    """
    found = BLEU.compute_bleu(
        row[:n].tolist(),
        row[ORDER : ORDER + n].tolist(),
        round(row[-2]),
        round(row[-1]),
        smooth_method=options.smoothing,
        max_ngram_order=n,
    )
    if options.cumulative:
        return found.score
    return found.bp * found.precisions[n - 1]


def bleu(
    poems: Sequence[str],
    references: Sequence[Sequence[str]],
    n: int,
    options: BleuOptions = DEFAULT,
) -> float:
    """BLEU-n of poems.

    Args:
        poems: N poems.
        references: The human poems of each, one or more.
        n: Longest n-gram, 1 to ORDER.
        options: Which BLEU.

    Returns:
        BLEU-n [%].
    """
    rows = statistics(poems, references, options)
    if options.corpus:
        return score(rows.sum(axis=0), n, options)
    return float(np.mean([score(row, n, options) for row in rows]))


def self_bleu(poems: Sequence[str], n: int, most: int = 200) -> float:
    """Mean BLEU of each poem against all others: high where they are alike.

    Source: Zhu et al. (2018), Texygen.

    Args:
        poems: Poems; compare only sets of equal size.
        n: Longest n-gram, 1 to ORDER.
        most: Poems to take, evenly over all; its square is the work.

    Returns:
        Self-BLEU-n [%], n-grams without a match smoothed as 0.1.
    """
    chosen = np.linspace(0, len(poems) - 1, min(most, len(poems))).round()
    texts = [tokenized(poems[int(index)]) for index in chosen]
    counter = BLEU(
        tokenize="none",
        max_ngram_order=n,
        effective_order=True,
        smooth_method="floor",
    )
    scores = [
        counter.sentence_score(text, texts[:own] + texts[own + 1 :]).score
        for own, text in enumerate(texts)
    ]
    return float(np.mean(scores))
