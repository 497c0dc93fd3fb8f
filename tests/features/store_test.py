import json
import shutil
import tracemalloc
import types

import numpy as np
import pytest

from visualpoet.features import experts
from visualpoet.features import store
from visualpoet.features.store import FeatureStore


def test_digests():
    # SHA-256 of "abc" begins like this.
    digest = store.image_digest(b"abc")
    assert digest == "ba7816bf8f01cfea414140de5dae2223"
    assert store.view_digest(digest, 0) == digest
    assert store.view_digest(digest, 3) == f"{digest}-3"


def test_views_are_kept_apart(tmp_path):
    features = FeatureStore(tmp_path, "expert")
    features.add(["d", "d-2"], np.array([[1, 97], [7, 7]]))
    np.testing.assert_array_equal(features.get(["d-2", "d"]), [[7, 7], [1, 97]])
    with pytest.raises(KeyError, match="d-1"):
        features.get(["d-1"])


def test_shards_are_named_by_what_is_in_them(tmp_path):
    """So that several may write, and what is there is known by its name."""
    first, second = (FeatureStore(tmp_path, "expert") for _ in range(2))
    first.add(["a", "b"], np.ones([2, 3]))
    second.add(["c"], np.zeros([1, 3]))
    second.add(["a", "b"], np.ones([2, 3]))
    assert len(list((tmp_path / "expert").iterdir())) == 2
    assert first.holds(["c"])
    assert second.holds(["a", "b"])
    assert not second.holds(["b", "a"])
    np.testing.assert_array_equal(
        second.get(["c", "a", "c", "b"])[:, 0], [0, 1, 0, 1]
    )


def test_experts_are_kept_apart(tmp_path):
    FeatureStore(tmp_path, "one").add(["a"], np.ones([1, 2]))
    other = FeatureStore(tmp_path, "two")
    assert not other.holds(["a"])
    with pytest.raises(KeyError, match="extract_features.py"):
        other.get(["a"])


def test_features_are_the_same_before_and_after_reopening(tmp_path):
    features = FeatureStore(tmp_path, "expert")
    features.add(["d"], np.array([[0.1, 1 / 3, 2049.0]]))
    # What half precision makes of them.
    expected = [[0.0999755859375, 0.333251953125, 2048.0]]
    reopened = FeatureStore(tmp_path, "expert")
    for received in (features.get(["d"]), reopened.get(["d"])):
        np.testing.assert_array_equal(received, expected)
        assert received.dtype == np.float32


def test_features_on_disk_take_the_memory_of_a_shard(tmp_path):
    features = FeatureStore(tmp_path, "expert")
    rows = np.random.default_rng(0).normal(size=[2000, 500])
    names = [f"d{row}" for row in range(2000)]
    for start in range(0, 2000, 50):
        block = slice(start, start + 50)
        features.add(names[block], rows[block])
    expected = features.get(names[::-1])  # 4 MB
    tracemalloc.start()
    found = features.get(names[::-1], tmp_path / "features.npy")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e6
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.load(tmp_path / "features.npy"), expected)


def test_an_array_that_the_disk_has_no_room_for(tmp_path, monkeypatch):
    free = types.SimpleNamespace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free)
    with pytest.raises(OSError, match="expected 2.0 GB .*Received: 1.0 GB"):
        store.create_array(tmp_path / "a.npy", (10**6, 500), np.float32)
    assert not list(tmp_path.iterdir())


def test_failed_write_stores_nothing(tmp_path, monkeypatch):
    features = FeatureStore(tmp_path, "expert")
    features.add(["a"], np.ones([1, 2]))

    def full_disk(stream, **arrays):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full_disk)
        with pytest.raises(OSError, match="No space left"):
            features.add(["b"], np.ones([1, 2]))
    assert not features.holds(["b"])
    assert len(list((tmp_path / "expert").iterdir())) == 1


