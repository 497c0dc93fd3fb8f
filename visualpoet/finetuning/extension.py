"""More words for a poet that was trained without them."""

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.embedding.encoders import PoemTower
from visualpoet.embedding.encoders import word_weights
from visualpoet.finetuning.base import PoetParts
from visualpoet.generator import token_kinds
from visualpoet.generator.common_lines import CommonLines
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.token_kinds import TokenKinds

NEAR = 2  # words to each side that a new word's vector is the mean of


def extend_poet(
    poet: PoetParts, vocabulary: Vocabulary, texts: Sequence[str]
) -> PoetParts:
    """Gives a poet the words of a larger vocabulary.

    The vectors of a new word begin as the mean of the vectors of the words
    beside it; words that say little of a place, as "the", count little. Its
    own weight is the same mean of theirs, of logarithms.

    Args:
        poet: The poet; stays as it is.
        vocabulary: Its own, extended.
        texts: Poems that have the new words.

    Returns:
        The poet with it. What it knows of the old words is unchanged.
    """
    if len(vocabulary) == len(poet.vocabulary):
        return poet
    known = len(poet.vocabulary)
    weights = word_weights(poet.poem_tower)
    beside = weigh_neighbours(vocabulary, texts, known, weights)
    generator, poem_tower = (
        change_rows(
            model,
            vocabulary,
            lambda rows: np.concatenate([rows, beside @ rows]),
        )
        for model in (poet.generator, poet.poem_tower)
    )
    kinds = extend_kinds(poet.kinds, vocabulary)
    return dataclasses.replace(
        poet,
        generator=generator,
        poem_tower=poem_tower,
        vocabulary=vocabulary,
        kinds=kinds,
        known_runs=poet.known_runs
        and poet.known_runs.renumber(kinds, np.arange(len(vocabulary))),
        common_lines=poet.common_lines
        and CommonLines(poet.common_lines.sums, kinds),
    )


def weigh_neighbours(
    vocabulary: Vocabulary,
    texts: Sequence[str],
    known: int,
    weights: np.ndarray,
) -> np.ndarray:
    """Weighs the known words beside each new one.

    Args:
        vocabulary: The vocabulary.
        texts: Poems.
        known: How many tokens are known; the others are new.
        weights: float `[known]`; how much each counts.

    Returns:
        float `[new, known]`; each row sums to 1. A word without any known
        word beside it is beside all of them.
    """
    is_word = vocabulary.is_word()
    beside = np.zeros([len(vocabulary) - known, known], np.float32)
    for ids in vocabulary.encode_batch(texts):
        words = [index for index in ids if is_word[index]]
        for place, word in enumerate(words):
            if word >= known:
                near = words[max(place - NEAR, 0) : place + NEAR + 1]
                for index in near:
                    if index < known:
                        beside[word - known, index] += weights[index]
    alone = ~(beside.sum(axis=1) > 0)
    beside[alone] = is_word[:known]
    return beside / beside.sum(axis=1, keepdims=True)


def change_rows(
    model: PoemGenerator | PoemTower,
    vocabulary: Vocabulary,
    change: Callable[[np.ndarray], np.ndarray],
) -> PoemGenerator | PoemTower:
    """Copies a model for another vocabulary.

    Args:
        model: The model; stays as it is.
        vocabulary: The other one.
        change: Maps what has a row for each token to rows of the new tokens.

    Returns:
        The same model with other rows wherever it has one for each token.
    """
    config = model.get_config() | {"vocabulary_size": len(vocabulary)}
    if "line_break" in config:
        config["line_break"] = vocabulary.line_break
    copied = type(model)(**config)
    for variable, earlier in zip(copied.weights, model.weights, strict=True):
        rows = earlier.numpy()
        is_same = variable.shape == earlier.shape
        variable.assign(rows if is_same else change(rows))
    return copied


def extend_kinds(kinds: TokenKinds, vocabulary: Vocabulary) -> TokenKinds:
    """Sorts the tokens of an extended vocabulary.

    Args:
        kinds: Of the tokens that were there before.
        vocabulary: With the new ones.

    Returns:
        The kinds; a new word is a content word that calls for no other.
    """
    plain = token_kinds.sort_tokens(vocabulary, [[]])
    known = len(kinds.is_word)
    added = {
        "is_content": plain.is_word,
        "is_open": np.zeros_like(plain.is_word),
        "is_pause": np.zeros_like(plain.is_word),
    }
    return dataclasses.replace(
        plain,
        **{
            name: np.concatenate([getattr(kinds, name), values[known:]])
            for name, values in added.items()
        },
    )
