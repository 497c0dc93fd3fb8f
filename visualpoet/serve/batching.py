"""Rows of many requests in one run of a graph; a queue with an end."""

import asyncio
import concurrent.futures
import dataclasses
import logging
import time
from collections.abc import Callable
from collections.abc import Mapping

import numpy as np

from visualpoet.serve import errors
from visualpoet.serve.metrics import Metrics
from visualpoet.serve.servable import Signature
from visualpoet.serve.servable import Tensors

_log = logging.getLogger(__name__)


@dataclasses.dataclass(eq=False)
class _Work:
    """One request in the queue.

    Attributes:
        key: Works of the same one can be merged; None if it runs alone.
        rows: Its size for the bounds of queue and run.
    """

    signature: Signature
    inputs: Tensors
    key: tuple | None
    rows: int
    done: asyncio.Future


class Batcher:
    """Runs signatures in a few threads, and merges rows that wait.

    A request that comes alone is run at once: to wait for others pays only
    where others are.

    Args:
        threads: Runs at once.
        batch_rows: At most in one run.
        batch_seconds: To wait for rows to merge, if another run is under way
            or the last one was of several requests.
        queue_rows: That may wait.
        metrics: Is told of every run.
    """

    def __init__(
        self,
        threads: int,
        batch_rows: int,
        batch_seconds: float,
        queue_rows: int,
        metrics: Metrics,
    ):
        self._batch_rows = batch_rows
        self._batch_seconds = batch_seconds
        self._queue_rows = queue_rows
        self._metrics = metrics
        self._queue: list[_Work] = []
        self._arrived = asyncio.Event()
        self._collecting = asyncio.Lock()
        self._running = 0
        self._started: dict[object, float] = {}
        self._last_size = 0
        self._pool = concurrent.futures.ThreadPoolExecutor(
            threads, thread_name_prefix="graph"
        )
        self._lanes = [
            asyncio.create_task(self._run_lane()) for _ in range(threads)
        ]
        metrics.watch_queue(self.queue_length)

    def queue_length(self) -> int:
        """Counts the rows that wait."""
        return sum(work.rows for work in self._queue)

    def is_late(self, seconds: float) -> bool:
        """Returns whether a run is under way for longer.

        Args:
            seconds: That a run may take.

        Returns:
            Whether one has taken more.
        """
        latest = time.perf_counter() - seconds
        return any(started < latest for started in self._started.values())

    async def run(
        self, signature: Signature, inputs: Tensors, deadline: float
    ) -> dict[str, np.ndarray]:
        """Runs a signature, maybe together with rows of other requests.

        Args:
            signature: What to run.
            inputs: Checked by `Signature.check`.
            deadline: Of the loop's clock [s].

        Returns:
            One array an output, of the rows of `inputs` only.

        Raises:
            ServeError: RESOURCE_EXHAUSTED if the queue is full,
                DEADLINE_EXCEEDED, or what the graph raises.
        """
        key, rows = _mergeable(signature, inputs)
        waiting = self.queue_length()
        if waiting + rows > self._queue_rows:
            self._metrics.refused.inc(rows)
            raise errors.ServeError(
                "RESOURCE_EXHAUSTED",
                f"the queue is full: {waiting} rows wait, at most "
                f"{self._queue_rows} may. Try again later",
            )
        done = asyncio.get_running_loop().create_future()
        work = _Work(signature, inputs, key, rows, done)
        done.add_done_callback(lambda _: self._forget(work))
        self._queue.append(work)
        self._arrived.set()
        async with errors.until(deadline):
            return await done

    def _forget(self, work: _Work) -> None:
        """Cancelled work is not run."""
        if work in self._queue:
            self._queue.remove(work)

    async def _run_lane(self) -> None:
        while True:
            async with self._collecting:
                batch = await self._collect()
                self._last_size = len(batch)
                self._running += 1
            try:
                await self._run_batch(batch)
            finally:
                self._running -= 1
            del batch  # or an idle lane keeps a version that is unloaded

    async def _collect(self) -> list[_Work]:
        """Waits for work, and a little for more of its kind."""
        await self._wait_until(lambda: bool(self._queue), None)
        first = self._queue[0]
        has_company = self._running > 0 or self._last_size > 1
        if has_company and first.key is not None:
            await self._wait_until(
                lambda: sum(w.rows for w in self._alike()) >= self._batch_rows,
                self._batch_seconds,
            )
        batch = self._alike()
        self._queue = [work for work in self._queue if work not in batch]
        return [work for work in batch if not work.done.done()]

    async def _wait_until(
        self, ready: Callable[[], bool], seconds: float | None
    ) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not ready():
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            pass

    def _alike(self) -> list[_Work]:
        """What can run together with the first of the queue."""
        batch: list[_Work] = []
        rows = 0
        for work in self._queue:
            if not batch:
                key = work.key
            elif key is None or work.key != key:
                continue
            elif rows + work.rows > self._batch_rows:
                break
            batch.append(work)
            rows += work.rows
        return batch

    async def _run_batch(self, batch: list[_Work]) -> None:
        if len(batch) > 1:
            try:
                merged = await self._run(batch[0].signature, _merge(batch))
                _split(batch, merged)
                return
            except Exception:
                pass  # one of them is broken; the others shall not suffer
        for work in batch:
            if work.done.done():
                continue
            try:
                result = await self._run(work.signature, work.inputs)
            except Exception as error:
                told = _to_serve_error(error)
                if not work.done.done():
                    work.done.set_exception(told)
            else:
                if not work.done.done():
                    work.done.set_result(result)

    async def _run(
        self, signature: Signature, inputs: Tensors
    ) -> dict[str, np.ndarray]:
        loop, key = asyncio.get_running_loop(), object()
        self._started[key] = time.perf_counter()
        try:
            return await loop.run_in_executor(self._pool, signature.run, inputs)
        finally:
            seconds = time.perf_counter() - self._started.pop(key)
            _, rows = _mergeable(signature, inputs)
            name = signature.name
            self._metrics.graph_seconds.labels(name).observe(seconds)
            self._metrics.batch_rows.labels(name).observe(rows)

    async def close(self) -> None:
        """Ends the threads; nothing may be waiting any more."""
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        self._pool.shutdown()


def _to_serve_error(error: Exception) -> errors.ServeError:
    """Logs what no client can help."""
    if isinstance(error, errors.ServeError):
        return error
    _log.error("a graph failed", exc_info=error)
    return errors.from_tensorflow(error)


def _mergeable(
    signature: Signature, inputs: Tensors
) -> tuple[tuple | None, int]:
    """What inputs must share to be merged, and how many rows they have."""
    shapes = [inputs[name].shape for name in signature.inputs]
    rows = {shape[0] if shape else 0 for shape in shapes}
    if len(rows) != 1 or rows == {0}:
        return None, 1
    tails = tuple(shape[1:] for shape in shapes)
    return (id(signature), tails), rows.pop()


def _merge(batch: list[_Work]) -> Mapping[str, np.ndarray]:
    names = batch[0].signature.inputs
    return {
        name: np.concatenate([work.inputs[name] for work in batch])
        for name in names
    }


def _split(batch: list[_Work], merged: Mapping[str, np.ndarray]) -> None:
    total = sum(work.rows for work in batch)
    if any(value.shape[:1] != (total,) for value in merged.values()):
        raise errors.ServeError("INTERNAL", "the outputs have no rows")
    start = 0
    for work in batch:
        end = start + work.rows
        if not work.done.done():
            work.done.set_result(
                {name: value[start:end] for name, value in merged.items()}
            )
        start = end
