"""Points of the files of an export; nothing of it is run."""

import json
import re
from collections.abc import Sequence
from typing import Any

from tensorflow.core.framework import tensor_pb2
from tensorflow.core.framework import types_pb2

from visualpoet import model_folders
from visualpoet.export import meta_graph
from visualpoet.export import serving_files
from visualpoet.export.allowed_ops import ALLOWED_OPS
from visualpoet.export.allowed_ops import SAVER_OPS
from visualpoet.export.failure import require
from visualpoet.export.loaded import Export

DEFAULT = "serving_default"
_JIT = ("_XlaMustCompile", "_XlaCompile")
# Variables are saved and restored there; every server has it.
_DEVICES = ("", "/device:CPU:0", "/device:CPU:*")
# Of two parts at least, or on a drive or a service: a poem has a "/", too.
_ABSOLUTE_PATH = re.compile(rb"/[^/\s]+/[^/\s]|[A-Za-z]:[\\/]|[a-z0-9]+://")


def check_folder(export: Export) -> None:
    """The folder's name is a version, an integer."""
    name = export.folder.resolve().name
    require(
        model_folders.parse_version(name) is not None,
        f"expected an integer from 0 to {model_folders.MAX_VERSION}. "
        f"Received: {name!r}",
    )


def check_default_signature(export: Export) -> None:
    """`serving_default` takes rows of image_bytes alone, gives poem, score."""
    require(
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
        require(
            found == expected, f"{side}: expected {expected}. Received: {found}"
        )


def check_wire_form(export: Export) -> None:
    """All inputs and outputs are rows of types that REST knows."""
    for name, signature in export.signatures.items():
        for side in ("inputs", "outputs"):
            require(bool(signature[side]), f"{name} has no {side}")
            for key, spec in signature[side].items():
                _check_tensor(f"{name}, {side}, {key}", key, side, spec)


def _check_tensor(place: str, key: str, side: str, spec: dict) -> None:
    shape = spec["shape"]
    require(
        bool(shape) and shape[0] is None,
        f"{place}: expected a shape [None, ...]. Received: {shape}",
    )
    require(
        spec["dtype"] in meta_graph.REST_DTYPES,
        f"{place}: expected a type that REST knows. Received: {spec['dtype']}",
    )
    require(
        side == "inputs" or not key.endswith("_bytes"),
        f"{place}: expected no output named *_bytes, which REST encodes",
    )


def check_ops(export: Export) -> None:
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
    require(
        not wrong, f"expected ops of allowed_ops.py. Received: {sorted(wrong)}"
    )


def check_paths(export: Export) -> None:
    """No text of the graph is the path of a file elsewhere."""
    for node in meta_graph.iterate_nodes(export.graph):
        for value in node.attr.values():
            for text in (value.s, *value.list.s, *_texts(value.tensor)):
                require(
                    not _ABSOLUTE_PATH.match(text),
                    f"{node.name} has {text[:200]!r}",
                )


def _texts(tensor: tensor_pb2.TensorProto) -> Sequence[bytes]:
    return tensor.string_val if tensor.dtype == types_pb2.DT_STRING else ()


def check_devices(export: Export) -> None:
    """Nothing asks for a device but the first CPU."""
    for node in meta_graph.iterate_nodes(export.graph):
        require(
            node.device in _DEVICES, f"{node.name} asks for {node.device!r}"
        )


def check_assets(export: Export) -> None:
    """Every file that the graph names is in `assets/`."""
    names = {asset.filename for asset in export.graph.asset_file_def}
    missing = [
        name
        for name in sorted(names)
        if not (export.folder / "assets" / name).is_file()
    ]
    require(not missing, f"expected files in assets/: {missing}")


def check_jit(export: Export) -> None:
    """Nothing asks for XLA, which servers have turned off."""
    nodes = meta_graph.iterate_nodes(export.graph)
    for part in (*meta_graph.list_functions(export.graph), *nodes):
        asks = [
            name for name in _JIT if name in part.attr and part.attr[name].b
        ]
        name = getattr(part, "name", "") or part.signature.name
        require(not asks, f"{name} has {asks}")


def check_metadata(export: Export) -> None:
    """`metadata.json` says what the files are."""
    path = export.folder / serving_files.METADATA_FILE
    require(path.exists(), f"expected a file {path.name}")
    said = json.loads(path.read_text(encoding="utf-8"))
    found = serving_files.describe_version(export.folder)
    for part in found:
        wrong = _differing(said.get(part), found[part])
        require(not wrong, f"{part} differs: {wrong}")


def _differing(said: Any, found: Any) -> list[Any]:
    if not isinstance(said, dict) or not isinstance(found, dict):
        return [] if said == found else [said, found]
    keys = {*said, *found}
    return sorted(key for key in keys if said.get(key) != found.get(key))
