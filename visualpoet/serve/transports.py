"""How a client asks: REST or gRPC."""

import asyncio
import base64
import json
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import grpc

from visualpoet import controls
from visualpoet import extras
from visualpoet.serve import errors

with extras.needs("serve"):
    import aiohttp

_CUT = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)
_MAX_MESSAGE = 64 * 2**20
_CHUNK = 65_536
_LONGEST_BACKOFF = 2000  # ms until gRPC looks for a server that was gone


async def in_thread(function: Callable, *arguments: Any) -> Any:
    """Calls a function where it does not hold up the loop."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, function, *arguments)


class Rest:
    """`:predict` in column form.

    Args:
        url: Of the server.
        name: Of the model.
        token: That a proxy before the server asks for.
    """

    def __init__(self, url: str, name: str, token: str | None):
        self._address = f"{url.rstrip('/')}/v1/models/{name}:predict"
        # Whoever calls says how long it may take.
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"Authorization": f"Bearer {token}"} if token else None,
        )

    async def predict(
        self, signature: str, values: Mapping[str, Any], seconds: float
    ) -> dict[str, Any]:
        """Runs a signature for one photograph.

        Args:
            signature: Its name.
            values: Its inputs, without their batch.
            seconds: That the server may take; here whoever calls bounds it.

        Returns:
            Its outputs, without their batch.

        Raises:
            ServeError: If there is no such answer.
        """
        inputs = {
            name: [
                {"b64": base64.b64encode(value).decode()}
                if isinstance(value, bytes)
                else value
            ]
            for name, value in values.items()
        }
        body = {"signature_name": signature, "inputs": inputs}
        try:
            async with self._session.post(
                self._address, json=body, allow_redirects=False
            ) as response:
                content = await self._read(response)
        except _CUT as error:
            message = str(error) or type(error).__name__
            raise errors.ServeError("UNAVAILABLE", message) from error
        except aiohttp.ClientError as error:
            raise self._unexpected("an answer of HTTP", str(error)) from error
        return self._parse(response, content)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """Its body, as far as there is room for it."""
        content = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            content += chunk
            if len(content) > _MAX_MESSAGE:
                raise self._unexpected(
                    f"at most {_MAX_MESSAGE} bytes", "an answer of more"
                )
        return bytes(content)

    def _parse(
        self, response: aiohttp.ClientResponse, content: bytes
    ) -> dict[str, Any]:
        if 300 <= response.status < 400:
            place = response.headers.get("Location", "nowhere")[:200]
            raise self._unexpected("an answer", f"a redirection to {place}")
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None  # a proxy answers in HTML
        if response.status != 200:
            raise errors.from_http(response.status, answer)
        try:
            return {name: rows[0] for name, rows in answer["outputs"].items()}
        except (LookupError, TypeError, AttributeError) as error:
            text = content.decode(errors="replace")[:100]
            raise self._unexpected("JSON with `outputs`", repr(text)) from error

    def _unexpected(self, expected: str, received: str) -> errors.ServeError:
        return errors.ServeError(
            "UNKNOWN",
            f"expected {expected} from {self._address}. Received: {received}. "
            "Check that the address is that of the model",
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._session.close()


class Grpc:
    """`PredictionService.Predict`.

    Args:
        url: Of the server.
        name: Of the model.
        token: That a proxy before the server asks for.
    """

    def __init__(self, url: str, name: str, token: str | None):
        self._name = name
        self._metadata = (
            [("authorization", f"Bearer {token}")] if token else None
        )
        self._channel = grpc.aio.insecure_channel(
            url.partition("://")[2],
            options=[
                ("grpc.max_receive_message_length", _MAX_MESSAGE),
                ("grpc.max_reconnect_backoff_ms", _LONGEST_BACKOFF),
            ],
        )

    async def predict(
        self, signature: str, values: Mapping[str, Any], seconds: float
    ) -> dict[str, Any]:
        """Runs a signature for one photograph.

        Args:
            signature: Its name.
            values: Its inputs, without their batch.
            seconds: That the server may take.

        Returns:
            Its outputs, without their batch.

        Raises:
            ServeError: If there is no such answer.
        """
        # The first call imports TensorFlow, for seconds: not in the loop.
        request, make_stub, read = await in_thread(
            _prepare, self._name, signature, values
        )
        try:
            response = await make_stub(self._channel).Predict(
                request, timeout=seconds, metadata=self._metadata
            )
        except grpc.aio.AioRpcError as error:
            raise errors.ServeError(
                error.code().name, error.details() or ""
            ) from error
        try:
            return {
                name: read(tensor)[0]
                for name, tensor in response.outputs.items()
            }
        except (LookupError, TypeError, ValueError) as error:
            raise errors.ServeError(
                "UNKNOWN", f"expected tensors with a row. Received: {error}"
            ) from error

    async def close(self) -> None:
        """Closes the connections."""
        await self._channel.close()


def _prepare(
    model: str, signature: str, values: Mapping[str, Any]
) -> tuple[Any, Callable, Callable]:
    """A request, what calls the service, and what reads its tensors."""
    with extras.needs("serve"):
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2
        from tensorflow_serving.apis import prediction_service_pb2_grpc

    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    dtypes = {c.input: c.dtype for c in controls.CONTROLS}
    for name, value in values.items():
        tensor = tf.make_tensor_proto([value], dtypes.get(name))
        request.inputs[name].CopyFrom(tensor)
    make_stub = prediction_service_pb2_grpc.PredictionServiceStub
    return request, make_stub, tf.make_ndarray
