"""JSON values as arrays, by TensorFlow Serving's rules."""

import base64
import binascii
import math
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from visualpoet.export.meta_graph import REST_DTYPES
from visualpoet.serve import errors
from visualpoet.serve.json_words import debug
from visualpoet.serve.json_words import dtype_name
from visualpoet.serve.json_words import type_error

MAX_VALUES = 2**20
_INTEGERS = {
    tf.int8: (-(2**31), 2**31),
    tf.int16: (-(2**31), 2**31),
    tf.int32: (-(2**31), 2**31),
    tf.uint8: (-(2**31), 2**31),
    tf.int64: (-(2**63), 2**63),
    tf.uint32: (0, 2**32),
    tf.uint64: (0, 2**64),
}


def is_base64(value: Any) -> bool:
    """Returns whether a value is bytes, spelt in base64.

    Args:
        value: Of any type.
    """
    return (
        isinstance(value, dict)
        and list(value) == ["b64"]
        and isinstance(value["b64"], str)
    )


def read_array(value: Any, dtype: tf.DType) -> np.ndarray:
    """Reads a JSON value, of lists of equal length at each level.

    Args:
        value: The value.
        dtype: What it is to be.

    Returns:
        The array.

    Raises:
        ServeError: INVALID_ARGUMENT, in TensorFlow Serving's words, or
            UNIMPLEMENTED for a dtype that JSON cannot spell.
    """
    shape, first = [], value
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None
    if math.prod(shape) > MAX_VALUES or len(shape) > 32:
        raise errors.invalid(
            f"expected at most {MAX_VALUES} values. Received: {shape}"
        )
    flat: list[Any] = []
    _fill(value, 0, shape, dtype, flat)
    kind = object if dtype == tf.string else dtype.as_numpy_dtype
    array = np.empty(len(flat), kind)
    with np.errstate(over="ignore"):
        # Over 64 bits, as TensorFlow narrows int8 and int16.
        wide = np.int64 if dtype in (tf.int8, tf.int16, tf.uint8) else kind
        array[:] = np.array(flat, wide)
    return array.reshape(shape)


def _fill(
    value: Any, level: int, shape: Sequence[int], dtype: tf.DType, flat: list
) -> None:
    if not isinstance(value, list):
        if level != len(shape):
            raise errors.invalid(
                f"JSON Value: {debug(value)} found at incorrect level: "
                f"{level + 1} in the JSON DOM. Expected at level: {len(shape)}"
            )
        flat.append(_read_value(value, dtype))
        return
    if level >= len(shape):
        raise errors.invalid(
            f"Encountered list at unexpected level: {level} expected < "
            f"{len(shape)}"
        )
    if len(value) != shape[level]:
        raise errors.invalid(
            f"Encountered list at unexpected size: {len(value)} at level: "
            f"{level} expected size: {shape[level]}"
        )
    for item in value:
        _fill(item, level + 1, shape, dtype, flat)


def _read_value(value: Any, dtype: tf.DType) -> Any:
    if isinstance(value, dict):
        if dtype != tf.string:
            raise type_error(value, dtype)
        return _decode_base64(value)
    kind = type(value)
    if dtype == tf.string and kind is str:
        try:
            return value.encode()
        except UnicodeEncodeError as error:
            raise errors.invalid(
                "JSON Parse error: The surrogate pair in string is invalid."
            ) from error
    if dtype in (tf.float32, tf.float64) and kind in (int, float):
        try:
            return float(value)
        except OverflowError as error:
            raise type_error(value, dtype) from error
    if dtype in _INTEGERS and kind is int:
        low, high = _INTEGERS[dtype]
        if low <= value < high:
            return value
    if dtype == tf.bool and kind is bool:
        return value
    if dtype.name not in REST_DTYPES:
        raise errors.ServeError(
            "UNIMPLEMENTED",
            f"Conversion of JSON Value: {debug(value)} to type: "
            f"{dtype_name(dtype)}",
        )
    raise type_error(value, dtype)


def _decode_base64(value: Mapping[str, Any]) -> bytes:
    if not is_base64(value):
        raise errors.invalid(
            f"JSON Value: {debug(value)} not formatted correctly for base64 "
            "data"
        )
    given = "".join(value["b64"].split())
    text = given.rstrip("=")
    padding = "=" * (-len(text) % 4)
    try:
        if given not in (text, text + padding):
            raise ValueError("padding of another length")
        return base64.b64decode(text + padding, validate=True)
    except (binascii.Error, ValueError) as error:
        raise errors.invalid("Unable to base64 decode") from error
