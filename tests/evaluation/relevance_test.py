import numpy as np
import pytest

from visualpoet.evaluation import relevance

SIMILARITY = np.array(
    [
        [0.9, 0.1, 0.2, 0.3],  # none before the own photograph
        [0.5, 0.4, 0.3, 0.2],  # one
        [0.8, 0.7, 0.2, 0.3],  # three
        [0.0, 0.0, 0.0, 1.0],  # none
    ]
)


@pytest.mark.parametrize(
    "first, share", [(1, 0.5), (2, 0.75), (3, 0.75), (4, 1.0)]
)
def test_share_among_first(first, share):
    # With three others of four photographs, all of them are drawn.
    found = relevance.is_among_first(SIMILARITY, first, others=3)
    assert found.mean() == share


def test_is_among_first_says_which():
    found = relevance.is_among_first(SIMILARITY, 2, others=3)
    np.testing.assert_array_equal(found, [True, True, False, True])


@pytest.mark.parametrize("first, share", [(1, 0.0), (2, 1.0)])
def test_half_of_the_equal_photographs_count_as_better(first, share):
    # Three are equal: one and a half come before.
    found = relevance.is_among_first(np.ones([4, 4]), first, others=3)
    assert found.mean() == share


def test_the_own_photograph_is_never_among_the_others():
    best, worst = np.eye(10), -np.eye(10)
    for seed in range(5):
        assert relevance.is_among_first(best, 1, 3, seed).all()
        assert not relevance.is_among_first(worst, 3, 3, seed).any()
        assert relevance.is_among_first(worst, 4, 3, seed).all()


def test_share_by_chance():
    noise = np.random.default_rng(0).random([400, 400])
    found = relevance.is_among_first(noise)
    assert found.mean() == pytest.approx(0.1, abs=0.04)
    ten = relevance.is_among_first(noise, first=10, others=99)
    np.testing.assert_array_equal(found, ten)


def test_of_few_photographs_the_own_one_must_be_the_first():
    one = relevance.is_among_first(SIMILARITY, 1, others=3)
    found = relevance.is_among_first(SIMILARITY, others=3)
    np.testing.assert_array_equal(found, one)
    assert 0 < found.mean() < 1


def test_same_seed_same_photographs():
    noise = np.random.default_rng(0).random([50, 50])
    first, again, *others = (
        relevance.is_among_first(noise, 3, 9, seed).tolist()
        for seed in (1, 1, 2, 3)
    )
    assert first == again
    assert first not in others


def test_refuses_too_few_photographs():
    with pytest.raises(ValueError, match="more than 3 .* Received: 3"):
        relevance.is_among_first(np.eye(3), 1, others=3)


def test_tfidf_ranks_the_own_captions_first():
    poems = [
        "the lanterns sway\nabove a sleeping harbour",
        "snow has closed the mountain road",
        "two horses graze where clover grows",
    ]
    captions = [
        ["boats in a harbour at night", "lanterns on a pier"],
        ["a road through snow"],
        ["horses in a field of clover", "two brown horses"],
    ]
    similarity = relevance.tfidf_similarity(poems, captions)
    assert similarity.shape == (3, 3)
    np.testing.assert_array_equal(similarity.argmax(axis=1), [0, 1, 2])
    # No content word of the first poem stands in the other captions.
    np.testing.assert_array_equal(similarity[0, 1:], [0.0, 0.0])


def test_tfidf_is_a_cosine():
    similarity = relevance.tfidf_similarity(
        ["lanterns and horses", "clover", "of the"],
        [["lanterns"], ["horses", "lanterns"]],
    )
    # The first poem has two words of equal or higher weight; the last one has
    # nothing but stop words.
    assert similarity[0, 1] == pytest.approx(1.0)
    assert 0.5 < similarity[0, 0] < 0.8
    np.testing.assert_array_equal(similarity[1:], np.zeros([2, 2]))


def test_sentence_similarity_is_the_mean_over_captions(monkeypatch):
    vectors = {
        "grey tide": [1.0, 0.0],
        "warm bread": [0.6, 0.8],
        "a beach": [0.8, 0.6],
        "the sea": [1.0, 0.0],
        "a kitchen": [0.0, 1.0],
    }
    monkeypatch.setattr(
        relevance,
        "embed_sentences",
        lambda texts: np.array([vectors[text] for text in texts]),
    )
    # A poem is embedded as one sentence. Captions: mean (0.9, 0.3) and (0, 1).
    captions = relevance.embed_captions([["a beach", "the sea"], ["a kitchen"]])
    similarity = relevance.sentence_similarity(
        ["grey\ntide", "warm\nbread"], captions
    )
    np.testing.assert_allclose(similarity, [[0.9, 0.0], [0.78, 0.8]])


def test_hits_are_found_by_each_similarity():
    captions = [["the sea at night"], ["a horse"], ["snow on a hill"]]
    similarities = relevance.make_similarities(captions, sentences=False)
    poems = ["The wide sea", "A snow white\nhill", "So many horse shoes"]
    hits = relevance.find_hits(similarities, poems, others=2)
    assert hits["tfidf"].tolist() == [True, False, False]
    assert relevance.share_hits(hits) == {"tfidf": 1 / 3}


def test_ours_are_tested_against_theirs_pair_by_pair():
    good, bad = ({"hits": np.array([is_hit] * 8)} for is_hit in (True, False))
    found = relevance.compare_hits(good, bad)["hits"]
    assert found["share"] == 0.0
    # All eight differ one way: 2 of 256 exchanges are as extreme.
    assert found["p"] == pytest.approx(2 / 256, abs=0.006)
    same = relevance.compare_hits(good, good)["hits"]
    assert same == {"share": 1.0, "p": 1.0}
