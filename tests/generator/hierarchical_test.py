import keras
import numpy as np
import pytest

from visualpoet.corpus import negatives
from visualpoet.generator import hierarchical
from visualpoet.generator.hierarchical import HierarchicalGenerator

BREAK = 4
LINES = hierarchical.to_lines([[[5, 6], [7]], [[8, 9, 10]]])


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(2)
    return HierarchicalGenerator(11, 4, 5, 3)


@pytest.fixture(scope="module")
def regions():
    return np.random.default_rng(0).normal(size=[2, 4, 3]).astype(np.float32)


def test_lines_are_framed_padded_and_cut():
    assert LINES.shape == (2, 10, 12)
    assert LINES[0, 0, :5].tolist() == [1, 5, 6, 2, 0]
    assert LINES[0, 1, :4].tolist() == [1, 7, 2, 0]
    assert LINES[0, 2:].sum() == 0
    long = hierarchical.to_lines([[list(range(5, 30))] * 12])
    assert long.shape == (1, 10, 12)
    assert long[0, 9].tolist() == [1, *range(5, 15), 2]


def test_shapes(model, regions):
    outputs = model({"regions": regions, "lines": LINES[..., :-1]})
    assert outputs["logits"].shape == (2, 10, 11, 11)
    assert outputs["stop"].shape == (2, 10)


def test_order_of_regions_does_not_matter_but_their_content_does(
    model, regions
):
    given = {"lines": LINES[..., :-1]}
    one = model({"regions": regions, **given})["logits"]
    turned = model({"regions": regions[:, ::-1], **given})["logits"]
    np.testing.assert_allclose(one, turned, atol=1e-6)
    other = model({"regions": regions + 1, **given})["logits"]
    assert np.abs(one - other).max() > 1e-3


def test_loss_by_hand():
    """Even logits: log 11 a word, log 2 a line."""
    outputs = {
        "logits": np.zeros([2, 10, 11, 11], np.float32),
        "stop": np.zeros([2, 10], np.float32),
    }
    loss = hierarchical.hierarchical_loss(outputs, LINES)
    np.testing.assert_allclose(loss, np.log(11) + np.log(2), rtol=1e-6)
    # The last lines stop, the first of two goes on.
    outputs["stop"][0, 0], outputs["stop"][0, 1] = -50, 50
    outputs["stop"][1, 0] = 50
    loss = hierarchical.hierarchical_loss(outputs, LINES)
    np.testing.assert_allclose(loss, np.log(11), rtol=1e-6)


def test_written_lines_are_the_likeliest_words(model, regions):
    """Teacher forced on what was written, the model prefers just that."""
    poems = hierarchical.write_lines(model, regions, BREAK)
    split = [negatives.split_lines(poem, BREAK) for poem in poems]
    lines = hierarchical.to_lines(split)
    logits = np.array(
        model({"regions": regions, "lines": lines[..., :-1]})["logits"]
    )
    logits[..., [0, 1, 3, BREAK]] = -1e9
    best, targets = logits.argmax(-1), lines[..., 1:]
    words = targets > 3
    assert words.sum() > 5
    np.testing.assert_array_equal(best[words], targets[words])
    for poem in split:
        assert 1 <= len(poem) <= 10
        assert max(map(len, poem)) <= 10


def test_draws_follow_temperature_and_seed(model, regions):
    write = hierarchical.write_lines
    greedy = write(model, regions, BREAK)
    assert write(model, regions, BREAK, 1e-4) == greedy
    one = write(model, regions, BREAK, 1.0, seed=3)
    assert one == write(model, regions, BREAK, 1.0, seed=3)
    assert one != write(model, regions, BREAK, 1.0, seed=4)


def test_saved_and_loaded_again(model, regions, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    given = {"regions": regions, "lines": LINES[..., :-1]}
    np.testing.assert_array_equal(loaded(given)["stop"], model(given)["stop"])


def test_no_more_lines_than_it_has(regions):
    model = HierarchicalGenerator(11, 6, 7, 3, max_lines=2)
    again = HierarchicalGenerator.from_config(model.get_config())
    long = hierarchical.to_lines([[[5], [6], [7]]], 2)
    assert long.shape == (1, 2, 12)
    for one in (model, again):
        poems = hierarchical.write_lines(one, regions, BREAK, 1.0)
        assert all(poem.count(BREAK) <= 1 for poem in poems)
