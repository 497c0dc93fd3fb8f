"""`visualpoet serve`: REST, gRPC and the page, in one event loop."""

import asyncio
import collections
import logging
import signal
import sys
import time
from collections.abc import Awaitable
from collections.abc import Callable

import grpc
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc

from visualpoet.serve import errors
from visualpoet.serve import grpc_api
from visualpoet.serve import grpc_interceptors
from visualpoet.serve import metrics
from visualpoet.serve import origins
from visualpoet.serve import replies
from visualpoet.serve.core import Core
from visualpoet.serve.options import ServerOptions
from visualpoet.serve.page import Page
from visualpoet.serve.poems import PoemsApi
from visualpoet.serve.rest import RestApi

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)
# Broken HTTP is answered; a traceback each would only fill the log.
_http_log = logging.getLogger(f"{__name__}.http")
_http_log.setLevel(logging.CRITICAL)
_LOOK_SECONDS = 1.0
_SERVICES = (
    "",
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
)


class Server:
    """A running server.

    Attributes:
        rest_port: Of REST, once started.
        grpc_port: Of gRPC, once started.
        core: The model behind both.

    Args:
        options: How to serve.
    """

    def __init__(self, options: ServerOptions):
        self._options = options
        self.core = Core(options)
        self.rest_port = self.grpc_port = 0
        self._runner: web.AppRunner | None = None
        self._grpc: grpc.aio.Server | None = None
        self._health = health.HealthServicer()
        self._watcher: asyncio.Task | None = None
        self._closing: dict[RequestHandler, asyncio.Task] = {}

    async def start(self) -> None:
        """Loads the model, then listens.

        Raises:
            FileNotFoundError: If there is no model.
            ValueError: If it cannot be read or loaded, or a port is taken.
        """
        await self.core.start()
        try:
            await self._start_rest()
            await self._start_grpc()
        except OSError as error:
            raise ValueError(f"cannot listen: {error}") from error
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        """Tells health what it is, and closes what no one needs."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self._set_health()
            self._close_oldest()

    async def _set_health(self) -> None:
        states = health_pb2.HealthCheckResponse
        state = states.NOT_SERVING if self.core.is_late() else states.SERVING
        for service in _SERVICES:
            await self._health.set(service, state)

    def _close_oldest(self) -> None:
        """Of each address; what they are at is finished first."""
        by_address = collections.defaultdict(list)
        server = self._runner and self._runner.server
        for connection in server.connections if server else ():
            if connection.transport is not None:
                peer = connection.transport.get_extra_info("peername")
                by_address[peer[0] if peer else ""].append(connection)
        for connections in by_address.values():
            for connection in connections[: -self._options.connections]:
                if connection not in self._closing:
                    self._end(connection)

    def _end(self, connection: RequestHandler) -> None:
        seconds = self._options.timeout_seconds
        connection.close()  # takes no other request
        task = asyncio.create_task(connection.shutdown(seconds))
        self._closing[connection] = task
        task.add_done_callback(lambda _: self._closing.pop(connection))

    async def stop(self) -> None:
        """Listens no more, finishes what runs, and ends."""
        seconds = self._options.stop_seconds
        if self._watcher:
            self._watcher.cancel()
        await self._health.enter_graceful_shutdown()
        ends = []
        if self._runner:
            ends.append(self._runner.cleanup())
        if self._grpc:
            ends.append(self._grpc.stop(seconds))
        await asyncio.gather(*ends)
        # gRPC complains if its server is still there when the program ends.
        self._runner = self._grpc = None
        await self.core.stop()

    # --- REST

    async def _start_rest(self) -> None:
        options = self._options
        self._runner = web.AppRunner(
            self._make_application(),
            handler_cancellation=True,
            access_log=None,
            logger=_http_log,
            keepalive_timeout=options.idle_seconds,
            lingering_time=1.0,
            shutdown_timeout=options.stop_seconds,
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, options.host, options.rest_port).start()
        self.rest_port = self._runner.addresses[0][1]

    def _make_application(self) -> web.Application:
        poems, rest = PoemsApi(self.core), RestApi(self.core)
        page = Page(self.core)
        application = web.Application(
            client_max_size=self._options.body_bytes,
            middlewares=[self._answer],
        )
        add = application.router.add_route
        get = application.router.add_get  # HEAD, too
        get("/", page.handle, name="page")
        get("/static/{name}", page.handle, name="static")
        get(metrics.PATH, self._handle_metrics, name="metrics")
        add("POST", "/v1/poems", poems.write_poem, name="poems")
        add("POST", "/v1/lines", poems.write_line, name="lines")
        add("*", "/{v:[vV]1}/{rest:.*}", rest.handle, name="models")
        return application

    @web.middleware
    async def _answer(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """Every answer is counted, every error is JSON."""
        started = time.perf_counter()
        resource = request.match_info.route.resource
        api = resource.name if resource and resource.name else "none"
        status = 499
        try:
            response = await self._attempt(request, handler)
            status = response.status
            return response
        finally:
            seconds = time.perf_counter() - started
            what = f"{request.method} {request.path}"
            self.core.count(api, str(status), seconds, request.remote, what)

    async def _attempt(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        try:
            self._check_origin(request)
            return await handler(request)
        except errors.ServeError as error:
            return replies.from_serve_error(error)
        except web.RequestPayloadError:
            return replies.from_serve_error(
                errors.invalid("broken body: it cannot be read or unpacked")
            )
        except TimeoutError:  # whoever sends slowly is not waited for
            message = "the body did not come in time"
            return replies.from_error(message, 408)
        except web.HTTPException as error:
            message = f"{error.status} {error.reason}: {request.path[:200]}"
            return replies.from_error(message, error.status)
        except ConnectionError:
            raise  # the client has gone
        except Exception:
            _log.exception("%s %s", request.method, request.path)
            message = "an error of the server, which its log tells more about"
            return replies.from_error(message, 500)

    def _check_origin(self, request: web.Request) -> None:
        options = self._options
        allowed = options.allowed_hosts.lower().replace(",", " ").split()
        origins.refuse_foreign(request, options.host, allowed)

    async def _handle_metrics(self, request: web.Request) -> web.Response:
        return web.Response(
            body=self.core.metrics.page(),
            headers={"Content-Type": metrics.CONTENT_TYPE},
        )

    # --- gRPC

    async def _start_grpc(self) -> None:
        options = self._options
        self._grpc = grpc.aio.server(
            interceptors=[
                grpc_interceptors.RefuseNoise(),
                grpc_interceptors.LimitCalls(options.requests),
            ],
            options=[
                ("grpc.max_receive_message_length", options.body_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),
                # Packed messages are unpacked before they are measured.
                ("grpc.compression_enabled_algorithms_bitset", 1),
                ("grpc.per_message_decompression", 0),
                # Whoever connects and says nothing is not waited for.
                (
                    "grpc.server_handshake_timeout_ms",
                    int(options.idle_seconds * 1000),
                ),
            ],
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            grpc_api.PredictionService(self.core), self._grpc
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            grpc_api.ModelService(self.core), self._grpc
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        await self._set_health()
        try:
            self.grpc_port = self._grpc.add_insecure_port(
                f"{_bracket(options.host)}:{options.grpc_port}"
            )
        except RuntimeError as error:
            raise OSError(f"gRPC port {options.grpc_port}: {error}") from error
        await self._grpc.start()


def _bracket(host: str) -> str:
    """An address of version 6 as it stands before a port."""
    return f"[{host}]" if ":" in host else host


async def _serve(options: ServerOptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = Server(options)
    starting = asyncio.create_task(server.start())
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait(
            (starting, waiting), return_when=asyncio.FIRST_COMPLETED
        )
        if starting.done():
            await starting
            _announce(server, options)
            await waiting
            _log.info("stopping: what is under way is finished first")
    finally:
        waiting.cancel()
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        await server.stop()


def _announce(server: Server, options: ServerOptions) -> None:
    print(
        f"visualpoet: http://{_bracket(options.host)}:{server.rest_port} "
        f"grpc://{_bracket(options.host)}:{server.grpc_port}",
        flush=True,
    )


def run(options: ServerOptions) -> int:
    """Serves until SIGTERM or SIGINT.

    Args:
        options: How to serve.

    Returns:
        0, once everything that ran is finished.

    Raises:
        FileNotFoundError: If there is no model.
        ValueError: If it cannot be read or loaded, or a port is taken.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="visualpoet: %(levelname)s %(message)s",
    )
    _log.info("loading and warming up: the address follows")
    asyncio.run(_serve(options))
    _log.info("stopped")
    return 0
