"""What a voice writes beside its base, on a page and in numbers."""

import dataclasses
import importlib.resources
import pathlib
from collections.abc import Sequence

import numpy as np

from visualpoet import output
from visualpoet import pictures
from visualpoet import templating
from visualpoet.corpus.words import list_words
from visualpoet.evaluation.memorisation import CopiedRuns
from visualpoet.finetuning.corpus import VoiceCorpus
from visualpoet.poet import Poet
from visualpoet.written_poem import WrittenPoem

SEEDS = 4  # poems for each picture
MOST_PHOTOGRAPHS = 24


@dataclasses.dataclass(frozen=True)
class Trial:
    """A picture, and what was written for it.

    Attributes:
        before: The base's poem.
        after: The voice's poems, one a seed.
    """

    before: output.Entry
    after: Sequence[WrittenPoem]


def find_photographs(given: Sequence[str]) -> list[pathlib.Path]:
    """Finds what to write for: the pictures of the page, and given ones.

    Args:
        given: Files or folders.

    Returns:
        Paths; of the given ones the first `MOST_PHOTOGRAPHS`.
    """
    folder = pathlib.Path(
        str(importlib.resources.files("visualpoet") / "serve" / "web")
    )
    found = list(pictures.find_pictures(given)) if given else []
    return [*sorted(folder.glob("*.jpg")), *found[:MOST_PHOTOGRAPHS]]


def write_both(
    before: Poet, after: Poet, paths: Sequence[pathlib.Path]
) -> list[Trial]:
    """Lets base and voice write for the same photographs.

    Args:
        before: The base.
        after: The voice.
        paths: Of the photographs; what cannot be read is left out.

    Returns:
        What they wrote.
    """
    read = []
    for path in paths:
        try:
            read.append((path.name, pictures.read_picture(path)))
        except pictures.PictureError:
            continue
    sources = [pictures.ReadPicture(content) for _, content in read]
    first = before.write(sources)
    rounds = [after.write(sources, seed=seed) for seed in range(SEEDS)]
    return [
        Trial(output.Entry(name, content, written), poems)
        for (name, content), written, *poems in zip(read, first, *rounds)
    ]


def measure_copied(written: Sequence[str], corpus: VoiceCorpus) -> dict:
    """Measures what the poems of a voice copied from its corpus.

    Args:
        written: What it wrote.
        corpus: What it learnt.

    Returns:
        `poems` measured, the `longest` run of words, and the `share` of poems
        with a run of six words or more; a character is a word in scripts
        without blanks.
    """

    def part(text: str) -> str:
        return " ".join(list_words(text, corpus.is_unspaced))

    runs = CopiedRuns([part(text) for text in corpus.known_texts()])
    longest = runs.longest([part(poem) for poem in written], most=64)
    return {
        "poems": len(written),
        "longest": int(longest.max(initial=0)),
        "share": float(np.mean(longest >= 6)) if written else 0.0,
    }


def write_page(
    path: pathlib.Path, name: str, trials: Sequence[Trial], measured: dict
) -> None:
    """Writes the page of poems before and after.

    Args:
        path: Of the page.
        name: Of the voice.
        trials: What was written.
        measured: As for the card.
    """
    page = templating.render(
        "before_after.html", voice=name, trials=trials, measured=measured
    )
    path.write_text(page, encoding="utf-8")
