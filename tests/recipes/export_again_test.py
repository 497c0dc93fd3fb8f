import dataclasses
import functools
import json

import numpy as np
import pytest
import tensorflow as tf

import visualpoet
from recipes import export_again
from tests import shared
from tests import tiny
from tests.finetuning import poems
from visualpoet import models
from visualpoet.finetuning import base
from visualpoet.generator.composer import DecodingOptions

MODELS = (
    models.VisualEncoder,
    models.ImageTower,
    models.PoemTower,
    models.ClueHead,
    models.PoemGenerator,
)


COMMON = "the sea sleeps"
SAID = {"train": "the moon is\nin the sea", "test": "the wind is\nin the sea"}


@pytest.fixture(scope="module")
def again():
    return shared.make_once("again", _export) / "poet" / "2"


def _export(folder):
    folder.mkdir()
    drafts = folder / "poems.jsonl"
    poems = [COMMON + "\nthe moon", COMMON.title() + ",\nthe wind"]
    scores = {"score": 0.0, "merit": 0.0}
    rows = [{"candidates": [{"poem": p, **scores}]} for p in poems]
    drafts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    phrases = folder / "phrases.jsonl"
    phrases.write_text(
        "".join(
            json.dumps({"text": text, "split": split}) + "\n"
            for split, text in SAID.items()
        )
    )
    tiny.reader_head().save(folder / "reader_head.keras")
    config = export_again.Config(
        base=tiny.exported(),
        model=folder / "poet" / "2",
        reader_head=str(folder),
        drafts=(drafts,),
        phrases=(phrases,),
        run_dir=folder / "run",
    )
    with pytest.MonkeyPatch.context() as patch:
        tiny.export_only(patch, "serving_default", "compose", "match")
        export_again.main(config)


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
    assert held["forms"]["haiku"]["num_candidates"] == 64
    assert held["forms"]["verse"]["num_candidates"] == 16
    assert (
        held["num_candidates"] == held["forms"][held["form"]]["num_candidates"]
    )
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


def test_lines_of_many_drafts_are_common(again):
    match = tf.saved_model.load(str(again)).signatures["match"]
    scores = match(
        image_bytes=tf.constant([tiny.photograph("sea")] * 3),
        poem=tf.constant([COMMON, COMMON + "\nthe moon", "the moon\nthe wind"]),
    )
    np.testing.assert_allclose(scores["common"], [1.0, 0.5, 0.0])
    read = base.read_poet(again)
    assert read.common_lines.sums.shape == (1,)
    assert base.read_poet(tiny.exported()).common_lines is None


def test_lines_of_many_best_drafts_are_common(tmp_path):
    # "the moon" is first for all four, at 0.6; common, at 0.3, for two.
    first, second = {"poem": "the moon", "common": 1.0}, {"poem": "the wind"}
    rows = [
        {"candidates": [first | {"score": 0.0}, second | {"score": score}]}
        for score in (0.5, 0.5, -0.5, -0.5)
    ]
    drafts = tmp_path / "poems.jsonl"
    drafts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    poet = base.read_poet(tiny.exported())
    count = functools.partial(export_again._count_lines, poet=poet, weight=0.3)
    config = export_again.Config(drafts=(drafts,), least=2.0, most=0.5)
    assert poet.options["haiku"].common_weight == 0.6
    assert count(config).sums.size == 1
    assert count(dataclasses.replace(config, most=1.0)).sums.size == 0


def test_drafts_that_no_head_has_judged_are_refused(tmp_path):
    drafts = tmp_path / "poems.jsonl"
    drafts.write_text('{"candidates": [{"poem": "the moon", "score": 0}]}\n')
    config = export_again.Config(drafts=(drafts,), reader_head="head")
    with pytest.raises(ValueError, match="Received: no merit in .*poems.jsonl"):
        export_again._count_lines(config, base.read_poet(tiny.exported()), 1.0)


