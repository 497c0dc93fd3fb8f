"""Files from public addresses: whole and checked, or not there at all."""

import contextlib
import hashlib
import pathlib
import urllib.parse
from collections.abc import Iterator
from typing import Any

from visualpoet import extras

with extras.needs("data"):
    import requests

MAX_BYTES = 2_000_000_000  # of one file
_TIMEOUT = 30.0  # s, without a byte
_ATTEMPTS = 4
_CHUNK = 1 << 16
_BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


def download(
    address: str,
    path: pathlib.Path,
    digest: str = "",
    max_bytes: int = MAX_BYTES,
) -> str:
    """Downloads a file, unless it is there; goes on where it was broken off.

    Until a file is whole and its digest is right, it is called `.partial`.
    What came before a connection broke is kept for the next call, which goes
    on if the server still has the same file; anything else is deleted.

    Args:
        address: Of `http` or `https`.
        path: Where the file goes.
        digest: Its SHA-256 in hexadecimal; empty where nobody knows it.
        max_bytes: Of the file, at most.

    Returns:
        Its SHA-256 in hexadecimal.

    Raises:
        ValueError: If the address is none, the file too large or another one.
        OSError: If it cannot be had, or there is no room for it.
    """
    if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
        raise ValueError(
            f"expected an address of http or https. Received: {address}"
        )
    if path.exists():
        return _check(address, path, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    _fill(address, partial, max_bytes)
    received = _check(address, partial, digest)
    partial.rename(path)
    _validator_file(partial).unlink(missing_ok=True)
    return received


def _check(address: str, path: pathlib.Path, digest: str) -> str:
    """Hashes a file; one that is not the expected one does not stay."""
    with path.open("rb") as stream:
        received = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest and received != digest.lower():
        _delete(path)
        raise ValueError(
            f"expected SHA-256 {digest} of {address}. Received: {received}; "
            "it was deleted. Compare the checksum with the publisher's"
        )
    return received


def _fill(address: str, partial: pathlib.Path, max_bytes: int) -> None:
    broken: Exception | None = None
    for _ in range(_ATTEMPTS):
        try:
            _fetch_rest(address, partial, max_bytes)
            return
        except _BROKEN as error:
            broken = error
        except (KeyboardInterrupt, _Busy):
            raise
        except BaseException:  # no room, no such file, not one that is wanted
            _delete(partial)
            raise
    came = _size(partial)
    raise OSError(
        f"expected {address} to be sent whole. Received: {came} bytes in "
        f"{_ATTEMPTS} attempts ({type(broken).__name__}); the next call goes "
        "on from there"
    ) from broken


def _fetch_rest(address: str, partial: pathlib.Path, max_bytes: int) -> None:
    """Appends what is missing of a file, or begins it anew."""
    came, validator = _size(partial), _read_validator(partial)
    headers = {"Accept-Encoding": "identity"}
    if came and validator:
        # From the last byte on, so that there is one to be sent.
        came -= 1
        headers |= {"Range": f"bytes={came}-", "If-Range": validator}
    with requests.get(
        address, headers=headers, stream=True, timeout=_TIMEOUT
    ) as reply:
        status = reply.status_code
        if status not in (200, 206):
            error = _Busy if status == 429 or status >= 500 else OSError
            raise error(
                f"expected {address} to be there. Received: {status} "
                f"{reply.reason}"
            )
        came = came if _goes_on(reply, came) else 0
        _validator_file(partial).write_text(_validator(reply))
        with partial.open("ab" if came else "wb") as stream:
            stream.truncate(came)
            for chunk in reply.iter_content(_CHUNK):
                came += len(chunk)
                if came > max_bytes:
                    raise ValueError(
                        f"expected at most {max_bytes} bytes of {address}. "
                        f"Received: {came} and more"
                    )
                stream.write(chunk)


def _goes_on(reply: Any, came: int) -> bool:
    if reply.status_code == 200:
        return False
    received = reply.headers.get("Content-Range", "none")
    if not received.startswith(f"bytes {came}-"):
        raise OSError(
            f"expected {reply.url} from byte {came} on. Received: {received}"
        )
    return True


def _validator(reply: Any) -> str:
    """What says that a later reply is of the same file; not every server."""
    tag = reply.headers.get("ETag", "")
    is_strong = tag and not tag.startswith("W/")
    return tag if is_strong else reply.headers.get("Last-Modified", "")


def _validator_file(partial: pathlib.Path) -> pathlib.Path:
    return partial.with_name(partial.name + ".validator")


def _read_validator(partial: pathlib.Path) -> str:
    path = _validator_file(partial)
    return path.read_text() if path.exists() else ""


def _size(path: pathlib.Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _delete(path: pathlib.Path) -> None:
    path.unlink(missing_ok=True)
    _validator_file(path).unlink(missing_ok=True)


class _Busy(OSError):
    """A server that may answer another time."""


class Checksums:
    """What files were when somebody first had them, in a file of their own.

    Lines are as `sha256sum` writes them, with addresses for names. An address
    that is not there is taken as it comes, and written down.

    Args:
        path: The file; it need not exist.
        given: Another one, of somebody else, which stays as it is.

    Raises:
        FileNotFoundError: If there is no given file.
        ValueError: If a line is none.
    """

    def __init__(self, path: pathlib.Path, given: pathlib.Path | None = None):
        self._path = path
        self._known = _read_checksums(path) if path.exists() else {}
        if given:
            self._known |= _read_checksums(given)

    @contextlib.contextmanager
    def download(self, address: str, path: pathlib.Path) -> Iterator[None]:
        """Downloads a file and checks it, or notes what it is.

        A file whose digest nobody knows stays, and is noted, if what reads it
        within the block does without an error.

        Args:
            address: As for `download`.
            path: As for `download`.

        Raises:
            ValueError: As for `download`.
            OSError: As for `download`.
        """
        known = self._known.get(address, "")
        received = download(address, path, known)
        try:
            yield
        except ValueError:
            if not known:
                path.unlink()
            raise
        if not known:
            self._known[address] = received
            with self._path.open("a") as stream:
                stream.write(f"{received}  {address}\n")


def _read_checksums(path: pathlib.Path) -> dict[str, str]:
    """Digest by address."""
    lines = [line.split() for line in path.read_text().splitlines()]
    lines = [line for line in lines if line]
    bad = [line for line in lines if len(line) != 2 or len(line[0]) != 64]
    if bad:
        raise ValueError(
            "expected a SHA-256 and an address a line. Received: "
            f"{' '.join(bad[0])[:100]} in {path}"
        )
    return {address: digest for digest, address in lines}
