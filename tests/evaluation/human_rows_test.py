import types

import numpy as np
import pytest

from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.evaluation import human_poems
from visualpoet.evaluation import human_rows

EXCERPTS = [
    Poem("sea", form="haiku"),
    Poem("hill", form="haiku"),
    Poem("moon", form="verse"),
    Poem("late", form="haiku", split="test"),
]
PHOTOGRAPHS = {
    "old.jpg": Photograph("old.jpg", captions=("a shore",)),
    "plain.jpg": Photograph("plain.jpg"),
    "new.jpg": Photograph("new.jpg", "validation", captions=("a boat",)),
}
PAIRS = [
    ImagePoemPair("old.jpg", EXCERPTS[1]),
    ImagePoemPair("old.jpg", EXCERPTS[2]),
    ImagePoemPair("new.jpg", EXCERPTS[0]),
]
NEAREST = "the nearest human poem, small encoder"
MAPPED = "the nearest human poem, linear map from the experts"
PAIRED = "the human poem paired by the captions"
PLACES = np.eye(4)
TEXTS = ["sea", "hill", "moon", "late"]


class Embedder:
    """A photograph is the name of the poem that lies where it does."""

    def embed_images(self, photographs):
        return self.embed_poems([one.decode() for one in photographs])

    def embed_poems(self, texts):
        return PLACES[[TEXTS.index(text) for text in texts]]


def find(contents, form="haiku", features=None):
    corpus = PreparedCorpus(
        EXCERPTS, PAIRS, PHOTOGRAPHS, Vocabulary.train(TEXTS, 30)
    )
    return human_rows.find_rows(corpus, form, contents, Embedder(), features, 0)


@pytest.mark.parametrize(
    ("form", "human"),
    [
        ("", None),
        ("haiku", "haiku"),
        ("haiku-5-7-5", "haiku"),
        ("limerick", "verse"),
    ],
)
def test_human_poems_are_of_the_form_that_a_pattern_is_written_in(form, human):
    corpus = types.SimpleNamespace(forms=lambda: ["haiku", "verse"])
    assert human_rows.choose_form(corpus, form) == human


def test_rows_are_training_poems_of_the_form():
    rows = find({"new.jpg": b"hill"})
    assert rows.keys() == {"a random human poem", NEAREST, PAIRED}
    assert rows["a random human poem"][0] in ("sea", "hill")
    assert rows[NEAREST] == ["hill"]
    assert rows[PAIRED] == ["sea"]


def test_any_form_stands_beside_a_poet_without_one():
    assert find({"new.jpg": b"moon"}, form=None)[NEAREST] == ["moon"]


def test_a_photograph_without_a_pair_leaves_the_row_out():
    assert PAIRED not in find({"new.jpg": b"hill", "plain.jpg": b"sea"})


def test_a_linear_map_sees_training_photographs_and_their_poems(monkeypatch):
    given = []

    def map_linearly(features, captions, names, texts):
        given.append((captions, names, texts))
        return ["hill"]

    monkeypatch.setattr(human_poems, "map_linearly", map_linearly)
    features = {"object": {name: np.ones(3) for name in PHOTOGRAPHS}}
    rows = find({"new.jpg": b"sea"}, None, features)
    assert rows[MAPPED] == ["hill"]
    # Neither the measured photograph's captions nor the poem they chose.
    assert given == [({"old.jpg": ("a shore",)}, ["new.jpg"], ["hill", "moon"])]
