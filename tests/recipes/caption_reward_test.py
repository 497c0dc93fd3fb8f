import numpy as np
import pytest

from recipes import caption_reward
from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem


@pytest.fixture(autouse=True)
def corpus(monkeypatch):
    captions = {
        "dog": ("a dog runs", "the dog on the beach"),
        "cat": ("a cat sleeps",),
        "sea": (),
    }
    verse = Poem("the waves\nthat sleep")
    made = PreparedCorpus(
        excerpts=[],
        pairs=[ImagePoemPair(name, verse) for name in ("sea", "dog")],
        photographs={
            name: Photograph(name, split="train", captions=some, label=name)
            for name, some in captions.items()
        },
        vocabulary=None,
    )
    monkeypatch.setattr(caption_reward, "load_corpus", lambda _: made)
    caption_reward._weigh_captions.cache_clear()
    yield
    caption_reward._weigh_captions.cache_clear()


def test_the_own_photograph_gives_most():
    poem = "The dog,\nthe dog that runs\nalong the sea"
    own, other = caption_reward.shares_words([poem] * 2, ["dog", "cat"])
    assert own > 0.5
    assert other == 0


def test_label_and_poems_where_there_are_no_captions():
    sea, dog = caption_reward.shares_words(
        ["Waves of the sea"] * 2, ["sea", "dog"]
    )
    assert 0.5 < sea < 1
    assert dog == 0


def test_all_words_give_one_and_one_of_two_the_root_of_a_half():
    poems = ["cat sleeps", "cat", "", "nothing of it"]
    rewards = caption_reward.shares_words(poems, ["cat"] * 4)
    np.testing.assert_allclose(rewards, [1.0, 0.5**0.5, 0.0, 0.0])
