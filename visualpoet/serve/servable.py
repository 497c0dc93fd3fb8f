"""One loaded version of a model, and its signatures as NumPy functions."""

import copy
import gc
import pathlib
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from visualpoet import model_folders
from visualpoet.control import MAX_TEXT_BYTES
from visualpoet.export import meta_graph
from visualpoet.export import samples
from visualpoet.export import warmup
from visualpoet.serve import errors

DEFAULT_SIGNATURE = "serving_default"
PICTURES = "image_bytes"

Tensors = Mapping[str, np.ndarray]


class Signature:
    """A signature as a function of NumPy arrays.

    Args:
        name: Its name.
        definition: As the SavedModel declares it.
        function: What `tf.saved_model.load` made of it.
    """

    def __init__(
        self,
        name: str,
        definition: meta_graph_pb2.SignatureDef,
        function: Callable,
    ):
        self.name = name
        self.inputs = {
            key: tf.TensorSpec(info.tensor_shape, info.dtype, key)
            for key, info in sorted(definition.inputs.items())
        }
        self.outputs = tuple(sorted(definition.outputs))
        self._function = function

    def check(self, inputs: Tensors) -> None:
        """Compares dtypes and shapes; floats are finite, texts have an end.

        Args:
            inputs: One array an input; strings as arrays of `object`.

        Raises:
            ServeError: INVALID_ARGUMENT, naming the input.
        """
        for name, spec in self.inputs.items():
            given = inputs[name]
            if given.dtype != spec.dtype.as_numpy_dtype:
                raise errors.invalid(
                    f"expected input {name} of {spec.dtype.name}. Received: "
                    f"{tf.as_dtype(given.dtype).name}"
                )
            if not spec.shape.is_compatible_with(given.shape):
                raise errors.invalid(
                    f"expected input {name} of shape "
                    f"{_shape_text(spec.shape.as_list())}. Received: "
                    f"{_shape_text(given.shape)}"
                )
            if spec.dtype == tf.string and name != PICTURES:
                _check_texts(name, given)
            if spec.dtype.is_floating and not np.isfinite(given).all():
                raise errors.invalid(
                    f"expected input {name} of finite numbers. Received: "
                    f"{given[~np.isfinite(given)][0]}"
                )

    def make_row(self, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Makes inputs of one row.

        Args:
            values: Text, bytes, number or array by name; at least of all
                inputs.

        Returns:
            One array an input.
        """
        row = {}
        for name, spec in self.inputs.items():
            value = values[name]
            value = value.encode() if isinstance(value, str) else value
            row[name] = np.array([value], spec.dtype.as_numpy_dtype)
        return row

    def run(self, inputs: Tensors) -> dict[str, np.ndarray]:
        """Runs the graph.

        Args:
            inputs: As for `check`.

        Returns:
            One array an output.

        Raises:
            ServeError: With the code of TensorFlow's error.
        """
        try:
            tensors = {
                name: tf.constant(inputs[name], spec.dtype)
                for name, spec in self.inputs.items()
            }
            outputs = self._function(**tensors)
            return {
                # A scalar of text would be bytes, no array.
                name: np.asarray(value.numpy(), value.dtype.as_numpy_dtype)
                for name, value in outputs.items()
            }
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise errors.from_tensorflow(error) from error


class Servable:
    """One version, loaded and warm.

    Args:
        number: The version.
        path: Its folder.

    Raises:
        Exception: Of many kinds, if it is broken.
    """

    def __init__(self, number: int, path: pathlib.Path):
        self.number = number
        self.in_use = 0
        # First: a version that is half copied is refused without a load.
        self.definitions = _read_definitions(path)
        self.options = _read_options(path, "compose" in self.definitions)
        self._loaded = tf.saved_model.load(str(path))
        self.signatures = {
            name: Signature(name, self.definitions[name], function)
            for name, function in self._loaded.signatures.items()
        }
        self._warm_up(path)

    def __enter__(self) -> "Servable":
        """Marks it as in use, so that it is not unloaded."""
        self.in_use += 1
        return self

    def __exit__(self, *_: object) -> None:
        """Marks the end of a use."""
        self.in_use -= 1

    def signature(self, name: str, code: str, message: str) -> Signature:
        """Looks a signature up.

        Args:
            name: Its name; empty for the default one.
            code: Of the error if there is none.
            message: With `{}` for the name.

        Returns:
            The signature.

        Raises:
            ServeError: If there is none.
        """
        name = name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise errors.ServeError(code, message.format(name))
        return self.signatures[name]

    def _warm_up(self, path: pathlib.Path) -> None:
        """A first call takes seconds: it is ours, not a client's."""
        if (path / warmup.WARMUP_FILE).exists():
            self._replay(path)
        elif list(self.signatures[DEFAULT_SIGNATURE].inputs) == [PICTURES]:
            picture = np.array([samples.make_picture("JPEG")], object)
            self.signatures[DEFAULT_SIGNATURE].run({PICTURES: picture})

    def _replay(self, path: pathlib.Path) -> None:
        for request in warmup.read_warmup(path)[: warmup.MAX_WARMUP]:
            name = request.model_spec.signature_name or DEFAULT_SIGNATURE
            self.signatures[name].run(
                {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
            )

    def close(self) -> None:
        """Releases the graph, the weights and the tables."""
        for table in _list_tables(self._loaded):
            tf.raw_ops.DestroyResourceOp(
                resource=table, ignore_lookup_error=True
            )
        self.signatures, self._loaded = {}, None
        gc.collect()  # functions and captures of a SavedModel form cycles


def _list_tables(loaded: Any) -> list[tf.Tensor]:
    """Resources that are no variables: TensorFlow keeps them for good."""
    functions = loaded.signatures.values()
    variables = {id(v.handle) for f in functions for v in f.variables}
    captured = {id(t): t for f in functions for t in f.captured_inputs}
    return [
        tensor
        for key, tensor in captured.items()
        if tensor.dtype == tf.resource and key not in variables
    ]


def _check_texts(name: str, texts: np.ndarray) -> None:
    longest = max(map(len, texts.reshape(-1)), default=0)
    if longest > MAX_TEXT_BYTES:
        raise errors.invalid(
            f"expected input {name} of at most {MAX_TEXT_BYTES:,} bytes a "
            f"text. Received: {longest:,}"
        )


def _shape_text(sizes: Sequence[int | None]) -> str:
    return str(["any" if size is None else size for size in sizes]).replace(
        "'", ""
    )


def _read_options(path: pathlib.Path, is_poet: bool) -> dict[str, Any]:
    """Those of a poet are a part of it: without them it is half copied."""
    if not is_poet and not (path / model_folders.OPTIONS_FILE).exists():
        return {}
    return model_folders.read_options(path)


def _read_definitions(
    path: pathlib.Path,
) -> dict[str, meta_graph_pb2.SignatureDef]:
    """Copies, which do not keep the graph in memory."""
    graph = meta_graph.read_meta_graph(path)
    return {
        name: copy.deepcopy(definition)
        for name, definition in graph.signature_def.items()
    }
