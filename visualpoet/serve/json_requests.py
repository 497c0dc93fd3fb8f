"""TensorFlow Serving's JSON requests, read by its rules."""

import json
import math
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from visualpoet.serve import errors
from visualpoet.serve.json_values import MAX_VALUES
from visualpoet.serve.json_values import is_base64
from visualpoet.serve.json_values import read_array
from visualpoet.serve.json_words import debug
from visualpoet.serve.json_words import format_error
from visualpoet.serve.servable import Signature

Inputs = Mapping[str, tf.TensorSpec]
Columns = dict[str, list[np.ndarray]]

_MAX_TOKENS = 2 * MAX_VALUES  # each value may stand in a list of its own
_PARSE_ERRORS = {
    "Expecting value": "Invalid value.",
    "Expecting property name enclosed in double quotes": (
        "Missing a name for object member."
    ),
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Unterminated string starting at": (
        "Missing a closing quotation mark in string."
    ),
    "Invalid \\escape": "Invalid escape character in string.",
    "Expecting ',' delimiter": "Missing a comma or a closing bracket.",
}
# The end of a string is optional, so that no start is tried twice.
_STRING_OR_INF = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|\bInf\b', re.DOTALL)


def parse(body: bytes) -> dict[str, Any]:
    """Reads a JSON object; what follows it is ignored.

    Of two members of one name the first counts; `Inf` is a number, and one
    that no double can hold is none.

    Args:
        body: UTF-8.

    Returns:
        The object.

    Raises:
        ServeError: INVALID_ARGUMENT.
    """
    if not body:
        raise errors.invalid("JSON Parse error: The document is empty")
    # To make millions of lists takes seconds in which no one else is answered.
    tokens = sum(map(body.count, (b",", b"[", b"{")))
    if tokens > _MAX_TOKENS:
        raise errors.invalid(
            f"expected JSON of at most {_MAX_TOKENS} commas, lists and "
            f"objects. Received: {tokens}. Send fewer values"
        )
    # Nor more strings than there can be names and values.
    marks = body.count(b'"') - body.count(b'\\"')
    if marks > 4 * (tokens + 1):
        raise errors.invalid(
            "JSON Parse error: Missing a comma or a closing bracket."
        )
    try:
        text = body.decode("utf-8-sig").lstrip(" \t\r\n")
        document, _ = json.JSONDecoder(
            object_pairs_hook=_take_first, parse_float=_read_float
        ).raw_decode(_spell_out_infinity(text))
    except json.JSONDecodeError as error:
        said = _PARSE_ERRORS.get(error.msg, error.msg)
        raise errors.invalid(
            f"JSON Parse error: {said} at offset: {error.pos}"
        ) from error
    except RecursionError as error:
        raise errors.invalid("JSON Parse error: nested too deep") from error
    except ValueError as error:  # no UTF-8, or an integer of a thousand digits
        raise errors.invalid(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise format_error(document, "Is not object")
    return document


def _take_first(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in members:
        found.setdefault(name, value)
    return found


def _read_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("Number too big to be stored in double.")
    return value


def _spell_out_infinity(text: str) -> str:
    if "Inf" not in text:
        return text
    pieces, end = [], 0
    for found in _STRING_OR_INF.finditer(text):
        if found[0] == "Inf":
            pieces += [text[end : found.start()], "Infinity"]
            end = found.end()
    return "".join([*pieces, text[end:]])


def read_predict(
    document: Mapping[str, Any],
    find_signature: Callable[[str], Signature],
    max_rows: int,
) -> tuple[Signature, dict[str, np.ndarray], bool]:
    """Reads the body of `:predict`.

    Args:
        document: The parsed body.
        find_signature: By name, empty for the default one.
        max_rows: Of the request.

    Returns:
        The signature, its inputs, and whether they came as rows.

    Raises:
        ServeError: INVALID_ARGUMENT, in TensorFlow Serving's words.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise format_error(
            document,
            "not formatted correctly. 'signature_name' key must be a string "
            "value.",
        )
    signature = find_signature(name)
    if not signature.inputs:
        raise errors.invalid(
            f"Failed to get input map for signature: {name or 'DEFAULT'}"
        )
    is_row, is_column = "instances" in document, "inputs" in document
    if is_row and is_column:
        raise format_error(
            document,
            "Not formatted correctly expecting only one of 'inputs' or "
            "'instances' keys to exist ",
        )
    if is_row:
        return signature, _read_rows(document, signature, max_rows), True
    if is_column:
        return signature, _read_columns(document["inputs"], signature), False
    raise errors.invalid("Missing 'inputs' or 'instances' key")


def _read_rows(
    document: Mapping[str, Any], signature: Signature, max_rows: int
) -> dict[str, np.ndarray]:
    instances, inputs = document["instances"], signature.inputs
    if not isinstance(instances, list):
        raise format_error(
            document, "Expecting 'instances' to be an list/array"
        )
    if not instances:
        raise format_error(document, "No values in 'instances' array")
    if len(instances) > max_rows:
        raise errors.invalid(
            f"expected at most {max_rows} instances. Received: {len(instances)}"
        )
    if not _is_named(instances[0]) and len(inputs) > 1:
        raise errors.invalid(
            "instances is a plain list, but expecting list of objects as "
            "multiple input tensors required as per tensorinfo_map"
        )
    columns: dict[str, list[np.ndarray]] = {}
    if _is_named(instances[0]):
        for number, instance in enumerate(instances):
            _add_named(number, instance, inputs, columns)
    else:
        for number, instance in enumerate(instances):
            _add_plain(number, instance, inputs, columns)
    return {name: np.stack(rows) for name, rows in columns.items()}


def _add_named(
    number: int, instance: Any, inputs: Inputs, columns: Columns
) -> None:
    if not _is_named(instance):
        raise errors.invalid(
            f"Expecting object but got list at item {number} of input list"
        )
    for name, value in instance.items():
        try:
            _add(name, value, inputs, columns)
        except errors.ServeError as error:
            raise errors.invalid(
                f"Failed to process element: {number} key: {name} of "
                f"'instances' list. Error: {error.code.name}: {error.message}"
            ) from error
    if instance.keys() != inputs.keys():
        raise errors.invalid(
            f"Failed to process element: {number} of 'instances' list. JSON "
            f"object: {debug(instance)} keys must be equal to: "
            f"{','.join(inputs)}"
        )


def _add_plain(
    number: int, instance: Any, inputs: Inputs, columns: Columns
) -> None:
    if _is_named(instance):
        raise errors.invalid(
            f"Expecting value/list but got object at item {number} of input "
            "list"
        )
    try:
        _add(next(iter(inputs)), instance, inputs, columns)
    except errors.ServeError as error:
        raise errors.invalid(
            f"Failed to process element: {number} of 'instances' list. Error: "
            f"{error.code.name}: {error.message}"
        ) from error


def _add(name: str, value: Any, inputs: Inputs, columns: Columns) -> None:
    if name not in inputs:
        raise errors.invalid(f"JSON object: does not have named input: {name}")
    array = read_array(value, inputs[name].dtype)
    rows = columns.setdefault(name, [])
    if rows and rows[0].size != array.size:
        raise errors.invalid(
            f"Expecting tensor size: {rows[0].size} but got: {array.size}"
        )
    if rows and rows[0].shape != array.shape:
        raise errors.invalid(
            f"Expecting shape {_shape_text(rows[0])} but got: "
            f"{_shape_text(array)}"
        )
    rows.append(array)


def _shape_text(array: np.ndarray) -> str:
    return f"[{','.join(map(str, array.shape))}]"


def _read_columns(value: Any, signature: Signature) -> dict[str, np.ndarray]:
    inputs = signature.inputs
    if not _is_named(value):
        if len(inputs) > 1:
            raise errors.invalid(
                "inputs is a plain value/list, but expecting an object as "
                "multiple input tensors required as per tensorinfo_map"
            )
        (spec,) = inputs.values()
        return {spec.name: read_array(value, spec.dtype)}
    arrays = {}
    for name, spec in inputs.items():
        if name not in value:
            raise errors.invalid(
                f"Missing named input: {name} in 'inputs' object."
            )
        arrays[name] = read_array(value[name], spec.dtype)
    return arrays


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)
