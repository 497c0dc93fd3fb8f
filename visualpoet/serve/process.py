"""`visualpoet serve` in a process of its own, for benchmarks."""

import pathlib
import signal
import subprocess
import sys
import time

from visualpoet.process_memory import memory_megabytes
from visualpoet.process_memory import tree_megabytes


class ServerProcess:
    """A server in a process of its own.

    Attributes:
        address: Of REST.
        grpc_address: Host and port.
        start_seconds: Until it listened.
        exit_code: Once it is closed.

    Args:
        model: What to serve.
        arguments: Of `visualpoet serve`.
    """

    def __init__(self, model: pathlib.Path, *arguments: str):
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "visualpoet", "serve"),
                *("--model", str(model), "--rest-port", "0"),
                *("--grpc-port", "0", *arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        # A pipe, as asked for above.
        line: str = self._process.stdout.readline()  # type: ignore[union-attr]
        _, self.address, grpc = line.split()
        self.grpc_address = grpc.removeprefix("grpc://")
        self.exit_code: int | None = None
        self.start_seconds = time.perf_counter() - started

    def megabytes(self, name: str) -> float:
        """VmRSS now, or VmHWM at most so far."""
        return memory_megabytes(self._process.pid, name)

    def tree_megabytes(self) -> float:
        """Resident now, with the processes that decode."""
        return tree_megabytes(self._process.pid)

    def close(self) -> None:
        """Stops it gracefully."""
        with self._process:
            self._process.send_signal(signal.SIGTERM)
            self.exit_code = self._process.wait(120)
