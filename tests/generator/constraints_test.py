import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from visualpoet.generator import constraints
from visualpoet.generator.token_kinds import TokenKinds

END, BREAK, SEA, THE, COMMA, MOON, HYPHEN = 2, 4, 5, 6, 7, 8, 9
V = 11


def flags(*ids):
    return np.isin(np.arange(V), ids)


KINDS = TokenKinds(
    is_word=flags(SEA, THE, MOON),
    is_mark=flags(COMMA, HYPHEN),
    is_content=flags(SEA, MOON),
    is_open=flags(THE, HYPHEN),
    is_pause=flags(COMMA),
    is_numeral=flags(10),
    twin=np.arange(V),
    line_break=BREAK,
)


def allowed(mask):
    """The ids that each row of a mask allows."""
    mask = np.atleast_2d(mask)
    assert np.all((mask == 0) | (mask <= constraints.AGAIN))
    return [set(np.flatnonzero(row == 0).tolist()) for row in mask]


def form(last, words, lines, max_lines=3):
    """What may follow, of lines of 2 to 4 words and poems of 2 lines on."""
    (ids,) = allowed(
        constraints.form_mask(
            KINDS,
            last=tf.constant([last]),
            words=tf.constant([words]),
            lines=tf.constant([lines]),
            min_words=2,
            max_words=4,
            min_lines=2,
            max_lines=max_lines,
        )
    )
    return ids & {END, BREAK, SEA, THE, COMMA, MOON, HYPHEN}


WORDS, MARKS = {SEA, THE, MOON}, {COMMA, HYPHEN}


@pytest.mark.parametrize(
    "last, words, lines, expected",
    [
        # Too few words in the line: neither break nor END.
        (SEA, 1, 0, WORDS | MARKS),
        (SEA, 1, 1, WORDS | MARKS),
        # Enough words, but END only in the second line.
        (SEA, 2, 0, WORDS | MARKS | {BREAK}),
        (SEA, 2, 1, WORDS | MARKS | {BREAK, END}),
        # No break in the last line.
        (SEA, 2, 2, WORDS | MARKS | {END}),
        # No word in a full line.
        (SEA, 3, 1, WORDS | MARKS | {BREAK, END}),
        (SEA, 4, 1, MARKS | {BREAK, END}),
        # A full last line takes no pause, which it could not end with.
        (SEA, 4, 2, {HYPHEN, END}),
        # No mark at the start of a line or after another.
        (BREAK, 0, 1, WORDS),
        (COMMA, 1, 1, WORDS),
        # No poem ends with a pause; a full last line goes on after one.
        (COMMA, 3, 1, WORDS | {BREAK}),
        (COMMA, 4, 1, {BREAK}),
        (COMMA, 4, 2, WORDS),
        # An open token calls for a word, even in a full line.
        (THE, 3, 1, WORDS),
        (THE, 4, 1, WORDS),
        (THE, 5, 2, WORDS),
        (HYPHEN, 4, 2, WORDS),
    ],
)
def test_form(last, words, lines, expected):
    assert form(last, words, lines) == expected


def test_one_line_more_moves_the_last_break():
    assert BREAK not in form(SEA, 3, 2, max_lines=3)
    assert BREAK in form(SEA, 3, 2, max_lines=4)


def test_form_of_each_row_on_its_own():
    mask = constraints.form_mask(
        KINDS,
        last=tf.constant([THE, SEA]),
        words=tf.constant([2, 4]),
        lines=tf.constant([0, 2]),
        min_words=tf.constant(2),
        max_words=tf.constant(4),
        min_lines=tf.constant(2),
        max_lines=tf.constant(3),
    )
    # The genitive (10) and what is never written (0, 1, 3) go with marks.
    leaning = {0, 1, 3, 10}
    assert allowed(mask) == [WORDS, {HYPHEN, END} | leaning]


def test_banned_tokens_and_those_never_written():
    mask = constraints.banned_mask(tf.constant(flags(SEA, COMMA)))
    # PAD, START and UNKNOWN are never written.
    assert allowed(mask) == [set(range(V)) - {0, 1, 3, SEA, COMMA}]


