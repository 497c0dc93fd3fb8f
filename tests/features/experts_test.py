import gc
import http.server
import shutil
import sys
import tarfile
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from visualpoet.features import experts


class _TinyExpert(tf.Module):
    """Mean colour times [[1, 2], [10, 20], [100, 200]]."""

    def __init__(self):
        super().__init__()
        self.weights = tf.Variable([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]])

    @tf.function(
        input_signature=[tf.TensorSpec([None, 224, 224, 3], tf.float32)]
    )
    def __call__(self, pictures):
        return tf.reduce_mean(pictures, [1, 2]) @ self.weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("experts") / "tiny"
    tf.saved_model.save(_TinyExpert(), str(path))
    return path


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serves `tmp_path/public`; yields its address and what was asked for."""
    public = tmp_path / "public"
    public.mkdir()
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(public), **kwargs)

        def log_message(self, *args):
            requests.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=[0.01]).start()
        yield f"http://127.0.0.1:{httpd.server_port}", public, requests
        httpd.shutdown()
    # Now, so that a connection left open is reported here.
    gc.collect()


def _pictures(batch_size):
    colours = np.array([[1.0, 0.5, 0.0], [0.0, 0.25, 1.0]])[:batch_size]
    return tf.constant(
        np.broadcast_to(colours[:, None, None], [batch_size, 224, 224, 3]),
        tf.float32,
    )


FEATURES = [[6.0, 12.0], [102.5, 205.0]]


def test_expert_from_a_folder(folder):
    expert = experts.load_expert(str(folder))
    np.testing.assert_allclose(expert(_pictures(2)), FEATURES, rtol=1e-4)
    np.testing.assert_allclose(expert(_pictures(1)), FEATURES[:1], rtol=1e-4)


def test_expert_from_an_archive_at_an_address(folder, server):
    address, public, requests = server
    with tarfile.open(public / "expert.tar.gz", "w:gz") as archive:
        archive.add(folder, ".")
    expert = experts.load_expert(f"{address}/expert.tar.gz")
    np.testing.assert_allclose(expert(_pictures(2)), FEATURES, rtol=1e-4)
    assert requests == ["/expert.tar.gz?tf-hub-format=compressed"]
    # The second time it comes from the cache.
    experts.load_expert(f"{address}/expert.tar.gz")
    assert len(requests) == 1


def test_address_without_an_expert(server):
    address, _, requests = server
    handle = f"{address}/nothing.tar.gz"
    with pytest.raises(ValueError, match="404") as error:
        experts.load_expert(handle)
    assert f"Received: {handle!r}" in str(error.value)
    assert requests
    error.value.__cause__.close()


@pytest.mark.parametrize("name", ["nowhere", "empty", "file.tar.gz"])
def test_handle_that_is_no_expert(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.tar.gz").write_bytes(b"x")
    handle = str(tmp_path / name)
    with pytest.raises(ValueError, match="expected an expert handle") as error:
        experts.load_expert(handle)
    assert f"Received: {handle!r}" in str(error.value)


def test_without_tensorflow_hub_its_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    with pytest.raises(ModuleNotFoundError, match=r"visualpoet\[train\]"):
        experts.load_expert(str(tmp_path))


# --- digests


def test_digest_of_a_folder_is_that_of_its_content(tmp_path):
    (tmp_path / "one" / "variables").mkdir(parents=True)
    (tmp_path / "one" / "a.pb").write_bytes(b"ab")
    (tmp_path / "one" / "variables" / "b").write_bytes(b"c")
    # SHA-256 of "abc" begins like this.
    assert experts.expert_digest(str(tmp_path / "one")) == "ba7816bf8f01cfea"


def test_digest_follows_the_content_not_the_place(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    digest = experts.expert_digest(str(folder))
    assert experts.expert_digest(str(copy)) == digest
    with (copy / "saved_model.pb").open("ab") as stream:
        stream.write(b"x")
    assert experts.expert_digest(str(copy)) != digest


def test_digest_of_a_file_and_of_an_address(tmp_path):
    path = tmp_path / "expert"
    path.write_bytes(b"abc")
    assert experts.expert_digest(str(path)) == "ba7816bf8f01cfea"
    assert (
        experts.expert_digest("https://example.org/expert/1")
        == "8485d353305b6aa1"
    )


# --- the sentiment expert


@pytest.fixture
def sentiment_expert():
    model = experts.SentimentExpert(3, 2, hidden_dim=5, num_words=4)
    for index, variable in enumerate(model.trainable_variables):
        values = np.arange(np.prod(variable.shape)).reshape(variable.shape)
        variable.assign(0.1 * (values % 7) - 0.2 + 0.05 * index)
    return model


INPUTS = {
    "object": np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]], np.float32),
    "scene": np.array([[2.0, 1.0], [-1.0, 0.5]], np.float32),
}


def test_sentiment_expert_shapes(sentiment_expert):
    outputs = sentiment_expert(INPUTS)
    assert {name: value.shape for name, value in outputs.items()} == {
        "sentiment": (2, 5),
        "logits": (2, 4),
    }


def test_sentiment_features_are_the_layer_before_the_words(sentiment_expert):
    outputs = sentiment_expert(INPUTS)
    features = np.asarray(outputs["sentiment"])
    assert features.min() == 0.0
    assert features.max() > 0.0
    words = sentiment_expert.get_layer("words")
    kernel, bias = (np.asarray(weight) for weight in words.get_weights())
    np.testing.assert_allclose(
        outputs["logits"], features @ kernel + bias, rtol=1e-5
    )


def test_both_inputs_reach_the_sentiment(sentiment_expert):
    before = np.asarray(sentiment_expert(INPUTS)["logits"])
    for name, values in INPUTS.items():
        changed = {**INPUTS, name: values + 1.0}
        after = np.asarray(sentiment_expert(changed)["logits"])
        assert np.abs(after - before).min(axis=1).max() > 0.01


def test_sentiment_expert_round_trip(sentiment_expert, tmp_path):
    path = tmp_path / "sentiment.keras"
    sentiment_expert.save(path)
    loaded = keras.saving.load_model(path)
    assert isinstance(loaded, experts.SentimentExpert)
    assert loaded.get_config() == {
        "object_dim": 3,
        "scene_dim": 2,
        "hidden_dim": 5,
        "num_words": 4,
    }
    for name, value in sentiment_expert(INPUTS).items():
        np.testing.assert_array_equal(loaded(INPUTS)[name], value)


def test_concatenate_features_keeps_the_order_of_the_paper():
    features = {
        "sentiment": np.array([[5.0], [50.0]]),
        "object": np.array([[1.0, 2.0], [10.0, 20.0]]),
        "scene": np.array([[3.0, 4.0], [30.0, 40.0]]),
    }
    np.testing.assert_array_equal(
        experts.concatenate_features(features),
        [[1, 2, 3, 4, 5], [10, 20, 30, 40, 50]],
    )


def test_ensemble_answers_as_the_three_experts(folder):
    sentiment_expert = experts.SentimentExpert(2, 2, hidden_dim=5, num_words=4)
    handles = {"object": str(folder), "scene": str(folder)}
    ensemble = experts.ExpertEnsemble(handles, sentiment_expert)
    outputs = ensemble(_pictures(2) * 255.0)
    assert list(outputs) == ["object", "scene", "sentiment"]
    np.testing.assert_allclose(outputs["object"], FEATURES, rtol=1e-4)
    np.testing.assert_allclose(outputs["scene"], FEATURES, rtol=1e-4)
    features = np.array(FEATURES, np.float32)
    expected = sentiment_expert({"object": features, "scene": features})
    assert np.abs(np.asarray(expected["sentiment"])).max() > 1.0
    np.testing.assert_allclose(
        outputs["sentiment"], expected["sentiment"], rtol=1e-3, atol=1e-3
    )
