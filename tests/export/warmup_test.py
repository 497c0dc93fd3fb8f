import functools
import io

import pytest
import tensorflow as tf
from PIL import Image

from tests import tiny
from visualpoet.export import meta_graph
from visualpoet.export import samples
from visualpoet.export import warmup

pytest.importorskip("tensorflow_serving")


@functools.cache
def signatures():
    graph = meta_graph.read_meta_graph(tiny.exported())
    return meta_graph.describe_signatures(graph)


def test_one_request_for_each_signature_and_batch_size():
    requests = warmup.read_warmup(tiny.exported())
    found = [
        (request.model_spec.signature_name, rows.dim[0].size)
        for request in requests
        for rows in [next(iter(request.inputs.values())).tensor_shape]
    ]
    assert found == [
        (name, size) for name in signatures() for size in (1, 2, 4, 8)
    ]
    assert {request.model_spec.name for request in requests} == {"tiny"}


def test_requests_have_all_inputs_of_their_signature():
    for request in warmup.read_warmup(tiny.exported()):
        inputs = signatures()[request.model_spec.signature_name]["inputs"]
        assert request.inputs.keys() == inputs.keys()
        for name, spec in inputs.items():
            dtype = tf.as_dtype(request.inputs[name].dtype).name
            assert dtype == spec["dtype"]


def test_requests_have_jpeg_and_png():
    request = warmup.read_warmup(tiny.exported())[-1]
    contents = tf.make_ndarray(request.inputs["image_bytes"])
    formats = {Image.open(io.BytesIO(c)).format for c in contents}
    assert formats == {"JPEG", "PNG"}


def test_no_warmup(tmp_path):
    with pytest.raises(FileNotFoundError, match="tf_serving_warmup_requests"):
        warmup.read_warmup(tmp_path)


def test_other_logs_are_refused(tmp_path):
    from tensorflow_serving.apis import prediction_log_pb2

    (tmp_path / "assets.extra").mkdir()
    log = prediction_log_pb2.PredictionLog()
    log.classify_log.request.model_spec.name = "tiny"
    with tf.io.TFRecordWriter(str(tmp_path / warmup.WARMUP_FILE)) as writer:
        writer.write(log.SerializeToString())
    with pytest.raises(ValueError, match="expected predictions"):
        warmup.read_warmup(tmp_path)


# --- samples


def test_sample_inputs_have_rows_and_types():
    inputs = signatures()["next_line"]["inputs"]
    sample = samples.sample_inputs(tiny.exported(), inputs, 3)
    assert sample.keys() == inputs.keys()
    assert {name: value.shape for name, value in sample.items()} == {
        name: (3, *spec["shape"][1:]) for name, spec in inputs.items()
    }
    assert sample["seed"].tolist() == [0, 1, 2]
    assert sample["temperature"].tolist() == pytest.approx([0.8] * 3)


def test_unknown_input_is_named():
    inputs = {"tune": {"dtype": "string", "shape": [None]}}
    with pytest.raises(ValueError, match=r"Received: \['tune'\]"):
        samples.sample_inputs(tiny.exported(), inputs, 1)


@pytest.mark.parametrize(
    ("file_format", "mode"), [("JPEG", "RGB"), ("PNG", "RGBA"), ("JPEG", "L")]
)
def test_pictures(file_format, mode):
    content = samples.make_picture(file_format, mode, (30, 20))
    picture = Image.open(io.BytesIO(content))
    assert (picture.format, picture.mode) == (file_format, mode)
    assert picture.size == (30, 20)
