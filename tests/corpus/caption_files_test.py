import json

import pytest

from visualpoet.corpus.caption_files import read_caption_file
from visualpoet.corpus.records import Photograph

DOG = ("A dog runs .", "A brown dog .")


def test_coco(tmp_path):
    path = tmp_path / "captions_val2017.json"
    content = {
        "images": [{"id": 5, "file_name": "dog.jpg"}],
        "annotations": [
            {"image_id": 5, "caption": "A dog runs .\n"},
            {"image_id": 6, "caption": "A lost one ."},
            {"image_id": 5, "caption": "A brown dog ."},
        ],
    }
    path.write_text(json.dumps(content))
    photos, bad_rows = read_caption_file(path)
    assert photos == [Photograph("dog.jpg", captions=DOG)]
    assert [row.row for row in bad_rows] == [2]


def test_tokens(tmp_path):
    path = tmp_path / "Flickr8k.token.txt"
    path.write_text("dog.jpg#0\tA dog runs .\ndog.jpg#1\tA brown dog .\nx\n")
    photos, bad_rows = read_caption_file(path)
    assert photos == [Photograph("dog.jpg", captions=DOG)]
    assert bad_rows[0].reason == (
        "expected NAME#NUMBER and a caption. Received: 'x'"
    )


def test_rows(tmp_path):
    path = tmp_path / "captions.csv"
    path.write_text("file,caption\ndog.jpg,A dog runs .\n")
    photos, _ = read_caption_file(path)
    assert photos == [Photograph("dog.jpg", captions=DOG[:1])]


@pytest.mark.parametrize(
    "content", ["file,other\ndog.jpg,1\n", "file,caption\ndog.jpg,\n"]
)
def test_a_file_without_captions(tmp_path, content):
    path = tmp_path / "captions.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match="expected captions or labels of"):
        read_caption_file(path)
