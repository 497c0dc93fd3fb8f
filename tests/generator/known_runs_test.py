import numpy as np
import pytest
import tensorflow as tf

from visualpoet.corpus import datasets
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.export.graph_constants import GraphConstants
from visualpoet.generator import bloom_filter
from visualpoet.generator.known_runs import KnownRuns
from visualpoet.generator.token_kinds import TokenKinds

SIZE, BREAK, COMMA = 4000, 4, 5
# Ten words over two lines, with a mark.
LEARNT = [START, 10, 11, 12, COMMA, 13, 14, BREAK, 15, 16, 17, 18, 19, END]


def kinds():
    is_word = np.arange(SIZE) > COMMA
    none = np.zeros(SIZE, bool)
    return TokenKinds(
        is_word, none, none, none, none, none, np.arange(is_word.size), BREAK
    )


def shares(*poems, learnt=(LEARNT,)):
    ids = tf.constant(datasets.pad_token_ids(poems))
    return KnownRuns(learnt, kinds()).measure_copied(ids).numpy()


@pytest.mark.parametrize(
    ("poem", "share"),
    [
        (LEARNT, 1.0),
        # Marks and line breaks make no difference.
        ([10, 11, BREAK, 12, 13, 14, 15, 16, 17, 18, COMMA, 19], 1.0),
        # Six of eight words; five in a row are too few.
        ([20, 12, 13, 14, 15, 16, 17, 21], 0.75),
        ([20, 12, 13, 14, 15, 16, 21, 17, 18, 19], 0.0),
        # Six, another word, and three.
        ([10, 11, 12, 13, 14, 15, 22, 17, 18, 19], 0.6),
        # The same words in another order; too short; nothing.
        ([15, 14, 13, 12, 11, 10], 0.0),
        ([10, 11, 12], 0.0),
        ([], 0.0),
    ],
)
def test_share_of_words_in_runs_of_six(poem, share):
    np.testing.assert_allclose(shares(poem), [share], atol=1e-6)


def test_words_before_the_beginning_do_not_count():
    known = KnownRuns([LEARNT], kinds())
    ids = tf.constant([[12, 13, BREAK, 14, 15, 16, 17, 21]] * 3)
    # The run begins in the opening of the second one, and is all of the third.
    begin = tf.constant([0, 3, 7])
    found = known.measure_copied(ids, begin)
    np.testing.assert_allclose(found, [6 / 7, 4 / 5, 0.0])


def test_rows_and_padding_change_nothing():
    poems = [LEARNT, [20, 12, 13, 14, 15, 16, 17, 21], [7, 8]]
    alone = [shares(poem)[0] for poem in poems]
    np.testing.assert_array_equal(shares(*poems), alone)
    padded = [[*poem, *[0] * 30] for poem in poems]
    np.testing.assert_array_equal(shares(*padded), alone)


def test_an_unknown_word_is_no_gap():
    learnt = [[10, 11, 12, UNKNOWN, 13, 14, 15]]
    found = shares([10, 11, 12, 13, 14, 15], learnt=learnt)
    np.testing.assert_array_equal(found, [0.0])


def test_an_unknown_word_is_not_the_same_as_another_one():
    """Two texts of words that the model does not know are not alike."""
    learnt = [[10, 11, UNKNOWN, 12, 13, UNKNOWN, 14, 15, 16, 17, 18, 19]]
    # Its last six words have no unknown one.
    np.testing.assert_allclose(shares(*learnt, learnt=learnt), [0.5])
    np.testing.assert_array_equal(shares([UNKNOWN] * 9, learnt=learnt), [0.0])


@pytest.mark.parametrize("learnt", [[], [[10, 11]]])
def test_short_poems_teach_no_run(learnt):
    np.testing.assert_array_equal(shares(LEARNT, learnt=learnt), [0.0])


def test_what_was_learnt_is_always_found_and_little_else():
    draw = np.random.default_rng(1).integers
    learnt = draw(6, SIZE, [500, 40])
    np.testing.assert_array_equal(shares(*learnt, learnt=learnt), 1.0)
    others = shares(*draw(6, SIZE, [1000, 40]), learnt=learnt)
    # 35 runs a poem: at 1 in 7,000, five of a thousand poems have one.
    assert (others > 0).mean() < 0.02


