"""How TensorFlow Serving names JSON values that it will not take."""

import json
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from visualpoet.serve import errors

_DEBUG_LENGTH = 256


def type_error(value: Any, dtype: tf.DType) -> errors.ServeError:
    """Makes the error for a value of another type.

    Args:
        value: The value.
        dtype: What was expected.

    Returns:
        INVALID_ARGUMENT.
    """
    return errors.invalid(
        f"JSON Value: {debug(value)} Type: {_json_type(value)} is not of "
        f"expected type: {dtype_name(dtype)}"
    )


def format_error(value: Any, text: str) -> errors.ServeError:
    """Makes the error for a value of another form.

    Args:
        value: The value.
        text: What is wrong with it.

    Returns:
        INVALID_ARGUMENT.
    """
    return errors.invalid(f"JSON Value: {debug(value)} {text}")


def dtype_name(dtype: tf.DType) -> str:
    """Names a dtype as TensorFlow's C++ does, which says float and double.

    Args:
        dtype: The dtype.

    Returns:
        Its name.
    """
    return {"float32": "float", "float64": "double", "float16": "half"}.get(
        dtype.name, dtype.name
    )


def _json_type(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "Null", True: "True", False: "False"}[value]
    names: dict[type, str] = {dict: "Object", list: "Array", str: "String"}
    return names.get(type(value), "Number")


def debug(value: Any) -> str:
    """Shows a value as the stock server does.

    Args:
        value: The value.

    Returns:
        Indented JSON, cut off when it is long.
    """
    text = ""
    for piece in _debug_pieces(value, 1):
        if len(text) >= _DEBUG_LENGTH:
            break
        text += piece[:_DEBUG_LENGTH]
    return text


def _debug_pieces(value: Any, depth: int) -> Iterator[str]:
    indent = "\n" + "    " * depth
    if isinstance(value, dict) and value:
        for number, (key, item) in enumerate(value.items()):
            yield f"{',' if number else '{'}{indent}{json.dumps(key)}: "
            yield from _debug_pieces(item, depth + 1)
        yield indent[:-4] + "}"
    elif isinstance(value, list):
        yield "["
        for number, item in enumerate(value):
            yield ", " if number else ""
            yield from _debug_pieces(item, depth + 1)
        yield "]"
    elif isinstance(value, str):
        yield json.dumps(value[:_DEBUG_LENGTH], ensure_ascii=False)
    else:
        yield json.dumps(value)
