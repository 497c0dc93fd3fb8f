"""Replies in JSON, as TensorFlow Serving words and labels them."""

import json
from typing import Any

from aiohttp import web

from visualpoet.serve import errors

_AGAIN = (429, 503)


def from_text(text: str, status: int = 200) -> web.Response:
    """Makes a reply.

    Args:
        text: JSON.
        status: Of HTTP.

    Returns:
        The reply.
    """
    headers = {"Content-Type": "application/json"}
    if status in _AGAIN:
        headers["Retry-After"] = "1"
    return web.Response(body=text.encode(), status=status, headers=headers)


def from_value(value: Any) -> web.Response:
    """Makes a reply.

    Args:
        value: To write as JSON.

    Returns:
        The reply.
    """
    return from_text(json.dumps(value))


def from_error(message: str, status: int) -> web.Response:
    """Makes the reply of a failed request.

    Args:
        message: What the client is told.
        status: Of HTTP.

    Returns:
        The reply.
    """
    return from_text(json.dumps({"error": message}), status)


def from_serve_error(error: errors.ServeError) -> web.Response:
    """Makes the reply of a failed request.

    Args:
        error: What the client is told.

    Returns:
        The reply.
    """
    return from_error(error.message, error.http_status)
