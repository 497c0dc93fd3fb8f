import pathlib

import pytest

from recipes import distill_visual_encoder
from recipes import extract_features
from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import Photograph

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
