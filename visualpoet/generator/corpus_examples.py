"""What a prepared corpus has for the generator to learn from."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.embedding import retrieval
from visualpoet.embedding.encoders import PoemTower
from visualpoet.embedding.encoders import embed_token_ids
from visualpoet.generator.examples import Examples
from visualpoet.generator.examples import Perturbation


def excerpt_examples(
    corpus: PreparedCorpus,
    split: str,
    image_dim: int,
    max_tokens: int,
    max_unknown: float,
    leave_out: Sequence[str],
) -> Examples:
    """Makes examples of excerpts, which have no photograph.

    Args:
        corpus: The corpus.
        split: Of the excerpts.
        image_dim: Width of the joint space.
        max_tokens: As for `datasets.frame_poems`.
        max_unknown: As for `datasets.frame_poems`.
        leave_out: As for `datasets.frame_poems`.

    Returns:
        The examples, form by form.
    """
    token_ids, forms = [], []
    for number, form in enumerate(["", *corpus.forms()]):
        framed = datasets.frame_poems(
            corpus.vocabulary,
            corpus.texts(split, form),
            max_tokens,
            max_unknown,
            leave_out,
        )
        token_ids += framed
        forms += [number] * len(framed)
    nothing = np.zeros([1, image_dim], np.float16)
    alone = [[0]] * len(token_ids)
    return Examples(token_ids, nothing, [[]], alone, np.array(forms, int))


def pair_examples(
    corpus: PreparedCorpus,
    pairs: Sequence[ImagePoemPair],
    images: Mapping[str, int],
    image_embeddings: np.ndarray,
    max_tokens: int,
) -> Examples:
    """Makes an example of each poem that photographs are paired with.

    Args:
        corpus: The corpus.
        pairs: Some of its pairs.
        images: Rows of photographs in `image_embeddings`.
        image_embeddings: float `[M, K]`; of photographs.
        max_tokens: As for `datasets.frame`.

    Returns:
        The examples, each with all its photographs.
    """
    forms = ["", *corpus.forms()]
    encode = corpus.vocabulary.encode_batch
    rows: dict[tuple[int, ...], list[int]] = {}
    form_of: dict[tuple[int, ...], int] = {}
    for pair, ids in zip(pairs, encode([pair.poem.text for pair in pairs])):
        poem = tuple(datasets.frame(ids, max_tokens))
        rows.setdefault(poem, []).append(images[pair.image])
        form_of[poem] = forms.index(pair.poem.form)
    known = corpus.descriptions()
    return Examples(
        list(rows),
        image_embeddings,
        [sorted({i for ids in encode(known[n]) for i in ids}) for n in images],
        list(rows.values()),
        np.array(list(form_of.values()), int),
    )


def add_nearest(
    pairs: Examples,
    excerpts: Examples,
    places: np.ndarray,
    rows: Sequence[int],
    count: int,
) -> Examples:
    """Adds to pairs the excerpts nearest to photographs.

    An excerpt is added once, with all photographs that it is near to.

    Source: liu18, data (MultiM-Poem(Ex)).

    Args:
        pairs: Examples of pairs.
        excerpts: Examples of excerpts.
        places: float `[N, K]`; embeddings of the excerpts.
        rows: Photographs, as rows of `pairs.image_embeddings`.
        count: Excerpts that are added for each photograph.

    Returns:
        The examples of both.
    """
    queries = pairs.image_embeddings[rows].astype(np.float32)
    nearest = retrieval.nearest(queries, places.astype(np.float32), count)
    near: dict[int, list[int]] = {}
    for row, some in zip(rows, nearest.tolist()):
        for index in some:
            near.setdefault(index, []).append(row)
    return dataclasses.replace(
        pairs,
        token_ids=[*pairs.token_ids, *(excerpts.token_ids[i] for i in near)],
        image_rows=[*pairs.image_rows, *near.values()],
        forms=np.append(pairs.forms, excerpts.forms[list(near)]),
    )


def measure_perturbation(
    pairs: Examples, new: Examples, poem_tower: PoemTower
) -> Perturbation | None:
    """Measures how far from their poems new photographs lie.

    Args:
        pairs: Training pairs; places are moved towards their photographs.
        new: Pairs that the embedding has not learnt from, for the cosines; if
            there are none, those of the training pairs are taken.
        poem_tower: Embeds poems.

    Returns:
        The perturbation; None without any pairs.
    """
    if not len(pairs.token_ids):
        return None
    measured = new if len(new.token_ids) else pairs
    places = embed_token_ids(poem_tower, measured.token_ids)
    cosines = [
        measured.image_embeddings[rows] @ place
        for rows, place in zip(measured.image_rows, places)
    ]
    rows = sorted({row for some in pairs.image_rows for row in some})
    return Perturbation(
        pairs.image_embeddings[rows].astype(np.float16),
        [pairs.descriptions[row] for row in rows],
        np.concatenate(cosines),
    )


def place_excerpts(
    excerpts: Examples,
    pairs: Examples,
    new: Examples,
    poem_tower: PoemTower,
    rows: Sequence[int],
    extra_pairs: int,
) -> tuple[Examples, Examples]:
    """Gives excerpts their own places in the joint space.

    Args:
        excerpts: Examples of excerpts.
        pairs: Examples of training pairs.
        new: As for `measure_perturbation`.
        poem_tower: Embeds poems.
        rows: As for `add_nearest`.
        extra_pairs: Excerpts that are added to the pairs for each photograph.

    Returns:
        The excerpts, moved towards photographs whenever they are shown, and
        the pairs.
    """
    places = embed_token_ids(poem_tower, excerpts.token_ids)
    if extra_pairs:
        pairs = add_nearest(pairs, excerpts, places, rows, extra_pairs)
    placed = dataclasses.replace(
        excerpts,
        image_embeddings=places,
        image_rows=[[row] for row in range(len(places))],
        perturbation=measure_perturbation(pairs, new, poem_tower),
    )
    return placed, pairs
