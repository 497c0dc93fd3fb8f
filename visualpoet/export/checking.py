"""Whether TensorFlow Serving will take an export: point by point.

A point is a function that raises `Failure` with the reason; its first line of
documentation is what is printed.
"""

import contextlib
import dataclasses
import json
import pathlib
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.framework import types_pb2

from visualpoet import model_folders
from visualpoet.export import meta_graph
from visualpoet.export import samples
from visualpoet.export import serving_files
from visualpoet.export import warmup
from visualpoet.export.allowed_ops import ALLOWED_OPS
from visualpoet.export.allowed_ops import SAVER_OPS
from visualpoet.export.loaded import Export

DEFAULT = "serving_default"
_JIT = ("_XlaMustCompile", "_XlaCompile")
# Variables are saved and restored there; every server has it.
_DEVICES = ("", "/device:CPU:0", "/device:CPU:*")
# Of two parts at least, or on a drive or a service: a poem has a "/", too.
_ABSOLUTE_PATH = re.compile(rb"/[^/\s]+/[^/\s]|[A-Za-z]:[\\/]|[a-z0-9]+://")
_TOLERANCE = 1e-4


class Failure(Exception):
    """A point that is not kept; the message is the reason."""


@dataclasses.dataclass(frozen=True)
class Result:
    """How one point went.

    Attributes:
        point: What was checked.
        reason: Why it is not kept; empty if it is.
    """

    point: str
    reason: str


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise Failure(reason)


def _numeric_folder(export: Export) -> None:
    """The folder's name is a version, an integer."""
    name = export.folder.resolve().name
    _require(
        model_folders.parse_version(name) is not None,
        f"expected an integer from 0 to {model_folders.MAX_VERSION}. "
        f"Received: {name!r}",
    )


def _default_signature(export: Export) -> None:
    """`serving_default` takes rows of image_bytes alone, gives poem, score."""
    _require(
        DEFAULT in export.signatures,
        f"expected {DEFAULT!r}. Received: {sorted(export.signatures)}",
    )
    signature = export.signatures[DEFAULT]
    for side, wanted in (
        ("inputs", {"image_bytes": "string"}),
        ("outputs", {"poem": "string", "score": "float32"}),
    ):
        expected = {k: {"dtype": d, "shape": [None]} for k, d in wanted.items()}
        found = signature[side]
        if side == "outputs":
            found = {k: v for k, v in found.items() if k in wanted}
        _require(
            found == expected, f"{side}: expected {expected}. Received: {found}"
        )


def _wire_form(export: Export) -> None:
    """All inputs and outputs are rows of types that REST knows."""
    for name, signature in export.signatures.items():
        for side in ("inputs", "outputs"):
            _require(bool(signature[side]), f"{name} has no {side}")
            for key, spec in signature[side].items():
                _check_tensor(f"{name}, {side}, {key}", key, side, spec)


def _check_tensor(place: str, key: str, side: str, spec: dict) -> None:
    shape = spec["shape"]
    _require(
        bool(shape) and shape[0] is None,
        f"{place}: expected a shape [None, ...]. Received: {shape}",
    )
    _require(
        spec["dtype"] in meta_graph.REST_DTYPES,
        f"{place}: expected a type that REST knows. Received: {spec['dtype']}",
    )
    _require(
        side == "inputs" or not key.endswith("_bytes"),
        f"{place}: expected no output named *_bytes, which REST encodes",
    )


def _batches(export: Export) -> None:
    """Every signature answers batches of 1 and 3, a row for each."""
    for name in export.signatures:
        for size in (1, 3):
            outputs = export.run(name, export.sample(name, size))
            for key, value in outputs.items():
                _check_output(f"{name}, {key}, batch of {size}", value, size)


def _check_output(place: str, value: np.ndarray, size: int) -> None:
    _require(
        value.shape[:1] == (size,),
        f"{place}: expected {size} rows. Received: shape {value.shape}",
    )
    if value.dtype == object:
        for text in value.ravel():
            text.decode("utf-8")
    elif value.dtype.kind == "f":
        _require(bool(np.isfinite(value).all()), f"{place}: not finite")


