import numpy as np
import tensorflow as tf

from tests import tiny
from visualpoet.corpus.vocabulary import END
from visualpoet.generator.known_runs import KnownRuns
from visualpoet.generator.novelty import KnownTrigrams
from visualpoet.generator.novelty import is_filter

KNOWN = KnownTrigrams([[7, 8, 9], [5, 8, 9, 4, 7]])


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
    known = KnownTrigrams(poems[:2000])
    assert measure(*poems[:2000], known=known).max() == 0
    assert measure(*poems[2000:], known=known).mean() > 0.999


def test_the_filter_is_found_among_those_of_known_runs():
    ids = tiny.vocabulary().encode(tiny.POEMS[0])
    runs = KnownRuns([ids], tiny.kinds())
    stored = [runs._stored.numpy(), KNOWN._stored.numpy()]
    assert [is_filter(one) for one in stored] == [False, True]
    restored = KnownTrigrams.restore(stored)
    poems = [[7, 8, 9, END], [7, 8, 5, END]]
    np.testing.assert_array_equal(
        measure(*poems, known=restored), measure(*poems)
    )
    assert KnownTrigrams.restore(stored[:1]) is None
