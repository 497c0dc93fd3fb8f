import json

import numpy as np
import pytest
import tensorflow as tf

from visualpoet.serve import errors
from visualpoet.serve import json_replies
from visualpoet.serve import json_requests
from visualpoet.serve.json_requests import parse


class Signature:
    """Has inputs and nothing else."""

    def __init__(self, **dtypes):
        self.inputs = {
            name: tf.TensorSpec(None, dtype, name)
            for name, dtype in sorted(dtypes.items())
        }


def read(value, dtype, key="instances"):
    signature = Signature(x=dtype)
    _, inputs, is_row = json_requests.read_predict(
        parse(json.dumps({key: value}).encode()), lambda name: signature, 100
    )
    assert is_row == (key == "instances")
    return inputs["x"]


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("float32", [1.5, -2, 0.1]),
        ("float64", [1e300, 2]),
        ("int8", [-128, 127]),
        ("int16", [-32768, 32767]),
        ("int32", [-(2**31), 2**31 - 1]),
        ("int64", [-(2**63), 2**63 - 1]),
        ("uint8", [0, 255]),
        ("uint32", [0, 2**32 - 1]),
        ("uint64", [0, 2**64 - 1]),
        ("bool", [True, False]),
    ],
)
@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_dtypes(dtype, value, key):
    array = read(value, dtype, key)
    assert array.dtype == dtype
    assert array.tolist() == np.array(value, dtype).tolist()


def test_strings_are_bytes():
    array = read(["é", {"b64": "AP8"}, {"b64": "A P\n8="}], "string")
    assert array.dtype == object
    assert array.tolist() == ["é".encode(), b"\x00\xff", b"\x00\xff"]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "uint16"])
def test_dtypes_that_json_cannot_send(dtype):
    with pytest.raises(errors.ServeError) as caught:
        read([1], dtype, "inputs")
    assert caught.value.http_status == 501
    name = {"float16": "half"}.get(dtype, dtype)
    assert (
        caught.value.message == f"Conversion of JSON Value: 1 to type: {name}"
    )


def test_tokens_that_are_no_numbers():
    text = b'{"instances": [NaN, Infinity, -Infinity]}'
    signature = Signature(x="float32")
    _, inputs, _ = json_requests.read_predict(
        parse(text), lambda name: signature, 100
    )
    np.testing.assert_array_equal(
        inputs["x"], np.array([np.nan, np.inf, -np.inf], np.float32)
    )


def test_float_beyond_32_bits_is_infinite():
    assert read([1e39], "float32").tolist() == [np.inf]


@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_shapes(key):
    value = [[[1, 2, 3]], [[4, 5, 6]]]
    assert read(value, "int32", key).tolist() == value
    assert read([[], []], "int32", key).shape == (2, 0)


def test_column_may_be_a_scalar_or_empty():
    assert read(7, "int32", "inputs").shape == ()
    assert read([], "int32", "inputs").shape == (0,)


def test_row_names_what_it_gives():
    signature = Signature(a="int32", b="string")
    rows = [{"a": [1, 2], "b": "x"}, {"b": "y", "a": [3, 4]}]
    _, inputs, _ = json_requests.read_predict(
        {"instances": rows}, lambda name: signature, 2
    )
    assert inputs["a"].tolist() == [[1, 2], [3, 4]]
    assert inputs["b"].tolist() == [b"x", b"y"]


def test_too_many_rows_or_values():
    with pytest.raises(errors.ServeError, match="at most 100 instances"):
        read([1] * 101, "int32")
    thousand = [[0] * 1025] * 1024
    with pytest.raises(errors.ServeError, match=r"Received: \[1024, 1025\]"):
        read(thousand, "int32", "inputs")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "The document is empty"),
        (b'{"a" 1}', "Missing a colon after a name of object member."),
        (b'{"a": "x', "Missing a closing quotation mark in string."),
        (b"{a: 1}", "Missing a name for object member. at offset: 1"),
        (b"\xff\xfe", "'utf-8' codec can't decode byte 0xff"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b"1" * 5000, "Exceeds the limit"),
    ],
)
def test_what_is_no_json(text, said):
    with pytest.raises(
        errors.ServeError, match="^JSON Parse error: "
    ) as caught:
        parse(text)
    assert caught.value.http_status == 400
    assert said in caught.value.message


@pytest.mark.parametrize("token", [b"[],", b"1,", b'{"a":'])
def test_too_many_tokens_are_not_decoded(token, monkeypatch):
    monkeypatch.setattr(json, "JSONDecoder", None)
    with pytest.raises(errors.ServeError) as caught:
        json_requests.parse(b'{"inputs": [' + token * (2**21 + 1))
    assert caught.value.code.name == "INVALID_ARGUMENT"
    assert caught.value.message.startswith(
        "expected JSON of at most 2097152 commas, lists and objects. Received: "
    )


