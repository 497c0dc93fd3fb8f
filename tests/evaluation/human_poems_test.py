import types

import numpy as np

from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Poem
from visualpoet.evaluation import human_poems
from visualpoet.evaluation import relevance

PAIRS = [
    ImagePoemPair(image, Poem(text))
    for image, text in (
        *(("a.jpg", "a boat"), ("c.jpg", "snow")),
        *(("a.jpg", "the tide"), ("a.jpg", "a boat"), ("t.jpg", "a shore")),
    )
]


def test_poems_of_photographs_are_in_the_order_of_the_pairs():
    found = human_poems.find_paired(PAIRS, ["c.jpg", "a.jpg", "b.jpg"])
    assert found == [["snow"], ["a boat", "the tide"], []]


def test_poems_of_training_photographs_are_for_novelty():
    corpus = types.SimpleNamespace(
        pairs=PAIRS, images=lambda split: {"train": ["t.jpg", "c.jpg"]}[split]
    )
    assert human_poems.find_training(corpus) == ["a shore", "snow"]


def test_a_poem_of_another_photograph_is_the_floor():
    paired = [["a1", "a2"], ["b1", "b2"], ["c1", "c2"], ["d1", "d2", "d3"]]
    for seed in range(9):
        found = human_poems.choose(paired, seed)
        first, other = found["human_paired"], found["human_other"]
        for own, one, another in zip(paired, first, other):
            assert {one, another} <= set(own)
            assert one != another
        shuffled = found["human_shuffled"]
        assert sorted(shuffled) == sorted(first)
        assert not any(a == b for a, b in zip(shuffled, first))


def test_any_poem_of_a_photograph_may_stand_for_people():
    paired = [["a1", "a2", "a3"], ["b1", "b2"]]
    found = [human_poems.choose(paired, seed) for seed in range(20)]
    assert {humans["human_paired"][0] for humans in found} == set(paired[0])


def test_no_other_human_poem_where_some_have_none():
    found = human_poems.choose([["a1", "a2"], ["b1"]])
    assert set(found) == {"human_paired", "human_shuffled"}
    assert found["human_shuffled"] == found["human_paired"][::-1]


def test_a_linear_map_leads_from_features_to_poems(monkeypatch):
    things = ["sea", "hill", "moon"]

    def embed_sentences(texts):
        found = [[thing in text for thing in things] for text in texts]
        return np.array(found, np.float32)

    monkeypatch.setattr(relevance, "embed_sentences", embed_sentences)
    rng = np.random.default_rng(0)
    names = [f"{thing}{number}" for thing in things for number in range(400)]
    rows = {
        name: 100 * np.eye(3)[things.index(name.rstrip("0123456789"))]
        + rng.normal(size=3)
        for name in names
    }
    captions = {name: (name, f"a {name}", "the moon") for name in names[:-2]}
    found = human_poems.map_linearly(
        {kind: rows for kind in ("object", "scene", "sentiment")},
        captions,
        ["sea3", "moon399", "hill7"],
        ["O moon", "By the\nhill", "The sea"],
    )
    assert found == ["The sea", "O moon", "By the\nhill"]