def test_missing_photograph_is_counted_and_named(tmp_path):
    features = FeatureStore(tmp_path, "expert")
    features.add(["a"], np.ones([1, 2]))
    with pytest.raises(
        KeyError, match="2 of 3 photographs have no features, the first: b"
    ):
        features.get(["a", "b", "c"])


# --- what a recipe stored


@pytest.fixture
def folder(tmp_path):
    index = {"sea.jpg": "d1", "hill.jpg": "d2"}
    (tmp_path / "index.json").write_text(json.dumps(index))
    digests = {"object": "e1", "scene": "e2"}
    (tmp_path / "experts.json").write_text(json.dumps({"digests": digests}))
    objects = FeatureStore(tmp_path / "store", "e1")
    objects.add(["d2", "d1", "d1-1", "d2-1"], np.arange(12).reshape(4, 3))
    scenes = FeatureStore(tmp_path / "store", "e2")
    scenes.add(["d1", "d2", "d1-1", "d2-1"], 0.5 * np.arange(8).reshape(4, 2))
    return tmp_path


def test_load_features_by_name(folder):
    features = store.load_features(folder)
    assert list(features) == ["object", "scene"]
    assert list(features["object"]) == ["sea.jpg", "hill.jpg"]
    np.testing.assert_array_equal(features["object"]["sea.jpg"], [3, 4, 5])
    np.testing.assert_array_equal(features["object"]["hill.jpg"], [0, 1, 2])
    np.testing.assert_array_equal(features["scene"]["sea.jpg"], [0, 0.5])
    np.testing.assert_array_equal(features["scene"]["hill.jpg"], [1, 1.5])


def test_load_features_of_some_photographs(folder):
    assert store.load_index(folder) == {"sea.jpg": "d1", "hill.jpg": "d2"}
    features = store.load_features(folder, names=["hill.jpg"])
    assert list(features["scene"]) == ["hill.jpg"]
    np.testing.assert_array_equal(features["scene"]["hill.jpg"], [1, 1.5])


def test_load_features_of_a_view(folder):
    features = store.load_features(str(folder), view=1)
    np.testing.assert_array_equal(features["object"]["sea.jpg"], [6, 7, 8])
    np.testing.assert_array_equal(features["scene"]["hill.jpg"], [3, 3.5])
    with pytest.raises(KeyError, match="2 of 2 photographs.* --num-crops"):
        store.load_features(folder, view=2)


def test_load_features_adds_the_sentiment(folder):
    expert = experts.SentimentExpert(3, 2, hidden_dim=5, num_words=4)
    (folder / "sentiment").mkdir()
    expert.save(folder / "sentiment" / "sentiment.keras")
    features = store.load_features(folder)
    inputs = {
        "object": np.array([[3.0, 4.0, 5.0], [0.0, 1.0, 2.0]]),
        "scene": np.array([[0.0, 0.5], [1.0, 1.5]]),
    }
    expected = np.asarray(expert(inputs)["sentiment"])
    assert np.abs(expected[0] - expected[1]).max() > 0.01
    assert list(features) == ["object", "scene", "sentiment"]
    np.testing.assert_allclose(
        [features["sentiment"][name] for name in ("sea.jpg", "hill.jpg")],
        expected,
        rtol=1e-5,
        atol=1e-6,
    )


def test_files_for_the_lineage(folder):
    names = ["index.json", "experts.json"]
    assert store.feature_files(folder) == [folder / name for name in names]
    (folder / "sentiment").mkdir()
    sentiment = folder / "sentiment" / "sentiment.keras"
    sentiment.write_bytes(b"")
    assert store.feature_files(str(folder)) == [
        *(folder / name for name in names),
        sentiment,
    ]
    assert store.feature_files(folder / "nowhere") == []


def test_folder_without_features(tmp_path):
    with pytest.raises(FileNotFoundError, match="no index.json; run recipes/"):
        store.load_features(tmp_path / "nowhere")
