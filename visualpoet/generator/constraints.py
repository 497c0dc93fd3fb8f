"""What a poem may not do, as masks added to logits."""

import dataclasses
import re
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet.corpus.sounds import measure_sounds
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.corpus.words import find_twins
from visualpoet.generator.patterns import Pattern
from visualpoet.generator.patterns import PatternRules
from visualpoet.generator.patterns import check_reachable
from visualpoet.generator.patterns import make_rules
from visualpoet.generator.samplers import NEVER

NO_REPEAT_NGRAM = 3
AGAIN = -1e6  # weaker than NEVER: the form has it where both leave nothing
# Figures, and Roman numerals but the word I.
NUMERAL = re.compile(r"\d+|(?=[ivx]{2})x{0,3}(ix|iv|v?i{0,3})")


@dataclasses.dataclass(frozen=True)
class TokenKinds:
    """What sort of token each one is.

    Attributes:
        is_word: bool `[V]`; letters, so that it counts as a word of a line.
        is_mark: bool `[V]`; punctuation.
        is_content: bool `[V]`; a word that should not come twice.
        is_open: bool `[V]`; what calls for another word, as `the` does.
        is_pause: bool `[V]`; a mark that no poem ends with, as the comma.
        is_numeral: bool `[V]`; a number in figures or a Roman one, that of a
            stanza or a canto, which is never written.
        twin: int `[V]`; the same word with or without an s at its end, which
            is used when it is; the token itself if there is none.
        line_break: Id of the line break.
        rules: What patterns of syllables and rhymes ask of the tokens; None
            where no form has one.
    """

    is_word: np.ndarray
    is_mark: np.ndarray
    is_content: np.ndarray
    is_open: np.ndarray
    is_pause: np.ndarray
    is_numeral: np.ndarray
    twin: np.ndarray
    line_break: int
    rules: PatternRules | None = None


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
    stopped = _count_stopped(vocabulary, stream)
    ended = np.bincount(stream[:-1][stream[1:] == END], minlength=size)
    is_hyphen = np.array([token == "-" for token in vocabulary.tokens])
    return TokenKinds(
        is_word=is_word,
        is_mark=is_mark,
        is_content=is_word & (counts < 0.004 * len(stream)),
        is_open=is_hyphen | is_word & (counts > 0) & (stopped < 0.04 * counts),
        is_pause=is_mark & (ended < 0.01 * counts),
        is_numeral=np.array(
            [bool(NUMERAL.fullmatch(token)) for token in vocabulary.tokens]
        ),
        twin=find_twins(vocabulary.tokens),
        line_break=vocabulary.line_break,
    )


def _count_stopped(vocabulary: Vocabulary, stream: np.ndarray) -> np.ndarray:
    """How often a mark, a line break or the end follows each token."""
    stops = [END, vocabulary.line_break, *vocabulary.mark_ids()]
    before = stream[:-1][np.isin(stream[1:], stops)]
    return np.bincount(before, minlength=len(vocabulary))


def add_rules(
    kinds: TokenKinds,
    vocabulary: Vocabulary,
    token_ids: Sequence[Sequence[int]],
    patterns: Mapping[str, Pattern],
) -> TokenKinds:
    """Adds how words sound and close lines, for forms that are patterns.

    A line is filled by a word that is followed by a mark, a line break or the
    end in a quarter of cases or more; of all words, a fifth is.

    Args:
        kinds: Of the vocabulary.
        vocabulary: The vocabulary.
        token_ids: Poems, each with START and END.
        patterns: By form, what is to be written.

    Returns:
        The kinds with their `rules`.

    Raises:
        ValueError: If the vocabulary cannot fill a pattern.
    """
    stream = np.concatenate([np.asarray(ids, int) for ids in token_ids])
    counts = np.bincount(stream, minlength=len(vocabulary))
    closes = _count_stopped(vocabulary, stream) >= 0.25 * np.maximum(counts, 1)
    stops = np.isin(np.arange(len(vocabulary)), [END, vocabulary.line_break])
    rules = make_rules(
        measure_sounds(vocabulary),
        kinds.is_word,
        kinds.is_word & closes & ~kinds.is_open & ~kinds.is_numeral,
        ~kinds.is_word & ~stops & (kinds.is_open | ~kinds.is_mark),
        kinds.is_pause,
        stops,
    )
    for form, pattern in patterns.items():
        check_reachable(rules, pattern, form)
    return dataclasses.replace(kinds, rules=rules)


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
    opening: tf.Tensor,
    penalty: tf.Tensor,
) -> tf.Tensor:
    """What bans and the words of openings take off the logits.

    Args:
        kinds: Sorts of tokens.
        banned: bool `[B, V]`.
        opening: int32 `[B, L]`, padded with 0.
        penalty: float `[B]`. What each use takes off a content word [nats].

    Returns:
        float `[B, V]`.
    """
    unwritten = banned_mask(banned | tf.constant(kinds.is_numeral))
    return _take_off(unwritten, kinds, opening, penalty)


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
