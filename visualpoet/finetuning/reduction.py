"""Fewer words for a poet, so that a voice is small."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.embedding import clues
from visualpoet.embedding.clues import ClueHead
from visualpoet.finetuning.base import PoetParts
from visualpoet.finetuning.extension import change_rows
from visualpoet.generator import token_kinds
from visualpoet.generator.token_kinds import TokenKinds


def reduce_poet(poet: PoetParts, texts: Sequence[str], size: int) -> PoetParts:
    """Leaves out the words that a voice needs least.

    All that is no word stays, and every word of the corpus; then come the
    words that photographs call for most often, then the others as they stand
    in the vocabulary.

    Args:
        poet: The poet; stays as it is.
        texts: Poems of the corpus.
        size: Most tokens.

    Returns:
        The poet; what it knows of the words that stay is unchanged.

    Raises:
        ValueError: If there is no room for the words of the corpus.
    """
    if size >= len(poet.vocabulary):
        return poet
    kept = choose_tokens(poet, texts, size)
    vocabulary = poet.vocabulary.keep(kept.tolist())
    kinds = _keep_kinds(poet.kinds, vocabulary, kept)
    generator, poem_tower = (
        change_rows(model, vocabulary, lambda rows: rows[kept])
        for model in (poet.generator, poet.poem_tower)
    )
    return dataclasses.replace(
        poet,
        generator=generator,
        poem_tower=poem_tower,
        clue_head=_keep_clues(poet.clue_head, vocabulary, kept),
        vocabulary=vocabulary,
        kinds=kinds,
        known_runs=poet.known_runs and poet.known_runs.renumber(kinds, kept),
        common_lines=None,  # of tokens with other ids
    )


def choose_tokens(
    poet: PoetParts, texts: Sequence[str], size: int
) -> np.ndarray:
    """Chooses what stays, as of `reduce_poet`.

    Args:
        poet: The poet.
        texts: Poems of the corpus.
        size: How many tokens.

    Returns:
        int `[size]`, in order.

    Raises:
        ValueError: If there is no room for the words of the corpus.
    """
    encoded = poet.vocabulary.encode_batch(texts)
    needed = ~poet.vocabulary.is_word()
    needed[list(itertools.chain(*encoded))] = True
    if needed.sum() > size:
        raise ValueError(
            f"expected a --vocabulary-size of {needed.sum()} or more, the "
            f"words of the corpus and all marks. Received: {size}"
        )
    called = np.full(len(needed), -np.inf, np.float32)
    _, bias = (weight.numpy() for weight in poet.clue_head.weights)
    called[poet.clue_head.word_ids] = bias
    order = np.lexsort([-called, ~needed])
    return np.sort(order[:size])


def _keep_clues(
    head: ClueHead, vocabulary: Vocabulary, kept: np.ndarray
) -> ClueHead:
    """The same head for the words that stay."""
    stays = np.isin(head.word_ids, kept)
    word_ids = np.searchsorted(kept, np.asarray(head.word_ids)[stays])
    twins = None
    if head.twins is not None:
        twins = clues.name_twins(head.groups[stays]).tolist()
    smaller = ClueHead(word_ids.tolist(), head.image_dim, head.dropout, twins)
    for variable, earlier in zip(smaller.weights, head.weights, strict=True):
        variable.assign(earlier.numpy()[..., stays])
    return smaller


def _keep_kinds(
    kinds: TokenKinds, vocabulary: Vocabulary, kept: np.ndarray
) -> TokenKinds:
    """The sorts that poems told; the vocabulary says the others."""
    plain = token_kinds.sort_tokens(vocabulary, [[]])
    names = ("is_content", "is_open", "is_pause")
    learnt = {name: getattr(kinds, name)[kept] for name in names}
    return dataclasses.replace(plain, **learnt)
