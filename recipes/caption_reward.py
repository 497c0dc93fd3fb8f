"""A reward that knows what people say of the photograph.

PYTHONPATH=recipes python recipes/train_adversarial.py \
        --rewards caption_reward.shares_words=4

Reads the captions of the training photographs from `out/corpus`, the output
of `prepare_corpus.py`.
"""

import functools
import pathlib
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from visualpoet.corpus.prepared import load_corpus

CORPUS_DIR = pathlib.Path("out/corpus")


def shares_words(
    poems: Sequence[str], photographs: Sequence[str]
) -> np.ndarray:
    """Cosine of the weighted words of a poem and of its photograph's captions.

    Args:
        poems: Poems.
        photographs: Names of their photographs.

    Returns:
        float `[B]` in [0, 1]; 0 without captions.
    """
    vectorizer, rows, captions = _weigh_captions(CORPUS_DIR)
    chosen = captions[[rows[name] for name in photographs]]
    cosine = vectorizer.transform(poems).multiply(chosen).sum(axis=1)
    return np.clip(np.asarray(cosine)[:, 0], 0.0, 1.0)


@functools.cache
def _weigh_captions(corpus_dir):
    corpus = load_corpus(corpus_dir)
    names = corpus.images("train")
    texts = [" ".join(corpus.photographs[name].captions) for name in names]
    vectorizer = TfidfVectorizer(stop_words="english", sublinear_tf=True)
    weighed = vectorizer.fit_transform(texts)
    return vectorizer, {name: row for row, name in enumerate(names)}, weighed
