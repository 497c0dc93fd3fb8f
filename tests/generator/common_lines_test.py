import numpy as np
import pytest
import tensorflow as tf

from visualpoet.corpus import datasets
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.generator.common_lines import CommonLines
from visualpoet.generator.common_lines import sum_lines
from visualpoet.generator.token_kinds import TokenKinds

SIZE, BREAK, COMMA = 60, 4, 5
BALLOON, DOG, RAIN = [10, 11, 12], [13, 14], [15, 16, 17]


def kinds():
    is_word = np.arange(SIZE) > COMMA
    none = np.zeros(SIZE, bool)
    return TokenKinds(
        is_word, none, none, none, none, none, np.arange(SIZE), BREAK
    )


def poem(*lines):
    return [START, *(token for line in lines for token in [*line, BREAK])][:-1]


# Of four photographs three have the balloon, two the dog, one the rain; that
# one candidate has a line twice, or two have it, makes no difference.
DRAFTS = [
    [poem(BALLOON, BALLOON), poem(BALLOON, DOG)],
    [poem(DOG, BALLOON), poem([20])],
    [poem(BALLOON), poem([21])],
    [poem(RAIN, RAIN), poem(RAIN)],
]


def shares(*poems, least):
    ids = tf.constant(datasets.pad_token_ids(poems))
    return CommonLines.count(DRAFTS, kinds(), least).measure(ids).numpy()


@pytest.mark.parametrize(
    ("lines", "least", "share"),
    [
        ([BALLOON, [20], [21]], 0.5, 1 / 3),
        ([BALLOON, DOG, RAIN], 0.5, 2 / 3),
        ([BALLOON, DOG, RAIN], 0.75, 1 / 3),
        # Two photographs at least.
        ([RAIN], 0.0, 0.0),
        # Neither marks nor the order of the words, but all of them.
        ([[12, COMMA, 10, 11]], 0.5, 1.0),
        ([[10, 11]], 0.5, 0.0),
        ([[10, 11, 12, 13]], 0.5, 0.0),
        # A line without words is none.
        ([BALLOON, [COMMA]], 0.5, 1.0),
        ([], 0.5, 0.0),
    ],
)
def test_share_of_lines_that_many_photographs_have(lines, least, share):
    np.testing.assert_allclose(shares(poem(*lines), least=least), [share])


def test_lines_before_the_beginning_do_not_count():
    ids = tf.constant(datasets.pad_token_ids([poem(BALLOON, DOG, RAIN)] * 3))
    common = CommonLines.count(DRAFTS, kinds(), 0.5)
    begin = tf.constant([0, len(BALLOON) + 2, len(BALLOON + DOG) + 3])
    np.testing.assert_allclose(common.measure(ids, begin), [2 / 3, 1 / 2, 0])


@pytest.mark.parametrize("shape", [(0, 0), (0, 9), (2, 0)])
def test_no_poems_and_no_words(shape):
    common = CommonLines.count(DRAFTS, kinds(), 0.5)
    measured = common.measure(tf.zeros(shape, tf.int32))
    np.testing.assert_array_equal(measured, np.zeros(shape[0]))


def test_rows_ends_and_padding_change_nothing():
    poems = [poem(BALLOON, DOG, [20]), poem(RAIN), [*poem(DOG), END]]
    np.testing.assert_allclose(shares(*poems, least=0.5), [2 / 3, 0, 1])
    padded = [[*one, *[0] * 9] for one in poems]
    np.testing.assert_array_equal(
        shares(*padded, least=0.5), shares(*poems, least=0.5)
    )


# Who is first: the balloon four times; without 0.6 of it the dog three times,
# and the balloon; without 0.6 of the dog, too, the balloon three times, and
# once the rain.
RANKED = [
    ([poem(BALLOON), poem(DOG)], [0.9, 0.5]),
    ([poem(BALLOON), poem(DOG)], [0.9, 0.5]),
    ([poem(BALLOON), poem(DOG), poem(RAIN)], [0.9, 0.5, 0.4]),
    ([poem(BALLOON), poem([20])], [0.9, 0.1]),
]


@pytest.mark.parametrize(
    ("known", "weight", "most", "common"),
    [
        # Two in any case, and a share of 1 is never exceeded.
        ([], 0.6, 1.0, []),
        ([], 0.6, 0.75, [BALLOON]),
        # Then the dog wins three of four, and then the balloon again.
        ([], 0.6, 0.5, [BALLOON, DOG]),
        ([], 0.3, 0.5, [BALLOON]),
        ([BALLOON], 0.6, 0.75, [BALLOON]),
        ([RAIN], 0.6, 0.75, [BALLOON, RAIN]),
    ],
)
def test_what_would_win_too_often_is_common(known, weight, most, common):
    drafts, scores = zip(*RANKED)
    before = CommonLines(_sums(known), kinds())
    after = before.with_winners(drafts, scores, weight, most)
    np.testing.assert_array_equal(after.sums, np.sort(_sums(common)))
    np.testing.assert_array_equal(before.sums, _sums(known))


@pytest.mark.parametrize(("score", "common"), [(0.61, [DOG]), (0.59, [])])
def test_half_of_the_lines_take_off_half_of_the_weight(score, common):
    # 0.9 - 0.6 / 2 of a poem whose other line no other photograph has.
    drafts = [[poem(BALLOON, [20 + n]), poem(DOG)] for n in range(3)]
    begun = CommonLines(_sums([BALLOON]), kinds())
    after = begun.with_winners(drafts, [[0.9, score]] * 3, 0.6, 0.5)
    np.testing.assert_array_equal(
        after.sums, np.sort(_sums([BALLOON, *common]))
    )


def _sums(lines):
    ids = datasets.pad_token_ids([poem(line) for line in lines])
    sums, is_line = sum_lines(ids, kinds())
    return np.array(sums[is_line], np.int64)
