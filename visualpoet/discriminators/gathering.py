"""Gathers what the discriminators learn from out of a prepared corpus."""

import math
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus import datasets
from visualpoet.corpus.negatives import Disordered
from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.discriminators.material import Material


def gather_material(
    corpus: PreparedCorpus,
    split: str,
    image_rows: dict[str, int],
    image_embeddings: np.ndarray,
    paragraphs: Sequence[str],
    *,
    max_tokens: int,
    max_unknown: float,
    min_similarity: float,
    form: str = "",
    leave_out: Sequence[str] = (),
) -> Material:
    """Gathers the texts of one split.

    Args:
        corpus: The prepared corpus.
        split: `train`, `validation` or `test`.
        image_rows: Row of each photograph.
        image_embeddings: float `[N, K]`, unit length, by row.
        paragraphs: Prose of the split; the joined captions of its photographs
            are added.
        max_tokens: Longest text, START and END included. Longer poems are left
            out: cut, they would have no end.
        max_unknown: Largest share of unknown words of a text.
        min_similarity: Of a pair, to count as one.
        form: Of the poems; any if empty.
        leave_out: Poems of any subject with these words are left out, as they
            are for the generator: else they would tell of human hand.

    Returns:
        The material.

    Raises:
        ValueError: If a class has no text.
    """
    vocabulary = corpus.vocabulary
    pairs = [
        pair
        for pair in corpus.select_pairs(split, image_rows, min_similarity)
        if form in ("", pair.poem.form)
    ]
    photos = [p for p in corpus.photographs.values() if p.split == split]
    described = [p for p in photos if p.captions]
    prose = [*paragraphs, *(" ".join(p.captions) for p in described)]
    texts = {
        "pairs": [pair.poem.text for pair in pairs],
        "poems": corpus.texts(split, form or None),
        "paragraphs": prose,
    }
    ids = {
        name: vocabulary.encode_batch(group) for name, group in texts.items()
    }
    banned = {"poems": datasets.find_words(vocabulary, leave_out)}
    kept = _choose(ids, split, max_tokens, max_unknown, banned)
    known = {name: [ids[name][i] for i in rows] for name, rows in kept.items()}
    is_word = vocabulary.is_word()
    return Material(
        image_embeddings=image_embeddings,
        captions={
            image_rows[p.image]: vocabulary.encode_batch(list(p.captions))
            for p in described
            if p.image in image_rows
        },
        pair_poems=known["pairs"],
        pair_images=np.array(
            [image_rows[pairs[i].image] for i in kept["pairs"]]
        ),
        poems=known["poems"],
        paragraphs=sorted(
            known["paragraphs"],
            key=lambda text: is_word[np.array(text)].sum(),
        ),
        disordered=Disordered(known["poems"], vocabulary.line_break),
        is_word=is_word,
        line_break=vocabulary.line_break,
        max_tokens=max_tokens,
    )


def _choose(
    ids: dict[str, list[list[int]]],
    split: str,
    max_tokens: int,
    max_unknown: float,
    banned: dict[str, set[int]],
) -> dict[str, list[int]]:
    """Places of the texts to keep, by what they are."""
    kept = {}
    for name, group in ids.items():
        # Prose of any length is cut to the lines of a poem.
        is_prose = name == "paragraphs"
        longest = math.inf if is_prose else max_tokens - len([START, END])
        known = datasets.mostly_known(
            group, max_unknown, banned.get(name, frozenset())
        )
        kept[name] = [i for i in known if 0 < len(group[i]) <= longest]
    for name, rows in kept.items():
        if not rows:
            raise ValueError(
                f"expected {name} of the split {split} with at most "
                f"{max_unknown:.0%} unknown words, poems of {max_tokens} "
                f"tokens at most. Received: none of {len(ids[name])}"
            )
    return kept
