import json

import numpy as np
import pytest

from tests import tiny
from visualpoet import finding

WORDS = ("sea", "snow", "star")
SEA = "a boat\non the sea\nis small"
SNOW = "white\nis the snow\nupon the hill"
STAR = "a star\nabove\nthe house"
FAR = "no word\nof these\nis here"


class FakePoet:
    """Places a text, and a photograph made of text, by the words in it."""

    def __init__(self):
        self.batches = []

    def _place(self, text):
        places = [float(word in text.lower()) for word in WORDS]
        vector = np.array([0.1, *places])
        return vector / np.linalg.norm(vector)

    def embed_poems(self, texts):
        self.batches.append(len(texts))
        return np.array([self._place(text) for text in texts])

    def embed_images(self, photographs):
        return np.array([self._place(text) for text in photographs])


@pytest.fixture
def poet():
    return FakePoet()


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def index_of(poet, path):
    return finding.PoemIndex(poet, finding.read_excerpts(path))


def texts_of(found):
    return [some.poem.text for some in found]


def test_nearest_poem_comes_first(poet, tmp_path):
    rows = [
        {"text": STAR, "id": "7", "title": "Star", "author": "N. N."},
        {"text": SEA},
        {"text": SNOW},
    ]
    path = write_rows(tmp_path / "poems.jsonl", rows)
    index = index_of(poet, path)
    assert texts_of(index.nearest("a sea", 1)) == [SEA]
    (found,) = index.nearest("one star", 1)
    nearest = found.poem
    assert nearest.text == STAR
    assert found.fit == pytest.approx(1.0)
    assert (nearest.id, nearest.title, nearest.author) == (
        "7",
        "Star",
        "N. N.",
    )


def test_order_and_count(poet, tmp_path):
    both = f"{SNOW}\nthe sea"
    texts = [SNOW, both, FAR, SEA]
    path = write_rows(tmp_path / "poems.jsonl", [{"text": t} for t in texts])
    index = index_of(poet, path)
    found = index.nearest("the sea", 99)
    assert texts_of(found) == [SEA, both, FAR, SNOW]
    # Vectors (0.1, sea, snow): 1.01 / (sqrt(1.01) * sqrt(2.01)) and so on.
    fits = [some.fit for some in found]
    assert fits == pytest.approx([1.0, 0.70887, 0.0995, 0.0099], abs=1e-4)
    assert texts_of(index.nearest("the sea", 2)) == [SEA, both]


@pytest.mark.parametrize("count", [0, -1])
def test_count_that_is_none(poet, tmp_path, count):
    path = write_rows(tmp_path / "poems.jsonl", [{"text": SEA}])
    index = index_of(poet, path)
    with pytest.raises(ValueError, match=f"1 or more. Received: {count}$"):
        index.nearest("the sea", count)


def test_long_poems_are_cut_into_excerpts(poet, tmp_path):
    poem = f"{SNOW}\n\n{SEA}\n\n{STAR}"
    path = write_rows(tmp_path / "poems.jsonl", [{"text": poem}])
    index = index_of(poet, path)
    assert texts_of(index.nearest("the sea", 9))[0] == SEA
    assert len(index.nearest("the sea", 9)) == 3


def test_batches_keep_the_order(poet, tmp_path, monkeypatch):
    monkeypatch.setattr(finding, "_BATCH", 2)
    texts = [SEA, SNOW, STAR, FAR, f"{STAR}\nand snow"]
    path = write_rows(tmp_path / "poems.jsonl", [{"text": t} for t in texts])
    index = index_of(poet, path)
    assert poet.batches == [2, 2, 1]
    assert texts_of(index.nearest("star and snow", 1)) == [f"{STAR}\nand snow"]
    assert texts_of(index.nearest("sea", 1)) == [SEA]


def test_bad_rows_are_reported(poet, tmp_path, capsys):
    path = write_rows(tmp_path / "poems.jsonl", [{"text": SEA}, {"verse": 1}])
    index = index_of(poet, path)
    assert len(index.nearest("sea", 9)) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"visualpoet: {path}:2: expected a text in")
    assert printed.err.count("\n") == 1


def test_poems_without_an_excerpt_are_reported(poet, tmp_path, capsys):
    rows = [{"text": SEA}, {"text": "one\ntwo", "id": "short"}]
    finding.read_excerpts(write_rows(tmp_path / "poems.jsonl", rows))
    assert capsys.readouterr().err == (
        "visualpoet: poems left out, with no excerpt of 3 to 10 lines: 1 "
        "(short)\n"
    )


def test_no_poem_is_long_enough(poet, tmp_path):
    path = write_rows(
        tmp_path / "short.jsonl", [{"text": "one\ntwo"}, {"text": "one"}]
    )
    with pytest.raises(
        ValueError, match="three lines or more.*short.jsonl, 2 poems, none"
    ):
        index_of(poet, path)


def test_empty_corpus(poet, tmp_path):
    path = tmp_path / "empty.jsonl"
    path.touch()
    with pytest.raises(ValueError, match="empty.jsonl, 0 poems"):
        index_of(poet, path)


def test_missing_corpus(poet, tmp_path):
    with pytest.raises(FileNotFoundError, match="no.jsonl, which does not"):
        finding.read_excerpts(tmp_path / "no.jsonl")


def test_real_poet_finds_by_the_joint_space(tmp_path):
    path = write_rows(
        tmp_path / "poems.jsonl", [{"text": text} for text in tiny.POEMS]
    )
    index = index_of(tiny.poet(), path)
    photograph = tiny.photograph("sea")
    (query,) = tiny.poet().embed_images([photograph])
    poems = tiny.poet().embed_poems(tiny.POEMS)
    order = np.argsort(-(poems @ query))
    found = texts_of(index.nearest(photograph, 3))
    assert found == [tiny.POEMS[row] for row in order[:3]]
