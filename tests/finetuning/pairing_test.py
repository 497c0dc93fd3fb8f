import re

import numpy as np
import pytest

from tests import tiny
from tests.finetuning import poems
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Poem
from visualpoet.finetuning import corpus
from visualpoet.finetuning import pairing


@pytest.fixture(scope="module")
def poet():
    return poems.base_poet()


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for kind in ("sea", "night"):
        (folder / f"{kind}.jpg").write_bytes(tiny.photograph(kind))
    (folder / "broken.jpg").write_bytes(b"no picture")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def places(poet, paths):
    return pairing.place_photographs(poet, paths)


def test_photographs_lie_where_the_export_puts_them(places, paths):
    names = [str(path) for path in paths if path.name != "broken.jpg"]
    assert list(places) == names
    expected = tiny.poet().embed_images(names)
    np.testing.assert_allclose(
        np.stack(list(places.values())), expected, atol=1e-5
    )


def test_pairs_are_written_looked_at_and_read_back(
    poet, places, paths, tmp_path
):
    found = corpus.read_corpus(poems.write(tmp_path / "poems"), "", False)
    pairs = pairing.pair(poet, found, places)
    assert len(pairs) == 3 * 2
    assert {one.poem.text for one in pairs} <= set(found.texts("train"))
    path = tmp_path / "pairs.csv"
    pairing.write_pairs(path, pairs)
    again = pairing.read_pairs(path)
    assert [(one.image, one.poem.text) for one in again] == [
        (one.image, one.poem.text) for one in pairs
    ]
    page = path.with_suffix(".html").read_text(encoding="utf-8")
    assert page.count("<article>") == 2
    assert "night.jpg" in page and "broken.jpg" not in page


def test_captions_move_photographs_towards_what_they_say(
    poet, places, tmp_path
):
    path = tmp_path / "captions.csv"
    path.write_text("file,caption\nelsewhere/sea.jpg,The forest sleeps\n")
    captions = pairing.read_captions(path, list(places))
    (said,) = captions
    assert said.endswith("sea.jpg")
    found = corpus.read_corpus(poems.write(tmp_path / "poems"), "", False)
    before, after = (
        {
            (one.image, one.poem.text): one.similarity
            for one in pairing.pair(poet, found, places, given)
        }
        for given in ({}, captions)
    )
    rows = {
        (one.image, one.poem.text): one.similarity
        for one in pairing.pair(
            poet, found, places, {said: [found.texts("train")[5]]}
        )
    }
    assert max(rows, key=rows.get) == (said, found.texts("train")[5])
    kept = {pair: value for pair, value in before.items() if pair[0] != said}
    assert kept.items() <= after.items()
    assert before != after


def test_captions_go_with_the_folders_of_photographs(tmp_path):
    path = tmp_path / "captions.csv"
    path.write_text(
        "file,caption\n2019/a.jpg,One\n2020/a.jpg,Two\n2020/a.jpg,Three\n"
        "b.jpg,Which\nfar/c.jpg,Four\n"
    )
    names = ["x/2019/a.jpg", "x/2020/a.jpg", "1/b.jpg", "2/b.jpg", "y/c.jpg"]
    assert pairing.read_captions(path, names) == {
        "x/2019/a.jpg": ("One",),
        "x/2020/a.jpg": ("Two", "Three"),
        "y/c.jpg": ("Four",),
    }


def test_captions_of_other_photographs_are_refused(places, tmp_path):
    path = tmp_path / "captions.csv"
    path.write_text("file,caption\nhill.jpg,A hill\n")
    with pytest.raises(ValueError, match="captions of the photographs"):
        pairing.read_captions(path, list(places))


def test_photographs_are_named_from_the_folder_of_the_file(paths, tmp_path):
    (tmp_path / "photos").symlink_to(paths[0].parent)
    path = tmp_path / "pairs.csv"
    path.write_text('file,poem\nphotos/sea.jpg,"The sea\nThe sky\nThe sea"\n')
    (pair,) = pairing.read_pairs(path)
    assert pair.image == str(tmp_path / "photos" / "sea.jpg")
    path.write_text('file,poem\nelsewhere.jpg,"The sea\nThe sky\nThe sea"\n')
    with pytest.raises(ValueError, match="Received: elsewhere.jpg, which is"):
        pairing.read_pairs(path)
    path.write_text("file,poem\n")
    with pytest.raises(
        ValueError, match=re.escape(f"Received: {path}, without any")
    ):
        pairing.read_pairs(path)


def test_a_poem_of_many_photographs_is_one_example(poet, places):
    night, sea = places
    poem, other = Poem("The sea\nThe sky"), Poem("The night")
    pairs = [ImagePoemPair(sea, poem), ImagePoemPair(night, poem)]
    pairs += [ImagePoemPair(sea, other), ImagePoemPair("missing", other)]
    found = pairing.learn_pairs(poet, pairs, places, "haiku", 20)
    assert found.image_rows == [[1, 0], [1]]
    assert found.forms.tolist() == [1, 1]
    assert [len(clues) for clues in found.descriptions] == [6, 6]
    assert found.perturbation is None
