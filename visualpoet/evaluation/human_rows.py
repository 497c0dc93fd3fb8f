"""Rows of human poems beside those that a poet writes for photographs."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.embedding import retrieval
from visualpoet.evaluation import human_poems
from visualpoet.generator.forms import find_learnt

_BLOCK = 4096  # poems that are placed in the joint space at once


class Embedder(Protocol):
    """Places photographs and poems in one space, as a loaded poet does."""

    def embed_images(self, photographs: Sequence[bytes]) -> np.ndarray:
        """Places photographs, float `[N, K]` of unit length."""

    def embed_poems(self, texts: Sequence[str]) -> np.ndarray:
        """Places poems, float `[N, K]` of unit length."""


def choose_form(corpus: PreparedCorpus, form: str) -> str | None:
    """Chooses the form of the human poems beside those of a form.

    Args:
        corpus: The corpus.
        form: Of the poems, learnt or a pattern; as exported if empty.

    Returns:
        It, or None for any.
    """
    return find_learnt(form, corpus.forms()) or None


def find_rows(
    corpus: PreparedCorpus,
    form: str | None,
    contents: Mapping[str, bytes],
    embedder: Embedder,
    features: Mapping[str, Mapping[str, np.ndarray]] | None,
    seed: int,
) -> dict[str, list[str]]:
    """Finds human poems for photographs.

    Args:
        corpus: The corpus.
        form: Of the poems, any for None.
        contents: Photographs as bytes, by name.
        embedder: Finds the poem of a training text that is nearest.
        features: Expert name to photograph name to float `[F]`, for a linear
            map; None for no such row.
        seed: Of the draws.

    Returns:
        A poem for each photograph, by how it was found; without rows that not
        every photograph has a poem of.
    """
    names = list(contents)
    pairs = [pair for pair in corpus.pairs if form in (None, pair.poem.form)]
    texts = corpus.texts("train", form)
    chosen = np.random.default_rng(seed).choice(len(texts), len(names))
    return {
        "a random human poem": [texts[index] for index in chosen],
        "the nearest human poem, small encoder": _find_nearest(
            embedder, list(contents.values()), texts
        ),
        **_map_linearly(corpus, pairs, names, features),
        **_find_paired(pairs, names),
    }


def _find_nearest(
    embedder: Embedder, photographs: Sequence[bytes], texts: Sequence[str]
) -> list[str]:
    places = np.concatenate(
        [
            embedder.embed_poems(texts[start : start + _BLOCK])
            for start in range(0, len(texts), _BLOCK)
        ]
    )
    queries = embedder.embed_images(photographs)
    return [texts[i] for i in retrieval.nearest(queries, places, 1)[:, 0]]


def _map_linearly(
    corpus: PreparedCorpus,
    pairs: Sequence[ImagePoemPair],
    names: Sequence[str],
    features: Mapping[str, Mapping[str, np.ndarray]] | None,
) -> dict[str, list[str]]:
    """The nearest human poem through a linear map from the experts."""
    if features is None:
        return {}
    captions = {
        name: corpus.photographs[name].captions
        for name in corpus.images("train")
        if corpus.photographs[name].captions and name in features["object"]
    }
    # Pairs of other splits were mined with the captions that judge here.
    train = set(corpus.images("train"))
    texts = sorted({p.poem.text for p in pairs if p.image in train})
    if not (captions and texts):
        return {}
    return {
        "the nearest human poem, linear map from the experts": (
            human_poems.map_linearly(features, captions, names, texts)
        )
    }


def _find_paired(
    pairs: Sequence[ImagePoemPair], names: Sequence[str]
) -> dict[str, list[str]]:
    """The first poem of each photograph, if all have one."""
    found = human_poems.find_paired(pairs, names)
    if not all(found):
        return {}
    first = [poems[0] for poems in found]
    return {"the human poem paired by the captions": first}
