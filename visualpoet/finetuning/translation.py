"""A poet of one language begins another, by what its words mean."""

import csv
import dataclasses
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus import datasets
from visualpoet.corpus.vocabulary import LINE_BREAK
from visualpoet.corpus.vocabulary import SPECIAL_TOKENS
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.embedding.clues import ClueHead
from visualpoet.embedding.clues import name_twins
from visualpoet.embedding.encoders import PoemTower
from visualpoet.embedding.encoders import word_weights
from visualpoet.finetuning.base import PoetParts
from visualpoet.finetuning.corpus import VoiceCorpus
from visualpoet.finetuning.options import Options
from visualpoet.generator import token_kinds
from visualpoet.generator.poem_generator import PoemGenerator

FOREIGN = 0.5  # share of unknown words from which a language is another one
MOST_TOKENS = 10_000
MUTE = -6.0  # log weight of a word without a gloss: it says nothing


def choose_vocabulary(
    base: Vocabulary, corpus: VoiceCorpus, options: Options
) -> Vocabulary:
    """Extends the base's vocabulary, or makes another for another language.

    Args:
        base: The base's.
        corpus: The poems.
        options: The options.

    Returns:
        The vocabulary of the voice.

    Raises:
        ValueError: If the language is another one, and nothing says what its
            words mean.
    """
    texts = corpus.learnt_texts()
    unknown = base.unknown_share([poem.text for poem in corpus.excerpts])
    if not options.glosses and unknown <= FOREIGN:
        return base.extend(texts, options.min_count, options.max_added)
    if not options.glosses:
        raise ValueError(
            "expected poems in the language of the base, or --glosses, a CSV "
            "that says in its words what those of the corpus mean: without, "
            "nothing says which of them go with which photographs. Received: "
            f"{options.corpus}, {unknown:.0%} of whose words ({corpus.script}) "
            "the base does not know"
        )
    level = options.level or ("character" if corpus.is_unspaced else "word")
    return Vocabulary.train(
        texts, options.vocabulary_size or MOST_TOKENS, level
    )


def read_glosses(path: pathlib.Path) -> dict[str, str]:
    """Reads what words mean.

    Args:
        path: CSV in UTF-8 with the columns `token` and `gloss`; a token may
            have several rows.

    Returns:
        All that is said of each token.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it has no such columns.
    """
    glosses: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if not {"token", "gloss"} <= set(reader.fieldnames or ()):
            raise ValueError(
                "expected a CSV with the columns token and gloss. Received: "
                f"{path}, with {', '.join(reader.fieldnames or ['none'])}"
            )
        for row in reader:
            token, gloss = (row["token"] or "").strip(), row["gloss"] or ""
            glosses[token] = f"{glosses.get(token, '')} {gloss}".strip()
    return glosses


def translate_poet(
    poet: PoetParts,
    vocabulary: Vocabulary,
    glosses: Mapping[str, str],
    texts: Sequence[str],
) -> PoetParts:
    """Gives a poet another vocabulary; what it sees stays.

    The vector of a token begins as the mean of those of the words that it is
    glossed with, those that say much of a place counting more; so poems have
    their places, and photographs their clues, before anything is trained.

    Args:
        poet: The poet; stays as it is.
        vocabulary: The new vocabulary.
        glosses: What tokens mean, in words of the poet.
        texts: Poems of the new language.

    Returns:
        The poet with it.
    """
    meaning = weigh_glosses(poet, vocabulary, glosses)
    framed = datasets.frame_poems(vocabulary, texts, 200)
    return dataclasses.replace(
        poet,
        poem_tower=_translate_tower(poet.poem_tower, vocabulary, meaning),
        generator=_translate_generator(poet, vocabulary, meaning),
        clue_head=_translate_clues(poet.clue_head, vocabulary, meaning),
        vocabulary=vocabulary,
        kinds=token_kinds.sort_tokens(vocabulary, framed),
        known_runs=None,  # of words that it does not have any more
        common_lines=None,
    )


def weigh_glosses(
    poet: PoetParts, vocabulary: Vocabulary, glosses: Mapping[str, str]
) -> np.ndarray:
    """Weighs the words that each token is glossed with.

    Args:
        poet: Knows the words.
        vocabulary: The new tokens.
        glosses: What they mean.

    Returns:
        float `[new, known]`; a row sums to 1, or to 0 without known words.

    Raises:
        ValueError: If no token is glossed with a known word.
    """
    weights = word_weights(poet.poem_tower) * poet.vocabulary.is_word()
    rows = np.zeros([len(vocabulary), len(weights)], np.float32)
    known = poet.vocabulary.encode_batch(list(glosses.values()))
    for token, ids in zip(vocabulary.encode_batch(list(glosses)), known):
        if len(token) == 1:  # as poems are read: "Meer" is `meer`
            rows[token[0], ids] = weights[ids]
    rows[[UNKNOWN, vocabulary.line_break]] = 0.0
    totals = rows.sum(axis=1, keepdims=True)
    if not totals.any():
        raise ValueError(
            "expected glosses, in words of the base, of tokens of the poems. "
            f"Received: {len(glosses)} of which none is; the first are "
            f"{', '.join(list(glosses)[:3])}"
        )
    return np.divide(rows, totals, out=rows, where=totals > 0)


def _translate_tower(
    tower: PoemTower, vocabulary: Vocabulary, meaning: np.ndarray
) -> PoemTower:
    config = tower.get_config() | {
        "vocabulary_size": len(vocabulary),
        "line_break": vocabulary.line_break,
    }
    translated = PoemTower(**config)
    for variable, earlier in zip(translated.weights, tower.weights):
        value = earlier.numpy()
        if variable.path == "log_weights/embeddings":
            is_said = meaning.sum(axis=1, keepdims=True) > 0
            value = np.where(is_said, meaning @ value, MUTE)
        elif variable.path == "word_vectors/embeddings":
            value = meaning @ value
        variable.assign(value)
    return translated


def _translate_generator(
    poet: PoetParts, vocabulary: Vocabulary, meaning: np.ndarray
) -> PoemGenerator:
    config = poet.generator.get_config()
    translated = PoemGenerator(**{**config, "vocabulary_size": len(vocabulary)})
    for variable, earlier in zip(translated.weights, poet.generator.weights):
        value = earlier.numpy()
        if variable.path == "token_embedding/embeddings":
            spelt = poet.vocabulary.tokens
            same = [*SPECIAL_TOKENS, LINE_BREAK]
            rows = meaning @ value
            for token in same:
                place = vocabulary.tokens.index(token)
                rows[place] = value[spelt.index(token)]
            value = rows
        variable.assign(value)
    return translated


def _translate_clues(
    head: ClueHead, vocabulary: Vocabulary, meaning: np.ndarray
) -> ClueHead:
    """A head for the tokens that mean a word that could be a clue."""
    shares = meaning[:, head.word_ids]
    totals = shares.sum(axis=1)
    words = np.flatnonzero((totals > 0) & vocabulary.is_word())
    shares = shares[words] / totals[words, None]
    # Of tokens that mostly mean the same clue, or its twin, one is chosen.
    twins = name_twins(head.groups[shares.argmax(axis=1)]).tolist()
    translated = ClueHead(words.tolist(), head.image_dim, head.dropout, twins)
    kernel, bias = (weight.numpy() for weight in head.weights)
    translated.weights[0].assign(kernel @ shares.T)
    translated.weights[1].assign(shares @ bias)
    return translated
