"""What REST and gRPC share: a model, a queue, limits, counters."""

import asyncio
import concurrent.futures
from collections.abc import Callable
from typing import Any
from typing import TypeVar

import numpy as np

from visualpoet import pictures
from visualpoet.features import picture_files
from visualpoet.serve import errors
from visualpoet.serve.admission import Admission
from visualpoet.serve.batching import Batcher
from visualpoet.serve.metrics import Metrics
from visualpoet.serve.options import ServerOptions
from visualpoet.serve.servable import PICTURES
from visualpoet.serve.servable import Signature
from visualpoet.serve.servable import Tensors
from visualpoet.serve.versions import Versions

T = TypeVar("T")


def read_picture(content: bytes, max_pixels: int) -> bytes:
    """Calls `pictures.read_picture`.

    Args:
        content: Encoded picture.
        max_pixels: Its size at most.

    Returns:
        JPEG or PNG bytes.

    Raises:
        ServeError: INVALID_ARGUMENT.
    """
    try:
        return pictures.read_picture(content, max_pixels)
    except pictures.PictureError as error:
        raise errors.invalid(str(error)) from error


def _check_picture(content: bytes, max_pixels: int) -> bytes:
    try:
        return picture_files.to_decodable(content, max_pixels)
    except pictures.PictureError as error:
        raise errors.invalid(str(error)) from error


class Core:
    """One model behind one queue.

    Args:
        options: How to serve.
    """

    def __init__(self, options: ServerOptions):
        self.options = options
        self.metrics = Metrics()
        self.admission = Admission(options.requests, options.idle_seconds)
        self.versions = Versions(
            options.name, options.model, options.labels, self.metrics
        )
        self._pictures = concurrent.futures.ThreadPoolExecutor(
            options.threads, thread_name_prefix="picture"
        )
        self._batcher: Batcher  # from `start` on, and so is the watcher
        self._watcher: asyncio.Task | None = None

    async def start(self) -> None:
        """Loads the model and begins to look for new versions.

        Raises:
            FileNotFoundError: If there is no version.
            ValueError: If the folder cannot be read, or none can be loaded.
        """
        options = self.options
        try:
            await self.versions.poll()
        except OSError as error:
            raise ValueError(
                "expected a model folder that can be read. Received: "
                f"{options.model}: {error}"
            ) from error
        states = self.versions.states
        if not states:
            raise FileNotFoundError(
                "expected a SavedModel, or a folder that holds numbered "
                f"versions of one. Received: {options.model}"
            )
        if all(state.name != "AVAILABLE" for state in states.values()):
            number, state = max(states.items())
            raise ValueError(
                f"expected a model that can be loaded. Received: version "
                f"{number} of {options.model}: {state.message}"
            )
        self._batcher = Batcher(
            options.threads,
            options.batch_rows,
            options.batch_milliseconds / 1000,
            options.queue_rows,
            self.metrics,
        )
        self._watcher = asyncio.create_task(
            self.versions.watch(options.poll_seconds)
        )

    def deadline(self, seconds: float | None = None) -> float:
        """Returns when a request that comes now must be done.

        Args:
            seconds: What the client gives it, if it says.

        Returns:
            Of the loop's clock [s].
        """
        limit = self.options.timeout_seconds
        seconds = limit if seconds is None else min(seconds, limit)
        return asyncio.get_running_loop().time() + seconds

    async def run(
        self, signature: Signature, inputs: Tensors, deadline: float
    ) -> dict[str, np.ndarray]:
        """Checks inputs and runs a signature on them.

        Args:
            signature: What to run.
            inputs: One array an input.
            deadline: Of the loop's clock [s].

        Returns:
            One array an output.

        Raises:
            ServeError: What the client is to know.
        """
        signature.check(inputs)
        rows = max((v.shape[0] for v in inputs.values() if v.ndim), default=1)
        if rows > self.options.request_rows:
            raise errors.invalid(
                f"expected at most {self.options.request_rows} rows. "
                f"Received: {rows}"
            )
        if PICTURES in inputs:
            async with errors.until(deadline):
                checked = await self._check_pictures(inputs[PICTURES])
            inputs = {**inputs, PICTURES: checked}
        return await self._batcher.run(signature, inputs, deadline)

    async def _check_pictures(self, contents: np.ndarray) -> np.ndarray:
        limit = self.options.picture_pixels
        checked = np.empty(contents.size, object)
        for number, content in enumerate(contents.reshape(-1)):
            checked[number] = await self.in_thread(
                _check_picture, content, limit
            )
        return checked.reshape(contents.shape)

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs what takes long for a picture beside the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pictures, function, *arguments)

    async def stop(self) -> None:
        """Ends tasks and threads; nothing may be waiting any more."""
        if self._watcher:
            self._watcher.cancel()
            await self._batcher.close()
        self.versions.close()
        self._pictures.shutdown()
