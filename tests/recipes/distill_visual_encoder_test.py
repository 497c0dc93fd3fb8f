import pathlib

import keras
import numpy as np
import pytest

from recipes import distill_visual_encoder
from recipes import extract_features
from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import Photograph
from visualpoet.features.visual_encoder import VisualEncoder

CONFIG = distill_visual_encoder.Config(photographs=(pathlib.Path("p"),))


def test_the_crops_are_those_that_were_extracted():
    extracted = extract_features.Config(photographs=CONFIG.photographs)
    assert extracted.num_crops == CONFIG.num_crops


def _photograph(name, split, label):
    return Photograph(name, split, label, collection="places")


def test_without_a_training_photograph_it_says_so():
    photographs = [
        _photograph("sea.jpg", "validation", "sea"),
        _photograph("hill.jpg", "train", "hill"),
    ]
    corpus = PreparedCorpus([], [], {p.image: p for p in photographs}, None)
    with pytest.raises(ValueError, match="1 that are in both, 1 of them for"):
        distill_visual_encoder._write_views(CONFIG, None, corpus, {"sea.jpg"})


def test_weights_of_another_model_are_refused(tmp_path):
    other = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])
    other.save(tmp_path / "tower.keras")
    encoder = VisualEncoder({"object": 5, "scene": 3, "sentiment": 4}, (4, 6))
    with pytest.raises(ValueError, match="tower.keras, without one layer"):
        distill_visual_encoder._start_from(encoder, tmp_path / "tower.keras")


def test_what_both_encoders_have_is_learnt_further(tmp_path):
    dims = {"object": 5, "scene": 3, "sentiment": 4}
    before = VisualEncoder(dims, filters=(4, 6), trunk_dim=7)
    before.save(tmp_path / "encoder.keras")
    after = VisualEncoder(
        dims, filters=(4, 6), depths=(1, 2), trunk_dim=7, image_size=64
    )
    added = distill_visual_encoder._start_from(
        after, tmp_path / "encoder.keras"
    )
    assert added == [
        "stage1_block1_first",
        "normalize_stage1_block1_first",
        "stage1_block1_second",
        "normalize_stage1_block1_second",
    ]
    for layer in filter(lambda layer: layer.weights, before.layers):
        found = after.get_layer(layer.name).get_weights()
        for one, other in zip(layer.get_weights(), found, strict=True):
            np.testing.assert_array_equal(one, other)


def test_weights_of_other_features_are_refused(tmp_path):
    dims = {"object": 5, "scene": 3, "sentiment": 4}
    VisualEncoder(dims, filters=(4, 6)).save(tmp_path / "encoder.keras")
    wider = VisualEncoder({**dims, "scene": 9}, filters=(4, 6))
    with pytest.raises(ValueError, match=r"\(512, 9\).* 'scene'. Received"):
        distill_visual_encoder._start_from(wider, tmp_path / "encoder.keras")
