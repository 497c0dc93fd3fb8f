"""Points of what an export answers."""

from typing import Any

import numpy as np
import tensorflow as tf

from visualpoet.export import samples
from visualpoet.export import warmup
from visualpoet.export.failure import Failure
from visualpoet.export.failure import require
from visualpoet.export.file_points import DEFAULT
from visualpoet.export.loaded import Export

_TOLERANCE = 1e-4


def check_batches(export: Export) -> None:
    """Every signature answers batches of 1 and 3, a row for each."""
    for name in export.signatures:
        for size in (1, 3):
            outputs = export.run(name, export.sample(name, size))
            for key, value in outputs.items():
                _check_output(f"{name}, {key}, batch of {size}", value, size)


def _check_output(place: str, value: np.ndarray, size: int) -> None:
    require(
        value.shape[:1] == (size,),
        f"{place}: expected {size} rows. Received: shape {value.shape}",
    )
    if value.dtype == object:
        for text in value.ravel():
            text.decode("utf-8")
    elif value.dtype.kind == "f":
        require(bool(np.isfinite(value).all()), f"{place}: not finite")


def check_pictures(export: Export) -> None:
    """JPEG and PNG, grey and with alpha, of different sizes, in one batch."""
    contents = [
        samples.make_picture("JPEG"),
        samples.make_picture("PNG", size=(31, 77)),
        samples.make_picture("JPEG", "L", (20, 20)),
        samples.make_picture("PNG", "RGBA", (90, 33)),
    ]
    outputs = export.run(DEFAULT, {"image_bytes": np.array(contents, object)})
    require(
        len(outputs["poem"]) == 4 and all(outputs["poem"]),
        f"expected four poems. Received: {outputs['poem']}",
    )


def check_broken_pictures(export: Export) -> None:
    """A broken picture is an invalid argument, or an error of its own row."""
    for name in export.with_input("image_bytes"):
        for content in _break_pictures():
            inputs = export.sample(name, 3)
            inputs["image_bytes"][1] = content
            if "error" in export.signatures[name]["outputs"]:
                _check_row_error(export, name, inputs)
            else:
                _check_invalid(export, name, inputs)


def _break_pictures() -> list[bytes]:
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
    require(
        is_error == [False, True, False],
        f"{name}: expected an error in row 1 alone. Received: {is_error}",
    )
    for row in (0, 2):
        _check_alone(export, name, inputs, outputs, row)


def check_warmup(export: Export) -> None:
    """The warm-up requests are this model's, and succeed."""
    try:
        requests = warmup.read_warmup(export.folder)
    except (FileNotFoundError, ValueError, ModuleNotFoundError) as error:
        raise Failure(str(error)) from error
    require(
        0 < len(requests) <= warmup.MAX_WARMUP,
        f"expected 1 to {warmup.MAX_WARMUP} requests. "
        f"Received: {len(requests)}",
    )
    for request in requests:
        _replay(export, request)


def _replay(export: Export, request: Any) -> None:
    model, spec = export.folder.resolve().parent.name, request.model_spec
    require(
        spec.name == model,
        f"expected requests for {model!r}. Received: {spec.name!r}",
    )
    require(
        spec.signature_name in export.signatures,
        f"expected a signature. Received: {spec.signature_name!r}",
    )
    signature = export.signatures[spec.signature_name]
    require(
        signature["inputs"].keys() == request.inputs.keys(),
        f"{spec.signature_name}: expected inputs {sorted(signature['inputs'])}."
        f" Received: {sorted(request.inputs)}",
    )
    inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
    export.run(spec.signature_name, inputs)


def check_seeds(export: Export) -> None:
    """The same seed gives the same poem, another seed another one."""
    for name in export.with_input("seed"):
        inputs = export.sample(name, 2)
        inputs = {
            key: value if key == "seed" else np.repeat(value[:1], 2, axis=0)
            for key, value in inputs.items()
        }
        first, second = (export.run(name, inputs)["poem"] for _ in range(2))
        require(
            first.tolist() == second.tolist(),
            f"{name}: the same seed gave {first[0]!r} and {second[0]!r}",
        )
        require(first[0] != first[1], f"{name}: two seeds gave {first[0]!r}")


def check_independence(export: Export) -> None:
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
        require(same, f"{name}, {key}: row {row} differs from the row alone")
