"""A client of `visualpoet serve` and of a stock TensorFlow Serving.

with PoemClient("http://localhost:8501") as client:
    print(client.write("photo.jpg", seed=1).poem)
"""

import asyncio
import concurrent.futures
import functools
import os
import random
import threading
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Coroutine
from collections.abc import Mapping
from typing import Any

from visualpoet import controls
from visualpoet import model_folders
from visualpoet import pictures
from visualpoet import unwritten
from visualpoet import written_poem
from visualpoet.serve import errors
from visualpoet.serve import transports

_AGAIN = (429, 503)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_MARGIN = 1.0  # s after which a thread that cannot answer is not waited for


class AsyncPoemClient:
    """The client for `async` code; see `PoemClient`.

    Args:
        url: `http://host:port`, `https://host:port` or `grpc://host:port`.
        name: Of the model, or of one of the voices that are served beside it.
        timeout: That a call may take, with all its tries [s].
        retries: More tries after a server was busy or not there.
        any_word: Whether `unwritten.WORDS` may be written.
        token: That a proxy before the server asks for, as in `Authorization:
            Bearer TOKEN`.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "visualpoet",
        timeout: float = 60.0,
        retries: int = 4,
        any_word: bool = False,
        token: str | None = None,
    ):
        scheme, _, rest = url.partition("://")
        scheme = scheme.lower()
        if scheme not in ("http", "https", "grpc") or not rest:
            raise ValueError(
                "expected http://host:port, https://host:port or "
                f"grpc://host:port. Received: {url}"
            )
        transport = transports.Grpc if scheme == "grpc" else transports.Rest
        self._transport = transport(url, name, token)
        self._is_closed = False
        self.timeout = timeout
        self._retries = retries
        self._defaults = unwritten.leave_out(_read_defaults(name), any_word)

    async def __aenter__(self) -> "AsyncPoemClient":
        """Enters a block at whose end the connections are closed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the connections."""
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        self._is_closed = True
        await self._transport.close()

    @controls.spell_out
    async def write(
        self, photograph: pictures.PictureSource, **given: Any
    ) -> written_poem.WrittenPoem:
        """Writes a poem for a photograph.

        Controls that are not given, or None, are as in the model of this
        package: the voice that is named as the model is, if there is one.

        Args:
            photograph: As for `visualpoet.Poet.write`.
            **given: The controls.

        Returns:
            The poem.

        Raises:
            PictureError: If the photograph cannot be used.
            TypeError: If there is no such control.
            ServeError: If a control is not what is expected, the server
                refuses, or did not answer in time, or the client is closed.
        """
        if self._is_closed:
            raise _closed()
        try:
            values = controls.complete(controls.CONTROLS, given, self._defaults)
        except ValueError as error:
            raise errors.invalid(str(error)) from error
        deadline = asyncio.get_running_loop().time() + self.timeout
        try:
            async with asyncio.timeout_at(deadline):
                values["image_bytes"] = await transports.in_thread(
                    pictures.read_picture, photograph
                )
                row = await self._compose(values, deadline)
        except TimeoutError as error:
            raise _late(self.timeout) from error
        try:
            return written_poem.to_written_poem(row, values["seed"])
        except (LookupError, TypeError, ValueError) as error:
            raise errors.ServeError(
                "UNKNOWN",
                f"expected a poem with its clues and scores. Received: "
                f"{', '.join(map(str, row))[:100]}. Check that the model is a "
                "poet",
            ) from error

    async def _compose(
        self, values: Mapping[str, Any], deadline: float
    ) -> dict[str, Any]:
        name, inputs = controls.choose_signature(values), dict(values)
        if name == "compose":
            del inputs["opening"]
        return await self._retry(
            lambda left: self._transport.predict(name, inputs, left), deadline
        )

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


def _closed() -> errors.ServeError:
    return errors.ServeError("FAILED_PRECONDITION", "the client is closed")


def _late(seconds: float) -> errors.ServeError:
    return errors.ServeError(
        "DEADLINE_EXCEEDED", f"the server did not answer in {seconds} s"
    )


class PoemClient:
    """A client with pooled connections; may be shared by threads.

    After a fork, the child opens connections of its own. gRPC itself does not
    outlive a fork: there the child's calls may end with their timeout.

    `write` works as `AsyncPoemClient.write` and `visualpoet.Poet.write`.

    Args:
        url: `http://host:port`, `https://host:port` or `grpc://host:port`.
        name: Of the model, or of one of the voices that are served beside it.
        timeout: That a call may take, with all its tries [s].
        retries: More tries after a server was busy or not there.
        any_word: Whether `unwritten.WORDS` may be written.
        token: Of a proxy before the server.

    Example:
        with PoemClient("http://localhost:8501") as client:
            print(client.write("sea.jpg", lines=4).poem)
    """

    def __init__(self, url: str, **options: Any):
        self._make = functools.partial(AsyncPoemClient, url, **options)
        self._starting = threading.Lock()
        self._is_closed = False
        self._start()

    def _start(self) -> None:
        """A loop, a thread that runs it, and a client in it."""
        self._process_id = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, daemon=True, name="poem-client"
        )
        self._thread.start()
        try:
            self._client = self._run(_call(self._make), None)
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
    ) -> written_poem.WrittenPoem:
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
        if self._is_closed:
            raise _closed()
        with self._starting:
            if self._process_id != os.getpid():
                # The parent's are kept: to close them would disturb it.
                self._inherited = self._loop, self._client
                self._start()
        return self._run(
            self._client.write(photograph, **given), self._client.timeout
        )

    def close(self) -> None:
        """Closes the connections."""
        if self._is_closed or self._process_id != os.getpid():
            return
        self._is_closed = True
        self._run(_close(self._client), None)
        self._end()

    def _run(self, coroutine: Coroutine, seconds: float | None) -> Any:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        if seconds is None:
            return future.result()
        try:
            return future.result(seconds + _MARGIN)
        except concurrent.futures.CancelledError as error:  # by `close`
            raise _closed() from error
        except TimeoutError as error:  # whatever keeps the thread
            future.cancel()
            raise _late(seconds) from error

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _call(make: Callable[[], AsyncPoemClient]) -> AsyncPoemClient:
    return make()


async def _close(client: AsyncPoemClient) -> None:
    """Ends what other threads still wait for, too."""
    await client.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _read_defaults(name: str) -> dict[str, Any]:
    """A stock server takes no request without all inputs."""
    model = model_folders.default_model()
    voice = model_folders.find_versions(model.parents[1] / name)
    model = voice[max(voice)] if voice else model
    return model_folders.read_options(model)
