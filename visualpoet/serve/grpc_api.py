"""TensorFlow Serving's gRPC services."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from visualpoet.serve import errors
from visualpoet.serve.core import Core
from visualpoet.serve.json_requests import MAX_VALUES
from visualpoet.serve.servable import Servable
from visualpoet.serve.servable import Signature

_log = logging.getLogger(__name__)
_MAX_MESSAGE = 1024
_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int32: "int_val",
    tf.int64: "int64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}
_SIGNATURE_DEF = "signature_def"
_HEALTH = "/grpc.health.v1."

Method = Callable[..., Awaitable[Any]]


def _guarded(api: str) -> Callable[[Method], Method]:
    """Counts a method's calls and turns its errors into statuses."""

    def decorate(method: Method) -> Method:
        async def call(
            self: Any, request: Any, context: grpc.aio.ServicerContext
        ) -> Any:
            started = time.perf_counter()
            code = "OK"
            try:
                return await method(self, request, context)
            except errors.ServeError as error:
                code = error.code.name
                await context.abort(error.code, _shorten(error.message))
            except asyncio.CancelledError:
                code = "CANCELLED"
                raise
            except Exception:
                code = "INTERNAL"
                _log.exception("%s", api)
                await context.abort(grpc.StatusCode.INTERNAL, "see the log")
            finally:
                seconds = time.perf_counter() - started
                what = f"gRPC {method.__name__}"
                self._core.count(api, code, seconds, context.peer(), what)

        return call

    return decorate


def _shorten(message: str) -> str:
    if len(message) <= _MAX_MESSAGE:
        return message
    return f"{message[:_MAX_MESSAGE]}...TRUNCATED"


