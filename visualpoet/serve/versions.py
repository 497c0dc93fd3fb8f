"""The versions of one model: found, loaded, swapped, drained, refused."""

import asyncio
import concurrent.futures
import dataclasses
import logging
import pathlib
from collections.abc import Iterable
from collections.abc import Mapping

import prometheus_client

from visualpoet import model_folders
from visualpoet.serve import errors
from visualpoet.serve.servable import Servable

_log = logging.getLogger(__name__)
_DRAIN_SECONDS = 0.01


@dataclasses.dataclass(frozen=True)
class State:
    """Where a version is in its life.

    Attributes:
        name: START, LOADING, AVAILABLE, UNLOADING or END.
        code: OK, or why it is not served.
        message: The same in words.
    """

    name: str
    code: str = "OK"
    message: str = ""


def _fingerprint(path: pathlib.Path) -> tuple:
    """Changes when a file does, or when what keeps it from being read does."""
    try:
        files = sorted(file for file in path.rglob("*") if file.is_file())
        stats = [(str(file), file.stat()) for file in files]
    except OSError as error:
        return (str(error),)
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def _make_servable(number: int, path: pathlib.Path) -> Servable:
    """Raises nothing but `ServeError`: futures cannot hold StopIteration."""
    try:
        return Servable(number, path)
    except Exception as error:  # whatever is wrong with it, the old serves
        raise errors.from_tensorflow(error) from error


class Versions:
    """Serves the highest version of a folder, and those that have a label.

    A version that cannot be loaded is refused, and the highest other one
    serves. One whose files have changed since is loaded again: so a folder
    that is copied slowly ends in the whole of it. When all of a folder is
    gone, what is loaded serves on.

    Args:
        name: Of the model.
        folder: Of the model.
        labels: Version by label.
        gauge: Is told the version served.
    """

    def __init__(
        self,
        name: str,
        folder: pathlib.Path,
        labels: Mapping[str, int],
        gauge: prometheus_client.Gauge,
    ):
        self.name = name
        self._folder = folder
        self._labels = dict(labels)
        self._gauge = gauge
        self._loaded: dict[int, Servable] = {}
        self._tried: dict[int, tuple] = {}
        self.states: dict[int, State] = {}
        self._loader = concurrent.futures.ThreadPoolExecutor(
            1, thread_name_prefix="load"
        )
        self._draining: set[asyncio.Task] = set()

    def resolve(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> Servable:
        """Finds what a request asks for.

        Args:
            name: Of the model.
            version: A number; the highest served if none.
            label: A label instead of a version.

        Returns:
            A version that is served; to be used in a `with` block.

        Raises:
            ServeError: As TensorFlow Serving's.
        """
        if not name:
            raise errors.invalid("ModelSpec has no name specified.")
        if label is not None:
            if name != self.name or label not in self._labels:
                raise errors.invalid(
                    f"Unrecognized servable version label: {label}"
                )
            version = self._labels[label]
        wanted = max(self._loaded, default=0) if version is None else version
        if name != self.name or wanted not in self._loaded:
            request = (
                f"Latest({name})"
                if version is None
                else f"Specific({name}, {version})"
            )
            raise errors.ServeError(
                "NOT_FOUND", f"Servable not found for request: {request}"
            )
        return self._loaded[wanted]

    def status(
        self, name: str, version: int | None = None
    ) -> list[tuple[int, State]]:
        """Returns the states of versions.

        Args:
            name: Of the model.
            version: A number; all if none.

        Returns:
            Numbers and states, the highest first.

        Raises:
            ServeError: NOT_FOUND.
        """
        known = self.states if name == self.name else {}
        if version is None:
            if not known:
                raise errors.ServeError(
                    "NOT_FOUND", f"Could not find any versions of model {name}"
                )
            return sorted(known.items(), reverse=True)
        if version not in known:
            raise errors.ServeError(
                "NOT_FOUND",
                f"Could not find version {version} of model {name}",
            )
        return [(version, known[version])]

    async def start(self) -> None:
        """Loads what is there.

        Raises:
            FileNotFoundError: If there is no version.
            ValueError: If the folder cannot be read, or none can be loaded.
        """
        try:
            await self.poll()
        except OSError as error:
            raise ValueError(
                "expected a model folder that can be read. Received: "
                f"{self._folder}: {error}"
            ) from error
        if not self.states:
            raise FileNotFoundError(
                "expected a SavedModel, or a folder that holds numbered "
                f"versions of one. Received: {self._folder}"
            )
        if all(state.name != "AVAILABLE" for state in self.states.values()):
            number, state = max(self.states.items())
            raise ValueError(
                f"expected a model that can be loaded. Received: version "
                f"{number} of {self._folder}: {state.message}"
            )

    async def look(self) -> None:
        """Polls, and logs what goes wrong: the next look may succeed."""
        try:
            await self.poll()
        except OSError as error:
            _log.warning("%s: %s", self._folder, error)
        except Exception:  # whatever it was
            _log.exception("%s cannot be looked at", self._folder)

    async def poll(self) -> None:
        """Loads what is to be served, then unloads what is not."""
        found = model_folders.find_versions(self._folder)
        wanted = {n for n in self._labels.values() if n in found}
        for number in sorted(wanted):
            await self._load(number, found[number])
        for number in sorted(found, reverse=True):
            if await self._load(number, found[number]):
                wanted.add(number)
                break
        if not wanted & self._loaded.keys():
            return
        for number in self._loaded.keys() - wanted:
            self._unload(number)
        self._gauge.set(max(self._loaded))

    async def _load(self, number: int, path: pathlib.Path) -> bool:
        """Loads what is new or has changed; whether it is served."""
        fingerprint = _fingerprint(path)
        if self._tried.get(number) == fingerprint:
            return number in self._loaded
        self._tried[number] = fingerprint
        if number not in self._loaded:
            self.states[number] = State("LOADING")
        loop = asyncio.get_running_loop()
        try:
            servable = await loop.run_in_executor(
                self._loader, _make_servable, number, path
            )
        except errors.ServeError as error:
            self._refuse(number, error)
            return number in self._loaded
        if number in self._loaded:
            self._unload(number)
        self._loaded[number] = servable
        self.states[number] = State("AVAILABLE")
        _log.info("version %d of %s is served", number, self.name)
        return True

    def _refuse(self, number: int, error: errors.ServeError) -> None:
        _log.error(
            "version %d of %s is refused: %s", number, self.name, error.message
        )
        if number not in self._loaded:
            # Clients are told what is wrong, and not where it lies.
            message = error.message.replace(f"{self._folder}/", "")
            self.states[number] = State("END", error.code.name, message)

    def _unload(self, number: int) -> None:
        servable = self._loaded.pop(number)
        self.states[number] = State("UNLOADING")
        task = asyncio.create_task(self._drain(servable))
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)

    async def _drain(self, servable: Servable) -> None:
        while servable.in_use:
            await asyncio.sleep(_DRAIN_SECONDS)
        await asyncio.to_thread(servable.close)
        if servable.number not in self._loaded:
            self.states[servable.number] = State("END")
        _log.info("version %d of %s is unloaded", servable.number, self.name)

    def close(self) -> None:
        """Ends the thread that loads."""
        self._loader.shutdown(cancel_futures=True)


async def watch(models: Iterable[Versions], seconds: float) -> None:
    """Looks for new versions, of one model after the other, for ever.

    Args:
        models: The models.
        seconds: Between two looks.
    """
    while True:
        await asyncio.sleep(seconds)
        for versions in models:
            await versions.look()
