import json

import numpy as np
import pytest

from visualpoet.features import experts
from visualpoet.features import store
from visualpoet.features.store import FeatureStore


class _Encoder:
    """Length and first byte of each photograph; remembers its calls."""

    def __init__(self):
        self.calls = []

    def __call__(self, photographs):
        self.calls.append(list(photographs))
        return np.array([[len(p), p[0], 0.5] for p in photographs])


def test_digests():
    # SHA-256 of "abc" begins like this.
    digest = store.image_digest(b"abc")
    assert digest == "ba7816bf8f01cfea414140de5dae2223"
    assert store.view_digest(digest, 0) == digest
    assert store.view_digest(digest, 3) == f"{digest}-3"


def test_encoder_sees_a_photograph_once(tmp_path):
    features, encoder = FeatureStore(tmp_path, "expert"), _Encoder()
    first = features.encode([b"a", b"bb"], encoder)
    second = features.encode([b"bb", b"ccc", b"a", b"ccc"], encoder)
    third = features.encode([b"a"], encoder)
    assert encoder.calls == [[b"a", b"bb"], [b"ccc"]]
    np.testing.assert_array_equal(first, [[1, 97, 0.5], [2, 98, 0.5]])
    np.testing.assert_array_equal(second[:, 0], [2, 3, 1, 3])
    np.testing.assert_array_equal(third, [[1, 97, 0.5]])
    assert len(features) == 3


def test_views_are_kept_apart(tmp_path):
    features, encoder = FeatureStore(tmp_path, "expert"), _Encoder()
    features.encode([b"a"], encoder)
    features.encode([b"a"], lambda photographs: np.full([1, 3], 7), view=2)
    digest = store.image_digest(b"a")
    assert digest in features
    assert f"{digest}-2" in features
    assert f"{digest}-1" not in features
    np.testing.assert_array_equal(
        features.get([f"{digest}-2", digest]), [[7, 7, 7], [1, 97, 0.5]]
    )


def test_shards_survive_reopening(tmp_path):
    FeatureStore(tmp_path, "expert").encode([b"a"], _Encoder())
    FeatureStore(tmp_path, "expert").encode([b"a", b"bb"], _Encoder())
    encoder = _Encoder()
    reopened = FeatureStore(tmp_path, "expert")
    np.testing.assert_array_equal(
        reopened.encode([b"bb", b"a"], encoder), [[2, 98, 0.5], [1, 97, 0.5]]
    )
    assert encoder.calls == []
    assert len(list((tmp_path / "expert").glob("*.npz"))) == 2


def test_experts_are_kept_apart(tmp_path):
    FeatureStore(tmp_path, "one").encode([b"a"], _Encoder())
    other = FeatureStore(tmp_path, "two")
    assert len(other) == 0
    with pytest.raises(KeyError, match="extract_features.py"):
        other.get([store.image_digest(b"a")])


def test_features_are_the_same_before_and_after_reopening(tmp_path):
    features = FeatureStore(tmp_path, "expert")
    features.add(["d"], np.array([[0.1, 1 / 3, 2049.0]]))
    # What half precision makes of them.
    expected = [[0.0999755859375, 0.333251953125, 2048.0]]
    reopened = FeatureStore(tmp_path, "expert")
    for received in (features.get(["d"]), reopened.get(["d"])):
        np.testing.assert_array_equal(received, expected)
        assert received.dtype == np.float32


def test_leftover_of_a_killed_write_is_ignored(tmp_path):
    FeatureStore(tmp_path, "expert").encode([b"a"], _Encoder())
    leftover = tmp_path / "expert" / "00000001.partial"
    leftover.write_bytes(b"half a shard")
    features, encoder = FeatureStore(tmp_path, "expert"), _Encoder()
    assert len(features) == 1
    features.encode([b"a", b"bb"], encoder)
    assert encoder.calls == [[b"bb"]]
    assert not leftover.exists()
    assert len(FeatureStore(tmp_path, "expert")) == 2


def test_failed_write_stores_nothing(tmp_path, monkeypatch):
    features = FeatureStore(tmp_path, "expert")
    features.encode([b"a"], _Encoder())

    def full_disk(stream, **arrays):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full_disk)
        with pytest.raises(OSError, match="No space left"):
            features.encode([b"bb"], _Encoder())
    assert store.image_digest(b"bb") not in features
    assert len(FeatureStore(tmp_path, "expert")) == 1


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
