"""What a SavedModel says of itself, read without loading it."""

import pathlib
from collections.abc import Iterator
from collections.abc import Mapping

import tensorflow as tf
from tensorflow.core.framework import function_pb2
from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.core.protobuf import saved_model_pb2

# What TensorFlow Serving's REST interface takes and gives.
REST_DTYPES = frozenset(
    "bool string int8 int16 int32 int64 uint8 uint32 uint64 float32 "
    "float64".split()
)


def read_meta_graph(folder: pathlib.Path) -> meta_graph_pb2.MetaGraphDef:
    """Reads the graph that servers take.

    Args:
        folder: A SavedModel.

    Returns:
        The meta graph with the tag `serve`.

    Raises:
        ValueError: If there is none.
    """
    message = saved_model_pb2.SavedModel()
    message.ParseFromString((folder / "saved_model.pb").read_bytes())
    tags = [list(graph.meta_info_def.tags) for graph in message.meta_graphs]
    if ["serve"] not in tags:
        raise ValueError(
            f"expected a graph with the tag 'serve'. Received: {tags}"
        )
    return message.meta_graphs[tags.index(["serve"])]


def describe_signatures(
    meta_graph: meta_graph_pb2.MetaGraphDef,
) -> dict[str, dict[str, dict[str, dict]]]:
    """Describes what can be asked for.

    Args:
        meta_graph: Of a SavedModel.

    Returns:
        By signature `inputs` and `outputs`, by name `dtype` and `shape`, None
        for a size that is free.
    """
    return {
        name: {
            "inputs": _describe(signature.inputs),
            "outputs": _describe(signature.outputs),
        }
        for name, signature in sorted(meta_graph.signature_def.items())
        if not name.startswith("__")
    }


def _describe(
    tensors: Mapping[str, meta_graph_pb2.TensorInfo],
) -> dict[str, dict]:
    return {
        name: {
            "dtype": tf.as_dtype(info.dtype).name,
            "shape": tf.TensorShape(info.tensor_shape).as_list()
            if not info.tensor_shape.unknown_rank
            else None,
        }
        for name, info in sorted(tensors.items())
    }


def list_functions(
    meta_graph: meta_graph_pb2.MetaGraphDef,
) -> list[function_pb2.FunctionDef]:
    """Lists the functions of a graph.

    Args:
        meta_graph: Of a SavedModel.

    Returns:
        Its functions.
    """
    return list(meta_graph.graph_def.library.function)


def iterate_nodes(
    meta_graph: meta_graph_pb2.MetaGraphDef,
) -> Iterator[node_def_pb2.NodeDef]:
    """Iterates over all nodes, those of functions too.

    Args:
        meta_graph: Of a SavedModel.

    Yields:
        Nodes.
    """
    yield from meta_graph.graph_def.node
    for function in list_functions(meta_graph):
        yield from function.node_def


def saver_functions(meta_graph: meta_graph_pb2.MetaGraphDef) -> set[str]:
    """Names the functions that save and restore the variables.

    Args:
        meta_graph: Of a SavedModel.

    Returns:
        What the nodes call that loaders run for it, and nothing else calls.
    """
    saver = meta_graph.saver_def
    savers = {saver.save_tensor_name.split(":")[0], saver.restore_op_name}
    found: set[str] = set()
    others: set[str] = set()
    for node in iterate_nodes(meta_graph):
        names = found if node.name in savers else others
        for value in node.attr.values():
            functions = [value.func, *value.list.func]
            names.update(function.name for function in functions)
    return found - others
