import numpy as np
import pytest
import tensorflow as tf

from visualpoet.generator import ranking
from visualpoet.generator.composer import DecodingOptions
from visualpoet.generator.networks import Networks
from visualpoet.generator.token_kinds import TokenKinds

END, BREAK = 2, 4

#                fit  fluency                  score
#   5 END        0.1  (-1 - 1) / 2 = -1        0.1 - 0.1 =  0.0
#   6 7 END      0.9  (-9 - 9 - 12) / 3 = -10  0.9 - 1.0 = -0.1
#   7 END        0.5  (-3 - 1) / 2 = -2        0.5 - 0.2 =  0.3
CANDIDATES = tf.constant([[5, 2, 0, 0], [6, 7, 2, 0], [7, 2, 0, 0]])
FLUENCY = tf.constant(
    [[-1.0, -1.0, 0.0, 0.0], [-9.0, -9.0, -12.0, 0.0], [-3.0, -1.0, 0.0, 0.0]]
)


def rank(token_ids, **options):
    # What a poem is about is decided by its first word.
    places = tf.constant([[0.1, 3.0], [0.9, -2.0], [0.5, 1.0]])
    networks = Networks(
        start=None,
        step=None,
        to_logits=None,
        embed_poem=lambda token_ids: tf.gather(places, token_ids[:, 0] - 5),
    )
    return ranking.rank_candidates(
        networks,
        tf.constant([[1.0, 0.0]]),
        tf.constant([6, 7]),
        token_ids,
        {"fluency": FLUENCY},
        {},
        DecodingOptions(**options),
    )


def test_each_score_has_its_weight():
    scores = {
        "fit": np.array([[0.5, 0.4], [0.1, 0.3]]),
        "fluency": np.array([[-2.0, -1.0], [-1.0, -9.0]]),
    }

    def best(fluency_weight):
        options = DecodingOptions(fluency_weight=fluency_weight)
        return np.argmax(ranking.score_candidates(scores, options), axis=1)

    np.testing.assert_array_equal(best(0.0), [0, 1])
    # 0.5 - 0.4 and 0.4 - 0.2; 0.1 - 0.2 and 0.3 - 1.8.
    np.testing.assert_array_equal(best(0.2), [1, 0])


def test_what_the_discriminators_say_counts_and_copies_lose():
    scores = {
        "fit": np.array([0.5, 0.5, 0.5]),
        "fluency": np.array([-2.0, -2.0, -1.0]),
        "paired": np.array([0.2, 0.6, 0.2]),
        "poetic": np.array([0.9, 0.4, 0.9]),
        "copied": np.array([0.0, 0.0, 0.25]),
    }
    options = DecodingOptions(
        fluency_weight=0.1,
        paired_weight=0.5,
        poetic_weight=1.0,
        copied_weight=2.0,
    )
    # 0.5 - 0.2 + 0.1 + 0.9; 0.5 - 0.2 + 0.3 + 0.4;
    # 0.5 - 0.1 + 0.1 + 0.9 - 0.5.
    np.testing.assert_allclose(
        ranking.score_candidates(scores, options), [1.3, 1.0, 0.9], atol=1e-6
    )


def test_what_is_new_or_repeated_loses():
    scores = {
        "fit": np.array([0.5, 0.5, 0.5]),
        "novelty": np.array([0.0, 0.5, 0.0]),
        "repetition": np.array([0.0, 0.0, 0.25]),
    }
    options = DecodingOptions(novelty_weight=0.4, repetition_weight=2.0)
    # 0.5; 0.5 - 0.2; 0.5 - 0.5.
    np.testing.assert_allclose(
        ranking.score_candidates(scores, options), [0.5, 0.3, 0.0], atol=1e-6
    )


def test_what_readers_would_grade_counts():
    scores = {"fit": np.array([0.5, 0.3]), "merit": np.array([-0.2, 0.6])}
    # 0.5 - 0.1; 0.3 + 0.3.
    found = ranking.score_candidates(scores, DecodingOptions(merit_weight=0.5))
    np.testing.assert_allclose(found, [0.4, 0.6], atol=1e-6)


def test_an_opening_counts_not_for_merit():
    ranked = ranking.rank_candidates(
        Networks(*[None] * 3, lambda ids: tf.ones([len(ids), 1])),
        tf.constant([[1.0]]),
        tf.constant([9]),
        tf.constant([[6, 4, 5, 2], [6, 4, 7, 2]]),
        {
            "fluency": tf.zeros([2, 4]),
            "merit": tf.constant([[0, 0, 1.0, 2.0], [0, 0, 4.0, 3.0]]),
        },
        {},
        DecodingOptions(merit_weight=1.0),
        opening_length=2,
    )
    np.testing.assert_array_equal(ranked["token_ids"][0], [6, 4, 7, 2])
    np.testing.assert_allclose(ranked["merit"], [3.5, 1.5])


