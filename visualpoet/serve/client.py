"""A client of `visualpoet serve` and of a stock TensorFlow Serving.

with PoemClient("http://localhost:8501") as client:
    print(client.write("photo.jpg", seed=1).poem)
"""

import asyncio
import base64
import json
import random
import threading
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Coroutine
from collections.abc import Mapping
from typing import Any

import grpc

from visualpoet import controls
from visualpoet import extras
from visualpoet import pictures
from visualpoet import poet
from visualpoet import unwritten
from visualpoet.serve import errors

with extras.needs("serve"):
    import aiohttp

_AGAIN = (429, 503)
_CUT = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_MAX_MESSAGE = 64 * 2**20


class AsyncPoemClient:
    """The client for `async` code; see `PoemClient`.

    Args:
        url: `http://host:port`, `https://host:port` or `grpc://host:port`.
        name: Of the model.
        timeout: That a call may take, with all its tries [s].
        retries: More tries after a server was busy or not there.
        any_word: Whether `unwritten.WORDS` may be written.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "visualpoet",
        timeout: float = 60.0,
        retries: int = 4,
        any_word: bool = False,
    ):
        scheme, _, rest = url.partition("://")
        if scheme not in ("http", "https", "grpc") or not rest:
            raise ValueError(
                "expected http://host:port, https://host:port or "
                f"grpc://host:port. Received: {url}"
            )
        self._transport = (
            _Grpc(rest, name) if scheme == "grpc" else _Rest(url, name)
        )
        self._timeout = timeout
        self._retries = retries
        self._defaults = unwritten.leave_out(_read_defaults(), any_word)

    async def __aenter__(self) -> "AsyncPoemClient":
        """Enters a block at whose end the connections are closed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the connections."""
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.close()

    @controls.spell_out
    async def write(
        self, photograph: pictures.PictureSource, **given: Any
    ) -> poet.WrittenPoem:
        """Writes a poem for a photograph.

        Controls that are not given, or None, are as in the model of this
        package.

        Args:
            photograph: As for `visualpoet.Poet.write`.
            **given: The controls.

        Returns:
            The poem.

        Raises:
            PictureError: If the photograph cannot be used.
            TypeError: If there is no such control.
            ServeError: If a control is not what is expected, the server
                refuses, or did not answer in time.
        """
        try:
            values = controls.complete(controls.CONTROLS, given, self._defaults)
        except ValueError as error:
            raise errors.invalid(str(error)) from error
        loop = asyncio.get_running_loop()
        values["image_bytes"] = await loop.run_in_executor(
            None, pictures.read_picture, photograph
        )
        return poet.to_written_poem(await self._compose(values), values["seed"])

    async def _compose(self, values: Mapping[str, Any]) -> dict[str, Any]:
        name, inputs = controls.choose_signature(values), dict(values)
        if name == "compose":
            del inputs["opening"]
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            async with asyncio.timeout_at(deadline):
                return await self._retry(
                    lambda left: self._transport.predict(name, inputs, left),
                    deadline,
                )
        except TimeoutError as error:
            raise errors.ServeError(
                "DEADLINE_EXCEEDED",
                f"the server did not answer in {self._timeout} s",
            ) from error

    async def _retry(
        self, call: Callable[[float], Awaitable], deadline: float
    ) -> Any:
        """Tries again where nothing was done yet, after a random pause."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        for tries_left in range(self._retries, -1, -1):
            try:
                return await call(deadline - loop.time())
            except errors.ServeError as error:
                if error.http_status not in _AGAIN or not tries_left:
                    raise
            await asyncio.sleep(random.uniform(pause / 2, pause))
            pause = min(2 * pause, _LONGEST_PAUSE)


