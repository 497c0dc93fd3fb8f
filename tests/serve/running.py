"""A server with the tiny poet, in a thread of its own, on real sockets."""

import asyncio
import contextlib
import threading

from visualpoet.serve import options as serving
from visualpoet.serve import server as serving_server


class Running:
    """A started server.

    Attributes:
        rest: `http://host:port`.
        grpc: `host:port`.
    """

    def __init__(self, model, **options):
        options = {"rest_port": 0, "grpc_port": 0, "name": "tiny"} | options
        self._options = serving.ServerOptions(model=model, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        try:
            self.server = self.run(self._make())
            self.run(self.server.start())
        except BaseException:
            self._end()
            raise
        self.core = self.server.core
        self.rest = f"http://127.0.0.1:{self.server.rest_port}"
        self.grpc = f"127.0.0.1:{self.server.grpc_port}"

    async def _make(self):
        return serving_server.Server(self._options)

    def run(self, coroutine):
        """Runs a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(
            300
        )

    def call(self, function, *arguments):
        """Calls a function in the server's loop."""

        async def called():
            return function(*arguments)

        return self.run(called())

    def stop(self):
        self.run(self.server.stop())
        self._end()

    def _end(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextlib.contextmanager
def serve(model, **options):
    running = Running(model, **options)
    try:
        yield running
    finally:
        running.stop()
