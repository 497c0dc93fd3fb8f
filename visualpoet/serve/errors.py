"""One error for REST and gRPC, with TensorFlow Serving's status codes."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import grpc

_HTTP_STATUS = {
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "UNAUTHENTICATED": 401,
}
_CODES = {code.value[0]: code for code in grpc.StatusCode}
# What TensorFlow wraps round the sentence that says what is wrong.
_PREAMBLE = re.compile(r"\A.*<stack traces unavailable>\n", re.DOTALL)
_NODE = re.compile(r"\n?\s*\[\[\{\{node .*\Z|\s*\[Op:[^\]]*\]\Z", re.DOTALL)


class ServeError(Exception):
    """What a client is told.

    Args:
        code: Name of a gRPC status code.
        message: Says what was expected and what to do.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = grpc.StatusCode[code]
        self.message = message

    @property
    def http_status(self) -> int:
        """The HTTP status that TensorFlow Serving gives for the code."""
        return _HTTP_STATUS.get(self.code.name, 500)


def invalid(message: str) -> ServeError:
    """Makes the error of a wrong request.

    Args:
        message: What is wrong.

    Returns:
        An error to raise.
    """
    return ServeError("INVALID_ARGUMENT", message)


@contextlib.asynccontextmanager
async def until(deadline: float) -> AsyncIterator[None]:
    """Bounds the time of a block.

    Args:
        deadline: Of the loop's clock [s].

    Raises:
        ServeError: DEADLINE_EXCEEDED.
    """
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError as error:
        raise ServeError(
            "DEADLINE_EXCEEDED", "the time for the request is over"
        ) from error


def from_http(status: int, body: Any) -> ServeError:
    """Translates a reply.

    Args:
        status: Of HTTP.
        body: Its JSON.

    Returns:
        An error to raise.
    """
    codes = {known: name for name, known in reversed(_HTTP_STATUS.items())}
    codes[502] = "UNAVAILABLE"  # what a proxy says of a server
    code = codes.get(status, "UNKNOWN")
    message = body.get("error", "") if isinstance(body, dict) else ""
    return ServeError(code, message or f"HTTP status {status}")


def from_tensorflow(error: Exception) -> ServeError:
    """Translates an error of a graph.

    Args:
        error: A `tf.errors.OpError`, or anything else, which is internal.

    Returns:
        An error to raise; without names of nodes and stack traces.
    """
    number = getattr(error, "error_code", grpc.StatusCode.INTERNAL.value[0])
    text = _NODE.sub("", _PREAMBLE.sub("", str(error))).strip()
    code = _CODES.get(number, grpc.StatusCode.UNKNOWN)
    return ServeError(code.name, text or type(error).__name__)
