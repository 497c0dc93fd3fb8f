"""The tensors of `Predict`, read and written by TensorFlow Serving's rules."""

import math
from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from visualpoet.serve import errors
from visualpoet.serve.json_values import MAX_VALUES
from visualpoet.serve.servable import Signature

_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int32: "int_val",
    tf.int64: "int64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}


def read_inputs(
    signature: Signature, request: predict_pb2.PredictRequest, max_bytes: int
) -> dict[str, np.ndarray]:
    """Reads the inputs of a request.

    Args:
        signature: What is to run.
        request: The request.
        max_bytes: Of an input once it is spelt out.

    Returns:
        An array for each input.

    Raises:
        ServeError: INVALID_ARGUMENT, in TensorFlow Serving's words.
    """
    given, known = set(request.inputs), set(signature.inputs)
    if len(given) != len(known):
        raise errors.invalid(
            "input size does not match signature: "
            f"{len(given)}!={len(known)} len({_braces(given)}) != "
            f"len({_braces(known)}). Sent extra: {_braces(given - known)}. "
            f"Missing but required: {_braces(known - given)}."
        )
    for name in sorted(given - known):
        raise errors.invalid(
            f"input tensor alias not found in signature: {name}. Inputs "
            f"expected to be in the set {_braces(known)}."
        )
    return {
        name: _read_tensor(name, tensor, max_bytes)
        for name, tensor in request.inputs.items()
    }


def _braces(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _read_tensor(
    name: str, tensor: tensor_pb2.TensorProto, max_bytes: int
) -> np.ndarray:
    sizes = [dim.size for dim in tensor.tensor_shape.dim]
    # One value may stand for as many as the shape says.
    if tensor.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
        raise errors.invalid(f"tensor parsing error: {name}")
    if math.prod(sizes) > MAX_VALUES or len(sizes) > 32:
        raise errors.invalid(
            f"expected at most {MAX_VALUES} values of {name}. Received: "
            f"{sizes[:32]}"
        )
    if _repeated_bytes(tensor, math.prod(sizes)) > max_bytes:
        raise errors.invalid(
            f"expected at most {max_bytes} bytes of {name}. Received: one "
            f"text that is to be repeated for shape {sizes}. Send fewer rows"
        )
    try:
        array = tf.make_ndarray(tensor)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise errors.invalid(f"tensor parsing error: {name}") from error
    if array.shape != tuple(sizes):
        raise errors.invalid(f"tensor parsing error: {name}")
    if array.dtype == object and not tensor.string_val:
        array.fill(b"")  # missing texts are empty ones; NumPy's are no bytes
    return array


def _repeated_bytes(tensor: tensor_pb2.TensorProto, number: int) -> int:
    """Of `number` texts, if the last that is given stands for others too."""
    texts = tensor.string_val
    return len(texts[-1]) * number if 0 < len(texts) < number else 0


def choose_outputs(
    signature: Signature, request: predict_pb2.PredictRequest
) -> tuple[str, ...]:
    """Chooses the outputs that a request asks for.

    Args:
        signature: What is to run.
        request: The request.

    Returns:
        Their names; all of them if it names none.

    Raises:
        ServeError: INVALID_ARGUMENT, in TensorFlow Serving's words.
    """
    wanted = tuple(request.output_filter)
    for name in wanted:
        if name not in signature.outputs:
            raise errors.invalid(
                f"output tensor alias not found in signature: {name} Outputs "
                f"expected to be in the set {_braces(signature.outputs)}."
            )
        if wanted.count(name) > 1:
            raise errors.invalid(f"duplicate output tensor alias: {name}")
    return wanted or signature.outputs


def write_tensor(array: np.ndarray) -> tensor_pb2.TensorProto:
    """Writes an output as the stock server does: in fields, not as bytes.

    Args:
        array: The output.

    Returns:
        The message.
    """
    dtype = tf.as_dtype(array.dtype)
    if dtype not in _FIELDS:
        return tf.make_tensor_proto(array)
    return tensor_pb2.TensorProto(
        dtype=dtype.as_datatype_enum,
        tensor_shape=tf.TensorShape(array.shape).as_proto(),
        **{_FIELDS[dtype]: array.reshape(-1).tolist()},
    )
