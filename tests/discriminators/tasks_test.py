import dataclasses
import pathlib

import numpy as np
import pytest

from visualpoet.discriminators import tasks
from visualpoet.discriminators.material import PairDraws

MARKS = [9, 10]


class Material:
    """Draws numbers for texts."""

    def pair_batch(self, pairs, draws, rng):
        return self._draw(("paired", "unpaired"), len(pairs), rng)

    def take_captions(self, pairs, texts, draws, rng):
        added = int(10 * draws.caption_share)
        return {name: rows + added for name, rows in texts.items()}

    def style_batch(self, size, rng):
        return self._draw(("poetic", "disordered", "paragraphic"), size, rng)

    def _draw(self, names, size, rng):
        return {name: rng.integers(5, size=[size, 3]) for name in names}


def draw(share=0.0):
    return tasks.draw_texts(
        Material(), np.arange(4), PairDraws(share), np.random.default_rng(0)
    )


@pytest.mark.parametrize(
    ("task", "words", "labels"),
    [
        (tasks.MULTIMODAL, [0, 0, 1, 1, 9, 9], [0, 0, 1, 1, 2, 2]),
        (
            tasks.POEM_STYLE,
            [2, 2, 3, 3, 4, 4, 9, 9],
            [0, 0, 1, 1, 2, 2, 3, 3],
        ),
        (tasks.REAL_OR_GENERATED, [2, 2, 9, 9], [0, 0, 1, 1]),
    ],
)
def test_batches_have_the_classes_in_order(task, words, labels):
    texts = {
        name: np.full([2, 3], number)
        for number, name in enumerate(
            ["paired", "unpaired", "poetic", "disordered", "paragraphic"]
        )
    }
    seen = np.array([[0.5], [0.7]])
    samples = np.full([2, 3], 9)
    inputs, found = task.make_batch(texts, samples, seen, PairDraws())
    assert inputs["token_ids"][:, 0].tolist() == words
    assert found.tolist() == labels
    assert found.dtype == np.int32
    if task.reads_photograph:
        # The second sample stands beside the first one's photograph.
        beside = [0.5, 0.7, 0.5, 0.7, 0.5, 0.5]
        assert inputs["image_embedding"][:, 0].tolist() == beside
    else:
        assert list(inputs) == ["token_ids"]


@pytest.mark.parametrize(
    ("candidates", "beside"),
    [
        (1, [0, 0, 2, 2, 4, 4]),  # of the row before
        (2, [0, 5, 2, 1, 4, 3]),  # of the nearer of two rows before
        (9, [0, 3, 2, 1, 4, 0]),  # of the nearest of all others
    ],
)
def test_samples_stand_beside_photographs_as_near_as_unpaired_poems(
    candidates, beside
):
    angles = np.array([0.0, 1.0, 3.0, 1.1, 2.0, 0.1])
    seen = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    texts = {"paired": np.zeros([6, 3]), "unpaired": np.zeros([6, 3])}
    inputs, _ = tasks.MULTIMODAL.make_batch(
        texts, np.zeros([6, 3]), seen, PairDraws(0.0, candidates)
    )
    shown = inputs["image_embedding"][12:]
    np.testing.assert_array_equal(shown, seen[beside])


def test_a_sample_beside_the_same_photograph_is_none_beside_another():
    seen = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.6, 0.8]])
    texts = {"paired": np.zeros([4, 3]), "unpaired": np.zeros([4, 3])}
    inputs, _ = tasks.MULTIMODAL.make_batch(
        texts, np.zeros([4, 3]), seen, PairDraws(0.0, 3)
    )
    np.testing.assert_array_equal(inputs["image_embedding"][-1], [0.8, 0.6])


