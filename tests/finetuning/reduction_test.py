import numpy as np
import pytest

from tests.finetuning import poems
from visualpoet.finetuning import reduction

TEXTS = ["The sea at night\nThe dark sea"]
SIZE = 120


@pytest.fixture(scope="module")
def poet():
    return poems.base_poet()


@pytest.fixture(scope="module")
def reduced(poet):
    return reduction.reduce_poet(poet, TEXTS, SIZE)


@pytest.fixture(scope="module")
def kept(poet, reduced):
    """Ids that the tokens had."""
    return [poet.vocabulary.tokens.index(t) for t in reduced.vocabulary.tokens]


def test_words_of_the_corpus_stay_and_those_photographs_call_for(poet, kept):
    is_word = poet.vocabulary.is_word()
    assert len(kept) == SIZE and kept == sorted(kept)
    assert set(np.flatnonzero(~is_word)) <= set(kept)
    needed = set(poet.vocabulary.encode(TEXTS[0]))
    assert needed <= set(kept)
    bias = poet.clue_head.weights[1].numpy()
    word_ids = np.array(poet.clue_head.word_ids)
    stays = np.isin(word_ids, kept)
    free = ~np.isin(word_ids, list(needed))
    assert bias[stays & free].min() >= bias[~stays].max(initial=-np.inf)


def test_what_is_known_of_the_words_that_stay_is_the_same(poet, reduced, kept):
    token_ids = np.array([reduced.vocabulary.encode(TEXTS[0])])
    earlier = np.array(kept)[token_ids]
    np.testing.assert_array_equal(
        reduced.poem_tower(token_ids), poet.poem_tower(earlier)
    )
    place = reduced.poem_tower(token_ids).numpy()
    given = {"image_embedding": place, "form": np.array([1])}
    clues = np.array([[7]])
    logits = reduced.generator(
        {**given, "token_ids": token_ids, "clue_ids": clues}
    )
    before = poet.generator(
        {**given, "token_ids": earlier, "clue_ids": np.array(kept)[clues]}
    )
    np.testing.assert_allclose(
        logits, before.numpy()[..., kept], rtol=1e-4, atol=1e-5
    )
    for name in ("is_word", "is_content", "is_open", "is_pause"):
        np.testing.assert_array_equal(
            getattr(reduced.kinds, name), getattr(poet.kinds, name)[kept]
        )


def test_clues_that_stay_score_as_before(poet, reduced, kept):
    place = np.eye(1, poet.clue_head.image_dim, dtype=np.float32)
    after = dict(zip(reduced.clue_head.word_ids, reduced.clue_head(place)[0]))
    before = dict(zip(poet.clue_head.word_ids, poet.clue_head(place)[0]))
    assert 0 < len(after) < len(before)
    for word, score in after.items():
        assert float(score) == pytest.approx(float(before[kept[word]]), 1e-5)


def test_room_for_every_word_changes_nothing(poet):
    assert reduction.reduce_poet(poet, TEXTS, len(poet.vocabulary)) is poet


def test_no_room_for_the_corpus(poet):
    with pytest.raises(ValueError, match="expected a --vocabulary-size of .*8"):
        reduction.reduce_poet(poet, TEXTS, 8)
