import io
import json
import tarfile

import pytest

from visualpoet.corpus.records import Photograph
from visualpoet.features import collections
from visualpoet.features.photographs import read_photographs


def write(path, files):
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_collection_can_be_read_as_photographs(tmp_path):
    rows = [
        (Photograph("a.jpg", captions=("A dog .",)), b"1"),
        (Photograph("../b\\c.jpg", "test", label="sea"), b"2"),
        (Photograph("d.jpg", captions=("Late .",)), b"3"),
    ]
    assert collections.write_collection(rows, tmp_path / "images", "x", 2) == 2
    archive = tmp_path / "images" / "x.tar"
    assert list(read_photographs([archive])) == [
        ("x/a.jpg", b"1"),
        ("x/b/c.jpg", b"2"),
    ]
    assert rows_of(tmp_path / "images" / "x.jsonl") == [
        {"file": "x/a.jpg", "split": "train", "captions": ["A dog ."]},
        {"file": "x/b/c.jpg", "split": "test", "label": "sea"},
    ]


def test_photographs_of_no_split_get_one(tmp_path):
    rows = ((Photograph(f"{n}.jpg", label="sea"), b"") for n in range(200))
    collections.write_collection(rows, tmp_path, "x", 0)
    splits = {row["split"] for row in rows_of(tmp_path / "x.jsonl")}
    assert splits == {"train", "validation", "test"}


def test_nothing_half_written_is_left(tmp_path):
    def rows():
        yield Photograph("a.jpg", label="sea"), b"1"
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        collections.write_collection(rows(), tmp_path, "x", 0)
    with pytest.raises(ValueError, match="Received: none for x"):
        collections.write_collection([], tmp_path, "x", 0)
    assert list(tmp_path.iterdir()) == []


def test_photographs_are_found_by_path_or_name(tmp_path):
    path = write(tmp_path / "p.tar", {"in/a.jpg": b"1", "in/b.jpg": b"2"})
    photos = [Photograph("a.jpg"), Photograph("in/b.jpg"), Photograph("c.jpg")]
    found = list(collections.match_photographs(path, photos))
    assert found == [(photos[0], b"1"), (photos[1], b"2")]


def test_of_files_of_one_name_the_first_counts(tmp_path):
    files = {"thumbs/a.jpg": b"1", "train/a.jpg": b"2"}
    path = write(tmp_path / "p.tar", files)
    photos = [Photograph("a.jpg", label="sea")]
    found = list(collections.match_photographs(path, photos))
    assert found == [(photos[0], b"1")]
    rows = [(photos[0], b"1"), (photos[0], b"2")]
    with pytest.raises(ValueError, match=r"Received: x/a\.jpg twice"):
        collections.write_collection(rows, tmp_path, "x", 0)
    with pytest.raises(ValueError, match="expected a name of the collection"):
        collections.write_collection(found, tmp_path, "", 0)


def test_photographs_are_drawn_from_all_that_are_there(tmp_path):
    photos = [Photograph(f"{s}/{n}.jpg") for s in "abc" for n in range(200)]
    there = {photo.image: b"" for photo in photos if photo.image[0] != "c"}
    path = write(tmp_path / "p.tar", there)
    drawn = collections.draw_photographs(path, photos, 100)
    assert len(drawn) == 100
    assert 30 < sum(photo.image.startswith("a") for photo in drawn) < 70
    assert drawn == [photo for photo in photos if photo in drawn]
    assert collections.draw_photographs(path, photos, 0) == photos
    assert collections.draw_photographs(path, photos, 500) == photos[:400]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "7.jpg").touch()
    found = collections.draw_photographs(
        tmp_path, [Photograph("7.jpg"), Photograph("8.jpg")], 5
    )
    assert found == [Photograph("7.jpg")]


def test_shards_that_all_count_from_0(tmp_path):
    shard = {"1.jpg": b"one", "1.txt": b"A dog .", "1.other.txt": b"no"}
    paths = [write(tmp_path / f"{n}.tar", shard) for n in range(2)]
    found = [photo.image for photo, _ in collections.read_webdataset(paths)]
    assert found == ["0/1.jpg", "1/1.jpg"]


def test_webdataset(tmp_path):
    path = write(
        tmp_path / "0.tar",
        {
            "a/1.jpg": b"one",
            "a/1.txt": b"A dog .\n\nIt runs .",
            "a/2.txt": "Ein Ü .".encode(),
            "a/2.PNG": b"two",
            "a/3.jpg": b"no caption",
        },
    )
    assert list(collections.read_webdataset([path])) == [
        (Photograph("a/1.jpg", captions=("A dog .", "It runs .")), b"one"),
        (Photograph("a/2.png", captions=("Ein Ü .",)), b"two"),
    ]
