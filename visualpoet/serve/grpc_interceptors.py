"""What every gRPC call passes before it is answered."""

import abc
from collections.abc import Awaitable
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

_HEALTH = "/grpc.health.v1."


class _Wrapper(grpc.aio.ServerInterceptor, abc.ABC):
    """Wraps the handlers of methods with one request and one answer."""

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wraps the handler of such a method, and no other.

        Args:
            continuation: Finds the handler.
            handler_call_details: Of the call.

        Returns:
            The handler.
        """
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        return self._wrap(handler, handler_call_details.method)

    @abc.abstractmethod
    def _wrap(
        self, handler: grpc.RpcMethodHandler, method: str
    ) -> grpc.RpcMethodHandler: ...


class RefuseNoise(_Wrapper):
    """Answers a message that is none with INVALID_ARGUMENT.

    Left to itself, the server says UNKNOWN and writes to the log.
    """

    def _wrap(
        self, handler: grpc.RpcMethodHandler, method: str
    ) -> grpc.RpcMethodHandler:
        def read(content: bytes) -> Any:
            try:
                return handler.request_deserializer(content)
            except DecodeError:
                return None

        async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
            if request is None:
                code = grpc.StatusCode.INVALID_ARGUMENT
                await context.abort(code, "Unable to parse request")
            return await handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            call, read, handler.response_serializer
        )


class LimitCalls(_Wrapper):
    """Refuses calls with RESOURCE_EXHAUSTED while others are under way.

    A call counts once its message is complete: whoever sends none takes no
    one's place. Health is always told.

    Args:
        calls: At once.
    """

    def __init__(self, calls: int):
        self._calls = calls
        self._busy = 0

    def _wrap(
        self, handler: grpc.RpcMethodHandler, method: str
    ) -> grpc.RpcMethodHandler:
        if method.startswith(_HEALTH):
            return handler

        async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
            if self._busy >= self._calls:
                await context.abort(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    "too many requests. Try again later",
                )
            self._busy += 1
            try:
                return await handler.unary_unary(request, context)
            finally:
                self._busy -= 1

        return grpc.unary_unary_rpc_method_handler(
            call, handler.request_deserializer, handler.response_serializer
        )
