"""What a poem may not do, as masks added to logits."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.generator.samplers import NEVER

NO_REPEAT_NGRAM = 3


@dataclasses.dataclass(frozen=True)
class TokenKinds:
    """What sort of token each one is.

    Attributes:
        is_word: bool `[V]`; letters, so that it counts as a word of a line.
        is_mark: bool `[V]`; punctuation.
        is_content: bool `[V]`; a word that should not come twice.
        is_open: bool `[V]`; what calls for another word, as `the` does.
        is_pause: bool `[V]`; a mark that no poem ends with, as the comma.
        line_break: Id of the line break.
    """

    is_word: np.ndarray
    is_mark: np.ndarray
    is_content: np.ndarray
    is_open: np.ndarray
    is_pause: np.ndarray
    line_break: int


def token_kinds(
    vocabulary: Vocabulary, token_ids: Sequence[Sequence[int]]
) -> TokenKinds:
    """Sorts the tokens of a vocabulary by how poems use them.

    Content words are rarer than 0.4 % of all tokens. Open words are followed
    by a mark, a line break or the end in less than 4 % of cases, pauses by the
    end in less than 1 %.

    Args:
        vocabulary: The vocabulary.
        token_ids: Poems, each with START and END.

    Returns:
        The kinds.
    """
    is_word = vocabulary.is_word()
    is_mark = np.isin(np.arange(len(vocabulary)), vocabulary.mark_ids())
    stream = np.concatenate([np.asarray(ids, int) for ids in token_ids])
    size = len(vocabulary)
    counts = np.bincount(stream, minlength=size)
    stops = is_mark[stream[1:]] | np.isin(
        stream[1:], (END, vocabulary.line_break)
    )
    stopped = np.bincount(stream[:-1][stops], minlength=size)
    ended = np.bincount(stream[:-1][stream[1:] == END], minlength=size)
    is_hyphen = np.array([token == "-" for token in vocabulary.tokens])
    return TokenKinds(
        is_word=is_word,
        is_mark=is_mark,
        is_content=is_word & (counts < 0.004 * len(stream)),
        is_open=is_hyphen | is_word & (counts > 0) & (stopped < 0.04 * counts),
        is_pause=is_mark & (ended < 0.01 * counts),
        line_break=vocabulary.line_break,
    )


def _forbid(condition: tf.Tensor) -> tf.Tensor:
    return tf.where(condition, NEVER, 0.0)


def banned_mask(banned: tf.Tensor) -> tf.Tensor:
    """Forbids tokens everywhere, and those that are never written.

    Args:
        banned: bool `[V]`.

    Returns:
        float `[V]`.
    """
    ids = tf.range(tf.shape(banned)[0])
    never = (ids == PAD) | (ids == START) | (ids == UNKNOWN)
    return _forbid(banned | never)


def form_mask(
    kinds: TokenKinds,
    last: tf.Tensor,
    words: tf.Tensor,
    lines: tf.Tensor,
    min_words: tf.Tensor | int,
    max_words: tf.Tensor | int,
    min_lines: tf.Tensor | int,
    max_lines: tf.Tensor | int,
) -> tf.Tensor:
    """Keeps lines and poem within their bounds.

    Args:
        kinds: Sorts of tokens.
        last: int `[N]`. The token written last.
        words: int `[N]`. Words of the line so far.
        lines: int `[N]`. Lines finished so far.
        min_words: Fewest words of a line.
        max_words: Most words of a line.
        min_lines: Fewest lines.
        max_lines: Most lines.

    Returns:
        float `[N, V]`.
    """
    is_open = tf.gather(tf.constant(kinds.is_open), last)
    is_pause = tf.gather(tf.constant(kinds.is_pause), last)
    enough = (words >= min_words) & ~is_open  # [N]
    may_end = enough & (lines + 1 >= min_lines) & ~is_pause
    may_break = enough & (lines + 1 < max_lines)
    # After a pause the last line can neither break nor end: it goes on.
    goes_on = is_open | (is_pause & (lines + 1 >= max_lines))
    full = (words >= max_words) & ~goes_on
    no_mark = tf.gather(tf.constant(kinds.is_mark), last) | (words == 0)
    # One column a sort of token, so that the vocabulary is gone through once.
    forbidden = tf.stack(
        [
            tf.zeros_like(full),
            full,
            no_mark | is_open,
            ~may_break,
            ~may_end,
        ],
        axis=1,
    )
    sort = np.zeros(len(kinds.is_word), np.int32)
    sort[kinds.is_word] = 1
    sort[~kinds.is_word] = 2  # marks, and the genitive, which leans on a word
    sort[kinds.line_break] = 3
    sort[END] = 4
    return tf.gather(_forbid(forbidden), sort, axis=1)


def repeated_ngram_mask(
    token_ids: tf.Tensor,
    length: tf.Tensor,
    vocabulary_size: int,
    size: int = NO_REPEAT_NGRAM,
) -> tf.Tensor:
    """Forbids to complete a run of tokens that has been written before.

    Args:
        token_ids: int `[N, T]`. Tokens so far.
        length: How many of the T have been written.
        vocabulary_size: Tokens.
        size: Length of the run.

    Returns:
        float `[N, V]`.
    """
    num = token_ids.shape[0] or tf.shape(token_ids)[0]
    time = token_ids.shape[1] or tf.shape(token_ids)[1]
    places = time - size + 1
    same = tf.ones([num, places], tf.bool)
    for offset in range(size - 1):
        wanted = tf.gather(
            token_ids, tf.maximum(length - size + 1 + offset, 0), axis=1
        )
        written = token_ids[:, offset : offset + places]
        same &= written == wanted[:, None]
    complete = tf.range(places) + size - 1 < length
    same &= complete & (length >= size - 1)
    following = token_ids[:, size - 1 :]
    rows = tf.repeat(tf.range(num)[:, None], places, axis=1)
    hits = tf.scatter_nd(
        tf.stack([rows, following], -1),
        tf.cast(same, tf.int32),
        [num, vocabulary_size],
    )
    return _forbid(hits > 0)


def repetition_penalty(
    counts: tf.Tensor, last: tf.Tensor, penalty: tf.Tensor | float
) -> tf.Tensor:
    """Makes words that were used less likely, the more the oftener.

    Args:
        counts: float `[N, V]`. How often each content word was used.
        last: int `[N]`. The token written last; never written again at once.
        penalty: What each use takes off [nats].

    Returns:
        float `[N, V]`.
    """
    again = tf.one_hot(last, counts.shape[-1], NEVER, 0.0)
    return -penalty * counts + again
