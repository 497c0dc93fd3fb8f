"""What REST and gRPC share: models, a queue, limits, counters."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import numpy as np

from visualpoet.controls import MAX_CANDIDATES
from visualpoet.serve import errors
from visualpoet.serve import versions
from visualpoet.serve.admission import Admission
from visualpoet.serve.batching import Batcher
from visualpoet.serve.decoders import Decoders
from visualpoet.serve.metrics import Metrics
from visualpoet.serve.options import ServerOptions
from visualpoet.serve.servable import PICTURES
from visualpoet.serve.servable import Servable
from visualpoet.serve.servable import Signature
from visualpoet.serve.servable import Tensors
from visualpoet.serve.versions import State
from visualpoet.serve.versions import Versions

_log = logging.getLogger(__name__)
_MOST_CANDIDATES = 1024  # of a request: those of all rows are written at once
# Of pixels that wait for the graph or are in it, of all requests.
_ROOM = 256 * 2**20


class Core:
    """All models behind one queue.

    Attributes:
        models: By name; the one that is meant where none is named comes first.

    Args:
        options: How to serve.
    """

    def __init__(self, options: ServerOptions):
        self.options = options
        self.metrics = Metrics(bool(options.voices))
        self.admission = Admission(options.requests, options.idle_seconds)
        self.models = _make_models(options, self.metrics)
        self._decoders = Decoders(
            options.threads, options.picture_pixels, options.decode_seconds
        )
        self._room = _ROOM
        self._batcher: Batcher  # from `start` on, and so is the watcher
        self._watcher: asyncio.Task | None = None

    async def start(self) -> None:
        """Loads the models and begins to look for new versions.

        Raises:
            FileNotFoundError: If there is no version of one.
            ValueError: If a folder cannot be read, or none of it be loaded.
        """
        options = self.options
        await self._decoders.start()
        for model in self.models.values():
            await model.start()
        self._batcher = Batcher(
            options.threads,
            options.batch_rows,
            options.batch_milliseconds / 1000,
            options.queue_rows,
            self.metrics,
        )
        self._watcher = asyncio.create_task(
            versions.watch(self.models.values(), options.poll_seconds)
        )

    def resolve(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> Servable:
        """Calls `Versions.resolve` of a model.

        Args:
            name: Of the model.
            version: A number; the highest served if none.
            label: A label instead of a version.

        Returns:
            A version that is served; to be used in a `with` block.

        Raises:
            ServeError: As TensorFlow Serving's.
        """
        return self._find(name).resolve(name, version, label)

    def _find(self, name: str) -> Versions:
        """A model; the main one, which refuses the name, if there is none."""
        return self.models.get(name, self.models[self.options.name])

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
        _check_candidates(inputs)
        async with self._decoded(inputs, deadline) as decoded:
            return await self._batcher.run(signature, decoded, deadline)

    @contextlib.asynccontextmanager
    async def _decoded(
        self, inputs: Tensors, deadline: float
    ) -> AsyncIterator[Tensors]:
        """Inputs whose pictures are pixels, which take room until the end."""
        contents = inputs.get(PICTURES, np.empty(0, object))
        seen = np.empty(contents.size, object)
        held = 0
        try:
            # One after the other: many rows take no more than one process.
            for row, content in enumerate(contents.reshape(-1)):
                seen[row] = await self._decoders.see(content, deadline)
                held += self._take_room(len(seen[row]))
            pictures = {PICTURES: seen.reshape(contents.shape)}
            yield {**inputs, **pictures} if PICTURES in inputs else inputs
        finally:
            self._room += held

    def _take_room(self, size: int) -> int:
        if size > self._room:
            raise errors.ServeError(
                "RESOURCE_EXHAUSTED",
                "too many large photographs at once. Try again later, or send "
                "fewer or smaller ones",
            )
        self._room -= size
        return size

    def status(
        self, name: str, version: int | None = None
    ) -> list[tuple[int, State]]:
        """Calls `Versions.status` of a model, if runs end in time.

        Args:
            name: Of the model.
            version: A number; all if none.

        Returns:
            Numbers and states, the highest first.

        Raises:
            ServeError: NOT_FOUND; UNAVAILABLE if a run is late.
        """
        states = self._find(name).status(name, version)
        if self.is_late():
            raise errors.ServeError(
                "UNAVAILABLE",
                "a run of the model is under way for more than "
                f"{self.options.timeout_seconds:g} s",
            )
        return states

    def count(
        self,
        api: str,
        code: str,
        seconds: float,
        client: str | None,
        what: str,
    ) -> None:
        """Counts a finished request, and logs it if asked to.

        Args:
            api: Which it asked for, for the metrics.
            code: Of HTTP or gRPC.
            seconds: That it took.
            client: Its address.
            what: Method and path.
        """
        self.metrics.requests.labels(api, code).inc()
        self.metrics.request_seconds.labels(api).observe(seconds)
        if self.options.log_requests:
            line = f"{client} {what[:200]} {code} {1000 * seconds:.0f} ms"
            _log.info("%s", line.encode("unicode_escape").decode())

    def is_late(self) -> bool:
        """Returns whether a run takes longer than any request may."""
        return self._batcher.is_late(self.options.timeout_seconds)

    async def stop(self) -> None:
        """Ends tasks and threads; nothing may be waiting any more."""
        if self._watcher:
            self._watcher.cancel()
            await self._batcher.close()
        for model in self.models.values():
            model.close()
        await self._decoders.stop()


def _check_candidates(inputs: Tensors) -> None:
    wanted = inputs.get("num_candidates", np.zeros(0, int))
    number = int(np.clip(wanted, 1, MAX_CANDIDATES).sum())
    if number > _MOST_CANDIDATES:
        raise errors.invalid(
            f"expected num_candidates of at most {_MOST_CANDIDATES:,} in all "
            f"rows together. Received: {number:,}"
        )


def _make_models(
    options: ServerOptions, metrics: Metrics
) -> dict[str, Versions]:
    name, gauge = options.name, metrics.version
    main = Versions(name, options.model, options.labels, gauge)
    voices = {
        voice: Versions(voice, folder, {}, metrics.voice_version.labels(voice))
        for voice, folder in options.voices.items()
    }
    return {name: main, **voices}
