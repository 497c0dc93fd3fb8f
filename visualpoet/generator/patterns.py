"""Forms as patterns: syllables and end rhymes of each line, as masks."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet.controls import MAX_LINES
from visualpoet.corpus.sounds import Sounds
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.generator.samplers import NEVER

_MIN_RHYMES = 6  # words of one syllable, for a line that is to be rhymed with


@dataclasses.dataclass(frozen=True)
class Pattern:
    """What each line of a poem must be.

    Attributes:
        syllables: Of each line; none for any number.
        rhyme: A letter a line, the same for lines that rhyme, as `aabba`;
            empty for none. Lines that rhyme have a number of syllables.

    Raises:
        ValueError: If there are more than `MAX_LINES` lines, or the letters
            are not as many as the lines.

    Example:
        >>> Pattern(syllables=(8, 8, 5, 5, 8), rhyme="aabba").encode()[:5]
        array([[8, 1],
               [8, 1],
               [5, 2],
               [5, 2],
               [8, 1]], dtype=int32)
    """

    syllables: Sequence[int] = ()
    rhyme: str = ""

    def __post_init__(self) -> None:
        lines = len(self.syllables)
        if lines > MAX_LINES or len(self.rhyme) not in (0, lines):
            raise ValueError(
                f"expected syllables of at most {MAX_LINES} lines, and a "
                f"letter of rhyme for each of them or none. Received: {self}"
            )

    def encode(self) -> np.ndarray:
        """Writes the pattern as numbers.

        Returns:
            int32 `[MAX_LINES, 2]`: syllables, 0 for any number; number of the
            letter, 0 for none.
        """
        letters = sorted(set(self.rhyme), key=self.rhyme.index)
        rows = np.zeros([MAX_LINES, 2], np.int32)
        rows[: len(self.syllables), 0] = self.syllables
        rows[: len(self.rhyme), 1] = [1 + letters.index(x) for x in self.rhyme]
        return rows


@dataclasses.dataclass(frozen=True)
class PatternRules:
    """What patterns ask of the tokens of a vocabulary.

    Attributes:
        sounds: Of the tokens.
        is_word: bool `[V]`.
        is_closing: bool `[V]`; words that may end a line.
        leans: bool `[V]`; what no line ends with, the hyphen and the genitive.
        is_pause: bool `[V]`; marks that no poem ends with.
        stops: bool `[V]`; the line break and END.
        is_rhymed: bool `[V]`; closing words that have enough others to rhyme
            with.
    """

    sounds: Sounds
    is_word: np.ndarray
    is_closing: np.ndarray
    leans: np.ndarray
    is_pause: np.ndarray
    stops: np.ndarray
    is_rhymed: np.ndarray


def make_rules(
    sounds: Sounds,
    is_word: np.ndarray,
    is_closing: np.ndarray,
    leans: np.ndarray,
    is_pause: np.ndarray,
    stops: np.ndarray,
) -> PatternRules:
    """Works out which words can be rhymed with.

    Args:
        sounds: Of the tokens.
        is_word: bool `[V]`.
        is_closing: bool `[V]`.
        leans: bool `[V]`.
        is_pause: bool `[V]`.
        stops: bool `[V]`.

    Returns:
        The rules.
    """
    short = is_closing & (sounds.syllables == 1)
    counts = np.bincount(
        sounds.rhyme[short], minlength=int(sounds.rhyme.max()) + 1
    )
    counts[0] = 0
    is_rhymed = is_closing & (counts[sounds.rhyme] >= _MIN_RHYMES)
    return PatternRules(
        sounds, is_word, is_closing, leans, is_pause, stops, is_rhymed
    )


def check_reachable(rules: PatternRules, pattern: Pattern, form: str) -> None:
    """Refuses a pattern that a vocabulary cannot fill.

    Args:
        rules: Of the vocabulary.
        pattern: The pattern.
        form: Its name, for the message.

    Raises:
        ValueError: If there are too few words of one syllable, which fill
            what is left of a line, or too few that rhyme.
    """
    short = rules.is_closing & (rules.sounds.syllables == 1)
    few = 50
    if pattern.syllables and np.count_nonzero(short) < few:
        raise ValueError(
            f"form {form}: expected at least {few} words of one syllable that "
            "may end a line. Received: a vocabulary with "
            f"{np.count_nonzero(short)}"
        )
    if pattern.rhyme and np.count_nonzero(rules.is_rhymed) < few:
        raise ValueError(
            f"form {form}: expected at least {few} words with {_MIN_RHYMES} "
            "others of one syllable that rhyme with them. Received: a "
            f"vocabulary with {np.count_nonzero(rules.is_rhymed)}"
        )


def skip_lines(pattern: tf.Tensor, unread: tf.Tensor) -> tf.Tensor:
    """Leaves out the first lines of patterns, which stand elsewhere.

    Args:
        pattern: int32 `[N, MAX_LINES, 2]`, as of `Pattern.encode`.
        unread: int32 `[N]`. How many lines.

    Returns:
        int32 `[N, MAX_LINES, 2]`; no pattern behind the last line.
    """
    places = tf.range(MAX_LINES) + unread[:, None]
    padded = tf.pad(pattern, [[0, 0], [0, 1], [0, 0]])
    return tf.gather(padded, tf.minimum(places, MAX_LINES), batch_dims=1)


def pattern_mask(
    rules: PatternRules,
    pattern: tf.Tensor,
    lines: tf.Tensor,
    syllables: tf.Tensor,
    ends: tf.Tensor,
    last: tf.Tensor,
    max_lines: tf.Tensor,
) -> tf.Tensor:
    """Masks what would break a pattern.

    A word that would be too long for its line is forbidden. One that fills it
    must be a closing one, and rhyme with the line before that it should rhyme
    with, or, where a later line should rhyme with it, have enough words that
    do. A line ends when it is full, and not before.

    Args:
        rules: Of the vocabulary.
        pattern: int32 `[N, MAX_LINES, 2]`, as of `Pattern.encode`.
        lines: int `[N]`. Lines finished so far.
        syllables: int `[N]`. Of the line so far.
        ends: int32 `[N, MAX_LINES]`. Last word of each finished line.
        last: int `[N]`. The last token.
        max_lines: int `[N]`. Lines of the whole poem, if they are fewer than
            those of the pattern.

    Returns:
        float `[N, V]`.
    """
    line = tf.minimum(lines, MAX_LINES - 1)
    here = tf.gather(pattern, line, batch_dims=1)
    is_bound = here[:, :1] > 0  # [N, 1]
    left = (here[:, 0] - syllables)[:, None]
    after = left - tf.constant(rules.sounds.syllables, tf.int32)  # [N, V]
    is_word = tf.constant(rules.is_word)
    fills = is_word & (after == 0)
    is_last = line + 1 >= tf.minimum(
        tf.math.count_nonzero(pattern[:, :, 0], axis=1, dtype=tf.int32),
        max_lines,
    )
    is_full = left == 0
    # As numbers: of tables of flags, export/graph_constants.py takes the one
    # that is left for the open words.
    hisses = tf.constant(rules.sounds.hisses, tf.int32)
    hisses = tf.gather(hisses, last)[:, None] > 0
    forbidden = (
        (is_word & (after < 0))
        | (fills & ~rules.is_closing)
        | (rules.stops & ~is_full)
        | (rules.leans & (is_full | hisses))
        | (rules.is_pause & is_full & is_last[:, None])
        | (fills & ~_may_rhyme(rules, pattern, here[:, 1], line, ends))
    )
    return tf.where(is_bound & forbidden, NEVER, 0.0)


def _may_rhyme(
    rules: PatternRules,
    pattern: tf.Tensor,
    letter: tf.Tensor,
    line: tf.Tensor,
    ends: tf.Tensor,
) -> tf.Tensor:
    """Which words may end a line `[N, V]`."""
    is_same = (pattern[:, :, 1] == letter[:, None]) & (letter > 0)[:, None]
    is_earlier = tf.range(MAX_LINES) < line[:, None]
    rhymes = tf.constant(rules.sounds.rhyme, tf.int32)
    # An opening may end as no other word does: nothing rhymes with it then.
    can_be_met = np.isin(
        rules.sounds.rhyme, rules.sounds.rhyme[rules.is_rhymed]
    )
    met = tf.constant(np.where(can_be_met, rules.sounds.rhyme, 0), tf.int32)
    earlier = tf.where(is_same & is_earlier, ends, 0)
    # Those of one letter have one rhyme, and that of token 0 is 0.
    wanted = tf.reduce_max(tf.gather(met, earlier), axis=1)[:, None]
    is_later = tf.range(MAX_LINES) > line[:, None]
    is_first = tf.reduce_any(is_same & is_later, axis=1)[:, None]
    size = tf.shape(ends)[0]
    rows = tf.repeat(tf.range(size)[:, None], MAX_LINES, axis=1)
    is_used = tf.scatter_nd(
        tf.stack([rows, ends], axis=-1),
        tf.ones_like(ends),
        [size, len(rules.is_word)],
    )
    return tf.where(
        wanted > 0,
        (rhymes == wanted) & (is_used == 0),
        ~is_first | rules.is_rhymed,
    )


def find_ends(
    is_word: np.ndarray, line_break: int, token_ids: tf.Tensor
) -> tf.Tensor:
    """Finds the last word of each line of openings.

    Args:
        is_word: bool `[V]`.
        line_break: Id of the line break.
        token_ids: int32 `[B, L]`, padded with 0.

    Returns:
        int32 `[B, MAX_LINES]`; 0 for lines without a word, or that are not.
    """
    breaks = tf.cast(token_ids == line_break, tf.int32)
    line = tf.cumsum(breaks, axis=1, exclusive=True)
    in_line = line[:, :, None] == tf.range(MAX_LINES)  # [B, L, MAX_LINES]
    # What is not known ends a line, too, and nothing rhymes with it.
    ends = tf.gather(tf.constant(is_word), token_ids) | (token_ids == UNKNOWN)
    words = in_line & ends[:, :, None]
    place = tf.range(1, tf.shape(token_ids)[1] + 1)[:, None]
    # Not below 0, which is the greatest of nothing.
    last = tf.maximum(tf.reduce_max(tf.where(words, place, 0), axis=1), 0)
    padded = tf.pad(token_ids, [[0, 0], [1, 0]])
    return tf.gather(padded, last, batch_dims=1)
