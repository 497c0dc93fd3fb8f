"""TensorFlow Serving's JSON replies."""

import base64
import json
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from visualpoet.export.meta_graph import REST_DTYPES
from visualpoet.serve import errors
from visualpoet.serve.json_words import dtype_name


def write_rows(outputs: Mapping[str, np.ndarray]) -> str:
    """Writes a reply in row form.

    Args:
        outputs: One array an output.

    Returns:
        JSON with `predictions`: objects, or bare values of a single output.

    Raises:
        ServeError: INVALID_ARGUMENT if outputs differ in their rows.
    """
    rows = None
    for name, array in outputs.items():
        if not array.ndim:
            raise errors.invalid(
                f"Tensor name: {name} has no shape information "
            )
        if rows is not None and len(array) != rows:
            raise errors.invalid(
                f"Tensor name: {name} has inconsistent batch size: "
                f"{len(array)} expecting: {rows}"
            )
        rows = len(array)
    columns = _to_json(outputs)
    if len(columns) == 1:
        (values,) = columns.values()
        return json.dumps({"predictions": values})
    predictions = [
        dict(zip(columns, row)) for row in zip(*columns.values(), strict=True)
    ]
    return json.dumps({"predictions": predictions})


def write_columns(outputs: Mapping[str, np.ndarray]) -> str:
    """Writes a reply in column form.

    Args:
        outputs: One array an output.

    Returns:
        JSON with `outputs`: an object, or the value of a single output.

    Raises:
        ServeError: INVALID_ARGUMENT if JSON has no word for a dtype.
    """
    columns = _to_json(outputs)
    if len(columns) == 1:
        (values,) = columns.values()
        return json.dumps({"outputs": values})
    return json.dumps({"outputs": columns})


def _to_json(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {name: _to_list(name, array) for name, array in outputs.items()}


def _to_list(name: str, array: np.ndarray) -> Any:
    dtype = tf.as_dtype(array.dtype)
    if dtype.name not in REST_DTYPES:
        raise errors.invalid(
            f"Failed to write JSON value for tensor type: {dtype_name(dtype)}"
        )
    write: Callable[[Any], Any]
    if dtype == tf.string:
        write = _write_bytes if name.endswith("_bytes") else _write_text
    elif dtype == tf.float32:
        write = _write_float
    else:
        return array.tolist()
    flat = np.empty(array.size, object)
    flat[:] = [write(value) for value in array.reshape(-1)]
    return flat.reshape(array.shape).tolist()


def _write_bytes(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _write_text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _write_float(value: np.float32) -> float:
    """Six digits if they say all, nine if not: no digits of noise."""
    short = float(f"{value:.6g}")
    with np.errstate(over="ignore"):
        return short if np.float32(short) == value else float(f"{value:.9g}")