@pytest.mark.parametrize(
    "token_ids, length, size, forbidden",
    [
        # 5 6 was followed by 7.
        ([5, 6, 7, 8, 5, 6, 0, 0], 6, 3, {7}),
        # 6 5 was never written before.
        ([5, 6, 7, 8, 6, 5, 0, 0], 6, 3, set()),
        # 5 6 was followed by 7 and by 8.
        ([5, 6, 7, 5, 6, 8, 5, 6], 8, 3, {7, 8}),
        # A run that overlaps itself.
        ([5, 5, 5, 0, 0, 0, 0, 0], 3, 3, {5}),
        # Too short to hold a run.
        ([5, 5, 0, 0, 0, 0, 0, 0], 2, 3, set()),
        ([5, 0, 0, 0, 0, 0, 0, 0], 1, 3, set()),
        ([0, 0, 0, 0, 0, 0, 0, 0], 0, 3, set()),
        # What stands after the length has not been written.
        ([5, 6, 7, 5, 6, 8, 5, 6], 5, 3, {7}),
        # Shorter runs.
        ([5, 6, 7, 6, 0, 0, 0, 0], 4, 2, {7}),
        ([5, 6, 7, 6, 0, 0, 0, 0], 4, 3, set()),
    ],
)
def test_repeated_ngrams(token_ids, length, size, forbidden):
    mask = constraints.forbid_repeats(
        tf.zeros([1, V]),
        tf.constant([token_ids]),
        tf.constant([length]),
        tf.constant([10]),
        size,
    )
    assert allowed(mask) == [set(range(V)) - forbidden - {10}]


def test_repeats_of_each_row_on_its_own():
    mask = constraints.forbid_repeats(
        tf.zeros([3, V]),
        tf.constant([[5, 6, 7, 5, 6], [5, 6, 8, 6, 5], [5, 6, 7, 5, 6]]),
        tf.constant([5, 5, 4]),
        tf.constant([6, 5, 5]),
    )
    every = set(range(V))
    assert allowed(mask) == [every - {6, 7}, every - {5}, every - {5}]


def test_offsets_are_bans_and_what_uses_take_off():
    opening = tf.constant([[SEA, THE, SEA], [MOON, 0, 0]])
    banned = tf.constant([flags(COMMA), flags()])
    penalty = tf.constant([0.5, 2.0])
    offsets = constraints.begin_offsets(KINDS, banned, opening, penalty)
    expected = np.zeros([2, V])
    expected[:, [0, 1, 3, 10]] = expected[0, COMMA] = constraints.BANNED
    expected[0, SEA], expected[1, MOON] = -1.0, -2.0
    np.testing.assert_allclose(offsets, expected, rtol=1e-6)
    chosen = tf.constant([THE, MOON])
    offsets = constraints.add_use(offsets, KINDS, chosen, penalty)
    expected[1, MOON] = -4.0
    np.testing.assert_allclose(offsets, expected, rtol=1e-6)


def test_a_word_and_its_twin_are_used_together():
    twin = np.arange(V)
    twin[[SEA, MOON]] = MOON, SEA
    kinds = dataclasses.replace(KINDS, twin=twin)
    penalty = tf.constant([2.0])
    offsets = constraints.begin_offsets(
        kinds, tf.constant([flags()]), tf.constant([[SEA]]), penalty
    )
    np.testing.assert_allclose(
        offsets.numpy()[0, [SEA, THE, MOON]], [-2.0, 0.0, -2.0]
    )
    offsets = constraints.add_use(offsets, kinds, tf.constant([MOON]), penalty)
    np.testing.assert_allclose(
        offsets.numpy()[0, [SEA, THE, MOON]], [-4.0, 0.0, -4.0]
    )


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ([1, SEA, HYPHEN], WORDS - {SEA, MOON}),  # MOON is its twin here
        ([1, SEA, COMMA], WORDS),
        ([HYPHEN, 0, 0], WORDS),  # it begins the poem
    ],
)
def test_no_word_is_joined_to_itself(written, words):
    twin = np.arange(V)
    twin[[SEA, MOON]] = MOON, SEA
    length = written.index(0) if 0 in written else len(written)
    (ids,) = allowed(
        constraints.forbid_doubles(
            tf.zeros([1, V]),
            dataclasses.replace(KINDS, twin=twin),
            tf.constant([written]),
            tf.constant([length]),
            tf.constant([written[length - 1]]),
        )
    )
    assert ids & WORDS == words


def test_a_run_comes_again_where_the_form_allows_nothing_else():
    form = tf.constant([[-1e9, 0.0, -1e9]])
    again = constraints.forbid_repeats(
        form + 3.0, tf.constant([[1, 1, 1]]), tf.constant([3]), tf.constant([1])
    )
    assert int(tf.argmax(again[0])) == 1
