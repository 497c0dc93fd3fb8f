import json

import numpy as np
import pytest

import visualpoet
from recipes import export_again
from tests import tiny
from visualpoet import models
from visualpoet.generator.composer import DecodingOptions

MODELS = (
    models.VisualEncoder,
    models.ImageTower,
    models.PoemTower,
    models.ClueHead,
    models.PoemGenerator,
)


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    folder = tmp_path_factory.mktemp("again")
    model = folder / "poet" / "2"
    export_again.main(
        export_again.Config(
            base=tiny.exported(), model=model, run_dir=folder / "run"
        )
    )
    return model


@pytest.mark.parametrize("model", MODELS)
def test_the_weights_are_those_of_the_base(again, model):
    before = model.from_preset(tiny.exported()).get_weights()
    after = model.from_preset(again).get_weights()
    assert len(after) == len(before) > 0
    for one, other in zip(before, after):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_it_writes_as_is_written_today(again):
    held = json.loads((again / "assets.extra" / "options.json").read_text())
    today = DecodingOptions()
    assert held["forms"]["verse"]["guidance"] == today.guidance
    assert held["forms"]["verse"]["max_lines"] == today.max_lines
    lines = (
        visualpoet.load(again).write(tiny.photograph("sea"), form="verse").lines
    )
    assert today.min_lines <= len(lines) <= today.max_lines


def test_no_word_is_a_clue_beside_its_plural(again):
    head = models.ClueHead.from_preset(again)
    words = models.Vocabulary.from_preset(again).tokens
    for index, twin in zip(head.word_ids, head.twins):
        pair = {words[index], words[head.word_ids[twin]]}
        assert len(pair) == 1 or max(pair, key=len) == min(pair, key=len) + "s"


def test_patterns_need_poems():
    with pytest.raises(ValueError, match="--poems with --patterns"):
        export_again.Config(patterns=("limerick",))
