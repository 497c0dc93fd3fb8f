"""`visualpoet serve` under load: speed, start, memory, reloads.

    python recipes/benchmark_serving.py --minutes 30 --reloads 20
    python recipes/benchmark_serving.py --minutes 30 --attack 10000

Servers run in processes of their own on the same machine as the clients, so
that each takes from the other; ratios are of one run. Each client sends one
photograph with a seed of its own to `compose`, again as soon as it has its
answer, or, for percentiles at a part of the load, as often as that part asks.
Nothing else should run meanwhile.
"""

import asyncio
import base64
import collections
import contextlib
import dataclasses
import pathlib
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator

import numpy as np

from visualpoet import controls
from visualpoet import extras
from visualpoet import model_folders
from visualpoet import run_options
from visualpoet.run_options import option
from visualpoet.serve.process import ServerProcess

with extras.needs("serve"):
    import aiohttp

CLIENTS = 32
HALF_LOAD, SOAK_LOAD = 0.5, 0.8
ATTACK = pathlib.Path(__file__).parent / "attack_serving.py"
_GRAPH = re.compile(
    r'visualpoet_graph_seconds_(sum|count)\{signature="compose"\} (\S+)'
)
_ROWS = re.compile(
    r'visualpoet_batch_rows_(sum|count)\{signature="compose"\} (\S+)'
)


@dataclasses.dataclass(frozen=True)
class Config:
    """`visualpoet serve` under load."""

    model: str = option("", "an exported model; the shipped one if empty")
    photograph: str = option("", "a file; scikit-learn's china.jpg if empty")
    candidates: int = option(1, "of each poem")
    seconds: float = option(20.0, "of each measurement of speed")
    minutes: float = option(0.0, "of soaking at 80 % of the highest load")
    attack: int = option(0, "bad requests meanwhile, by attack_serving.py")
    reloads: int = option(0, "new versions under load")


@dataclasses.dataclass
class Load:
    """What clients saw.

    Attributes:
        seconds: Of every answered request.
        failures: Statuses of those that failed, or -1 without an answer.
        elapsed: Of the whole measurement [s].
    """

    seconds: list[float] = dataclasses.field(default_factory=list)
    failures: list[int] = dataclasses.field(default_factory=list)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        """Answered requests a second."""
        return len(self.seconds) / self.elapsed

    def milliseconds(self, *percentiles: int) -> list[float]:
        """Percentiles of the time to the answer."""
        if not self.seconds:
            return [float("nan")] * len(percentiles)
        return list(1000 * np.percentile(self.seconds, percentiles))


def _serving(model: pathlib.Path, *arguments: str):
    return contextlib.closing(ServerProcess(model, *arguments))


# --- the clients


class Clients:
    """Sends good requests.

    Attributes:
        address: Of the server.
        predict: Address of `:predict`.
        session: Of aiohttp.

    Args:
        config: Of the recipe.
        address: Of the server.
        session: Of aiohttp.
    """

    def __init__(self, config: Config, address: str, session):
        self.session = session
        self.address = address
        self.predict = f"{address}/v1/models/visualpoet:predict"
        self._inputs = {
            **_defaults(config),
            "num_candidates": config.candidates,
            "image_bytes": _base64(_photograph(config)),
        }

    async def send(self, seed: int, load: Load) -> None:
        """One request.

        Args:
            seed: Of its poem.
            load: Is told how it went.
        """
        inputs = {name: [value] for name, value in self._inputs.items()}
        body = {
            "signature_name": "compose",
            "inputs": {**inputs, "seed": [seed]},
        }
        started = time.perf_counter()
        try:
            async with self.session.post(self.predict, json=body) as reply:
                await reply.read()
                status = reply.status
        except aiohttp.ClientError:
            status = -1
        if status == 200:
            load.seconds.append(time.perf_counter() - started)
        else:
            load.failures.append(status)

    async def saturate(self, seconds: float) -> Load:
        """As many requests as 32 clients can send.

        Args:
            seconds: How long.

        Returns:
            How it went.
        """
        load, started = Load(), time.perf_counter()

        async def client(number):
            seed = number
            while time.perf_counter() - started < seconds:
                await self.send(seed, load)
                seed += CLIENTS

        await asyncio.gather(*(client(n) for n in range(CLIENTS)))
        load.elapsed = time.perf_counter() - started
        return load

    async def pace(self, rate: float, seconds: float) -> Load:
        """Requests at random moments, so many a second on average.

        Args:
            rate: Requests a second.
            seconds: How long.

        Returns:
            How it went.
        """
        load, started = Load(), time.perf_counter()
        draw, seed, moment = random.Random(0), 0, 0.0
        async with asyncio.TaskGroup() as group:
            while moment < seconds:
                now = time.perf_counter() - started
                await asyncio.sleep(max(0.0, moment - now))
                group.create_task(self.send(seed, load))
                moment += draw.expovariate(rate)
                seed += 1
        load.elapsed = time.perf_counter() - started
        return load

    async def totals(self, pattern: re.Pattern) -> tuple[float, float]:
        """Sum and count of a histogram of the server."""
        address = f"{self.address}/monitoring/prometheus/metrics"
        async with self.session.get(address) as reply:
            found = dict(pattern.findall(await reply.text()))
        return float(found.get("sum", 0)), float(found.get("count", 0))


@contextlib.asynccontextmanager
async def _clients(
    config: Config, server: ServerProcess
) -> AsyncIterator[Clients]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        given = Clients(config, server.address, session)
        await given.pace(10.0, 1.0)
        yield given


