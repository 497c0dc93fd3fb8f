"""A reward that knows what readers keep beside a photograph.

PYTHONPATH=recipes python recipes/train_adversarial.py --discriminators \
        --rewards reader_reward.is_kept --features-dir out/encoder \
        --embedding-dir out/embedding_small --paragraphs PARAGRAPHS.jsonl.gz \
        --form haiku --need-end --max-tokens 28 --kl-weight 0.15

Reads the reader of `train_reader.py` from `out/reader` and what it is told of
the photographs from `out/corpus`. A reader's grades are up to a number that is
added to all: MIDDLE is where the rewards of a first step are 0.4 in the mean.
"""

import collections
import functools
import pathlib
import re
from collections.abc import Hashable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus.prepared import load_corpus
from visualpoet.evaluation.reader import describe
from visualpoet.evaluation.reader import load_reader

READER, CORPUS_DIR = pathlib.Path("out/reader"), pathlib.Path("out/corpus")
SHARED = 1.0  # grades that a haiku loses which is all of what others have
STOCK = 0.5  # grades that each of its stock words costs
OFTEN = 4.0  # times as often as people write it, a word is stock
STEEPNESS, MIDDLE = 1.2, -0.2


def is_kept(poems: Sequence[str], photographs: Sequence[str]) -> np.ndarray:
    """Sigmoid of a reader's grade, less what too many poems have.

    What others have depends on the batch, so that several workers, each with
    its rows, do not get what one would.

    Args:
        poems: Poems.
        photographs: Names of their photographs.

    Returns:
        float `[B]` in [0, 1].
    """
    reader, described, usual = _load(READER, CORPUS_DIR)
    shown = [described[name] for name in photographs]
    shared = share_lines(poems) + share_pairs(poems)
    lost = SHARED * shared + STOCK * count_stock(poems, shown, usual)
    grades = reader.grade(shown, poems) - lost
    return 1 / (1 + np.exp(-STEEPNESS * (grades - MIDDLE)))


def count_stock(
    poems: Sequence[str], shown: Sequence[str], usual: Mapping[str, float]
) -> np.ndarray:
    """Counts their stock words: of any photograph, whatever it shows.

    Args:
        poems: Poems.
        shown: What is said of the photograph of each; its words are no stock.
        usual: Share of people's poems that hold a word.

    Returns:
        float `[B]`. Words that two poems more than `OFTEN` times as many as
        usual hold, and what is shown does not.
    """
    words = [_split(poem) for poem in poems]
    counts = collections.Counter(word for row in words for word in row)
    stock = {
        word
        for word, number in counts.items()
        if number > 2 + OFTEN * usual.get(word, 0.0) * len(poems)
    }
    return np.array(
        [
            float(len((row & stock) - _split(text)))
            for row, text in zip(words, shown)
        ]
    )


def _split(text: str) -> set[str]:
    return set(re.findall(r"[\w']+", text.lower()))


def share_lines(poems: Sequence[str]) -> np.ndarray:
    """Measures how many of their lines other poems have.

    Args:
        poems: Poems.

    Returns:
        float `[B]` in [0, 1].
    """
    return _share([poem.lower().split("\n") for poem in poems])


def share_pairs(poems: Sequence[str]) -> np.ndarray:
    """Measures how many of their pairs of words other poems have.

    Args:
        poems: Poems.

    Returns:
        float `[B]` in [0, 1]; a line break counts as a word.
    """
    words = [poem.lower().replace("\n", " / ").split() for poem in poems]
    return _share([list(zip(row, row[1:])) for row in words])


def _share(poems: Sequence[Sequence[Hashable]]) -> np.ndarray:
    parts = [set(poem) for poem in poems]
    counts = collections.Counter(part for poem in parts for part in poem)
    return np.array(
        [
            np.mean([counts[part] > 1 for part in poem]) if poem else 1.0
            for poem in parts
        ]
    )


@functools.cache
def _load(reader, corpus_dir):
    corpus = load_corpus(corpus_dir)
    described = {
        name: describe(photo) for name, photo in corpus.photographs.items()
    }
    haiku = corpus.texts("train", "haiku")
    counts = collections.Counter(
        word for text in haiku for word in _split(text)
    )
    usual = {word: number / len(haiku) for word, number in counts.items()}
    return load_reader(reader), described, usual
