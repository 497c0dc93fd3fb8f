"""What a poem may not do, as masks added to logits."""

import numpy as np
import tensorflow as tf

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.generator.samplers import NEVER
from visualpoet.generator.token_kinds import TokenKinds

NO_REPEAT_NGRAM = 3
AGAIN = -1e6  # weaker than NEVER: the form has it where both leave nothing
BANNED = 4 * NEVER  # stronger than form and pattern together: they give way


def _forbid(condition: tf.Tensor) -> tf.Tensor:
    return tf.where(condition, NEVER, 0.0)


def banned_mask(banned: tf.Tensor) -> tf.Tensor:
    """Forbids tokens everywhere, and those that are never written.

    Args:
        banned: bool `[..., V]`.

    Returns:
        float `[..., V]`.
    """
    ids = tf.range(tf.shape(banned)[-1])
    never = (ids == PAD) | (ids == START) | (ids == UNKNOWN)
    return tf.where(banned | never, BANNED, 0.0)


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
    """Masks what would break the bounds of lines and poem.

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
    # After a pause the last line can neither break nor end: it goes on. So a
    # full one takes no pause, or it would go on for ever.
    is_last = lines + 1 >= max_lines
    goes_on = is_open | (is_pause & is_last)
    no_pause = is_last & (words >= max_words)
    full = (words >= max_words) & ~goes_on
    no_mark = tf.gather(tf.constant(kinds.is_mark), last) | (words == 0)
    # One column a sort of token. A product with a matrix of zeros and ones is
    # quicker than a gather, and as exact.
    forbidden = tf.stack(
        [
            tf.zeros_like(full),
            full,
            no_mark | is_open,
            ~may_break,
            ~may_end,
            no_mark | is_open | no_pause,
        ],
        axis=1,
    )
    sort = np.zeros(len(kinds.is_word), np.int32)
    sort[kinds.is_word] = 1
    sort[~kinds.is_word] = 2  # marks, and the genitive, which leans on a word
    sort[kinds.is_pause] = 5
    sort[kinds.line_break] = 3
    sort[END] = 4
    is_sort = tf.one_hot(sort, forbidden.shape[1], axis=0)
    return tf.matmul(_forbid(forbidden), is_sort)


def begin_offsets(
    kinds: TokenKinds,
    banned: tf.Tensor,
    token_ids: tf.Tensor,
    penalty: tf.Tensor,
) -> tf.Tensor:
    """What bans and the words so far take off the logits.

    Args:
        kinds: Sorts of tokens.
        banned: bool `[N, V]`.
        token_ids: int32 `[N, T]`, padded with 0.
        penalty: float `[N]`. What each use takes off a content word [nats].

    Returns:
        float `[N, V]`.
    """
    unwritten = banned_mask(banned | tf.constant(kinds.is_numeral))
    return _take_off(unwritten, kinds, token_ids, penalty)


def add_use(
    offsets: tf.Tensor, kinds: TokenKinds, chosen: tf.Tensor, penalty: tf.Tensor
) -> tf.Tensor:
    """Makes words that were used, and their twins, less likely.

    Args:
        offsets: float `[N, V]`.
        kinds: Sorts of tokens.
        chosen: int32 `[N]`. Tokens written now.
        penalty: float `[N]`. What it takes off a content word [nats].

    Returns:
        float `[N, V]`.
    """
    return _take_off(offsets, kinds, chosen[:, None], penalty)


def _take_off(
    offsets: tf.Tensor,
    kinds: TokenKinds,
    token_ids: tf.Tensor,
    penalty: tf.Tensor,
) -> tf.Tensor:
    """Makes content words among tokens `[N, M]`, and their twins, unlikely."""
    twins = tf.gather(tf.constant(kinds.twin, tf.int32), token_ids)
    is_content = tf.constant(kinds.is_content, tf.float32)
    used = -penalty[:, None] * tf.gather(is_content, token_ids)
    offsets = _add_at(offsets, token_ids, used)
    return _add_at(offsets, twins, tf.where(twins == token_ids, 0.0, used))


def forbid_repeats(
    logits: tf.Tensor,
    token_ids: tf.Tensor,
    length: tf.Tensor,
    last: tf.Tensor,
    size: int = NO_REPEAT_NGRAM,
) -> tf.Tensor:
    """Forbids the last token again, and runs that have been written before.

    Less than the form forbids: a line that is full ends, as another did or not.

    Args:
        logits: float `[N, V]`.
        token_ids: int32 `[N, T]`. Tokens so far.
        length: int32 `[N]`. How many of the T have been written.
        last: int32 `[N]`. The last one.
        size: Length of the run.

    Returns:
        float `[N, V]`.
    """
    places = tf.shape(token_ids)[1] - size + 1
    complete = tf.range(places) + size - 1 < length[:, None]  # [N, places]
    same = complete & (length >= size - 1)[:, None]
    for offset in range(size - 1):
        place = tf.maximum(length - size + 1 + offset, 0)
        wanted = tf.gather(token_ids, place, batch_dims=1)
        same &= token_ids[:, offset : offset + places] == wanted[:, None]
    again = tf.concat([token_ids[:, size - 1 :], last[:, None]], axis=1)
    same = tf.pad(same, [[0, 0], [0, 1]], constant_values=True)
    return _add_at(logits, again, tf.where(same, AGAIN, 0.0))


def forbid_doubles(
    logits: tf.Tensor,
    kinds: TokenKinds,
    token_ids: tf.Tensor,
    length: tf.Tensor,
    last: tf.Tensor,
) -> tf.Tensor:
    """Forbids a word, and its twin, behind itself and a hyphen: dog-dogs.

    Args:
        logits: float `[N, V]`.
        kinds: Sorts of tokens.
        token_ids: int32 `[N, T]`. Tokens so far.
        length: int32 `[N]`. How many of the T have been written.
        last: int32 `[N]`. The last one.

    Returns:
        float `[N, V]`.
    """
    is_hyphen = tf.gather(tf.constant(kinds.is_open & ~kinds.is_word), last)
    before = tf.gather(token_ids, tf.maximum(length - 2, 0), batch_dims=1)
    twin = tf.gather(tf.constant(kinds.twin, tf.int32), before)
    again = tf.where(is_hyphen & (length > 1), AGAIN, 0.0)[:, None]
    words = tf.stack([before, twin], axis=1)
    return _add_at(logits, words, tf.tile(again, [1, 2]))


def _add_at(
    logits: tf.Tensor, token_ids: tf.Tensor, values: tf.Tensor
) -> tf.Tensor:
    """Adds values `[N, M]` to the logits `[N, V]` of tokens `[N, M]`."""
    rows = tf.range(tf.shape(logits)[0])[:, None]
    rows = tf.broadcast_to(rows, tf.shape(token_ids))
    return tf.tensor_scatter_nd_add(
        logits, tf.stack([rows, token_ids], axis=-1), values
    )