def test_the_filter_is_as_small_as_said():
    learnt = np.random.default_rng(2).integers(6, SIZE, [100, 40])
    runs = KnownRuns(learnt, kinds())
    assert len(runs._stored) == -(-100 * 35 * bloom_filter.BITS_A_ROW // 8)


def test_it_works_inside_a_graph():
    runs = KnownRuns([LEARNT], kinds())
    measure = tf.function(
        runs.measure_copied,
        input_signature=[tf.TensorSpec([None, None], tf.int32)],
    )
    np.testing.assert_array_equal(measure(tf.constant([LEARNT])), [1.0])
    np.testing.assert_array_equal(measure(tf.zeros([2, 0], tf.int32)), [0, 0])


def test_what_was_known_before_counts_too():
    first = KnownRuns([LEARNT], kinds())
    both = KnownRuns([[30, 31, 32, 33]], kinds(), run_length=4, before=first)
    poems = [LEARNT, [40, 30, 31, 32, 33, 41, 42, 43], [30, 31, 32, 50]]
    ids = tf.constant(datasets.pad_token_ids(poems))
    np.testing.assert_allclose(both.measure_copied(ids), [1.0, 0.5, 0.0])


def test_filters_are_restored_with_what_they_know():
    bits = KnownRuns([LEARNT], kinds())._stored.numpy()
    others = KnownRuns([range(20, 30)], kinds())._stored.numpy()
    restored = KnownRuns.restore([bits, others], kinds())
    ids = tf.constant([LEARNT[:8], [*range(20, 28)], [*range(50, 58)]])
    np.testing.assert_allclose(restored.measure_copied(ids), [0.0, 1.0, 0.0])
    whole = tf.constant([LEARNT])
    np.testing.assert_allclose(restored.measure_copied(whole), [1.0])
    assert KnownRuns.restore([], kinds()) is None


def test_a_filter_is_restored_with_the_length_of_its_runs():
    stored = KnownRuns([range(20, 40)], kinds(), run_length=9)._stored.numpy()
    short = KnownRuns([range(50, 54)], kinds(), run_length=4)._stored.numpy()
    restored = KnownRuns.restore([stored, short], kinds())
    poems = [range(20, 29), range(20, 28), range(50, 54), range(50, 53)]
    ids = tf.constant(datasets.pad_token_ids(poems))
    np.testing.assert_allclose(restored.measure_copied(ids), [1, 0, 1, 0])


def test_more_tokens_change_nothing_that_is_known():
    first = KnownRuns([LEARNT], kinds())
    both = KnownRuns([range(20, 30)], kinds(), before=first)
    more = np.arange(SIZE + 5) > COMMA
    none = np.zeros(SIZE + 5, bool)
    wider = TokenKinds(
        more, none, none, none, none, none, np.arange(more.size), BREAK
    )
    ids = tf.constant([LEARNT[1:9], [*range(20, 26), SIZE + 1, SIZE + 4]])
    found = both.renumber(wider, np.arange(SIZE + 5)).measure_copied(ids)
    np.testing.assert_allclose(found, [1.0, 0.75])


def test_fewer_tokens_change_nothing_that_is_known(tmp_path):
    first = KnownRuns([LEARNT], kinds())
    kept = np.delete(np.arange(SIZE), np.r_[8, 9, 30:3000])
    none = np.zeros(kept.size, bool)
    fewer = TokenKinds(
        kept > COMMA, none, none, none, none, none, np.arange(kept.size), BREAK
    )
    renumbered = first.renumber(fewer, kept)
    both = KnownRuns([range(18, 28)], fewer, before=renumbered)
    of_first = [i if i <= COMMA else i - 2 for i in LEARNT[1:9]]
    ids = tf.constant([of_first, range(50, 58), range(18, 26)])
    np.testing.assert_allclose(both.measure_copied(ids), [1.0, 0.0, 1.0])
    # An export holds the numbers beside the filters.
    module = tf.Module()
    module.measure = tf.function(
        both.measure_copied,
        input_signature=[tf.TensorSpec([None, None], tf.int32)],
    )
    tf.saved_model.save(
        module, str(tmp_path), {"serving_default": module.measure}
    )
    restored = GraphConstants(tmp_path).read_known_runs(fewer)
    np.testing.assert_allclose(restored.measure_copied(ids), [1.0, 0.0, 1.0])
