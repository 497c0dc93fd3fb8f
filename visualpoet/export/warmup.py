"""Requests that TensorFlow Serving runs before a version is available."""

import pathlib

import tensorflow as tf

from visualpoet import extras
from visualpoet.export import meta_graph
from visualpoet.export import samples

MAX_WARMUP = 1000  # requests that a server takes
WARMUP_FILE = pathlib.Path("assets.extra", "tf_serving_warmup_requests")


def write_warmup(
    folder: pathlib.Path, name: str, batch_sizes: tuple[int, ...]
) -> None:
    """Writes a request for each signature and batch size.

    Args:
        folder: The export.
        name: Name of the model, which the requests are for.
        batch_sizes: Rows.

    Raises:
        ModuleNotFoundError: If `tensorflow-serving-api` is not installed.
    """
    with extras.needs("serve"):
        from tensorflow_serving.apis import prediction_log_pb2

    signatures = meta_graph.describe_signatures(
        meta_graph.read_meta_graph(folder)
    )
    with tf.io.TFRecordWriter(str(folder / WARMUP_FILE)) as writer:
        for signature, tensors in signatures.items():
            for size in batch_sizes:
                log = prediction_log_pb2.PredictionLog()
                request = log.predict_log.request
                request.model_spec.name = name
                request.model_spec.signature_name = signature
                inputs = samples.sample_inputs(folder, tensors["inputs"], size)
                for key, value in inputs.items():
                    request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
                writer.write(log.SerializeToString())


def read_warmup(folder: pathlib.Path) -> list:
    """Reads the requests.

    Args:
        folder: The export.

    Returns:
        `PredictRequest` messages.

    Raises:
        FileNotFoundError: If the export has none.
        ValueError: If a record is no `PredictionLog` of a prediction.
        ModuleNotFoundError: If `tensorflow-serving-api` is not installed.
    """
    from google.protobuf.message import DecodeError

    with extras.needs("serve"):
        from tensorflow_serving.apis import prediction_log_pb2

    if not (folder / WARMUP_FILE).exists():
        raise FileNotFoundError(f"expected a file {WARMUP_FILE}")
    requests = []
    try:
        for record in tf.data.TFRecordDataset(str(folder / WARMUP_FILE)):
            log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
            requests.append(log.predict_log.request)
            if not log.HasField("predict_log"):
                raise ValueError("expected predictions. Received: another log")
    except (DecodeError, tf.errors.DataLossError) as error:
        raise ValueError(f"expected PredictionLog records: {error}") from error
    return requests
