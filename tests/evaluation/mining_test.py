import numpy as np
import pytest

from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem
from visualpoet.embedding import retrieval
from visualpoet.evaluation import mining

WORDS = ("dog", "sea", "snow", "tree", "all")


def embed(texts):
    rows = [[t.lower().split().count(word) for word in WORDS] for t in texts]
    return retrieval.unit_length(np.array(rows, float))


def mine(photos, poems, **options):
    pairs = mining.mine_pairs(
        photos,
        mining.embed_photographs(photos, embed),
        poems,
        embed([poem.text for poem in poems]),
        mining.MiningOptions(**options),
    )
    return [(pair.image, pair.poem.id) for pair in pairs], pairs


DOG = Photograph("dog.jpg", captions=("a dog", "dog sea"))
SEA = Photograph("sea.jpg", label="sea")


def test_captions_are_averaged_and_labels_stand_in():
    rows = mining.embed_photographs([DOG, SEA], embed)
    between = np.cos(np.pi / 8), np.sin(np.pi / 8)  # of two captions
    expected = [[*between, 0, 0, 0], [0, 1, 0, 0, 0]]
    assert rows == pytest.approx(np.array(expected))


def test_the_nearest_poems_come_first():
    poems = [Poem("snow", "1"), Poem("sea dog dog", "2"), Poem("dog", "3")]
    found, pairs = mine([DOG], poems, pairs_each=2, mean_share=0.0)
    assert found == [("dog.jpg", "2"), ("dog.jpg", "3")]
    assert mining.similarity_by_rank(pairs) == pytest.approx(
        [pairs[0].similarity, np.cos(np.pi / 8)]
    )


def test_what_is_near_to_everything_gives_way():
    poems = [Poem("dog sea", "both"), Poem("dog snow snow", "own")]
    photos = [Photograph("dog.jpg", label="dog"), SEA]
    for share, first in ((0.0, "both"), (1.0, "own")):
        found, _ = mine(photos, poems, pairs_each=1, mean_share=share)
        assert found[0] == ("dog.jpg", first)


def test_a_poem_is_used_as_often_as_allowed():
    photos = [Photograph(f"{n}.jpg", label="sea") for n in range(3)]
    poems = [Poem("sea", "1"), Poem("sea tree", "2")]
    found, _ = mine(photos, poems, pairs_each=1, most_uses=2)
    assert [poem for _, poem in found] == ["1", "1", "2"]


def test_no_poem_is_on_two_sides():
    photos = [
        Photograph("a.jpg", "test", label="sea"),
        Photograph("b.jpg", "train", label="sea"),
        Photograph("c.jpg", "validation", label="sea"),
        Photograph("d.jpg", "none", label="sea"),
    ]
    poems = [
        Poem("sea", "1"),
        Poem("sea snow", "1"),
        Poem("sea snow snow", "2"),
        Poem("sea tree", "3", "test"),
    ]
    found, pairs = mine(photos, poems, pairs_each=1)
    assert found == [("b.jpg", "1"), ("c.jpg", "2"), ("a.jpg", "3")]
    assert [pair.poem.split for pair in pairs] == [
        "train",
        "validation",
        "test",
    ]


def test_examples_show_what_is_known():
    _, pairs = mine([DOG, SEA], [Poem("sea", "1")], pairs_each=1)
    known = {"dog.jpg": DOG, "sea.jpg": SEA}
    rng = np.random.default_rng(0)
    rows = mining.example_rows(pairs, known, 5, rng)
    assert {row["image"]: row["captions"] for row in rows} == {
        "dog.jpg": ("a dog", "dog sea"),
        "sea.jpg": ("sea",),
    }
