"""The poems that a voice is learnt from: read, sorted out, dealt out."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus import excerpts
from visualpoet.corpus import readers
from visualpoet.corpus.records import BadRow
from visualpoet.corpus.records import Poem
from visualpoet.corpus.scripts import UNSPACED_SCRIPTS
from visualpoet.corpus.scripts import find_script
from visualpoet.corpus.words import split_words

MIN_POEMS = 20
HELD_SHARE = 0.1  # of poems for validation, and as many for the test
LONGEST_LINE = 200  # characters; longer ones are no verse
PROSE_WIDTH = 55  # characters of half of the lines, or more: prose
PROSE_WIDTH_UNSPACED = 30
_NAMED = 3


@dataclasses.dataclass(frozen=True)
class VoiceCorpus:
    """Poems of one voice.

    Attributes:
        excerpts: Of the poems, each of the split train, validation or test.
        poems: Different poems that excerpts are of.
        duplicates: Poems that were there before.
        short: Poems without an excerpt.
        bad_rows: Rows that were not read, and poems that are none.
        script: That most letters are of.
        paired: Poems of given pairs, which are learnt besides.
    """

    excerpts: Sequence[Poem]
    poems: Sequence[Poem]
    duplicates: int
    short: Sequence[Poem]
    bad_rows: Sequence[BadRow]
    script: str
    paired: Sequence[str] = ()

    @property
    def is_unspaced(self) -> bool:
        """Whether it has no blanks between words."""
        return self.script in UNSPACED_SCRIPTS

    def texts(self, split: str) -> list[str]:
        """Returns the excerpts of a split.

        Args:
            split: `train`, `validation` or `test`.

        Returns:
            Their texts.
        """
        return [poem.text for poem in self.excerpts if poem.split == split]

    def learnt_texts(self) -> list[str]:
        """Returns what is learnt, once each."""
        return list(dict.fromkeys([*self.texts("train"), *self.paired]))

    def known_texts(self) -> list[str]:
        """Returns what should not be recited: held-out poems, too."""
        texts = [poem.text for poem in self.excerpts]
        return list(dict.fromkeys([*texts, *self.paired]))

    def lines(self) -> list[str]:
        """Returns the lines of all excerpts."""
        return [line for e in self.excerpts for line in e.text.split("\n")]


def read_corpus(path: pathlib.Path, form: str, force: bool) -> VoiceCorpus:
    """Reads a corpus, and checks that there is something to learn from.

    Args:
        path: As for `readers.read_poems`.
        form: Of all its poems, or empty.
        force: Whether prose will do.

    Returns:
        The corpus.

    Raises:
        FileNotFoundError: If the path does not exist.
        ValueError: If it has too few poems, or looks like prose.
    """
    read, bad_rows = readers.read_poems(path)
    verse, strange = _sort_out(path, [p for p in read if p.split != "none"])
    bad_rows = [*bad_rows, *strange]
    different = list(
        {
            _fold(poem.text): dataclasses.replace(poem, form=form)
            for poem in verse
        }.values()
    )
    _, short = excerpts.cut_poems(different)
    poems = deal_out([poem for poem in different if poem not in short])
    pieces, _ = excerpts.cut_poems(poems)
    corpus = VoiceCorpus(
        excerpts=list({_fold(p.text): p for p in pieces}.values()),
        poems=poems,
        duplicates=len(verse) - len(different),
        short=short,
        bad_rows=bad_rows,
        script=find_script(poem.text for poem in different),
    )
    _check(path, corpus, force)
    return corpus


def _sort_out(
    path: pathlib.Path, read: Sequence[Poem]
) -> tuple[list[Poem], list[BadRow]]:
    """Leaves out what no person writes as verse."""
    verse, strange = [], []
    for number, poem in enumerate(read, start=1):
        reason = _find_fault(poem.text)
        if reason:
            name = poem.id or str(path)
            strange.append(BadRow(name, number, reason))
        else:
            verse.append(poem)
    return verse, strange


def _find_fault(text: str) -> str:
    if "\ufffd" in text or "\0" in text:
        return "expected text. Received: bytes that are none"
    if _was_utf8(text):
        return (
            "expected one encoding a file. Received: UTF-8 among Windows-1252; "
            "save it as UTF-8"
        )
    longest = max(map(len, text.split("\n")), default=0)
    if longest > LONGEST_LINE:
        return (
            f"expected lines of at most {LONGEST_LINE} characters. Received: "
            f"one of {longest:,}"
        )
    return ""


def _was_utf8(text: str) -> bool:
    """Whether a text was UTF-8 and read as Windows-1252."""
    try:
        return text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return False


def _fold(text: str) -> str:
    return " ".join(split_words(text)) or " ".join(text.split())


def deal_out(poems: Sequence[Poem]) -> list[Poem]:
    """Holds poems out, unless the corpus says itself which ones.

    Args:
        poems: Different poems.

    Returns:
        The poems in the same order. Where none is for validation, or none for
        the test, a tenth of the training poems is, chosen by their texts.
    """
    splits = [poem.split for poem in poems]
    for split in ("validation", "test"):
        if split not in splits:
            train = [i for i, name in enumerate(splits) if name == "train"]
            train.sort(key=lambda i: _digest(poems[i].text))
            for index in train[: round(HELD_SHARE * len(poems))]:
                splits[index] = split
    return [
        dataclasses.replace(poem, split=split)
        for poem, split in zip(poems, splits)
    ]


def find_held_out(corpus: VoiceCorpus, texts: Sequence[str]) -> list[bool]:
    """Finds poems that a voice is measured by.

    Args:
        corpus: Holds poems out.
        texts: Poems that are given besides.

    Returns:
        Of each, whether it is one of them, or half of its lines or more stand
        in held-out poems and in none that is learnt.
    """
    held = [*corpus.texts("validation"), *corpus.texts("test")]
    whole = set(map(_fold, held))
    lines = _fold_lines(held) - _fold_lines(corpus.texts("train"))
    own = [_fold_lines([text]) for text in texts]
    return [
        _fold(text) in whole or len(one & lines) >= max(1, len(one) / 2)
        for text, one in zip(texts, own)
    ]


def _fold_lines(texts: Sequence[str]) -> set[str]:
    return {_fold(line) for t in texts for line in t.split("\n")} - {""}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _check(path: pathlib.Path, corpus: VoiceCorpus, force: bool) -> None:
    if len(corpus.poems) < MIN_POEMS:
        raise ValueError(
            f"expected {MIN_POEMS} different poems or more, of "
            f"{excerpts.MIN_LINES} lines or more. Received: "
            f"{len(corpus.poems)} in {path}{_describe_losses(corpus)}"
        )
    for split in ("train", "validation", "test"):
        if not corpus.texts(split):
            raise ValueError(
                "expected poems to learn from, for validation and for the "
                f"test. Received: {len(corpus.poems)} in {path}, of which none "
                f"is of the split {split}; see its column split"
            )
    limit = PROSE_WIDTH_UNSPACED if corpus.is_unspaced else PROSE_WIDTH
    width = float(np.median([len(line) for line in corpus.lines()]))
    if width > limit and not force:
        raise ValueError(
            f"expected verse. Received: {path}, where half of the lines have "
            f"{width:.0f} characters or more, as prose has; --force goes on"
        )


def _describe_losses(corpus: VoiceCorpus) -> str:
    """What else there was, for an error."""
    found = [
        f"; {corpus.duplicates} were there before" if corpus.duplicates else "",
        f"; {excerpts.name_short(corpus.short)}" if corpus.short else "",
        *(f"; {row}" for row in corpus.bad_rows[:_NAMED]),
        "; ..." if len(corpus.bad_rows) > _NAMED else "",
    ]
    return "".join(found)