def test_what_training_poems_say_is_no_news(again):
    match = tf.saved_model.load(str(again)).signatures["match"]
    scores = match(
        image_bytes=tf.constant([tiny.photograph("sea")] * 2),
        poem=tf.constant([SAID["train"], SAID["test"]]),
    )
    # START the wind, the wind is and wind is BREAK of seven.
    np.testing.assert_allclose(scores["novelty"], [0, 3 / 7])
    np.testing.assert_allclose(scores["repetition"], [1 / 6, 1 / 6])
    np.testing.assert_allclose(scores["copied"], [1, 0])
    assert base.read_poet(again).known_phrases is not None
    assert base.read_poet(tiny.exported()).known_phrases is None


def test_poems_are_matched_as_candidates_are_scored(again):
    # Cooler than its form asks for: else all that it draws is new.
    written = visualpoet.load(again).write(
        tiny.photograph("sea"), form="haiku", temperature=0.6
    )
    match = tf.saved_model.load(str(again)).signatures["match"]
    poems = [candidate.poem for candidate in written.candidates]
    scores = match(
        image_bytes=tf.constant([tiny.photograph("sea")] * len(poems)),
        poem=tf.constant(poems),
    )
    for name in ("novelty", "repetition", "copied", "merit"):
        found = [getattr(one, name) for one in written.candidates]
        np.testing.assert_allclose(scores[name], found, atol=1e-6)
    assert np.std(scores["novelty"]) > 0
    assert np.std(scores["merit"]) > 0


def test_the_reader_head_is_kept(again):
    read = base.read_poet(again)
    kernel, bias = read.reader_head.get_weights()
    np.testing.assert_allclose(kernel, np.linspace(-1, 1, len(kernel)))
    assert bias == 0.5
    assert base.read_poet(tiny.exported()).reader_head is None


def test_a_generator_goes_back_towards_an_earlier_one(monkeypatch):
    poet, earlier = (base.read_poet(tiny.exported()) for _ in range(2))
    before = poet.generator.get_weights()
    earlier.generator.set_weights([3 * weight for weight in before])
    monkeypatch.setattr(base, "read_poet", lambda folder: earlier)
    config = export_again.Config(earlier="poet/1", interpolation=0.25)
    export_again._go_back(config, poet)
    for found, weight in zip(poet.generator.get_weights(), before):
        # A quarter of it, and three quarters of three times as much.
        np.testing.assert_allclose(found, 2.5 * weight, rtol=1e-5)


def test_an_earlier_generator_of_other_tokens_is_refused(monkeypatch):
    poet = base.read_poet(tiny.exported())
    other = models.Vocabulary.train(tiny.POEMS, 200)
    earlier = dataclasses.replace(poet, vocabulary=other)
    monkeypatch.setattr(base, "read_poet", lambda folder: earlier)
    config = export_again.Config(earlier="poet/1")
    with pytest.raises(ValueError, match="Received: poet/1, of others"):
        export_again._go_back(config, poet)


def test_a_share_is_no_more_than_all():
    with pytest.raises(ValueError, match="Received: 1.5"):
        export_again.Config(interpolation=1.5)


def test_a_voice_is_written_as_before():
    config = export_again.Config(corpus="poems", patterns=("limerick",))
    poet = base.read_poet(tiny.exported())
    options = export_again._options(config, poet)
    assert list(options) == ["verse", "limerick"]
    assert options["verse"] == tiny.OPTIONS


def test_a_voice_closes_lines_as_its_training_poems_do(tmp_path):
    folder = poems.write(tmp_path / "poems")
    learnt = export_again._read_texts(export_again.Config(corpus=str(folder)))
    assert set(learnt) < set(poems.POEMS) and len(learnt) == 28
    with pytest.raises(ValueError, match="without --poems and --form"):
        export_again.Config(corpus="poems", form="haiku")


def test_patterns_need_poems():
    with pytest.raises(ValueError, match="--corpus with --patterns"):
        export_again.Config(patterns=("limerick",))
