import types

import numpy as np
import pytest

from recipes import caption_reward


@pytest.fixture(autouse=True)
def corpus(monkeypatch):
    captions = {
        "dog": ("a dog runs", "the dog on the beach"),
        "cat": ("a cat sleeps",),
        "none": (),
    }
    made = types.SimpleNamespace(
        images=lambda split: list(captions) if split == "train" else [],
        photographs={
            name: types.SimpleNamespace(captions=some)
            for name, some in captions.items()
        },
    )
    monkeypatch.setattr(caption_reward, "load_corpus", lambda _: made)
    caption_reward._weigh_captions.cache_clear()
    yield
    caption_reward._weigh_captions.cache_clear()


def test_the_own_photograph_gives_most():
    poem = "The dog,\nthe dog that runs\nalong the sea"
    own, other, none = caption_reward.shares_words(
        [poem] * 3, ["dog", "cat", "none"]
    )
    assert own > 0.5
    assert other == none == 0


def test_all_words_give_one_and_one_of_two_the_root_of_a_half():
    poems = ["cat sleeps", "cat", "", "nothing of it"]
    rewards = caption_reward.shares_words(poems, ["cat"] * 4)
    np.testing.assert_allclose(rewards, [1.0, 0.5**0.5, 0.0, 0.0])