@pytest.mark.parametrize("task", tasks.TASKS, ids=tasks.NAMES)
def test_a_model_reads_its_batch_and_tells_its_classes(task):
    model = task.build(11, MARKS, 3, 4, 5, 0.1)
    seen = np.zeros([4, 3], np.float32)
    samples = np.zeros([4, 3], int)
    inputs, labels = task.make_batch(draw(), samples, seen, PairDraws())
    assert inputs.keys() == model.input.keys()
    assert model(inputs).shape == (len(labels), len(task.classes))
    assert model.classes == task.classes
    assert task.classes[-1] == "generated"
    assert len(task.texts) == len(task.classes) - 1


def test_texts_of_all_tasks_are_drawn_each_way_once():
    texts = draw()
    assert list(texts) == [
        "paired",
        "unpaired",
        "poetic",
        "disordered",
        "paragraphic",
    ]
    rng = np.random.default_rng(0)
    first = Material().pair_batch(np.arange(4), PairDraws(), rng)
    then = Material().style_batch(4, rng)
    for name, expected in {**first, **then}.items():
        np.testing.assert_array_equal(texts[name], expected, name)


def test_captions_are_of_pairs_alone():
    plain, captioned = draw(), draw(share=0.5)
    assert (captioned["unpaired"] == plain["unpaired"] + 5).all()
    assert (captioned["poetic"] == plain["poetic"]).all()


class Tower:
    """Puts a poem where its first two tokens say."""

    def predict(self, token_ids, batch_size, verbose):
        return token_ids[:, :2].astype(float)


def test_the_floor_of_pairs_is_their_cosine():
    inputs = {
        "token_ids": np.array([[1, 0], [1, 0], [0, 1], [1, 0], [9, 9], [9, 9]]),
        "image_embedding": np.array([[1.0, 0.0]] * 6),
    }
    labels = np.array([0, 0, 1, 1, 2, 2])
    # Three cosines of 1, none above the median: all are taken for unpaired.
    found = tasks.MULTIMODAL.measure_floor(inputs, labels, Tower())
    assert found == {"by the cosine of the joint space": 0.5}
    inputs["token_ids"][3] = [0, 1]
    found = tasks.MULTIMODAL.measure_floor(inputs, labels, Tower())
    assert found == {"by the cosine of the joint space": 1.0}
    assert tasks.POEM_STYLE.measure_floor(inputs, labels, Tower()) == {}


@pytest.mark.parametrize(
    ("names", "weights"),
    [
        (["multimodal", "poem_style"], [0.8, 0.2]),
        (["poem_style", "multimodal"], [0.2, 0.8]),
        (["real_or_generated", "multimodal"], [0.2, 0.8]),
        (["multimodal"], [1.0]),
        (["poem_style"], [1.0]),
    ],
)
def test_the_paired_weight_is_the_multimodal_ones(names, weights):
    some = [tasks.find_task(name) for name in names]
    assert tasks.weigh_tasks(some, 0.8) == pytest.approx(weights)


def test_where_a_model_lies():
    found = tasks.POEM_STYLE.locate(pathlib.Path("out"))
    assert found == pathlib.Path("out/poem_style/poem_style.keras")


def test_a_further_task_is_drawn_and_kept_apart(monkeypatch):
    def draw_rhymes(material, pairs, draws, rng):
        return {"rhymed": np.full([len(pairs), 3], 7)}

    rhyme = dataclasses.replace(
        tasks.POEM_STYLE,
        name="rhyme",
        classes=("rhymed", "generated"),
        texts=("rhymed",),
        draw=draw_rhymes,
    )
    before = draw()
    monkeypatch.setattr(tasks, "TASKS", (*tasks.TASKS, rhyme))
    texts = draw()
    assert list(texts) == [*before, "rhymed"]
    for name, expected in before.items():
        np.testing.assert_array_equal(texts[name], expected, name)
    samples = np.zeros([4, 3])
    inputs, labels = rhyme.make_batch(texts, samples, None, PairDraws())
    assert inputs["token_ids"][:, 0].tolist() == [7] * 4 + [0] * 4
    assert labels.tolist() == [0] * 4 + [1] * 4