class PoemClient:
    """A client with pooled connections; may be shared by threads.

    `write` works as `AsyncPoemClient.write` and `visualpoet.Poet.write`.

    Args:
        url: `http://host:port`, `https://host:port` or `grpc://host:port`.
        name: Of the model.
        timeout: That a call may take, with all its tries [s].
        retries: More tries after a server was busy or not there.

    Example:
        with PoemClient("http://localhost:8501") as client:
            print(client.write("sea.jpg", lines=4).poem)
    """

    def __init__(self, url: str, **options: Any):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, daemon=True, name="poem-client"
        )
        self._thread.start()
        try:
            self._client = self._run(_make(url, options))
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> "PoemClient":
        """Enters a block at whose end the connections are closed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the connections."""
        self.close()

    @controls.spell_out
    def write(
        self, photograph: pictures.PictureSource, **given: Any
    ) -> poet.WrittenPoem:
        """Writes a poem for a photograph.

        Args:
            photograph: As for `AsyncPoemClient.write`.
            **given: The controls.

        Returns:
            The poem.

        Raises:
            PictureError: If the photograph cannot be used.
            TypeError: If there is no such control.
            ServeError: If a control is not what is expected, the server
                refuses, or did not answer in time.
        """
        return self._run(self._client.write(photograph, **given))

    def close(self) -> None:
        """Closes the connections."""
        self._run(self._client.close())
        self._end()

    def _run(self, coroutine: Coroutine) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _make(url: str, options: Mapping[str, Any]) -> AsyncPoemClient:
    return AsyncPoemClient(url, **options)


def _read_defaults() -> dict[str, Any]:
    """A stock server takes no request without all inputs."""
    model = poet.default_model()
    return json.loads((model / "assets.extra" / "options.json").read_text())


class _Rest:
    """`:predict` in column form."""

    def __init__(self, url: str, name: str):
        self._address = f"{url.rstrip('/')}/v1/models/{name}:predict"
        # Whoever calls says how long it may take.
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None)
        )

    async def predict(
        self, signature: str, values: Mapping[str, Any], seconds: float
    ) -> dict[str, Any]:
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
            async with self._session.post(self._address, json=body) as response:
                return await self._read(response)
        except _CUT as error:
            message = str(error) or type(error).__name__
            raise errors.ServeError("UNAVAILABLE", message) from error
        except aiohttp.ClientError as error:
            raise errors.ServeError(
                "UNKNOWN",
                f"expected an answer of HTTP from {self._address}. Received: "
                f"{error}",
            ) from error

    async def _read(self, response: aiohttp.ClientResponse) -> dict[str, Any]:
        if response.status != 200:
            try:
                answer = await response.json(content_type=None)
            except (ValueError, aiohttp.ClientError):
                answer = {}  # a proxy answers in HTML
            raise errors.from_http(response.status, answer)
        try:
            answer = await response.json(content_type=None)
            return {name: rows[0] for name, rows in answer["outputs"].items()}
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise errors.ServeError(
                "UNKNOWN",
                f"expected JSON with `outputs` from {self._address}. Received: "
                f"{(await response.text(errors='replace'))[:100]!r}. Check "
                "that the address is that of the model",
            ) from error

    async def close(self) -> None:
        await self._session.close()


class _Grpc:
    """`PredictionService.Predict`."""

    def __init__(self, address: str, name: str):
        with extras.needs("serve"):
            from tensorflow_serving.apis import prediction_service_pb2_grpc

        self._name = name
        self._channel = grpc.aio.insecure_channel(
            address,
            options=[("grpc.max_receive_message_length", _MAX_MESSAGE)],
        )
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(
            self._channel
        )

    async def predict(
        self, signature: str, values: Mapping[str, Any], seconds: float
    ) -> dict[str, Any]:
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.name = self._name
        request.model_spec.signature_name = signature
        dtypes = {c.input: c.dtype for c in controls.CONTROLS}
        for name, value in values.items():
            tensor = tf.make_tensor_proto([value], dtypes.get(name))
            request.inputs[name].CopyFrom(tensor)
        try:
            response = await self._stub.Predict(request, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            raise errors.ServeError(
                error.code().name, error.details() or ""
            ) from error
        return {
            name: tf.make_ndarray(tensor)[0]
            for name, tensor in response.outputs.items()
        }

    async def close(self) -> None:
        await self._channel.close()
