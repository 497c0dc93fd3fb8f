"""What is said of a corpus before anything is learnt from it."""

import collections
import dataclasses
from collections.abc import Iterator

from visualpoet.corpus import excerpts
from visualpoet.corpus.scripts import RIGHT_TO_LEFT
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.corpus.words import list_words
from visualpoet.finetuning.corpus import VoiceCorpus

_NAMED = 5


@dataclasses.dataclass(frozen=True)
class CorpusReport:
    """A corpus in numbers.

    Attributes:
        poems: Different poems.
        excerpts: What they were cut into, by split.
        lines: Of the excerpts.
        words: Of the excerpts; characters in scripts without blanks.
        script: That most letters are of.
        duplicates: Poems that were there before.
        rejected: What was left out, and why.
        unknown: Share of the words that the base does not know.
        vocabulary: What becomes of the vocabulary, in a sentence.
        form: What the corpus is learnt as, or empty.
        held_pairs: Given pairs that are left out, since their poems are held
            out to measure by.
    """

    poems: int
    excerpts: dict[str, int]
    lines: int
    words: int
    script: str
    duplicates: int
    rejected: list[str]
    unknown: float
    vocabulary: str
    form: str
    held_pairs: int

    @property
    def test(self) -> int:
        """Excerpts that the perplexities are of."""
        return self.excerpts.get("test", 0)

    def describe(self) -> Iterator[str]:
        """Yields the lines that are printed."""
        splits = ", ".join(f"{n} {split}" for split, n in self.excerpts.items())
        yield (
            f"{self.poems} poems, {sum(self.excerpts.values())} excerpts "
            f"({splits}), {self.lines} lines, {self.words} words"
        )
        written = ", right to left" if self.script in RIGHT_TO_LEFT else ""
        yield f"script: {self.script}{written}"
        yield f"duplicates left out: {self.duplicates}"
        yield f"rejected: {len(self.rejected)}"
        for reason in self.rejected[:_NAMED]:
            yield f"  {reason}"
        if len(self.rejected) > _NAMED:
            yield "  ..."
        yield f"words unknown to the base: {self.unknown:.1%}"
        yield f"vocabulary: {self.vocabulary}"
        if self.form:
            yield f"learnt as: {self.form}"
        if self.held_pairs:
            yield f"pairs of held-out poems left out: {self.held_pairs}"


def make_report(
    corpus: VoiceCorpus,
    base: Vocabulary,
    vocabulary: Vocabulary,
    form: str,
    held_pairs: int = 0,
) -> CorpusReport:
    """Counts what there is.

    Args:
        corpus: The corpus.
        base: Vocabulary of the base.
        vocabulary: That of the voice.
        form: What the corpus is learnt as, or empty.
        held_pairs: Given pairs that are left out.

    Returns:
        The report.
    """
    lines = corpus.lines()
    short = [excerpts.name_short(corpus.short)] if corpus.short else []
    return CorpusReport(
        poems=len(corpus.poems),
        excerpts=dict(collections.Counter(e.split for e in corpus.excerpts)),
        lines=len(lines),
        words=count_words(corpus),
        script=corpus.script,
        duplicates=corpus.duplicates,
        rejected=[*map(str, corpus.bad_rows), *short],
        unknown=base.unknown_share([e.text for e in corpus.excerpts]),
        vocabulary=_describe_vocabulary(base, vocabulary),
        form=form,
        held_pairs=held_pairs,
    )


def count_words(corpus: VoiceCorpus) -> int:
    """Counts words.

    Args:
        corpus: The corpus.

    Returns:
        Words of all excerpts; characters in scripts without blanks.
    """
    words = (list_words(line, corpus.is_unspaced) for line in corpus.lines())
    return sum(map(len, words))


def _describe_vocabulary(base: Vocabulary, vocabulary: Vocabulary) -> str:
    kept = len(set(base.tokens) & set(vocabulary.tokens))
    if kept > len(vocabulary) / 2:
        left_out = len(base) - kept
        without = (
            f", without {left_out:,} that the poems lack and photographs call "
            "for least,"
            if left_out
            else ""
        )
        return (
            f"{kept:,} tokens of the base{without} and "
            f"{len(vocabulary) - kept:,} of the corpus, whose vectors "
            "begin as the means of the words beside them."
        )
    return (
        f"{len(vocabulary):,} new tokens ({vocabulary.level} level), whose "
        "vectors begin as the means of the words they are glossed with."
    )
