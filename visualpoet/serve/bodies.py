"""The body of a request, unpacked whatever its client calls gzip."""

import zlib

from aiohttp import web

from visualpoet.serve import errors

_GZIP = 16 + zlib.MAX_WBITS


async def read(request: web.Request) -> bytes:
    """Reads a body; what is packed is unpacked.

    Args:
        request: Of any method.

    Returns:
        At most as many bytes as the server takes.

    Raises:
        ServeError: INVALID_ARGUMENT if it cannot be unpacked.
        HTTPRequestEntityTooLarge: If it is larger.
    """
    body = await request.read()
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    if coding != "x-gzip":  # aiohttp knows all other names
        return body
    limit = request.client_max_size
    unpacker = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise errors.invalid(f"broken body: {error}") from error
    if len(unpacked) > limit:
        raise web.HTTPRequestEntityTooLarge(limit)
    if not unpacker.eof:
        raise errors.invalid("broken body: it ends too soon")
    return unpacked