@pytest.mark.parametrize(
    ("poem", "begin", "share"),
    [
        ([5, 6, 7, END, 0, 0], 0, 0.0),
        # One of three words; three of four; marks and padding are no words.
        ([5, 6, 5, END, 0, 0], 0, 1 / 3),
        ([5, 5, 5, 5, END, 0], 0, 3 / 4),
        ([5, BREAK, 6, BREAK, 6, END], 0, 1 / 3),
        # Of the words behind the opening one was in it.
        ([5, 6, 5, 7, END, 0], 2, 1 / 2),
        ([5, 5, 6, 7, END, 0], 2, 0.0),
        ([5, 5, END, 0, 0, 0], 2, 0.0),
        ([0, 0, 0, 0, 0, 0], 0, 0.0),
    ],
)
def test_share_of_words_that_came_before(poem, begin, share):
    is_word = np.arange(20) > BREAK
    none = np.zeros(20, bool)
    kinds = TokenKinds(
        is_word, none, none, none, none, none, np.arange(20), BREAK
    )
    found = ranking.measure_repetition(kinds, tf.constant([poem]), [begin])
    np.testing.assert_allclose(found, [share], atol=1e-6)


def test_candidates_are_ranked_by_fit_and_fluency():
    ranked = rank(CANDIDATES, fluency_weight=0.1, clue_weight=0.0)
    np.testing.assert_array_equal(
        ranked["token_ids"], [[7, 2, 0, 0], [5, 2, 0, 0], [6, 7, 2, 0]]
    )
    np.testing.assert_allclose(ranked["fit"], [0.5, 0.1, 0.9], atol=1e-6)
    np.testing.assert_allclose(ranked["fluency"], [-2, -1, -10], atol=1e-6)
    np.testing.assert_allclose(ranked["score"], [0.3, 0.0, -0.1], atol=1e-6)


def test_candidates_are_ranked_by_fit_alone():
    ranked = rank(CANDIDATES, fluency_weight=0.0, clue_weight=0.0)
    np.testing.assert_allclose(ranked["fit"], [0.9, 0.5, 0.1], atol=1e-6)
    np.testing.assert_allclose(ranked["score"], [0.9, 0.5, 0.1], atol=1e-6)


def test_candidates_are_ranked_by_their_share_of_clues():
    ranked = rank(CANDIDATES, fluency_weight=0.0, clue_weight=2.0)
    # The clues are 6 and 7: one has both, one a half of them, one none.
    np.testing.assert_array_equal(
        ranked["token_ids"], [[6, 7, 2, 0], [7, 2, 0, 0], [5, 2, 0, 0]]
    )
    np.testing.assert_allclose(ranked["clue_share"], [1.0, 0.5, 0.0])
    np.testing.assert_allclose(ranked["score"], [2.9, 1.5, 0.1], atol=1e-6)


def test_a_clue_twice_counts_once_and_padding_is_none():
    share = ranking.measure_clue_share(
        tf.constant([[7, 7, 0, 0], [5, 8, 6, 7]]), tf.constant([[7, 8, 9, 6]])
    )
    np.testing.assert_allclose(share, [0.25, 0.75])


def test_an_unfinished_candidate_comes_last():
    unfinished = tf.constant([[5, 2, 0, 0], [6, 7, 8, 9], [7, 2, 0, 0]])
    ranked = rank(unfinished, fluency_weight=0.0, clue_weight=0.0)
    np.testing.assert_array_equal(ranked["token_ids"][2], [6, 7, 8, 9])
    np.testing.assert_allclose(ranked["score"], [0.5, 0.1, 0.9], atol=1e-6)


def test_an_opening_counts_for_fit_and_not_for_fluency():
    opened = tf.constant([[6, 4, 5, 2], [6, 4, 7, 8]])
    ranked = ranking.rank_candidates(
        Networks(*[None] * 3, lambda ids: tf.one_hot(ids[:, 0] - 6, 2)),
        tf.constant([[1.0, 0.0]]),
        tf.constant([9]),
        opened,
        {"fluency": tf.constant([[0.0, 0.0, -1.0, -3.0], [0, 0, -2, 0]])},
        {},
        DecodingOptions(fluency_weight=0.1),
        opening_length=2,
    )
    np.testing.assert_array_equal(ranked["token_ids"], opened)
    np.testing.assert_allclose(ranked["fluency"], [-2.0, -1.0])
    np.testing.assert_allclose(ranked["fit"], [1.0, 1.0])


def test_a_break_of_the_opening_is_no_end():
    opened = tf.constant([[6, 4, 5, 5], [6, 4, 5, 4]])
    ranked = ranking.rank_candidates(
        Networks(*[None] * 3, lambda ids: tf.ones([2, 1])),
        tf.constant([[1.0]]),
        tf.constant([9]),
        opened,
        {"fluency": tf.constant([[0.0, 0.0, -1.0, -1.0], [0, 0, -9, -9]])},
        {},
        DecodingOptions(),
        opening_length=2,
        ends=(END, BREAK),
    )
    np.testing.assert_array_equal(ranked["token_ids"][0], opened[1])
