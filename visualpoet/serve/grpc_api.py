"""TensorFlow Serving's gRPC services."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from collections.abc import Callable
from typing import Any

import grpc
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from visualpoet.serve import errors
from visualpoet.serve import grpc_tensors
from visualpoet.serve.core import Core
from visualpoet.serve.servable import Servable

_log = logging.getLogger(__name__)
_MAX_MESSAGE = 1024
_SIGNATURE_DEF = "signature_def"

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
            inputs = grpc_tensors.read_inputs(signature, request, limit)
            wanted = grpc_tensors.choose_outputs(signature, request)
            outputs = await core.run(signature, inputs, deadline)
        spec = model_pb2.ModelSpec(
            name=request.model_spec.name, signature_name=signature.name
        )
        spec.version.value = servable.number
        return predict_pb2.PredictResponse(
            model_spec=spec,
            outputs={
                name: grpc_tensors.write_tensor(outputs[name])
                for name in wanted
            },
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
