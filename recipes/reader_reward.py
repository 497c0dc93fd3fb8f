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
from collections.abc import Hashable
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus.prepared import load_corpus
from visualpoet.evaluation.reader import describe
from visualpoet.evaluation.reader import load_reader

READER, CORPUS_DIR = pathlib.Path("out/reader"), pathlib.Path("out/corpus")
SHARED = 1.0  # grades that a haiku loses which is all of what others have
STEEPNESS, MIDDLE = 1.2, -0.2


def is_kept(poems: Sequence[str], photographs: Sequence[str]) -> np.ndarray:
    """Sigmoid of a reader's grade, less what other poems have, too.

    What others have depends on the batch, so that several workers, each with
    its rows, do not get what one would.

    Args:
        poems: Poems.
        photographs: Names of their photographs.

    Returns:
        float `[B]` in [0, 1].
    """
    reader, shown = _load(READER, CORPUS_DIR)
    grades = reader.grade([shown[name] for name in photographs], poems)
    shared = share_lines(poems) + share_pairs(poems)
    return 1 / (1 + np.exp(-STEEPNESS * (grades - SHARED * shared - MIDDLE)))


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
    photographs = load_corpus(corpus_dir).photographs
    shown = {name: describe(photo) for name, photo in photographs.items()}
    return load_reader(reader), shown
