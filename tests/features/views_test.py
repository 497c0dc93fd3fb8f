import json

import numpy as np
import pytest

from tests import tiny
from visualpoet.features import experts
from visualpoet.features import images
from visualpoet.features import store
from visualpoet.features import views
from visualpoet.features.store import FeatureStore

NAMES = ["sea.jpg", "hill.jpg", "pool.jpg"]
DIGESTS = {"sea.jpg": "d1", "hill.jpg": "d2", "pool.jpg": "d1"}


@pytest.fixture
def features_dir(tmp_path):
    """Features of two views of two pictures, one of which has two names."""
    folder = tmp_path / "features"
    keys = ["d1", "d2", "d1-1", "d2-1"]
    rng = np.random.default_rng(0)
    for digest, width in (("e1", 3), ("e2", 2)):
        held = FeatureStore(folder / "store", digest)
        rows = rng.normal(size=[4, width])
        held.add(keys[:3], rows[:3])
        held.add(keys[3:], rows[3:])
    (folder / "index.json").write_text(json.dumps(DIGESTS))
    digests = {"digests": {"object": "e1", "scene": "e2"}}
    (folder / "experts.json").write_text(json.dumps(digests))
    expert = experts.SentimentExpert(3, 2, hidden_dim=5, num_words=4)
    (folder / "sentiment").mkdir()
    expert.save(folder / experts.SENTIMENT_FILE)
    return folder


@pytest.fixture
def sources(tmp_path):
    """Two folders, in another order than the names; both have the hill."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (first / "hill.jpg").write_bytes(tiny.photograph("forest"))
    (first / "other.jpg").write_bytes(b"not wanted")
    (first / "sea.jpg").write_bytes(tiny.photograph("sea"))
    (second / "hill.jpg").write_bytes(tiny.photograph("mountain"))
    (second / "pool.jpg").write_bytes(tiny.photograph("sea"))
    return [first, second]


def write(folder, sources, features_dir):
    return views.write_views(
        folder, sources, features_dir, names=NAMES, views=[0, 1], size=6
    )


def test_views_of_photographs(sources, features_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(views, "BLOCK", 4)
    load, loaded = np.load, []

    def watched(path, **options):
        loaded.append(path)
        return load(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(np, "load", watched)
        found = write(tmp_path / "views", sources, features_dir)
    shards = [path for path in loaded if path.suffix == ".npz"]
    assert len(shards) == len(set(shards)) == 4

    pictures = [tiny.photograph(k) for k in ("sea", "mountain", "sea")]
    rows = [(view, row) for view in range(2) for row in range(3)]
    assert found.pixels.dtype == np.uint8
    np.testing.assert_array_equal(
        found.pixels,
        [
            np.round(images.load_view(pictures[row], 6, view))
            for view, row in rows
        ],
    )
    expected = [store.load_features(features_dir, view) for view in range(2)]
    assert list(found.features) == ["object", "scene", "sentiment"]
    for name, values in found.features.items():
        assert values.dtype == np.float32
        np.testing.assert_allclose(
            values,
            [expected[view][name][NAMES[row]] for view, row in rows],
            atol=1e-6,
        )
    pixels, features = found.read(np.array([4, 0]))
    np.testing.assert_array_equal(pixels, found.pixels[[4, 0]])
    np.testing.assert_array_equal(
        features["scene"], found.features["scene"][[4, 0]]
    )
    assert [len(block) for block, _ in found.blocks()] == [4, 2]


def test_what_is_whole_is_not_written_again(sources, features_dir, tmp_path):
    folder = tmp_path / "views"
    whole = np.array(write(folder, sources, features_dir).pixels)
    (folder / "pixels.npy").rename(folder / "pixels.npy.x.partial")
    stamps = {path: path.stat().st_mtime_ns for path in folder.glob("*.npy")}
    assert len(stamps) == 3
    found = write(folder, sources, features_dir)
    np.testing.assert_array_equal(found.pixels, whole)
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert len(list(folder.iterdir())) == 4
    assert write(folder, [], features_dir).pixels.shape == (6, 6, 6, 3)


def test_standard_deviation_of_blocks(monkeypatch):
    monkeypatch.setattr(views, "BLOCK", 4)
    rows = np.random.default_rng(0).normal(1e4, [1e-3, 2.0, 0.0], [10, 3])
    found = views.standard_deviation(rows)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, rows.std(0), rtol=1e-6, atol=0)
