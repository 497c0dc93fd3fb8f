import json

import pytest

from visualpoet.corpus.prepared import load_corpus
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem
from visualpoet.corpus.vocabulary import Vocabulary

FILES = {
    "excerpts.jsonl": [
        {"text": "rain\nand é", "id": "a", "split": "train"},
        {"text": "wind", "split": "test", "title": "T", "author": "U"},
        {"text": "snow", "split": "train", "form": "haiku"},
    ],
    "pairs.jsonl": [
        {
            "image": "b.jpg",
            "poem": {"text": "wind", "split": "validation"},
            "similarity": 0.25,
        },
    ],
    "photographs.jsonl": [
        {
            "image": "a.jpg",
            "split": "train",
            "label": "sea",
            "captions": ["one", "two"],
            "moods": ["glad"],
        },
        {"image": "b.jpg", "split": "test", "captions": [], "moods": []},
    ],
}


@pytest.fixture
def folder(tmp_path):
    for name, rows in FILES.items():
        text = "".join(
            json.dumps(row, ensure_ascii=False) + "\n" for row in rows
        )
        (tmp_path / name).write_text(text, encoding="utf-8")
    Vocabulary.train(["rain rain wind"], 9).save(tmp_path / "vocabulary.json")
    return tmp_path


def test_what_was_written_is_read_back(folder):
    corpus = load_corpus(str(folder))
    assert corpus.excerpts == [
        Poem("rain\nand é", "a"),
        Poem("wind", "", "test", "T", "U"),
        Poem("snow", form="haiku"),
    ]
    assert corpus.pairs == [
        ImagePoemPair("b.jpg", Poem("wind", "", "validation"), 0.25)
    ]
    assert corpus.photographs == {
        "a.jpg": Photograph("a.jpg", "train", "sea", ("one", "two"), ("glad",)),
        "b.jpg": Photograph("b.jpg", "test"),
    }
    assert corpus.vocabulary.encode("rain") == [4]


def test_splits(folder):
    corpus = load_corpus(folder)
    assert corpus.texts("train") == ["rain\nand é", "snow"]
    assert corpus.texts("test") == ["wind"]
    assert corpus.images("train") == ["a.jpg"]
    assert corpus.images("validation") == []


def test_forms(folder):
    corpus = load_corpus(folder)
    assert corpus.forms() == ["haiku"]
    assert corpus.texts("train", "haiku") == ["snow"]
    assert corpus.texts("train", "") == ["rain\nand é"]


def test_folds_deal_out_training_photographs(folder):
    corpus = load_corpus(folder)
    corpus.photographs.update({n: Photograph(n) for n in ("c.jpg", "d.jpg")})
    assert corpus.folds(2) == [["a.jpg", "d.jpg"], ["c.jpg"]]


def test_descriptions_are_captions_or_else_poems_and_labels(folder):
    assert load_corpus(folder).descriptions() == {
        "a.jpg": ["one", "two", "sea"],
        "b.jpg": ["wind"],
    }


def test_pairs_are_those_of_photographs_of_the_split(folder):
    """Whatever the split of the poem: a validation pair is not learnt from."""
    corpus = load_corpus(folder)
    corpus.pairs[:] = [
        ImagePoemPair("a.jpg", Poem("rain", split="test"), 0.5),
        ImagePoemPair("b.jpg", Poem("wind", split="train"), 0.5),
        ImagePoemPair("a.jpg", Poem("snow"), 0.25),
        ImagePoemPair("lost.jpg", Poem("hail"), 1.0),
    ]
    images = {"a.jpg", "b.jpg"}
    texts = {
        split: [
            pair.poem.text for pair in corpus.select_pairs(split, images, 0.5)
        ]
        for split in ("train", "validation", "test")
    }
    assert texts == {"train": ["rain"], "validation": [], "test": ["wind"]}
    assert corpus.select_pairs("train", {"b.jpg"}, 0.0) == []


@pytest.mark.parametrize("name", FILES)
def test_folder_without_a_corpus(folder, name):
    (folder / name).unlink()
    with pytest.raises(
        FileNotFoundError, match=f"no {name}; run recipes/prepare_corpus.py"
    ):
        load_corpus(folder)
