"""A reward that knows what people say of the photograph.

PYTHONPATH=recipes python recipes/train_adversarial.py \
        --rewards caption_reward.shares_words=4

Reads the captions of the training photographs from `out/corpus`, the output
of `prepare_corpus.py`; where a photograph has none, its label and its poems.
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
        float `[B]` in [0, 1].
    """
    vectorizer, rows, captions = _weigh_captions(CORPUS_DIR)
    chosen = captions[[rows[name] for name in photographs]]
    cosine = vectorizer.transform(poems).multiply(chosen).sum(axis=1)
    return np.clip(np.asarray(cosine)[:, 0], 0.0, 1.0)


@functools.cache
def _weigh_captions(corpus_dir):
    corpus = load_corpus(corpus_dir)
    paired = corpus.paired_poems()
    names = corpus.images("train")
    photographs = [corpus.photographs[name] for name in names]
    texts = [
        " ".join(p.captions or [p.label, *paired.get(p.image, [])])
        for p in photographs
    ]
    vectorizer = TfidfVectorizer(stop_words="english", sublinear_tf=True)
    weighed = vectorizer.fit_transform(texts)
    return vectorizer, {name: row for row, name in enumerate(names)}, weighed
