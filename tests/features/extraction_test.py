import concurrent.futures
import json

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from visualpoet.features import experts
from visualpoet.features import extraction
from visualpoet.features import images
from visualpoet.features import store
from visualpoet.features.store import FeatureStore

DIGESTS = {"object": "e1", "scene": "e2"}


@pytest.fixture
def calls(monkeypatch):
    """Sizes of the batches that experts see, each photograph's mean colour."""
    sizes = []

    def load(handle):
        def encode(pixels):
            sizes.append(len(pixels))
            scale = {"o": 1.0, "s": 2.0}[handle]
            return scale * tf.reduce_mean(pixels, axis=[1, 2])

        return encode

    monkeypatch.setattr(extraction, "_load_once", load)
    monkeypatch.setattr(experts, "EXPERT_SIZE", 8)
    monkeypatch.setattr(extraction, "SHARD", 2)
    return sizes


@pytest.fixture
def sources(tmp_path):
    """Two folders; the first has three photographs and a broken one."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    for kind in ("forest", "meadow", "sea"):
        (first / f"{kind}.jpg").write_bytes(tiny.photograph(kind))
    (first / "torn.jpg").write_bytes(tiny.photograph("sea")[:300])
    (second / "sea.jpg").write_bytes(tiny.photograph("mountain"))
    return [first, second]


def extract(source, folder):
    return extraction.extract_features(
        source,
        folder=folder,
        handles={"object": "o", "scene": "s"},
        digests=DIGESTS,
        num_crops=1,
        batch_size=3,
    )


def extract_all(sources, folder):
    for source in sources:
        extract(source, folder)


def content(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_features_of_two_sources(calls, sources, tmp_path):
    folder = tmp_path / "features"
    assert extraction.find_missing(sources, folder) == sources
    first, second = (extract(source, folder) for source in sources)
    assert first == {"photographs": 3, "unreadable": 1}
    assert second == {"photographs": 1, "unreadable": 0}
    # Two photographs a shard, two views each, by two experts.
    assert calls == [3, 3, 1, 1, 2, 2, 2, 2]

    index, bad = extraction.join_parts(sources, folder)
    assert list(index) == ["forest.jpg", "meadow.jpg", "sea.jpg"]
    (line,) = bad
    assert line.startswith("torn.jpg: ")
    assert index["sea.jpg"] == store.image_digest(tiny.photograph("mountain"))

    (folder / "index.json").write_text(json.dumps(index))
    (folder / "experts.json").write_text(json.dumps({"digests": DIGESTS}))
    for view in range(2):
        features = store.load_features(folder, view)
        pixels = images.load_view(tiny.photograph("forest"), 8, view)
        expected = np.mean(pixels / 255.0, axis=(0, 1))
        for scale, name in ((1, "object"), (2, "scene")):
            np.testing.assert_allclose(
                features[name]["forest.jpg"], scale * expected, rtol=1e-3
            )


def test_what_is_there_is_not_encoded_again(calls, sources, tmp_path):
    folder = tmp_path / "features"
    extraction.find_missing(sources, folder)
    extract(sources[0], folder)
    # As if it had been killed in the second shard of the first expert.
    (part,) = (folder / extraction.PARTS).iterdir()
    part.unlink()
    names = [store.image_digest(tiny.photograph("sea"))]
    names += [store.view_digest(names[0], 1)]
    shards = FeatureStore(folder / "store", "e2")
    shards._shard(names).rename(folder / "store" / "e2" / "x.partial")
    calls.clear()
    assert extraction.find_missing(sources, folder) == sources
    extract(sources[0], folder)
    assert calls == [2, 2]
    assert shards.holds(names)
    assert extraction.find_missing(sources, folder) == [sources[1]]
    assert len(list((folder / "store").glob("*/*"))) == 4


def test_two_writers_at_once_write_what_one_does(calls, sources, tmp_path):
    """Each does all of the work, as a runner may have it, in another order."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        extraction.find_missing(sources, folder)
    for source in sources:
        extract(source, one)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        orders = (sources, sources[::-1])
        writers = [pool.submit(extract_all, order, two) for order in orders]
    assert [writer.result() for writer in writers] == [None, None]
    assert content(two) == content(one)
    assert extraction.join_parts(sources, two) == extraction.join_parts(
        sources, one
    )
