"""How many may send a body at once, and how many may have one answered."""

import asyncio
import collections
import contextlib
from collections.abc import AsyncIterator
from collections.abc import Iterator

from visualpoet.serve import errors


class Admission:
    """Bounds what is under way; what has no body is always answered.

    Args:
        requests: At once, that send, and again that have sent.
        seconds: That a body may take.
    """

    def __init__(self, requests: int, seconds: float):
        self._requests = requests
        self._seconds = seconds
        self._senders: dict[asyncio.Timeout, str] = {}
        self._working = 0

    @contextlib.asynccontextmanager
    async def receiving(self, address: str | None) -> AsyncIterator[None]:
        """Bounds the time of a block that reads a body.

        Where too many send, the address that has the most of them gives up
        its oldest: half-sent bodies take nobody's place but each other's.

        Args:
            address: Of the client.

        Raises:
            TimeoutError: If the body took too long, or others need the place.
        """
        if len(self._senders) >= self._requests:
            self._make_room(address or "")
        async with asyncio.timeout(self._seconds) as timeout:
            self._senders[timeout] = address or ""
            try:
                yield
            finally:
                self._senders.pop(timeout, None)

    def _make_room(self, newcomer: str) -> None:
        addresses = [*self._senders.values(), newcomer]
        ((address, _),) = collections.Counter(addresses).most_common(1)
        oldest = next(t for t, of in self._senders.items() if of == address)
        del self._senders[oldest]
        oldest.reschedule(asyncio.get_running_loop().time())

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Holds a place for a request that has been received.

        Raises:
            ServeError: RESOURCE_EXHAUSTED if there is none.
        """
        if self._working >= self._requests:
            raise errors.ServeError(
                "RESOURCE_EXHAUSTED", "too many requests. Try again later"
            )
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1
