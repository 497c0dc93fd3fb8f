"""Poetic clues: the words of the vocabulary that a photograph calls for."""

from collections.abc import Sequence

import numpy as np

from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.embedding import retrieval
from visualpoet.embedding.encoders import PoemTower

NUM_CLUES = 6
PRIOR = 0.06
MAX_FREQUENCY = 0.002


def clue_bias(
    corpus: PreparedCorpus,
    token_ids: Sequence[Sequence[int]],
    names: Sequence[str],
    image_embeddings: np.ndarray,
    words: np.ndarray,
    is_open: np.ndarray,
    prior: float = PRIOR,
    max_frequency: float = MAX_FREQUENCY,
) -> np.ndarray:
    """What is taken off a word's similarity to a photograph.

    Its mean over photographs, less a prior: how many of their texts
    (captions, or paired poems where there are none) have the word.

    Args:
        corpus: The prepared corpus.
        token_ids: Training poems, for the frequency of words.
        names: Training photographs.
        image_embeddings: float `[M, K]`, theirs.
        words: float `[V, K]`, as of `embed_words`.
        is_open: bool `[V]`; words that call for another, which are no clues.
        prior: Weight of the logarithm of the share of texts.
        max_frequency: Words more frequent than this are no clues.

    Returns:
        float `[V]`; infinity where a word is no clue, or in no text.
    """
    counts = np.bincount(np.concatenate(token_ids), minlength=len(words))
    share = _share_of_texts(corpus, names)
    usable = retrieval.clue_mask(corpus.vocabulary) & ~is_open & (share > 0)
    usable &= counts < max_frequency * counts.sum()
    bias = words @ image_embeddings.mean(axis=0)
    bias -= prior * np.log(share + 1e-3)
    return np.where(usable, bias, np.inf)


def embed_words(vocabulary_size: int, poem_tower: PoemTower) -> np.ndarray:
    """Embeds every word as a poem of its own.

    Args:
        vocabulary_size: Tokens.
        poem_tower: Words into the joint space.

    Returns:
        float `[V, K]`.
    """
    ids = np.arange(vocabulary_size, dtype=np.int32)[:, None]
    return poem_tower.predict(ids, batch_size=1024, verbose=0)


def choose_clues(
    image_embeddings: np.ndarray, words: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    """Finds the clues of photographs.

    Args:
        image_embeddings: float `[M, K]`.
        words: float `[V, K]`, as of `embed_words`.
        bias: float `[V]`, as of `clue_bias`.

    Returns:
        int32 `[M, NUM_CLUES]`, the best first.
    """
    scores = image_embeddings @ words.T - bias
    best = np.argsort(-scores, axis=1, kind="stable")[:, :NUM_CLUES]
    return best.astype(np.int32)


def _share_of_texts(corpus: PreparedCorpus, names: Sequence[str]) -> np.ndarray:
    """Share of photographs that have each token in a text of theirs."""
    paired: dict[str, list[str]] = {}
    for pair in corpus.pairs:
        paired.setdefault(pair.image, []).append(pair.poem.text)
    share = np.zeros(len(corpus.vocabulary))
    for name in names:
        texts = corpus.photographs[name].captions or paired.get(name, [])
        some = corpus.vocabulary.encode_batch(texts)
        share[list({token for ids in some for token in ids})] += 1
    return share / max(len(names), 1)
