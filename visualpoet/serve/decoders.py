"""Pictures are decoded in processes of their own, which can be stopped."""

import asyncio
import concurrent.futures
import multiprocessing
import queue
import time

from visualpoet.serve import decoding
from visualpoet.serve import errors

_QUICK_PIXELS = 16_000_000
_QUICK_SECONDS = 1.0
_QUICK_MEGABYTES, _SLOW_MEGABYTES = 384, 1024
_SLOW_NICENESS = 10
# A process that forks the others: each starts in milliseconds, and without
# the threads and the memory of TensorFlow.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["visualpoet.serve.decoding"])


class Decoders:
    """Two lanes: what is large or takes long is kept from the others' way.

    A picture that has more than `_QUICK_PIXELS`, or takes more than
    `_QUICK_SECONDS`, goes on to the one process of the slow lane.

    Args:
        processes: Of the quick lane.
        max_pixels: Of a picture, width times height, at most.
        seconds: That it may take.
    """

    def __init__(self, processes: int, max_pixels: int, seconds: float):
        self._seconds = seconds
        self._quick = _Lane(
            processes, min(max_pixels, _QUICK_PIXELS), _QUICK_MEGABYTES, 0
        )
        self._slow = _Lane(1, max_pixels, _SLOW_MEGABYTES, _SLOW_NICENESS)

    async def start(self) -> None:
        """Starts the processes of the quick lane."""
        await self._quick.start()

    async def see(self, content: bytes, deadline: float) -> bytes:
        """Decodes what the graph looks at; see `decoding.see`.

        Args:
            content: Encoded picture.
            deadline: Of the loop's clock [s].

        Returns:
            A BMP.

        Raises:
            ServeError: INVALID_ARGUMENT, or DEADLINE_EXCEEDED if it took too
                long.
        """
        async with errors.until(deadline):
            seconds = min(self._seconds, _QUICK_SECONDS)
            seen = await self._quick.ask(content, seconds, deadline)
            if seen[:1] in (b"", decoding.TOO_LARGE):
                seen = await self._slow.ask(content, self._seconds, deadline)
        if not seen:
            raise errors.ServeError(
                "DEADLINE_EXCEEDED",
                f"the picture took more than {self._seconds:g} s to decode. "
                "Save it again, smaller and as a baseline JPEG",
            )
        if not seen.startswith(decoding.SEEN):
            raise errors.invalid(seen[1:].decode())
        return seen[1:]

    async def stop(self) -> None:
        """Ends all processes."""
        await asyncio.gather(self._quick.stop(), self._slow.stop())


class _Lane:
    """Some processes, and a thread for each that waits for it."""

    def __init__(self, processes: int, *arguments: int):
        self._processes = [_Process(arguments) for _ in range(processes)]
        self._free: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        for process in self._processes:
            self._free.put(process)
        self._threads = concurrent.futures.ThreadPoolExecutor(
            processes, thread_name_prefix="decoder"
        )

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        for process in self._processes:
            await loop.run_in_executor(self._threads, process.start)

    async def ask(
        self, content: bytes, seconds: float, deadline: float
    ) -> bytes:
        """What a process answers; nothing if it took too long."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._ask, content, seconds, deadline
        )

    def _ask(self, content: bytes, seconds: float, deadline: float) -> bytes:
        process = self._free.get()  # as many as threads
        try:
            left = min(seconds, deadline - time.monotonic())
            return process.ask(content, left) if left > 0 else b""
        finally:
            self._free.put(process)

    async def stop(self) -> None:
        for process in self._processes:
            process.kill()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)


class _Process:
    """A process that is killed at its deadline, and started anew if needed."""

    def __init__(self, arguments: tuple[int, ...]):
        self._arguments = arguments
        self._process: multiprocessing.process.BaseProcess | None = None

    def start(self) -> None:
        self._pipe, its_end = _context.Pipe()
        self._process = _context.Process(
            target=decoding.work, args=(its_end, *self._arguments), daemon=True
        )
        self._process.start()
        its_end.close()
        self._pipe.recv_bytes()  # that it is ready

    def ask(self, content: bytes, seconds: float) -> bytes:
        if self._process is None or not self._process.is_alive():
            self.start()
        try:
            self._pipe.send_bytes(content)
            if self._pipe.poll(seconds):
                return self._pipe.recv_bytes()
        except (EOFError, OSError):  # it is no more
            self.kill()
            message = "picture: it ended the process that decodes"
            return decoding.REFUSED + message.encode()
        self.kill()
        return b""

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join()
