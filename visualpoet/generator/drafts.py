"""Candidates on their way: how a draft begins, and takes one token more."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from visualpoet.controls import MAX_LINES
from visualpoet.corpus.vocabulary import END
from visualpoet.generator.patterns import find_ends
from visualpoet.generator.token_kinds import TokenKinds

MAX_TOKENS = 112


class Prompt(NamedTuple):
    """What a candidate is written for; one row each.

    Attributes:
        condition: `[N, 2, E]`. Of the network, with and without photograph.
        length: int32 `[N]`. Tokens of the opening.
        uniform: float `[N, MAX_TOKENS]`. Decides the draws.
        one_line: bool `[N]`. Whether to stop at a line break.
        options: Fields of `DecodingOptions`, each `[N]`.
    """

    condition: tf.Tensor
    length: tf.Tensor
    uniform: tf.Tensor
    one_line: tf.Tensor
    options: dict[str, tf.Tensor]


class Draft(NamedTuple):
    """Candidates on their way, what the writing loop carries; one row each.

    Attributes:
        tokens: int32 `[N, T]`. Those of the opening, then those written.
        written: int32 `[N]`. How many were written.
        gains: float `[N, T]` by name. What each adds to fluency and merit.
        last: int32 `[N]`. The last token.
        state: `[N, 2, H]`. Of the network, with and without photograph.
        words: int32 `[N]`. Words of the line so far.
        lines: int32 `[N]`. Lines finished so far.
        syllables: int32 `[N]`. Of the line so far, where forms have patterns.
        word: int32 `[N]`. The last word of the line so far, 0 for none.
        ends: int32 `[N, MAX_LINES]`. The last word of each finished line.
        done: bool `[N]`.
    """

    tokens: tf.Tensor
    written: tf.Tensor
    gains: dict[str, tf.Tensor]
    last: tf.Tensor
    state: tf.Tensor
    words: tf.Tensor
    lines: tf.Tensor
    syllables: tf.Tensor
    word: tf.Tensor
    ends: tf.Tensor
    done: tf.Tensor


def begin_draft(
    kinds: TokenKinds,
    state: tf.Tensor,
    read: tf.Tensor,
    length: tf.Tensor,
    options: dict[str, tf.Tensor],
    names: Sequence[str],
) -> Draft:
    """Returns drafts that hold their openings.

    Args:
        kinds: Sorts of tokens.
        state: `[B, 2, H]`. Of the network, before the last token.
        read: int32 `[B, L + 1]`. START and the opening, padded with 0.
        length: int32 `[B]`. Tokens of the opening.
        options: Fields of `DecodingOptions`, each `[B]`.
        names: What each token adds to, as of `Networks.gain_names`.

    Returns:
        A draft a row.
    """
    opening = read[:, 1:]
    lines = tf.math.count_nonzero(
        opening == kinds.line_break, axis=1, dtype=tf.int32
    )
    tokens = tf.pad(opening, [[0, 0], [0, MAX_TOKENS]])
    return Draft(
        tokens=tokens,
        written=tf.zeros_like(length),
        gains={name: tf.zeros_like(tokens, tf.float32) for name in names},
        last=tf.gather(read, length, batch_dims=1),
        state=state,
        words=tf.zeros_like(length),
        lines=lines,
        syllables=tf.zeros_like(length),
        word=tf.zeros_like(length),
        ends=find_ends(kinds.is_word, kinds.line_break, opening),
        done=lines >= options["max_lines"],
    )


def append_token(
    kinds: TokenKinds,
    draft: Draft,
    prompt: Prompt,
    chosen: tf.Tensor,
    gains: dict[str, tf.Tensor],
) -> Draft:
    """Returns drafts with one token more; those that are done stay.

    Args:
        kinds: Sorts of tokens.
        draft: Drafts so far.
        prompt: What they are written for.
        chosen: int32 `[N]`. The next token.
        gains: float `[N]` by name. What it adds to fluency and merit.

    Returns:
        The drafts, with the state that they had.
    """
    places = tf.range(tf.shape(draft.tokens)[1])
    here = places == (prompt.length + draft.written)[:, None]  # [N, T]
    here &= ~draft.done[:, None]
    breaks = chosen == kinds.line_break
    is_word = tf.gather(tf.constant(kinds.is_word), chosen)
    words = draft.words + tf.cast(is_word, tf.int32)
    word = tf.where(is_word, chosen, draft.word)
    ends = (tf.range(MAX_LINES) == draft.lines[:, None]) & breaks[:, None]
    written = draft.written + tf.cast(~draft.done, tf.int32)
    is_end = (
        (chosen == END) | (breaks & prompt.one_line) | (written == MAX_TOKENS)
    )
    return draft._replace(
        tokens=tf.where(here, chosen[:, None], draft.tokens),
        written=written,
        gains={
            name: tf.where(here, gains[name][:, None], draft.gains[name])
            for name in gains
        },
        last=chosen,
        words=tf.where(breaks, 0, words),
        lines=draft.lines + tf.cast(breaks, tf.int32),
        syllables=tf.where(breaks, 0, _add_syllables(kinds, draft, chosen)),
        word=tf.where(breaks, 0, word),
        ends=tf.where(ends, word[:, None], draft.ends),
        done=draft.done | is_end,
    )


def _add_syllables(
    kinds: TokenKinds, draft: Draft, chosen: tf.Tensor
) -> tf.Tensor:
    if not kinds.rules:
        return draft.syllables
    syllables = tf.constant(kinds.rules.sounds.syllables, tf.int32)
    return draft.syllables + tf.gather(syllables, chosen)
