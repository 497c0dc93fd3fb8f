"""What TensorFlow Serving answers, as facts of its documents and C++.

One list for `visualpoet serve` and for a real `tensorflow_model_server`. Both
serve the tiny poet as `tiny`, version 3, with the label `stable`.
"""

import base64
import dataclasses
import json
from collections.abc import Callable
from typing import Any

from tests import tiny

NAME, VERSION, LABEL = "tiny", 3, "stable"
MODEL = f"/v1/models/{NAME}"
PREDICT = f"{MODEL}:predict"
PICTURE = {"b64": base64.b64encode(tiny.photograph("sea")).decode()}
BROKEN = {"b64": base64.b64encode(tiny.photograph("sea")[:900]).decode()}
COMPOSE = {
    "image_bytes": PICTURE,
    "form": "verse",
    "seed": 1,
    "temperature": 0.8,
    "top_p": 0.95,
    "guidance": 1.5,
    "lines": 0,
    "num_candidates": 1,
    "banned": "",
}
SIGNATURES = {
    "serving_default",
    "compose",
    "compose_or_error",
    "continue_poem",
    "start_poem",
    "next_line",
    "embed_image",
    "embed_poem",
    "match",
    "__saved_model_init_op",
}
AVAILABLE = {
    "model_version_status": [
        {
            "version": "3",
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
    ]
}
ANY = object()  # a text of the graph, which both servers put differently


@dataclasses.dataclass(frozen=True)
class Case:
    """A request over REST and its reply.

    Attributes:
        body: Text, or a value to write as JSON.
        reply: The JSON, or whether it is as it should be.
        error: The text in the JSON.
    """

    name: str
    method: str
    path: str
    status: int
    body: Any = None
    reply: Any = None
    error: Any = None

    @property
    def content(self) -> bytes | None:
        if self.body is None:
            return None
        is_text = isinstance(self.body, str)
        return (self.body if is_text else json.dumps(self.body)).encode()

    def check(self, status: int, content_type: str, text: str) -> None:
        assert (status, content_type) == (self.status, "application/json"), text
        answer = json.loads(text)
        if self.error is ANY:
            assert list(answer) == ["error"] and answer["error"]
        elif self.error is not None:
            assert answer == {"error": self.error}
        elif callable(self.reply):
            assert self.reply(answer), answer
        else:
            assert answer == self.reply


def get(name, path, reply=None, error=None, status=200):
    return Case(name, "GET", path, status, reply=reply, error=error)


def post(name, body, reply=None, error=None, status=None, path=PREDICT):
    status = status or (200 if error is None else 400)
    return Case(name, "POST", path, status, body, reply, error)


def malformed(method, path):
    name = f"malformed {method} {path}"
    error = f"Malformed request: {method} {path}"
    return Case(name, method, path, 400, body="{}", error=error)


def is_metadata(answer) -> bool:
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    # A field of newer servers, empty here in all of them.
    default = {
        key: value
        for key, value in signatures["embed_image"].items()
        if key != "defaults"
    }
    return (
        answer["model_spec"]
        == {"name": NAME, "signature_name": "", "version": "3"}
        and signatures.keys() == SIGNATURES
        and default.keys() == {"inputs", "outputs", "method_name"}
        and default["method_name"] == "tensorflow/serving/predict"
        and default["inputs"]["image_bytes"]["dtype"] == "DT_STRING"
        and default["inputs"]["image_bytes"]["tensor_shape"]
        == {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
        and default["outputs"]["embedding"]["dtype"] == "DT_FLOAT"
        and default["outputs"]["embedding"]["tensor_shape"]["dim"]
        == [{"size": "-1", "name": ""}, {"size": "9", "name": ""}]
    )


def are_poems(number: int) -> Callable[[Any], bool]:
    keys = {"poem", "score", "fit", "fluency", "clue_share"}

    def check(answer):
        (rows,) = answer.values()
        return (
            list(answer) == ["predictions"]
            and len(rows) == number
            and all(row.keys() == keys for row in rows)
            and all("\n" in row["poem"] for row in rows)
            and all(isinstance(row["score"], float) for row in rows)
        )

    return check


def is_column(answer) -> bool:
    outputs = answer["outputs"]
    return (
        list(answer) == ["outputs"]
        and outputs.keys() == {"poem", "score", "fit", "fluency", "clue_share"}
        and len(outputs["poem"]) == len(outputs["fit"]) == 1
    )


def are_vectors(key: str, number: int) -> Callable[[Any], bool]:
    """A single output comes bare."""

    def check(answer):
        rows = answer[key]
        return len(rows) == number and all(len(row) == 9 for row in rows)

    return check


def is_composed(answer) -> bool:
    (row,) = answer["predictions"]
    return (
        len(row["clues"]) == 6
        and len(row["candidates"]) == len(row["candidate_fit"]) == 64
        and row["candidates"][0] == row["poem"]
        and set(row["candidates"][1:]) == {""}
    )


def embed(*poems, key="instances"):
    return {"signature_name": "embed_poem", key: list(poems)}


def compose(key="instances", **changes):
    row = {**COMPOSE, **changes}
    row = {name: value for name, value in row.items() if value is not ANY}
    if key == "inputs":
        row = {name: [value] for name, value in row.items()}
    return {
        "signature_name": "compose",
        key: row if key == "inputs" else [row],
    }


def refused(name, key, value, text):
    """A value of a wrong type in row form."""
    return post(
        f"{key}: {name}",
        compose(**{key: value}),
        error=f"Failed to process element: 0 key: {key} of 'instances' list. "
        f"Error: INVALID_ARGUMENT: {text}",
    )


ELEMENT = "Failed to process element: 0 of 'instances' list. Error: "
NO_LABEL = "Unrecognized servable version label: none"
KEYS = (
    "banned,form,guidance,image_bytes,lines,num_candidates,seed,temperature,"
    "top_p"
)

REST = [
    # --- status
    get("status", MODEL, AVAILABLE),
    get("status, other case", f"/V1/MODELS/{NAME}", AVAILABLE),
    get("status, version", f"{MODEL}/versions/3", AVAILABLE),
    get("status, label", f"{MODEL}/labels/{LABEL}", AVAILABLE),
    get("status, escaped name", "/v1/models/t%69ny", AVAILABLE),
    get(
        "status, no such version",
        f"{MODEL}/versions/4",
        error="Could not find version 4 of model tiny",
        status=404,
    ),
    get(
        "status, no such model",
        "/v1/models/other",
        error="Could not find any versions of model other",
        status=404,
    ),
    get(
        "status, name of other case",
        "/v1/models/TINY",
        error="Could not find any versions of model TINY",
        status=404,
    ),
    get(
        "status, no name",
        "/v1/models",
        error="Missing model name in request.",
        status=400,
    ),
    get(
        "status, version over 64 bits",
        f"{MODEL}/versions/18446744073709551615",
        error="Failed to convert version: 18446744073709551615 to numeric.",
        status=400,
    ),
    # --- metadata
    get("metadata", f"{MODEL}/metadata", is_metadata),
    get("metadata, version", f"{MODEL}/versions/3/metadata", is_metadata),
    get("metadata, label", f"{MODEL}/labels/{LABEL}/metadata", is_metadata),
    get("metadata, other case", f"/V1/MODELS/{NAME}/metadata", is_metadata),
    get(
        "metadata, no such version",
        f"{MODEL}/versions/9/metadata",
        error="Servable not found for request: Specific(tiny, 9)",
        status=404,
    ),
    get(
        "metadata, no such model",
        "/v1/models/other/metadata",
        error="Servable not found for request: Latest(other)",
        status=404,
    ),
    get(
        "metadata, no such label",
        f"{MODEL}/labels/none/metadata",
        error=NO_LABEL,
        status=400,
    ),
    # --- paths that are none
    malformed("GET", "/v1/foo"),
    malformed("GET", "/v1/models/"),
    malformed("GET", "/v1/models/debug/model_name"),
    malformed("GET", PREDICT),
    malformed("GET", f"{MODEL}/METADATA"),
    malformed("GET", f"{MODEL}/versions/x"),
    malformed("GET", f"{MODEL}/version/3"),
    malformed("POST", "/v1/foo"),
    malformed("POST", "/v1/models"),
    malformed("POST", MODEL),
    malformed("POST", f"{MODEL}/metadata"),
    malformed("POST", f"{MODEL}:generate"),
    malformed("POST", f"{MODEL}:Predict"),
    malformed("POST", f"{MODEL}:CLASSIFY"),
    malformed("POST", f"{MODEL}/versions/x:predict"),
    malformed("POST", f"{MODEL}/label/{LABEL}:predict"),
    malformed("POST", f"{MODEL}/versions/3/labels/{LABEL}:predict"),
    malformed("PUT", MODEL),
    malformed("DELETE", PREDICT),
    # --- which model
    post("row", {"instances": [PICTURE]}, are_poems(1)),
    post(
        "row, version",
        {"instances": [PICTURE]},
        are_poems(1),
        path=f"{MODEL}/versions/3:predict",
    ),
    post(
        "row, label",
        {"instances": [PICTURE]},
        are_poems(1),
        path=f"{MODEL}/labels/{LABEL}:predict",
    ),
    post(
        "row, other case",
        {"instances": [PICTURE]},
        are_poems(1),
        path=f"/V1/Models/{NAME}:predict",
    ),
    post(
        "no such model",
        {"instances": [PICTURE]},
        error="Servable not found for request: Latest(other)",
        status=404,
        path="/v1/models/other:predict",
    ),
    post(
        "no such model, version",
        {"instances": [PICTURE]},
        error="Servable not found for request: Specific(other, 50)",
        status=404,
        path="/v1/models/other/versions/50:predict",
    ),
    post(
        "no such version",
        {"instances": [PICTURE]},
        error="Servable not found for request: Specific(tiny, 4)",
        status=404,
        path=f"{MODEL}/versions/4:predict",
    ),
    post(
        "no such label",
        {"instances": [PICTURE]},
        error=NO_LABEL,
        path=f"{MODEL}/labels/none:predict",
    ),
    post(
        "classify",
        {"examples": [{"x": 1.0}]},
        error=ANY,
        path=f"{MODEL}:classify",
    ),
    post(
        "regress",
        {"examples": [{"x": 1.0}]},
        error=ANY,
        path=f"{MODEL}:regress",
    ),
    # --- the document
    post("empty", "", error="JSON Parse error: The document is empty"),
    post(
        "no JSON",
        "instances = [1]",
        error="JSON Parse error: Invalid value. at offset: 0",
    ),
    post("an array", "[]", error="JSON Value: [] Is not object"),
    post("a number", "1", error="JSON Value: 1 Is not object"),
    post("a string", '"x"', error='JSON Value: "x" Is not object'),
    post(
        "what follows is ignored",
        json.dumps({"instances": [PICTURE]}) + " and more",
        are_poems(1),
    ),
    post(
        "the first of two members counts",
        f'{{"instances": [{json.dumps(PICTURE)}], "instances": 5}}',
        are_poems(1),
    ),
    post(
        "words for what is no finite number",
        f'{{"x": [NaN, Inf, -Inf, Infinity, -Infinity, "Inf"], '
        f'"instances": [{json.dumps(PICTURE)}]}}',
        are_poems(1),
    ),
    post(
        "a number over 64 bits",
        f'{{"x": 1e400, "instances": [{json.dumps(PICTURE)}]}}',
        error=ANY,
    ),
    post(
        "signature_name is a number",
        {"signature_name": 100},
        error='JSON Value: {\n    "signature_name": 100\n} not formatted '
        "correctly. 'signature_name' key must be a string value.",
    ),
    post(
        "no such signature",
        {"signature_name": "none", "instances": [PICTURE]},
        error='Serving signature name: "none" not found in signature def',
    ),
    post(
        "signature by name",
        {"signature_name": "serving_default", "instances": [PICTURE]},
        are_poems(1),
    ),
    post(
        "neither key",
        {"signature_name": "compose"},
        error="Missing 'inputs' or 'instances' key",
    ),
    post(
        "both keys",
        {"instances": [], "inputs": []},
        error='JSON Value: {\n    "instances": [],\n    "inputs": []\n} Not '
        "formatted correctly expecting only one of 'inputs' or 'instances' "
        "keys to exist ",
    ),
    # --- instances
    post(
        "instances is no list",
        {"instances": 5},
        error="JSON Value: {\n    \"instances\": 5\n} Expecting 'instances' to "
        "be an list/array",
    ),
    post(
        "instances is empty",
        {"instances": []},
        error='JSON Value: {\n    "instances": []\n} No values in '
        "'instances' array",
    ),
    post("row, named", {"instances": [{"image_bytes": PICTURE}]}, are_poems(1)),
    post("three rows", {"instances": [PICTURE] * 3}, are_poems(3)),
    post("one output is bare", embed("a", "b"), are_vectors("predictions", 2)),
    post(
        "text and b64", embed("a", {"b64": "YQ"}), are_vectors("predictions", 2)
    ),
    post("compose", compose(), is_composed),
    post("largest seed", compose(seed=2**63 - 1), is_composed),
    post("integers for floats", compose(temperature=1, top_p=1), is_composed),
    post(
        "number for bytes",
        {"instances": [1]},
        error=f"{ELEMENT}INVALID_ARGUMENT: JSON Value: 1 Type: Number is not "
        "of expected type: string",
    ),
    post(
        "null for bytes",
        {"instances": [None]},
        error=f"{ELEMENT}INVALID_ARGUMENT: JSON Value: null Type: Null is not "
        "of expected type: string",
    ),
    post(
        "no base64",
        {"instances": [{"b64": "!"}]},
        error=f"{ELEMENT}INVALID_ARGUMENT: Unable to base64 decode",
    ),
    post(
        "too much padding",
        embed({"b64": "YQ==="}),
        error=f"{ELEMENT}INVALID_ARGUMENT: Unable to base64 decode",
    ),
    post(
        "too little padding",
        embed({"b64": "YQ="}),
        error=f"{ELEMENT}INVALID_ARGUMENT: Unable to base64 decode",
    ),
    post(
        "padding alone",
        embed({"b64": "==="}),
        error=f"{ELEMENT}INVALID_ARGUMENT: Unable to base64 decode",
    ),
    post(
        "b64 and more is an object",
        {"instances": [{"b64": "YQ==", "x": 1}]},
        error="Failed to process element: 0 key: b64 of 'instances' list. "
        "Error: INVALID_ARGUMENT: JSON object: does not have named input: b64",
    ),
    post(
        "b64 is a number",
        {"instances": [{"image_bytes": {"b64": 1}}]},
        error="Failed to process element: 0 key: image_bytes of 'instances' "
        'list. Error: INVALID_ARGUMENT: JSON Value: {\n    "b64": 1\n} not '
        "formatted correctly for base64 data",
    ),
    post("broken picture", {"instances": [BROKEN]}, error=ANY),
    post("no picture", {"instances": ["no picture"]}, error=ANY),
    post(
        "object, then value",
        {"instances": [{"image_bytes": PICTURE}, PICTURE]},
        error="Expecting object but got list at item 1 of input list",
    ),
    post(
        "value, then object",
        {"instances": [PICTURE, {"image_bytes": PICTURE}]},
        error="Expecting value/list but got object at item 1 of input list",
    ),
    post(
        "ragged instances",
        {"instances": ["a", ["a"]], "signature_name": "embed_poem"},
        error="Failed to process element: 1 of 'instances' list. Error: "
        "INVALID_ARGUMENT: Expecting shape [] but got: [1]",
    ),
    post(
        "instances of other sizes",
        embed(["a"], ["a", "b"]),
        error="Failed to process element: 1 of 'instances' list. Error: "
        "INVALID_ARGUMENT: Expecting tensor size: 1 but got: 2",
    ),
    post(
        "ragged inside",
        embed([["a"], ["a", "b"]]),
        error=f"{ELEMENT}INVALID_ARGUMENT: Encountered list at unexpected "
        "size: 2 at level: 1 expected size: 1",
    ),
    post(
        "a list too deep",
        embed(["a", ["b"]]),
        error=f"{ELEMENT}INVALID_ARGUMENT: Encountered list at unexpected "
        "level: 1 expected < 1",
    ),
    post(
        "a value too high",
        embed([["a"], "b"]),
        error=f'{ELEMENT}INVALID_ARGUMENT: JSON Value: "b" found at incorrect '
        "level: 2 in the JSON DOM. Expected at level: 2",
    ),
    post(
        "plain list for many inputs",
        {"signature_name": "compose", "instances": [1]},
        error="instances is a plain list, but expecting list of objects as "
        "multiple input tensors required as per tensorinfo_map",
    ),
    post(
        "bare b64 for many inputs",
        {"signature_name": "compose", "instances": [PICTURE]},
        error=ANY,
    ),
    post(
        "input that is none",
        {"instances": [{"picture": PICTURE}]},
        error="Failed to process element: 0 key: picture of 'instances' list. "
        "Error: INVALID_ARGUMENT: JSON object: does not have named input: "
        "picture",
    ),
    post(
        "input that is missing",
        {"signature_name": "compose", "instances": [{"seed": 1}]},
        error="Failed to process element: 0 of 'instances' list. JSON object: "
        f'{{\n    "seed": 1\n}} keys must be equal to: {KEYS}',
    ),
    refused(
        "1.0 is no integer",
        "seed",
        1.0,
        "JSON Value: 1.0 Type: Number is not of expected type: int64",
    ),
    refused(
        "text",
        "seed",
        "1",
        'JSON Value: "1" Type: String is not of expected type: int64',
    ),
    refused(
        "over 64 bits",
        "seed",
        2**63,
        "JSON Value: 9223372036854775808 Type: Number is not of expected type: "
        "int64",
    ),
    refused(
        "over 32 bits",
        "lines",
        2**31,
        "JSON Value: 2147483648 Type: Number is not of expected type: int32",
    ),
    refused(
        "true",
        "lines",
        True,
        "JSON Value: true Type: True is not of expected type: int32",
    ),
    refused(
        "text",
        "temperature",
        "hot",
        'JSON Value: "hot" Type: String is not of expected type: float',
    ),
    refused(
        "null",
        "top_p",
        None,
        "JSON Value: null Type: Null is not of expected type: float",
    ),
    refused(
        "object",
        "seed",
        {"b64": "YQ=="},
        'JSON Value: {\n    "b64": "YQ=="\n} Type: Object is not of expected '
        "type: int64",
    ),
    # --- inputs
    post("column", {"inputs": [PICTURE]}, is_column),
    post("column, named", {"inputs": {"image_bytes": [PICTURE]}}, is_column),
    post(
        "column, what is too much is ignored",
        {"inputs": {"image_bytes": [PICTURE], "x": [1]}},
        is_column,
    ),
    post(
        "column, one output is bare",
        embed("a", "b", key="inputs"),
        are_vectors("outputs", 2),
    ),
    post(
        "column, many inputs",
        compose("inputs"),
        lambda answer: len(answer["outputs"]["candidates"][0]) == 64,
    ),
    post(
        "column, plain list for many inputs",
        {"signature_name": "compose", "inputs": [1]},
        error="inputs is a plain value/list, but expecting an object as "
        "multiple input tensors required as per tensorinfo_map",
    ),
    post(
        "column, input that is missing",
        compose("inputs", top_p=ANY),
        error="Missing named input: top_p in 'inputs' object.",
    ),
    post(
        "column, 1.0 is no integer",
        compose("inputs", lines=1.0),
        error="JSON Value: 1.0 Type: Number is not of expected type: int32",
    ),
    post(
        "column, no base64",
        {"inputs": [{"b64": "a"}]},
        error="Unable to base64 decode",
    ),
    post("column, a scalar", {"inputs": PICTURE}, error=ANY),
    post("column, broken picture", {"inputs": [BROKEN]}, error=ANY),
]


# --- gRPC


@dataclasses.dataclass(frozen=True)
class Call:
    """A call over gRPC and its reply.

    Attributes:
        method: Of `PredictionService` or `ModelService`.
        spec: Of the `model_spec`; none if None.
        inputs: Of `Predict`: values by name.
        fields: Others of the request.
        code: Status code.
        details: Text of the status.
        outputs: Names in the reply of `Predict`.
    """

    name: str
    method: str
    spec: dict | None
    inputs: dict = dataclasses.field(default_factory=dict)
    fields: dict = dataclasses.field(default_factory=dict)
    code: str = "OK"
    details: Any = ANY
    outputs: set = frozenset({"poem", "score", "fit", "fluency", "clue_share"})


def predict(name, code="OK", details=ANY, spec=None, inputs=None, **rest):
    spec = {"name": NAME} if spec is None else spec
    inputs = (
        {"image_bytes": [tiny.photograph("sea")]} if inputs is None else inputs
    )
    return Call(
        name, "Predict", spec, inputs, code=code, details=details, **rest
    )


INVALID = "INVALID_ARGUMENT"
IMAGE = [tiny.photograph("sea")]
SPEC = {"name": NAME}

GRPC = [
    predict("predict"),
    predict("version", spec={"name": NAME, "version": 3}),
    predict("label", spec={"name": NAME, "version_label": LABEL}),
    predict(
        "signature", spec={"name": NAME, "signature_name": "serving_default"}
    ),
    predict(
        "one output",
        fields={"output_filter": ["poem"]},
        outputs={"poem"},
    ),
    predict(
        "two outputs",
        fields={"output_filter": ["fit", "poem"]},
        outputs={"fit", "poem"},
    ),
    predict(
        "no such output",
        INVALID,
        "output tensor alias not found in signature: x Outputs expected to be "
        "in the set {clue_share,fit,fluency,poem,score}.",
        fields={"output_filter": ["x"]},
    ),
    predict(
        "an output twice",
        INVALID,
        "duplicate output tensor alias: fit",
        fields={"output_filter": ["fit", "fit"]},
    ),
    predict(
        "no such model",
        "NOT_FOUND",
        "Servable not found for request: Latest(other)",
        spec={"name": "other"},
    ),
    predict(
        "no such version",
        "NOT_FOUND",
        "Servable not found for request: Specific(tiny, 4)",
        spec={"name": NAME, "version": 4},
    ),
    predict(
        "no such label",
        INVALID,
        NO_LABEL,
        spec={"name": NAME, "version_label": "none"},
    ),
    predict("no name", INVALID, "ModelSpec has no name specified.", spec={}),
    Call(
        "no model_spec",
        "Predict",
        None,
        code=INVALID,
        details="Missing ModelSpec",
    ),
    predict(
        "no such signature",
        "FAILED_PRECONDITION",
        'Serving signature key "none" not found.',
        spec={"name": NAME, "signature_name": "none"},
    ),
    predict(
        "no input",
        INVALID,
        "input size does not match signature: 0!=1 len({}) != "
        "len({image_bytes}). Sent extra: {}. Missing but required: "
        "{image_bytes}.",
        inputs={},
    ),
    predict(
        "an input too much",
        INVALID,
        "input size does not match signature: 2!=1 len({image_bytes,x}) != "
        "len({image_bytes}). Sent extra: {x}. Missing but required: {}.",
        inputs={"image_bytes": IMAGE, "x": IMAGE},
    ),
    predict("another input", INVALID, inputs={"picture": IMAGE}),
    predict("another dtype", INVALID, inputs={"image_bytes": [1.5]}),
    predict(
        "broken picture",
        INVALID,
        inputs={"image_bytes": [tiny.photograph("sea")[:900]]},
    ),
    Call(
        "metadata",
        "GetModelMetadata",
        SPEC,
        fields={"metadata_field": ["signature_def"]},
    ),
    Call(
        "metadata, no field",
        "GetModelMetadata",
        SPEC,
        code=INVALID,
        details="GetModelMetadataRequest must specify at least one "
        "metadata_field",
    ),
    Call(
        "metadata, another field",
        "GetModelMetadata",
        SPEC,
        fields={"metadata_field": ["x"]},
        code=INVALID,
        details="Metadata field x is not supported",
    ),
    Call(
        "metadata, no such model",
        "GetModelMetadata",
        {"name": "other"},
        fields={"metadata_field": ["signature_def"]},
        code="NOT_FOUND",
        details="Servable not found for request: Latest(other)",
    ),
    Call(
        "metadata, no model_spec",
        "GetModelMetadata",
        None,
        code=INVALID,
        details="Missing ModelSpec",
    ),
    Call("status", "GetModelStatus", SPEC),
    Call("status, version", "GetModelStatus", {"name": NAME, "version": 3}),
    Call(
        "status, no such version",
        "GetModelStatus",
        {"name": NAME, "version": 4},
        code="NOT_FOUND",
        details="Could not find version 4 of model tiny",
    ),
    Call(
        "status, no such model",
        "GetModelStatus",
        {"name": "other"},
        code="NOT_FOUND",
        details="Could not find any versions of model other",
    ),
    Call(
        "status, no model_spec",
        "GetModelStatus",
        None,
        code=INVALID,
        details="Missing ModelSpec",
    ),
]