def _resolve(core: Core, request: Any) -> Servable:
    """The version a request's `model_spec` means."""
    if not request.HasField("model_spec"):
        raise errors.invalid("Missing ModelSpec")
    spec = request.model_spec
    choice = spec.WhichOneof("version_choice")
    return core.resolve(
        spec.name,
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


async def _refuse(context: grpc.aio.ServicerContext, what: str) -> None:
    await context.abort(
        grpc.StatusCode.UNIMPLEMENTED,
        f"{what} is not served: this model has signatures for Predict only",
    )


class RefuseNoise(grpc.aio.ServerInterceptor):
    """Answers a message that is none with INVALID_ARGUMENT.

    Left to itself, the server says UNKNOWN and writes to the log.
    """

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wraps the handler of a method with one request and one answer.

        Args:
            continuation: Finds the handler.
            handler_call_details: Of the call.

        Returns:
            The handler.
        """
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        def read(content: bytes) -> Any:
            try:
                return handler.request_deserializer(content)
            except DecodeError:
                return None

        async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
            if request is None:
                code = grpc.StatusCode.INVALID_ARGUMENT
                await context.abort(code, "Unable to parse request")
            return await handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            call, read, handler.response_serializer
        )


class LimitCalls(grpc.aio.ServerInterceptor):
    """Refuses calls with RESOURCE_EXHAUSTED while others are under way.

    A call counts once its message is complete: whoever sends none takes no
    one's place. Health is always told.

    Args:
        calls: At once.
    """

    def __init__(self, calls: int):
        self._calls = calls
        self._busy = 0

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wraps the handler of a method with one request and one answer.

        Args:
            continuation: Finds the handler.
            handler_call_details: Of the call.

        Returns:
            The handler.
        """
        handler = await continuation(handler_call_details)
        is_health = handler_call_details.method.startswith(_HEALTH)
        if handler is None or handler.unary_unary is None or is_health:
            return handler

        async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
            if self._busy >= self._calls:
                await context.abort(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    "too many requests. Try again later",
                )
            self._busy += 1
            try:
                return await handler.unary_unary(request, context)
            finally:
                self._busy -= 1

        return grpc.unary_unary_rpc_method_handler(
            call, handler.request_deserializer, handler.response_serializer
        )


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """`Predict` and `GetModelMetadata`.

    Args:
        core: The models.
    """

    def __init__(self, core: Core):
        self._core = core

    @_guarded("grpc_predict")
    async def Predict(
        self,
        request: predict_pb2.PredictRequest,
        context: grpc.aio.ServicerContext,
    ) -> predict_pb2.PredictResponse:
        """Runs a signature."""
        core = self._core
        deadline = core.deadline(context.time_remaining())
        with _resolve(core, request) as servable:
            signature = servable.signature(
                request.model_spec.signature_name,
                "FAILED_PRECONDITION",
                'Serving signature key "{}" not found.',
            )
            limit = core.options.body_bytes
            inputs = _read_inputs(signature, request, limit)
            wanted = _wanted_outputs(signature, request)
            outputs = await core.run(signature, inputs, deadline)
        spec = model_pb2.ModelSpec(
            name=request.model_spec.name, signature_name=signature.name
        )
        spec.version.value = servable.number
        return predict_pb2.PredictResponse(
            model_spec=spec,
            outputs={name: _write_tensor(outputs[name]) for name in wanted},
        )

    @_guarded("grpc_metadata")
    async def GetModelMetadata(
        self,
        request: get_model_metadata_pb2.GetModelMetadataRequest,
        context: grpc.aio.ServicerContext,
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Returns the signatures."""
        if not request.HasField("model_spec"):
            raise errors.invalid("Missing ModelSpec")
        if not request.metadata_field:
            raise errors.invalid(
                "GetModelMetadataRequest must specify at least one "
                "metadata_field"
            )
        for field in request.metadata_field:
            if field != _SIGNATURE_DEF:
                raise errors.invalid(f"Metadata field {field} is not supported")
        servable = _resolve(self._core, request)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = servable.number
        response.metadata[_SIGNATURE_DEF].Pack(
            get_model_metadata_pb2.SignatureDefMap(
                signature_def=servable.definitions
            )
        )
        return response

    async def Classify(
        self, request: Any, context: grpc.aio.ServicerContext
    ) -> None:
        """Is not served."""
        await _refuse(context, "Classify")

    async def Regress(
        self, request: Any, context: grpc.aio.ServicerContext
    ) -> None:
        """Is not served."""
        await _refuse(context, "Regress")

    async def MultiInference(
        self, request: Any, context: grpc.aio.ServicerContext
    ) -> None:
        """Is not served."""
        await _refuse(context, "MultiInference")


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """`GetModelStatus`.

    Args:
        core: The models.
    """

    def __init__(self, core: Core):
        self._core = core

    @_guarded("grpc_status")
    async def GetModelStatus(
        self,
        request: get_model_status_pb2.GetModelStatusRequest,
        context: grpc.aio.ServicerContext,
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Returns the states of versions."""
        if not request.HasField("model_spec"):
            raise errors.invalid("Missing ModelSpec")
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, state in self._core.status(spec.name, version):
            entry = response.model_version_status.add(version=number)
            entry.state = entry.State.Value(state.name)
            entry.status.error_code = grpc.StatusCode[state.code].value[0]
            entry.status.error_message = state.message
        return response

    async def HandleReloadConfigRequest(
        self, request: Any, context: grpc.aio.ServicerContext
    ) -> None:
        """Is not served: versions are found by looking at the folder."""
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "the configuration is the command line: start the server again",
        )


def _read_inputs(
    signature: Signature, request: predict_pb2.PredictRequest, max_bytes: int
) -> dict[str, np.ndarray]:
    given, known = set(request.inputs), set(signature.inputs)
    if len(given) != len(known):
        raise errors.invalid(
            "input size does not match signature: "
            f"{len(given)}!={len(known)} len({_braces(given)}) != "
            f"len({_braces(known)}). Sent extra: {_braces(given - known)}. "
            f"Missing but required: {_braces(known - given)}."
        )
    for name in sorted(given - known):
        raise errors.invalid(
            f"input tensor alias not found in signature: {name}. Inputs "
            f"expected to be in the set {_braces(known)}."
        )
    return {
        name: _read_tensor(name, tensor, max_bytes)
        for name, tensor in request.inputs.items()
    }


def _braces(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _read_tensor(
    name: str, tensor: tensor_pb2.TensorProto, max_bytes: int
) -> np.ndarray:
    sizes = [dim.size for dim in tensor.tensor_shape.dim]
    # One value may stand for as many as the shape says.
    if tensor.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
        raise errors.invalid(f"tensor parsing error: {name}")
    if math.prod(sizes) > MAX_VALUES or len(sizes) > 32:
        raise errors.invalid(
            f"expected at most {MAX_VALUES} values of {name}. Received: "
            f"{sizes[:32]}"
        )
    if _repeated_bytes(tensor, math.prod(sizes)) > max_bytes:
        raise errors.invalid(
            f"expected at most {max_bytes} bytes of {name}. Received: one "
            f"text that is to be repeated for shape {sizes}. Send fewer rows"
        )
    try:
        array = tf.make_ndarray(tensor)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise errors.invalid(f"tensor parsing error: {name}") from error
    if array.shape != tuple(sizes):
        raise errors.invalid(f"tensor parsing error: {name}")
    if array.dtype == object and not tensor.string_val:
        array.fill(b"")  # missing texts are empty ones; NumPy's are no bytes
    return array


def _repeated_bytes(tensor: tensor_pb2.TensorProto, number: int) -> int:
    """Of `number` texts, if the last that is given stands for others too."""
    texts = tensor.string_val
    return len(texts[-1]) * number if 0 < len(texts) < number else 0


def _wanted_outputs(
    signature: Signature, request: predict_pb2.PredictRequest
) -> tuple[str, ...]:
    wanted = tuple(request.output_filter)
    for name in wanted:
        if name not in signature.outputs:
            raise errors.invalid(
                f"output tensor alias not found in signature: {name} Outputs "
                f"expected to be in the set {_braces(signature.outputs)}."
            )
        if wanted.count(name) > 1:
            raise errors.invalid(f"duplicate output tensor alias: {name}")
    return wanted or signature.outputs


def _write_tensor(array: np.ndarray) -> tensor_pb2.TensorProto:
    """As the stock server by default: values in fields, not as bytes."""
    dtype = tf.as_dtype(array.dtype)
    if dtype not in _FIELDS:
        return tf.make_tensor_proto(array)
    return tensor_pb2.TensorProto(
        dtype=dtype.as_datatype_enum,
        tensor_shape=tf.TensorShape(array.shape).as_proto(),
        **{_FIELDS[dtype]: array.reshape(-1).tolist()},
    )
