import json
import types

import keras
import numpy as np
import pytest

from visualpoet.embedding.encoders import ImageTower
from visualpoet.embedding.photographs import embed_out_of_fold
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.embedding.photographs import replace_by_folds

FEATURES = {
    "object": {"a": np.array([3.0, 4.0]), "b": np.array([0.0, 2.0])},
    "scene": {"a": np.array([1.0]), "b": np.array([5.0])},
    "sentiment": {"a": np.array([0.0]), "b": np.array([-1.0])},
}


@pytest.fixture
def tower():
    keras.utils.set_random_seed(0)
    return ImageTower({"object": 2, "scene": 1, "sentiment": 1}, 3)


def test_photographs_without_features_are_left_out(tower):
    rows, seen = embed_photographs(FEATURES, ["b", "x", "a"], "object", tower)
    assert rows == {"b": 0, "a": 1}
    np.testing.assert_allclose(seen, [[0, 1], [0.6, 0.8]], rtol=1e-6)


def test_three_experts_weigh_the_same_and_are_of_unit_length(tower):
    _, seen = embed_photographs(FEATURES, ["a", "b"], "experts", tower)
    np.testing.assert_allclose(
        seen,
        [
            [0.6 / 2**0.5, 0.8 / 2**0.5, 1 / 2**0.5, 0],
            [0, 1 / 3**0.5, 1 / 3**0.5, -1 / 3**0.5],
        ],
        rtol=1e-6,
    )


def test_the_joint_embedding_is_the_towers(tower):
    _, seen = embed_photographs(FEATURES, ["a"], "joint", tower)
    given = {kind: rows["a"][None] for kind, rows in FEATURES.items()}
    np.testing.assert_allclose(seen, tower(given), rtol=1e-5)


def test_photographs_are_embedded_by_the_tower_that_left_them_out(tower):
    other = ImageTower({"object": 2, "scene": 1, "sentiment": 1}, 3)
    found = embed_out_of_fold(FEATURES, [["b", "x"], ["a"]], [tower, other])
    assert set(found) == {"a", "b"}
    for name, by in (("b", tower), ("a", other)):
        _, expected = embed_photographs(FEATURES, [name], "joint", by)
        np.testing.assert_allclose(found[name], expected[0], rtol=1e-5)


def test_training_photographs_move_to_where_new_ones_lie(tower, tmp_path):
    folders = [tmp_path / "fold0", tmp_path / "fold1"]
    others = [ImageTower(tower.feature_dims, 3) for _ in folders]
    for number, (folder, one) in enumerate(zip(folders, others)):
        folder.mkdir()
        one.save(folder / "image_tower.keras")
        options = {"num_folds": 2, "left_out_fold": number}
        (folder / "config.json").write_text(json.dumps(options))
    corpus = types.SimpleNamespace(folds=lambda count: [["b", "x"], ["a"]])
    rows, seen = embed_photographs(FEATURES, ["a", "b"], "joint", tower)
    replace_by_folds(seen, rows, FEATURES, corpus, folders)
    for name, by in (("b", others[0]), ("a", others[1])):
        _, expected = embed_photographs(FEATURES, [name], "joint", by)
        np.testing.assert_allclose(seen[rows[name]], expected[0], rtol=1e-5)
    for wrong in (folders[::-1], folders[:1]):
        with pytest.raises(ValueError, match="all folds, in order"):
            replace_by_folds(seen, rows, FEATURES, corpus, wrong)


def test_an_unknown_image_input(tower):
    with pytest.raises(ValueError, match="Received: 'scene'"):
        embed_photographs(FEATURES, ["a"], "scene", tower)


def test_no_photograph_with_features(tower):
    with pytest.raises(ValueError, match="Received: 1 photographs and .* of 2"):
        embed_photographs(FEATURES, ["x"], "joint", tower)
