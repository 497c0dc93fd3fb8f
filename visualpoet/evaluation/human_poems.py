"""Human poems to stand beside those that are written for photographs."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import Ridge

from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.embedding import retrieval
from visualpoet.evaluation import relevance
from visualpoet.features.store import join_features

SETS = ("human_paired", "human_other", "human_shuffled")
_CAPTIONS = 2  # of each photograph, that the linear map is fitted to


def find_paired(
    pairs: Sequence[ImagePoemPair], names: Sequence[str]
) -> list[list[str]]:
    """Finds the human poems paired with photographs.

    Args:
        pairs: Of the corpus.
        names: Photographs.

    Returns:
        The different poems of each, in the order of the pairs.
    """
    found: dict[str, dict[str, None]] = {name: {} for name in names}
    for pair in pairs:
        if pair.image in found:
            found[pair.image][pair.poem.text] = None
    return [list(found[name]) for name in names]


def find_training(corpus: PreparedCorpus) -> list[str]:
    """Finds the poems paired with training photographs, for novelty.

    Args:
        corpus: The corpus.

    Returns:
        Different texts, sorted.
    """
    training = set(corpus.images("train"))
    return sorted(
        {pair.poem.text for pair in corpus.pairs if pair.image in training}
    )


def choose(
    paired: Sequence[Sequence[str]], seed: int = 0
) -> dict[str, list[str]]:
    """Chooses human poems to stand beside the methods.

    Args:
        paired: What `find_paired` returned; at least one poem each.
        seed: Of the draws.

    Returns:
        `human_paired`: a poem of each photograph, any of them, since mined
        ones come most similar first; `human_other`: another one, if all have
        one; `human_shuffled`: the first of these of another photograph, the
        floor of relevance and BLEU.
    """
    rng = np.random.default_rng(seed)
    paired = [rng.permutation(poems).tolist() for poems in paired]
    first = [poems[0] for poems in paired]
    shuffled = [first[other] for other in exchange(len(first), seed)]
    found = {"human_paired": first}
    if all(len(poems) > 1 for poems in paired):
        found["human_other"] = [poems[1] for poems in paired]
    return found | {"human_shuffled": shuffled}


def exchange(count: int, seed: int = 0) -> list[int]:
    """Gives each photograph another one.

    Args:
        count: Photographs, two or more.
        seed: Of the exchange.

    Returns:
        Number of the other one of each, each once.
    """
    # A cycle through all of them leaves none with itself.
    order = np.random.default_rng(seed).permutation(count)
    others = np.empty_like(order)
    others[order] = np.roll(order, 1)
    return others.tolist()


def map_linearly(
    features: Mapping[str, Mapping[str, np.ndarray]],
    captions: Mapping[str, Sequence[str]],
    names: Sequence[str],
    texts: Sequence[str],
) -> list[str]:
    """Finds the poem nearest to each photograph, by way of a linear map.

    A ridge regression takes features to the sentence embedding of captions.

    Args:
        features: Expert name to photograph name to float `[F]`.
        captions: Of each training photograph, one or more; the first two count.
        names: Photographs.
        texts: Poems.

    Returns:
        A poem for each photograph.
    """
    train = list(captions)
    targets = relevance.embed_captions(
        [captions[name][:_CAPTIONS] for name in train]
    )
    inputs = join_features(features, train)
    scale = inputs.std(axis=0) + 1e-3
    linear_map = Ridge(alpha=1000.0).fit(inputs / scale, targets)
    queries = linear_map.predict(join_features(features, names) / scale)
    poems = relevance.embed_sentences([t.replace("\n", " ") for t in texts])
    nearest = retrieval.nearest(queries, poems, 1)[:, 0]
    return [texts[index] for index in nearest]