def test_as_many_values_as_may_be():
    document = json_requests.parse(
        b'{"inputs": [' + b"1," * (2**20 - 1) + b"1]}"
    )
    assert len(document["inputs"]) == 2**20


def test_byte_order_mark_and_white_space():
    assert parse(b'\xef\xbb\xbf \n{"a": 1}') == {"a": 1}


def test_the_first_of_two_members_counts_and_order_stays():
    found = parse(b'{"b": 1, "a": {"c": 2, "c": 3}, "b": 4}')
    assert list(found.items()) == [("b", 1), ("a", {"c": 2})]


def test_words_for_what_is_no_finite_number():
    document = parse(rb'{"a": [Inf, -Inf, Infinity], "b": "Inf \" Inf"}')
    assert document == {"a": [np.inf, -np.inf, np.inf], "b": 'Inf " Inf'}
    for text in (b'{"a": Infi}', b'{"a": inf}', b'{"a": xInf}'):
        with pytest.raises(errors.ServeError, match="Invalid value"):
            parse(text)


def test_a_string_without_an_end_is_read_once():
    # Were each of its quotes tried as a start, this would take hours.
    with pytest.raises(errors.ServeError, match="closing quotation mark"):
        parse(b'{"a": Inf, "b": "' + rb"\"" * 5_000_000)


@pytest.mark.parametrize("text", [b"1e400", b"-1e400", b"9" * 400 + b".0"])
def test_numbers_that_no_double_can_hold(text):
    with pytest.raises(errors.ServeError) as caught:
        parse(b'{"a": ' + text + b"}")
    assert caught.value.message == (
        "JSON Parse error: Number too big to be stored in double."
    )


def test_half_a_surrogate_pair():
    document = parse(rb'{"inputs": "\ud800"}')
    signature = Signature(x="string")
    with pytest.raises(errors.ServeError, match="surrogate pair"):
        json_requests.read_predict(document, lambda name: signature, 1)


def test_long_values_are_cut_off_in_messages():
    with pytest.raises(errors.ServeError) as caught:
        read([{"x": "y" * 10_000}], "string", "inputs")
    assert len(caught.value.message) < 700
    with pytest.raises(errors.ServeError) as caught:
        parse(json.dumps([[0] * 10_000] * 3).encode())
    assert len(caught.value.message) < 700


# --- replies


def test_rows_of_one_and_of_many_outputs():
    a = np.array([[1, 2], [3, 4]])
    b = np.array([b"x", b"y"], object)
    assert json.loads(json_replies.write_rows({"a": a})) == {
        "predictions": [[1, 2], [3, 4]]
    }
    assert json.loads(json_replies.write_rows({"a": a, "b": b})) == {
        "predictions": [{"a": [1, 2], "b": "x"}, {"a": [3, 4], "b": "y"}]
    }


def test_columns_of_one_and_of_many_outputs():
    a, b = np.array([1, 2, 3]), np.array(True)
    assert json.loads(json_replies.write_columns({"a": a})) == {
        "outputs": [1, 2, 3]
    }
    assert json.loads(json_replies.write_columns({"a": a, "b": b})) == {
        "outputs": {"a": [1, 2, 3], "b": True}
    }


def test_outputs_named_bytes_are_base64():
    value = np.array([b"\x00\xff"], object)
    assert json.loads(json_replies.write_columns({"x_bytes": value})) == {
        "outputs": [{"b64": "AP8="}]
    }


def test_text_that_is_no_utf_8_is_json_still():
    text = json_replies.write_columns({"x": np.array([b"a\xff"], object)})
    assert json.loads(text) == {"outputs": ["a\ufffd"]}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.2, "0.2"),
        (1.0, "1.0"),
        (1 / 3, "0.333333343"),
        (16777216.0, "16777216.0"),
        (np.nan, "NaN"),
        (-np.inf, "-Infinity"),
        (3e38, "3e+38"),
    ],
)
def test_floats_without_digits_of_noise(value, text):
    array = np.array([value], np.float32)
    written = json_replies.write_columns({"x": array})
    assert written == f'{{"outputs": [{text}]}}'
    back = np.array(json.loads(written)["outputs"], np.float32)
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("dtype", ["float16", "uint16"])
def test_dtypes_that_json_has_no_word_for(dtype):
    with pytest.raises(errors.ServeError) as caught:
        json_replies.write_rows({"x": np.zeros(1, dtype)})
    assert caught.value.http_status == 400
    assert "Failed to write JSON value for tensor type: " in (
        caught.value.message
    )


def test_rows_need_rows():
    with pytest.raises(errors.ServeError) as caught:
        json_replies.write_rows({"x": np.array(1)})
    assert caught.value.message == "Tensor name: x has no shape information "
    with pytest.raises(errors.ServeError) as caught:
        json_replies.write_rows({"x": np.zeros(2), "y": np.zeros(3)})
    assert caught.value.message == (
        "Tensor name: y has inconsistent batch size: 3 expecting: 2"
    )
