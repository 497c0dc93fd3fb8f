import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.generator.known_phrases import KnownPhrases
from visualpoet.generator.known_phrases import is_filter
from visualpoet.generator.known_runs import KnownRuns
from visualpoet.generator.token_kinds import TokenKinds

SIZE, BREAK, COMMA = 5000, 4, 6
KINDS = TokenKinds(
    (np.arange(SIZE) > BREAK) & (np.arange(SIZE) != COMMA),
    *[np.zeros(SIZE, bool)] * 5,
    np.arange(SIZE),
    BREAK,
)
KNOWN = KnownPhrases([[7, 8, 9], [5, 8, 9, BREAK, 7]], KINDS)
# Of one poem three lines, of another two.
LINES = KnownPhrases(
    [[11, 12, BREAK, 13, BREAK, 14, 15], [16, BREAK, 17, 18]], KINDS
)


def measure(*poems, begin=0, known=KNOWN):
    width = max(map(len, poems))
    padded = [[*poem, *[0] * (width - len(poem))] for poem in poems]
    return known.measure_novelty(tf.constant(padded), begin).numpy()


def test_what_people_have_said_is_not_new():
    np.testing.assert_array_equal(
        measure([7, 8, 9, END], [5, 8, 9, 4, 7, END]), [0, 0]
    )


def test_each_trigram_counts_with_start_and_end():
    # START 7 8, 7 8 9 and 8 9 4 are known; 9 4 8 and 4 8 END are new.
    np.testing.assert_allclose(measure([7, 8, 9, 4, 8, END]), [2 / 5])
    # START 8 9 is new, and 8 9 END known.
    np.testing.assert_allclose(measure([8, 9, END]), [1 / 2])


def test_padding_changes_nothing():
    poem = [7, 8, 5, END]
    both = measure(poem, [9] * 9)
    np.testing.assert_array_equal(both[:1], measure(poem))


def test_an_opening_is_read_and_does_not_count():
    # Of 9 9 4, 9 4 7 and 4 7 END the first one is new; START 9 9 is, too.
    np.testing.assert_allclose(measure([9, 9, 4, 7, END], begin=2), [1 / 3])
    assert measure([9, 9, END], begin=3)[0] == 0


def test_nothing_is_not_new():
    np.testing.assert_array_equal(measure([0, 0, 0]), [0])
    np.testing.assert_array_equal(measure([END]), [0])


def test_hardly_any_new_trigram_is_taken_for_a_known_one():
    rng = np.random.default_rng(0)
    poems = rng.integers(5, 5000, [4000, 12])
    known = KnownPhrases(poems[:2000], KINDS)
    assert measure(*poems[:2000], known=known).max() == 0
    assert measure(*poems[2000:], known=known).mean() > 0.999


@pytest.mark.parametrize(
    ("poem", "share"),
    [
        ([11, 12, BREAK, 13, BREAK, 14, 15, END], 1.0),
        # Neither marks nor order make a difference, of words or of lines.
        ([13, COMMA, BREAK, 12, 11, BREAK, 20, END], 2 / 3),
        ([14, 15, BREAK, 20, BREAK, 11, 12, END], 2 / 3),
        # Of two poems a line each; one line alone; half a line.
        ([11, 12, BREAK, 16, BREAK, 20, END], 0.0),
        ([13, BREAK, 20, BREAK, 21, END], 0.0),
        ([11, BREAK, 13, BREAK, 20, END], 0.0),
        ([17, 18, BREAK, 20, BREAK, 21, BREAK, 16, END], 0.0),
        ([END], 0.0),
    ],
)
def test_two_lines_of_one_poem_are_recited(poem, share):
    alone = LINES.measure_recited(tf.constant([poem]))
    np.testing.assert_allclose(alone, [share], atol=1e-6)
    padded = tf.constant([[*poem, *[0] * 9]])
    np.testing.assert_array_equal(LINES.measure_recited(padded), alone)


def test_an_opening_is_recited_with_what_follows_it():
    poem = tf.constant([[16, BREAK, 17, 18, BREAK, 20, END]])
    np.testing.assert_allclose(LINES.measure_recited(poem), [2 / 3])
    # Of the lines behind it one is of the same poem as the opening.
    np.testing.assert_allclose(LINES.measure_recited(poem, [2]), [1 / 2])
    np.testing.assert_allclose(LINES.measure_recited(poem, [5]), [0])


def test_what_is_unknown_is_no_phrase():
    poem = [11, UNKNOWN, BREAK, 13, 14, 15]
    known = KnownPhrases([poem], KINDS)
    same = tf.constant([[*poem, END], [11, BREAK, 13, 14, 15, END, 0]])
    np.testing.assert_array_equal(known.measure_recited(same), [0, 0])
    # START 11 ? and five more; 4 13 14, 13 14 15 and 14 15 END are known.
    np.testing.assert_allclose(measure([*poem, END], known=known), [3 / 6])


def test_the_filters_are_found_among_those_of_known_runs():
    ids = tiny.vocabulary().encode(tiny.POEMS[0])
    runs = KnownRuns([ids], tiny.kinds())
    parts = [runs._stored, LINES._pairs, LINES._trigrams]
    stored = [part.numpy() for part in parts]
    assert [is_filter(one) for one in stored] == [False, True, True]
    restored = KnownPhrases.restore(stored, KINDS)
    poems = [[11, 12, BREAK, 13, END], [11, 13, BREAK, 12, END]]
    np.testing.assert_array_equal(
        measure(*poems, known=restored), measure(*poems, known=LINES)
    )
    np.testing.assert_allclose(
        restored.measure_recited(tf.constant(poems)), [1, 0]
    )
    assert KnownPhrases.restore(stored[:1], KINDS) is None
