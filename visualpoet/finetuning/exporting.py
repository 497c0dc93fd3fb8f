"""A voice as an export: how it writes, what it must not recite."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from visualpoet.controls import MAX_LINES
from visualpoet.corpus import datasets
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.export.poet_module import PoetModule
from visualpoet.export.savedmodel import export_poet
from visualpoet.export.stored_weights import EncoderFeatures
from visualpoet.finetuning.base import PoetParts
from visualpoet.finetuning.corpus import VoiceCorpus
from visualpoet.generator import forms
from visualpoet.generator.composer import DecodingOptions
from visualpoet.generator.known_runs import KnownRuns
from visualpoet.generator.token_kinds import add_rules

MAX_TOKENS = 200  # of a poem that is looked at for how words close lines
LETTERS_A_WORD = 6  # with the blank, where tokens are letters
_LINES = (10, 90)  # percentiles of the corpus that bound what is written
_WORDS = (5, 95)


def fit_options(
    options: DecodingOptions, texts: Sequence[str], vocabulary: Vocabulary
) -> DecodingOptions:
    """Bounds lines and words as poems have them.

    Args:
        options: How the base writes.
        texts: Poems.
        vocabulary: Says what a word is.

    Returns:
        The same options, with the bounds of nine poems in ten.
    """
    is_word = vocabulary.is_word()
    lines = [text.split("\n") for text in texts]
    words = [
        is_word[ids].sum()
        for ids in vocabulary.encode_batch([line for p in lines for line in p])
    ]
    least, most = np.percentile([len(poem) for poem in lines], _LINES)
    fewest, longest = np.percentile(words, _WORDS)
    return dataclasses.replace(
        options,
        min_lines=int(least),
        max_lines=min(int(np.ceil(most)), MAX_LINES),
        min_words=max(int(fewest), 1),
        max_words=max(int(np.ceil(longest)), 1),
    )


def prepare_patterns(
    poet: PoetParts, texts: Sequence[str], patterns: Sequence[str]
) -> PoetParts:
    """Adds how words sound and close lines, if there are patterns.

    Args:
        poet: The poet.
        texts: Poems, whose words close lines where they do in these.
        patterns: Of `forms.PATTERNS`.

    Returns:
        The poet, which can write them.

    Raises:
        ValueError: If there is no such pattern, or the words cannot fill it.
    """
    if not patterns:
        return poet
    options = forms.choose_options([], "", patterns)
    token_ids = datasets.frame_poems(poet.vocabulary, texts, MAX_TOKENS)
    kinds = add_rules(
        poet.kinds,
        poet.vocabulary,
        token_ids,
        {form: one.pattern for form, one in options.items()},
    )
    return dataclasses.replace(poet, kinds=kinds)


def choose_options(
    poet: PoetParts, texts: Sequence[str], form: str, patterns: Sequence[str]
) -> dict[str, DecodingOptions]:
    """Chooses how the poems of a voice are written.

    Args:
        poet: The poet.
        texts: Poems of the corpus.
        form: What they are learnt as, or empty.
        patterns: Of `forms.PATTERNS`.

    Returns:
        Decoding options by form: that of the corpus, then the patterns.
    """
    learnt = [form] if form else []
    options = forms.choose_options(learnt, form, patterns)
    default = next(iter(options))
    fitted = fit_options(poet.options[form], texts, poet.vocabulary)
    # Fitted to haiku of a poet with phrases and a reader head.
    fitted = dataclasses.replace(
        fitted,
        common_weight=DecodingOptions.common_weight,
        novelty_weight=0.0,
        repetition_weight=0.0,
        merit_weight=0.0,
    )
    return {**options, default: fitted}


def guard(
    poet: PoetParts, corpus: VoiceCorpus, allow_quotes: int
) -> KnownRuns | None:
    """Makes the filter of what the voice should not recite.

    Args:
        poet: The poet, which has a filter of its own.
        corpus: What it has learnt, held-out poems and given pairs, too.
        allow_quotes: Words in a row that are no recital.

    Returns:
        The runs of both.
    """
    length = allow_quotes + 1
    level = poet.vocabulary.level
    if level == "character" and not corpus.is_unspaced:
        length *= LETTERS_A_WORD
    learnt = poet.vocabulary.encode_batch(corpus.known_texts())
    return KnownRuns(learnt, poet.kinds, length, poet.known_runs)


def export_voice(
    poet: PoetParts,
    corpus: VoiceCorpus,
    form: str,
    patterns: Sequence[str],
    allow_quotes: int,
    folder: pathlib.Path,
    lineage: dict,
) -> None:
    """Writes a version folder.

    Args:
        poet: The poet, trained.
        corpus: What it has learnt.
        form: What it has learnt it as.
        patterns: Forms that it writes besides, as of `prepare_patterns`.
        allow_quotes: As for `guard`.
        folder: `<name>/<integer version>`.
        lineage: What the voice came of.

    Raises:
        FileExistsError: If the folder exists.
    """
    texts = corpus.texts("train")
    options = choose_options(poet, texts, form, patterns)
    poet = dataclasses.replace(
        poet,
        options=options,
        known_runs=guard(poet, corpus, allow_quotes),
    )
    export_again(poet, folder, lineage)


def export_again(poet: PoetParts, folder: pathlib.Path, lineage: dict) -> None:
    """Writes a version folder of a poet that was read from an export.

    Args:
        poet: The poet, trained or not; its options say how it writes.
        folder: `<name>/<integer version>`.
        lineage: What it came of.

    Raises:
        FileExistsError: If the folder exists.
    """
    module = PoetModule(
        EncoderFeatures(poet.visual_encoder),
        poet.image_tower,
        poet.poem_tower,
        poet.generator,
        poet.vocabulary,
        poet.clue_head,
        poet.kinds,
        poet.options,
        known_runs=poet.known_runs,
        common_lines=poet.common_lines,
        known_phrases=poet.known_phrases,
        reader_head=poet.reader_head,
    )
    export_poet(module, poet.vocabulary, folder, lineage)
