"""Memory of `visualpoet serve`: with large photographs, and over reloads.

    python recipes/benchmark_memory.py --reloads 100

Of the server all processes count, and what they share once. Reloads happen in
the process of this recipe, and are compared by what is allocated at the same
moment of each, the new version is warm and the old one is closed:
resident memory swings by hundreds of megabytes with what the allocator keeps.
"""

import asyncio
import base64
import contextlib
import dataclasses
import io
import json
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time
import urllib.request

import numpy as np
from PIL import Image

from visualpoet import extras
from visualpoet import model_folders
from visualpoet import run_options
from visualpoet.process_memory import allocated_megabytes
from visualpoet.process_memory import memory_megabytes
from visualpoet.run_options import option
from visualpoet.serve.process import ServerProcess

with extras.needs("serve"):
    from visualpoet.serve.metrics import Metrics
    from visualpoet.serve.versions import Versions

NAME = "visualpoet"
# More than the server takes and waits for by default.
LIMITS = (
    *("--picture-pixels", "64000000", "--body-bytes", str(2**27)),
    *("--decode-seconds", "600", "--timeout-seconds", "600"),
)
PICTURES = {
    "JPEG of 25 megapixels": ("JPEG", (5776, 4336), {}),
    "PNG of 25 megapixels": ("PNG", (5776, 4336), {"compress_level": 1}),
    "progressive JPEG of 60 megapixels": (
        *("JPEG", (8944, 6708)),
        {"progressive": True},
    ),
}
REQUESTS = 3  # of each
REST_SECONDS, LOOK_SECONDS = 3.0, 0.02


@dataclasses.dataclass(frozen=True)
class Config:
    """Memory of `visualpoet serve`."""

    model: str = option("", "an exported model; the shipped one if empty")
    reloads: int = option(20, "of a version")


# --- large photographs


class Peak(threading.Thread):
    """Looks at the memory of a server all the while.

    Attributes:
        megabytes: The most that was seen.

    Args:
        server: Of its own process.
    """

    def __init__(self, server: ServerProcess):
        super().__init__(daemon=True)
        self._server = server
        self._ended = threading.Event()
        self.megabytes = 0.0

    def run(self) -> None:
        """Looks until it is left."""
        while not self._ended.wait(LOOK_SECONDS):
            now = self._server.tree_megabytes()
            self.megabytes = max(self.megabytes, now)

    def __enter__(self) -> "Peak":
        """Begins to look."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Looks no more."""
        self._ended.set()
        self.join()


def _measure_pictures(model: pathlib.Path) -> None:
    print("| photographs | peak, MB | resting, MB |\n|---|---|---|")
    with contextlib.closing(ServerProcess(model, *LIMITS)) as server:
        _row("none", server.tree_megabytes(), server.tree_megabytes())
        for name, (kind, size, options) in PICTURES.items():
            body = _make_body(kind, size, options)
            with Peak(server) as peak:
                for _ in range(REQUESTS):
                    _post(server, body)
            time.sleep(REST_SECONDS)
            _row(name, peak.megabytes, server.tree_megabytes())


def _make_body(kind: str, size: tuple[int, int], options: dict) -> bytes:
    """Of a request with a noisy picture, as photographs are."""
    rng = np.random.default_rng(0)
    small = rng.integers(256, size=[size[1] // 4, size[0] // 4, 3])
    stream = io.BytesIO()
    picture = Image.fromarray(small.astype(np.uint8)).resize(size)
    picture.save(stream, kind, **options)
    row = {"b64": base64.b64encode(stream.getvalue()).decode()}
    return json.dumps({"instances": [row]}).encode()


def _post(server: ServerProcess, body: bytes) -> None:
    address = f"{server.address}/v1/models/{NAME}:predict"
    with urllib.request.urlopen(address, body) as reply:
        reply.read()


# --- reloads


async def _measure_reloads(config: Config, model: pathlib.Path) -> None:
    print("\n| reload | allocated, MB | Python's objects | resident, MB |")
    print("|---|---|---|---|")
    allocated = []
    source = model_folders.newest_version(model)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        versions = Versions(NAME, folder, {}, Metrics().version)
        for number in range(1, config.reloads + 2):
            shutil.copytree(source, folder / str(number))
            await versions.poll()
            await _settle(versions, number)
            allocated.append(allocated_megabytes())
            resident = memory_megabytes(os.getpid(), "VmRSS")
            objects = sys.getallocatedblocks()
            _row(str(number - 1), allocated[-1], objects, resident)
            shutil.rmtree(folder / str(number))
        versions.close()
    half = allocated[len(allocated) // 2 :]
    slope = np.polyfit(range(len(half)), half, 1)[0]
    print(f"\n{slope:.2f} MB a reload in the second half")


async def _settle(versions: Versions, number: int) -> None:
    """Until the version before is closed."""
    while any(
        state.name != "END"
        for n, state in versions.states.items()
        if n < number
    ):
        await asyncio.sleep(0.05)


def _row(name: str, *values: float) -> None:
    print(
        "|", " | ".join([name, *(f"{v:,.0f}" for v in values)]), "|", flush=True
    )


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    model = pathlib.Path(config.model or model_folders.default_model().parent)
    _measure_pictures(model)
    asyncio.run(_measure_reloads(config, model))


if __name__ == "__main__":
    main(run_options.parse_config(Config))