def _pictures(export: Export) -> None:
    """JPEG and PNG, grey and with alpha, of different sizes, in one batch."""
    contents = [
        samples.make_picture("JPEG"),
        samples.make_picture("PNG", size=(31, 77)),
        samples.make_picture("JPEG", "L", (20, 20)),
        samples.make_picture("PNG", "RGBA", (90, 33)),
    ]
    outputs = export.run(DEFAULT, {"image_bytes": np.array(contents, object)})
    _require(
        len(outputs["poem"]) == 4 and all(outputs["poem"]),
        f"expected four poems. Received: {outputs['poem']}",
    )


def _broken_pictures(export: Export) -> None:
    """A broken picture is an invalid argument, or an error of its own row."""
    for name in export.with_input("image_bytes"):
        for content in _broken():
            inputs = export.sample(name, 3)
            inputs["image_bytes"][1] = content
            if "error" in export.signatures[name]["outputs"]:
                _check_row_error(export, name, inputs)
            else:
                _check_invalid(export, name, inputs)


def _broken() -> list[bytes]:
    jpeg, png = samples.make_picture("JPEG"), samples.make_picture("PNG")
    return [b"", b"no picture", jpeg[: len(jpeg) // 2], png[: len(png) // 2]]


def _check_invalid(
    export: Export, name: str, inputs: dict[str, np.ndarray]
) -> None:
    try:
        export.run(name, inputs)
    except tf.errors.InvalidArgumentError:
        return
    except tf.errors.OpError as error:
        kind = type(error).__name__
        raise Failure(
            f"{name}: expected INVALID_ARGUMENT, not {kind}"
        ) from error
    raise Failure(f"{name}: expected INVALID_ARGUMENT. Received: an answer")


def _check_row_error(
    export: Export, name: str, inputs: dict[str, np.ndarray]
) -> None:
    outputs = export.run(name, inputs)
    is_error = [bool(text) for text in outputs["error"]]
    _require(
        is_error == [False, True, False],
        f"{name}: expected an error in row 1 alone. Received: {is_error}",
    )
    for row in (0, 2):
        _check_alone(export, name, inputs, outputs, row)


def _allowed_ops(export: Export) -> None:
    """Core ops only, without Python and without files."""
    savers = meta_graph.saver_functions(export.graph)
    functions = meta_graph.list_functions(export.graph)
    found = {node.op for node in export.graph.graph_def.node}
    for function in functions:
        ops = {node.op for node in function.node_def}
        is_saver = function.signature.name in savers
        found |= ops - SAVER_OPS if is_saver else ops
    own = {function.signature.name for function in functions}
    wrong = found - own - ALLOWED_OPS
    _require(
        not wrong, f"expected ops of allowed_ops.py. Received: {sorted(wrong)}"
    )


def _relative_paths(export: Export) -> None:
    """No text of the graph is the path of a file elsewhere."""
    for node in meta_graph.iterate_nodes(export.graph):
        for value in node.attr.values():
            for text in (value.s, *value.list.s, *_texts(value.tensor)):
                _require(
                    not _ABSOLUTE_PATH.match(text),
                    f"{node.name} has {text[:200]!r}",
                )


def _texts(tensor: tensor_pb2.TensorProto) -> Sequence[bytes]:
    return tensor.string_val if tensor.dtype == types_pb2.DT_STRING else ()


def _any_device(export: Export) -> None:
    """Nothing asks for a device but the first CPU."""
    for node in meta_graph.iterate_nodes(export.graph):
        _require(
            node.device in _DEVICES, f"{node.name} asks for {node.device!r}"
        )


def _assets(export: Export) -> None:
    """Every file that the graph names is in `assets/`."""
    names = {asset.filename for asset in export.graph.asset_file_def}
    missing = [
        name
        for name in sorted(names)
        if not (export.folder / "assets" / name).is_file()
    ]
    _require(not missing, f"expected files in assets/: {missing}")


def _no_jit(export: Export) -> None:
    """Nothing asks for XLA, which servers have turned off."""
    nodes = meta_graph.iterate_nodes(export.graph)
    for part in (*meta_graph.list_functions(export.graph), *nodes):
        asks = [
            name for name in _JIT if name in part.attr and part.attr[name].b
        ]
        name = getattr(part, "name", "") or part.signature.name
        _require(not asks, f"{name} has {asks}")


def _warmup(export: Export) -> None:
    """The warm-up requests are this model's, and succeed."""
    try:
        requests = warmup.read_warmup(export.folder)
    except (FileNotFoundError, ValueError, ModuleNotFoundError) as error:
        raise Failure(str(error)) from error
    _require(
        0 < len(requests) <= warmup.MAX_WARMUP,
        f"expected 1 to {warmup.MAX_WARMUP} requests. "
        f"Received: {len(requests)}",
    )
    for request in requests:
        _replay(export, request)


def _replay(export: Export, request: Any) -> None:
    model, spec = export.folder.resolve().parent.name, request.model_spec
    _require(
        spec.name == model,
        f"expected requests for {model!r}. Received: {spec.name!r}",
    )
    _require(
        spec.signature_name in export.signatures,
        f"expected a signature. Received: {spec.signature_name!r}",
    )
    signature = export.signatures[spec.signature_name]
    _require(
        signature["inputs"].keys() == request.inputs.keys(),
        f"{spec.signature_name}: expected inputs {sorted(signature['inputs'])}."
        f" Received: {sorted(request.inputs)}",
    )
    inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
    export.run(spec.signature_name, inputs)


def _metadata(export: Export) -> None:
    """`metadata.json` says what the files are."""
    path = export.folder / serving_files.METADATA_FILE
    _require(path.exists(), f"expected a file {path.name}")
    said = json.loads(path.read_text(encoding="utf-8"))
    found = serving_files.describe_version(export.folder)
    for part in found:
        wrong = _differing(said.get(part), found[part])
        _require(not wrong, f"{part} differs: {wrong}")


def _differing(said: Any, found: Any) -> list[Any]:
    if not isinstance(said, dict) or not isinstance(found, dict):
        return [] if said == found else [said, found]
    keys = {*said, *found}
    return sorted(key for key in keys if said.get(key) != found.get(key))


def _seeds(export: Export) -> None:
    """The same seed gives the same poem, another seed another one."""
    for name in export.with_input("seed"):
        inputs = export.sample(name, 2)
        inputs = {
            key: value if key == "seed" else np.repeat(value[:1], 2, axis=0)
            for key, value in inputs.items()
        }
        first, second = (export.run(name, inputs)["poem"] for _ in range(2))
        _require(
            first.tolist() == second.tolist(),
            f"{name}: the same seed gave {first[0]!r} and {second[0]!r}",
        )
        _require(first[0] != first[1], f"{name}: two seeds gave {first[0]!r}")


def _independence(export: Export) -> None:
    """A row does not depend on the others of its batch."""
    for name in export.signatures:
        inputs = export.sample(name, 4)
        outputs = export.run(name, inputs)
        for row in range(4):
            _check_alone(export, name, inputs, outputs, row)


def _check_alone(
    export: Export,
    name: str,
    inputs: dict[str, np.ndarray],
    outputs: dict[str, np.ndarray],
    row: int,
) -> None:
    alone = {key: value[row : row + 1] for key, value in inputs.items()}
    for key, value in export.run(name, alone).items():
        same = (
            np.allclose(value[0], outputs[key][row], atol=_TOLERANCE)
            if value.dtype.kind == "f"
            else np.array_equal(value[0], outputs[key][row])
        )
        _require(same, f"{name}, {key}: row {row} differs from the row alone")


POINTS = (
    _numeric_folder,
    _default_signature,
    _wire_form,
    _batches,
    _pictures,
    _broken_pictures,
    _allowed_ops,
    _relative_paths,
    _any_device,
    _assets,
    _no_jit,
    _warmup,
    _metadata,
    _seeds,
    _independence,
)


def check_export(folder: pathlib.Path) -> Iterator[Result]:
    """Checks an export.

    Args:
        folder: The version folder.

    Yields:
        How each point went.

    Raises:
        FileNotFoundError: If the folder holds no SavedModel.
    """
    if not (folder / "saved_model.pb").exists():
        raise FileNotFoundError(
            f"expected a SavedModel. Received: {folder}, without saved_model.pb"
        )
    with contextlib.closing(Export(folder)) as export:
        for point in POINTS:
            yield Result(point.__doc__ or "", _reason(point, export))


def _reason(point: Callable[[Export], None], export: Export) -> str:
    try:
        point(export)
    except Failure as failure:
        return str(failure)
    except Exception as error:  # whatever a foreign export does fails its point
        return (
            f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
        )
    return ""
