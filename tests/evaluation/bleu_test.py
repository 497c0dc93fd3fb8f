import math

import numpy as np
import pytest
from sacrebleu.metrics import BLEU

from visualpoet.evaluation import bleu
from visualpoet.evaluation.bleu import BleuOptions

POEMS = ["The grey sea sings,\nand sleeps.", "A lamp in the night"]
HUMAN = [["the grey sea sleeps\nand sings the tide"], ["the lamp, the night"]]


def test_statistics_by_hand():
    # the grey sea sings and sleeps | the grey sea sleeps and sings the tide:
    # all six words, "the grey", "grey sea" and "the grey sea" match.
    # a lamp in the night | the lamp the night: three words, "the night".
    np.testing.assert_array_equal(
        bleu.statistics(POEMS, HUMAN),
        [[6, 2, 1, 6, 5, 4, 6, 8], [3, 1, 0, 5, 4, 3, 5, 4]],
    )


def test_statistics_of_several_references_by_hand():
    # "sea" and "sings" of the first, "grey" of the second; "the", twice in
    # the poem, once in each. Of 3 and 6 words 3 is nearer to 4.
    row = bleu.statistics(
        ["the grey the sea"],
        [["the sea sings", "a grey lamp in the night"]],
    )[0]
    np.testing.assert_array_equal(row, [3, 1, 0, 4, 3, 2, 4, 3])


def test_corpus_bleu_by_hand():
    # 11 words for 12: brevity exp(1 - 12 / 11).
    brevity = math.exp(-1 / 11)
    expected = {
        1: 9 / 11,
        2: math.sqrt(9 / 11 * 3 / 9),
        3: (9 / 11 * 3 / 9 * 1 / 7) ** (1 / 3),
    }
    for n, value in expected.items():
        found = bleu.bleu(POEMS, HUMAN, n)
        assert found == pytest.approx(100 * brevity * value)


def test_precision_of_one_order_by_hand():
    found = bleu.bleu(POEMS, HUMAN, 2, BleuOptions(cumulative=False))
    assert found == pytest.approx(100 * math.exp(-1 / 11) * 3 / 9)


def test_mean_of_sentences_by_hand():
    first = math.exp(1 - 8 / 6)
    second = 3 / 5  # longer than its reference
    found = bleu.bleu(POEMS, HUMAN, 1, BleuOptions(corpus=False))
    assert found == pytest.approx(100 * (first + second) / 2)
    # The second poem has no 3-gram that matches.
    found = bleu.bleu(POEMS, HUMAN, 3, BleuOptions(corpus=False))
    expected = first * (6 / 6 * 2 / 5 * 1 / 4) ** (1 / 3) / 2
    assert found == pytest.approx(100 * expected)


def test_smoothing_by_hand():
    # 0.1 in place of no match of three.
    options = BleuOptions(corpus=False, smoothing="floor")
    found = bleu.bleu(POEMS[1:], HUMAN[1:], 3, options)
    expected = (3 / 5 * 1 / 4 * 0.1 / 3) ** (1 / 3)
    assert found == pytest.approx(100 * expected)


def test_case_counts_if_wanted():
    options = BleuOptions(lower_case=False)
    assert bleu.bleu(["The sea"], [["the sea"]], 1, options) == pytest.approx(
        50
    )
    assert bleu.bleu(["The sea"], [["the sea"]], 1) == pytest.approx(100)


def test_line_breaks_count_if_wanted():
    options = BleuOptions(line_breaks=True)
    # "sea", the break, "sings" of four; "sea <line>" alone of the pairs.
    row = bleu.statistics(["grey sea\nsings"], [["sea\nand sings"]], options)[0]
    np.testing.assert_array_equal(row, [3, 1, 0, 4, 3, 2, 4, 4])
    row = bleu.statistics(["grey sea\nsings"], [["sea\nand sings"]])[0]
    np.testing.assert_array_equal(row, [2, 0, 0, 3, 2, 1, 3, 3])


def test_empty_lines_are_no_line_breaks():
    options = BleuOptions(line_breaks=True)
    assert bleu.tokenized("a\n\nb\n", options) == "a <line> b"


@pytest.mark.parametrize("smoothing", bleu.SMOOTHING)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_agrees_with_sacrebleu(smoothing, n):
    theirs = BLEU(
        tokenize="none", smooth_method=smoothing, max_ngram_order=n
    ).corpus_score(
        [bleu.tokenized(poem) for poem in POEMS],
        [[bleu.tokenized(poem) for (poem,) in HUMAN]],
    )
    options = BleuOptions(smoothing=smoothing)
    ours = bleu.bleu(POEMS, HUMAN, n, options)
    assert ours == pytest.approx(theirs.score)


def test_score_leaves_its_statistics_alone():
    # sacrebleu adds to the counts in place.
    row = bleu.statistics(POEMS, HUMAN).sum(axis=0)
    before = row.copy()
    bleu.score(row, 3, BleuOptions(smoothing="add-k"))
    np.testing.assert_array_equal(row, before)


def test_a_poem_without_words():
    assert bleu.bleu([""], [["the sea"]], 1) == 0.0
    assert bleu.statistics([], []).shape == (0, 8)


def test_refuses_an_unknown_smoothing():
    with pytest.raises(ValueError, match="Received: laplace"):
        BleuOptions(smoothing="laplace")


def test_self_bleu_of_equal_and_different_poems():
    assert bleu.self_bleu(["the sea"] * 3, 2) == pytest.approx(100)
    assert bleu.self_bleu(["the sea", "a lamp", "old snow"], 2) == 0.0


def test_self_bleu_by_hand():
    # Each poem has "the" of two in the other, and no pair: 0.1 of one.
    found = bleu.self_bleu(["the sea", "the lamp"], 2)
    assert found == pytest.approx(100 * math.sqrt(1 / 2 * 0.1 / 1))


def test_self_bleu_takes_poems_evenly():
    poems = ["the sea", "a lamp", "a lamp", "the sea"]
    assert bleu.self_bleu(poems, 2, most=2) == pytest.approx(100)
