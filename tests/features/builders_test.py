"""Builders that are prepared in a folder; none is downloaded."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tests import stand_ins
from tests import tiny
from visualpoet.corpus.records import Photograph
from visualpoet.features import builders

PICTURE = tiny.photograph("sea")


def open_prepared(folder, name):
    return builders.open_builder(str(folder / name / "1.0.0"), folder)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "sea.jpg"
    path.write_bytes(PICTURE)
    return str(path)


def test_captions(tmp_path, picture):
    texts = tfds.features.Sequence({"text": tfds.features.Text()})
    row = {
        "image": picture,
        "image/filename": "17.jpg",
        "captions": [{"text": "A  sea ."}, {"text": "Waves ."}],
    }
    features = {
        "image": tfds.features.Image(shape=(None, None, 3)),
        "image/filename": tfds.features.Text(),
        "captions": texts,
    }
    splits = {"train": [row], "val": [row]}
    stand_ins.store_builder(tmp_path, "sea", features, splits)
    builder = open_prepared(tmp_path, "sea")
    captions = ("A sea .", "Waves .")
    assert list(builders.read_builder(builder)) == [
        (Photograph("train/17.jpg", "train", captions=captions), PICTURE),
        (Photograph("val/17.jpg", "validation", captions=captions), PICTURE),
    ]
    assert builders.describe(builder).startswith("sea/1.0.0, ")


def test_labels(tmp_path, picture):
    features = {
        "image": tfds.features.Image(shape=(None, None, 3)),
        "label": tfds.features.ClassLabel(names=["forest", "sea"]),
    }
    rows = [{"image": picture, "label": 1}]
    stand_ins.store_builder(tmp_path, "scenes", features, {"test": rows})
    (found,) = builders.read_builder(open_prepared(tmp_path, "scenes"))
    assert found[0] == Photograph("test/0000000.jpg", "test", label="sea")


def test_a_test_without_its_classes_is_left_out(tmp_path, picture):
    features = {
        "image": tfds.features.Image(shape=(None, None, 3)),
        "label": tfds.features.ClassLabel(names=["forest", "sea"]),
    }
    splits = {
        "train": [{"image": picture, "label": 0}],
        "test": [{"image": picture, "label": -1}],
    }
    stand_ins.store_builder(tmp_path, "unlabelled", features, splits)
    builder = open_prepared(tmp_path, "unlabelled")
    found = [photo for photo, _ in builders.read_builder(builder)]
    assert found == [Photograph("train/0000000.jpg", "train", label="forest")]


def test_a_builder_without_captions(tmp_path):
    features = {"number": tfds.features.Scalar(np.int64)}
    rows = [{"number": 1}]
    stand_ins.store_builder(tmp_path, "numbers", features, {"train": rows})
    with pytest.raises(ValueError, match="Received: numbers, with number$"):
        builders.find_features(open_prepared(tmp_path, "numbers"))


def test_a_builder_that_nobody_has(tmp_path):
    with pytest.raises(ValueError, match="Received: no_such_builder"):
        builders.open_builder("no_such_builder", tmp_path)