def _photograph(config: Config) -> bytes:
    if config.photograph:
        return pathlib.Path(config.photograph).read_bytes()
    import sklearn.datasets

    folder = pathlib.Path(sklearn.datasets.__file__).parent
    return (folder / "images" / "china.jpg").read_bytes()


def _base64(content: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(content).decode()}


def _defaults(config: Config) -> dict:
    model = model_folders.newest_version(_model(config))
    options = model_folders.read_options(model)
    names = [control.input for control in controls.without_opening()]
    return {name: options[name] for name in names if name in options}


def _model(config: Config) -> pathlib.Path:
    if config.model:
        return pathlib.Path(config.model)
    return model_folders.default_model().parent


# --- what is measured


async def _measure_speed(config: Config) -> float:
    model, rates = _model(config), {}
    for name, rows in (("on", "16"), ("off", "1")):
        with _serving(model, "--batch-rows", rows) as server:
            async with _clients(config, server) as given:
                before = await given.totals(_ROWS)
                load = await given.saturate(config.seconds)
                after = await given.totals(_ROWS)
        rates[name] = load.rate
        total, count = np.subtract(after, before)
        _row(f"batching {name}, requests a second", load.rate)
        _row(f"batching {name}, rows a run", total / max(count, 1))
        _row(f"batching {name}, failures", len(load.failures))
    _row("ratio", rates["on"] / rates["off"])
    return rates["on"]


async def _measure_times(config: Config, highest: float) -> None:
    with _serving(_model(config)) as server:
        _row("cold start, seconds", server.start_seconds)
        async with _clients(config, server) as given:
            load = await given.pace(HALF_LOAD * highest, config.seconds)
            for name, value in zip(
                ("p50", "p95", "p99"), load.milliseconds(50, 95, 99)
            ):
                _row(f"half of the highest load, {name}, ms", value)
            _row("half of the highest load, failures", len(load.failures))
            await _measure_overhead(given, config.seconds)
        _row("peak memory, MB", server.megabytes("VmHWM"))


async def _measure_overhead(given: Clients, seconds: float) -> None:
    """One client alone: what it waits beyond the graph."""
    spent, load, started = [], Load(), time.perf_counter()
    while time.perf_counter() - started < seconds / 2:
        before, _ = await given.totals(_GRAPH)
        await given.send(len(spent), load)
        after, _ = await given.totals(_GRAPH)
        if load.seconds:
            spent.append(load.seconds[-1] - (after - before))
    _row("one client, p50, ms", load.milliseconds(50)[0])
    _row("one client, outside the graph, p50, ms", 1000 * np.median(spent))


async def _soak(config: Config, highest: float) -> None:
    if not config.minutes:
        return
    with _serving(_model(config)) as server:
        async with _clients(config, server) as given:
            # What grows at first (arenas, caches) is no drift.
            rate, seconds = SOAK_LOAD * highest, 60 * config.minutes
            attack = await _start_attack(config, server)
            await given.pace(rate, seconds / 10)
            before = server.megabytes("VmRSS")
            load = await given.pace(rate, 0.9 * seconds)
            after = server.megabytes("VmRSS")
            if attack:
                await attack.wait()
    _row("soak, requests", len(load.seconds))
    _report_failures("soak", load)
    for name, value in zip(("p50", "p99"), load.milliseconds(50, 99)):
        _row(f"soak, {name}, ms", value)
    _row("soak, memory before, MB", before)
    _row("soak, memory drift, %", 100 * (after / before - 1))


async def _start_attack(
    config: Config, server: ServerProcess
) -> asyncio.subprocess.Process | None:
    if not config.attack:
        return None
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(ATTACK), "--requests", str(config.attack)),
        *("--rest", server.address, "--grpc", server.grpc_address),
    )


async def _reload(config: Config, highest: float) -> None:
    if not config.reloads:
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        source = model_folders.newest_version(_model(config))
        _put_version(source, folder, 1)
        with _serving(folder, "--poll-seconds", "0.2") as server:
            async with _clients(config, server) as given:
                loading = asyncio.create_task(
                    _put_versions(config, given, source, folder)
                )
                load = Load()
                while not loading.done():
                    part = await given.pace(HALF_LOAD * highest, 1.0)
                    load.seconds += part.seconds
                    load.failures += part.failures
                await loading
    _row("reloads", config.reloads)
    _row("reloads, requests meanwhile", len(load.seconds))
    _report_failures("reloads", load)
    _row("reloads, p99, ms", load.milliseconds(99)[0])


async def _put_versions(config, given, source, folder) -> None:
    pattern = re.compile(r"(visualpoet_version) (\S+)")
    for number in range(2, config.reloads + 2):
        _put_version(source, folder, number)
        served = 0
        while served < number:
            await asyncio.sleep(0.2)
            address = f"{given.address}/monitoring/prometheus/metrics"
            async with given.session.get(address) as reply:
                found = dict(pattern.findall(await reply.text()))
            served = float(found["visualpoet_version"])
        shutil.rmtree(folder / str(number - 1))


def _put_version(source, folder, number) -> None:
    partial = folder / f"{number}.partial"
    shutil.copytree(source, partial)
    partial.rename(folder / str(number))


def _report_failures(name: str, load: Load) -> None:
    _row(f"{name}, failures", len(load.failures))
    for status, number in collections.Counter(load.failures).items():
        _row(f"{name}, failures of status {status}", number)


def _row(name: str, value: float) -> None:
    print(f"| {name} | {value:,.4g} |", flush=True)


async def _run(config: Config) -> None:
    print("| | measured |\n|---|---|")
    highest = await _measure_speed(config)
    await _measure_times(config, highest)
    await _soak(config, highest)
    await _reload(config, highest)


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    asyncio.run(_run(config))


if __name__ == "__main__":
    main(run_options.parse_config(Config))
