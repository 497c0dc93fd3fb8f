"""Whose pages may ask: what a browser says of where a request comes from."""

import ipaddress
import urllib.parse
from collections.abc import Collection

from aiohttp import web

from visualpoet.serve import errors

_FOREIGN = "cross-site"


def refuse_foreign(
    request: web.Request, address: str, allowed: Collection[str]
) -> None:
    """Refuses what the page of another site sends.

    A link to the page may be followed from anywhere. Programs that are no
    browsers say nothing of all this, and are let be.

    Args:
        request: Of any method.
        address: That the server listens at. Where it is of this machine only,
            another name in `Host` is a foreign site's that points here.
        allowed: Other host names that may ask and be asked for.

    Raises:
        ServeError: PERMISSION_DENIED.
    """
    host = request.headers.get("Host", "")
    name = _name(host)
    if host and is_loopback(address) and not is_loopback(name):
        _require(name in allowed, "Host", host)
    origin = request.headers.get("Origin")
    if origin is not None:
        place = origin.lower().partition("://")[2]
        _require(
            place == host.lower() or _name(place) in allowed, "Origin", origin
        )
        return
    site = request.headers.get("Sec-Fetch-Site", "")
    _require(site != _FOREIGN or _is_link(request), "Sec-Fetch-Site", site)


def is_loopback(name: str) -> bool:
    """Returns whether a host name or address is of this machine only."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _name(host: str) -> str:
    """Without the port, and an address of version 6 without its brackets."""
    try:
        return urllib.parse.urlsplit(f"//{host}").hostname or ""
    except ValueError:  # brackets that do not match
        return ""


def _is_link(request: web.Request) -> bool:
    is_page = request.headers.get("Sec-Fetch-Mode") == "navigate"
    return request.method == "GET" and is_page


def _require(condition: bool, header: str, received: str) -> None:
    if not condition:
        raise errors.ServeError(
            "PERMISSION_DENIED",
            f"expected {header} of this server, or of its option "
            f"--allowed-hosts. Received: {received[:200]}",
        )
