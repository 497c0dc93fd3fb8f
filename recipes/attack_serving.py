"""Send `visualpoet serve` what no client should send; count the replies.

    python recipes/attack_serving.py --requests 10000
    python recipes/attack_serving.py --rest http://HOST:8501 --grpc HOST:8500

A good request stands between every hundred bad ones, and slow connections are
open all the while; the time of the good ones is compared with that before the
attack. Every reply must be a 4xx, or no reply on a connection that the server
closes; a picture that can still be decoded after what was done to it may get
its poem, and so may one that is only large, or 504 if that takes too long.
"left" is a connection that we left with neither: only disconnects may.
"""

import asyncio
import base64
import collections
import contextlib
import dataclasses
import functools
import io
import json
import pathlib
import random
import statistics
import struct
import time
import zlib

import grpc
from PIL import Image

from visualpoet import extras
from visualpoet import model_folders
from visualpoet import run_options
from visualpoet.export import samples
from visualpoet.run_options import option
from visualpoet.serve.process import ServerProcess

with extras.needs("serve"):
    import aiohttp

GRPC_METHOD = "/tensorflow.serving.PredictionService/Predict"
CLIENTS = 8
SLOW_CONNECTIONS = 20
PATIENCE, IMPATIENCE = 5.0, 0.05  # s
QUIET_REQUESTS = 10
_BITS, _RGB = (1, 0), (8, 2)  # depth and colour of a PNG


@dataclasses.dataclass(frozen=True)
class Config:
    """Bad requests for `visualpoet serve`."""

    model: str = option("", "an exported model; the shipped one if empty")
    requests: int = option(10_000, "bad ones, in all")
    seed: int = option(0, "of what is sent")
    rest: str = option("", "a server that runs; starts one if empty")
    grpc: str = option("", "host and port of the same")

    def __post_init__(self) -> None:
        if bool(self.rest) != bool(self.grpc):
            raise ValueError(
                "expected --rest and --grpc, or neither. Received: "
                f"{self.rest!r} and {self.grpc!r}"
            )


@dataclasses.dataclass(frozen=True)
class Target:
    """A server that runs.

    Attributes:
        address: Of REST.
        grpc_address: Host and port.
    """

    address: str
    grpc_address: str


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    if config.rest:
        _report(config, Target(config.rest, config.grpc))
        return
    model = pathlib.Path(config.model or model_folders.default_model().parent)
    with contextlib.closing(ServerProcess(model)) as server:
        _report(config, server)
        peak = server.megabytes("VmHWM")
    print(f"exit code {server.exit_code}, peak memory {peak:,.0f} MB")


def _report(config: Config, server: Target | ServerProcess) -> None:
    started = time.perf_counter()
    found, quiet, attacked = asyncio.run(_attack(config, server))
    minutes = (time.perf_counter() - started) / 60
    print("| what was sent | how often | replies |\n|---|---|---|")
    for kind, replies in sorted(found.items()):
        listed = ", ".join(f"{r}: {n:,}" for r, n in sorted(replies.items()))
        print(f"| {kind} | {sum(replies.values()):,} | {listed} |")
    print(
        f"\ngood requests: {1000 * statistics.median(quiet):,.0f} ms before, "
        f"{1000 * statistics.median(attacked):,.0f} ms in between, "
        f"{1000 * max(attacked):,.0f} ms the slowest; {minutes:.1f} minutes",
        flush=True,
    )


async def _attack(config, server):
    photograph = samples.make_picture("JPEG", size=(480, 360))
    found = collections.defaultdict(collections.Counter)
    attacked = []
    channel = grpc.aio.insecure_channel(server.grpc_address)
    async with aiohttp.ClientSession() as session, channel:
        senders = {
            **{
                kind: functools.partial(_post, session, server, make)
                for kind, make in BODIES.items()
            },
            **{
                kind: functools.partial(_raw, server, make, seconds)
                for kind, (make, seconds) in RAW.items()
            },
            "pages of other sites": functools.partial(
                _post, session, server, _good, headers=FOREIGN
            ),
            "noise in a gRPC message": functools.partial(_call, channel),
        }

        async def ask_well(draw, seconds):
            started = time.perf_counter()
            reply = await _post(session, server, _good, draw, photograph)
            seconds.append(time.perf_counter() - started)
            return reply

        quiet = []
        for _ in range(QUIET_REQUESTS):
            await ask_well(None, quiet)
        slow = [
            asyncio.create_task(_drip(server)) for _ in range(SLOW_CONNECTIONS)
        ]
        numbers = iter(range(config.requests))

        async def client():
            for number in numbers:
                draw = random.Random(f"{config.seed}/{number}")
                kind = draw.choice(list(senders))
                found[kind][await senders[kind](draw, photograph)] += 1
                if number % 100 == 0:
                    reply = await ask_well(draw, attacked)
                    found["good requests in between"][reply] += 1

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
    return found, quiet, attacked


# --- bodies of POST :predict


def _instances(content: bytes, number: int = 1) -> bytes:
    row = {"b64": base64.b64encode(content).decode()}
    return json.dumps({"instances": [row] * number}).encode()


def _good(draw, photograph):
    return _instances(photograph)


def _truncated(draw, photograph):
    return _instances(photograph[: draw.randrange(len(photograph))])


def _flipped(draw, photograph):
    """A picture with some bytes of its content changed."""
    broken = bytearray(photograph)
    for _ in range(draw.randrange(1, 200)):
        broken[draw.randrange(len(broken))] = draw.randrange(256)
    return _instances(bytes(broken))


def _lying(draw, photograph):
    """A JPEG whose header tells another size."""
    start = photograph.find(b"\xff\xc0") + 5
    frame = draw.randbytes(4)
    return _instances(photograph[:start] + frame + photograph[start + 4 :])


def _chunk(kind, content):
    check_sum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check_sum


def _pack_zeros(size):
    """What zlib makes of so many zeros, of which it packs a megabyte."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    megabyte = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    rest = packer.compress(bytes(size % 2**20)) + packer.flush()
    check_sum = struct.pack(">HH", size % 65_521, 1)  # Adler-32 of zeros
    return b"\x78\xda" + megabyte * (size // 2**20) + rest + check_sum


@functools.cache
def _make_png(width, height, size, remarks=0, kind=_RGB):
    """A PNG with so many zeros, whatever its pixels take."""
    header = struct.pack(">IIBBBBB", width, height, *kind, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            *(_chunk(b"tEXt", b"k%d\0v" % n) for n in range(remarks)),
            _chunk(b"IDAT", _pack_zeros(size)),
            _chunk(b"IEND", b""),
        ]
    )


def _bomb(draw, photograph):
    """A small file of 64 to 900 megapixels."""
    side = draw.choice([8_000, 20_000, 30_000])
    size = side * (side // 8 + 1)
    return _instances(_make_png(side, side, size, kind=_BITS))


def _png_bomb(draw, photograph):
    """A pixel of 400 MB, 50,000 remarks, sides of 50 million."""
    kinds = [(1, 1, 400 * 2**20), (1, 1, 2**20, 50_000)]
    kinds += [(1, 50_000_000, 200 * 2**20), (50_000_000, 1, 150 * 2**20)]
    return _instances(_make_png(*draw.choice(kinds)))


@functools.cache
def _pack_largest():
    """49 megapixels, a progressive JPEG."""
    stream = io.BytesIO()
    Image.new("RGB", (7000, 7000)).save(stream, "JPEG", progressive=True)
    return stream.getvalue()


def _make_progressive(scans):
    """The largest, and its last scan again and again."""
    content = _pack_largest()
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * scans + b"\xff\xd9"


def _scan_bomb(draw, photograph):
    """300 kB whose decoding takes seconds to minutes."""
    return _instances(_make_progressive(draw.choice([20, 150])))


def _large(draw, photograph):
    """As large as allowed."""
    return _instances(_make_progressive(0))


def _bare_rows(draw, photograph):
    """To a signature of several inputs."""
    row = {"b64": base64.b64encode(photograph).decode()}
    body = {"signature_name": "compose", "instances": [row]}
    return json.dumps(body).encode()


def _no_picture(draw, photograph):
    return _instances(draw.randbytes(draw.randrange(300)))


def _wrong_base64(draw, photograph):
    text = draw.choice(["!", "AAA", "A===", "\u00e9", "=" * draw.randrange(99)])
    return json.dumps({"instances": [{"b64": text}]}).encode()


def _wrong_json(draw, photograph):
    body = _instances(photograph)
    return draw.choice([body[: draw.randrange(len(body))], b"]" + body, b"{"])


def _wrong_types(draw, photograph):
    value = draw.choice([None, 1, True, {}, "text", [[1] * 2000] * 60])
    key = draw.choice(["instances", "inputs", "signature_name", "other"])
    return json.dumps({key: value}).encode()


def _deep(draw, photograph):
    return draw.choice([b"[", b'{"instances":']) * draw.randrange(1, 100_000)


def _too_many_rows(draw, photograph):
    return _instances(photograph, draw.randrange(65, 200))


BODIES = {
    "truncated pictures": _truncated,
    "pictures with changed bytes": _flipped,
    "pictures that lie about their size": _lying,
    "decompression bombs": _bomb,
    "scan bombs": _scan_bomb,
    "pictures as large as allowed": _large,
    "PNG bombs": _png_bomb,
    "bare rows of several inputs": _bare_rows,
    "bytes that are no picture": _no_picture,
    "wrong base64": _wrong_base64,
    "wrong JSON": _wrong_json,
    "wrong types": _wrong_types,
    "deep JSON": _deep,
    "too many rows": _too_many_rows,
}


FOREIGN = {"Origin": "https://elsewhere.example"}


async def _post(session, server, make, draw, photograph, headers=None):
    address = f"{server.address}/v1/models/visualpoet:predict"
    body = io.BytesIO(make(draw, photograph))
    try:
        async with session.post(address, data=body, headers=headers) as reply:
            await reply.read()
            return str(reply.status)
    except aiohttp.ClientError:
        return "closed"


# --- raw connections


def _huge_headers(draw):
    name = b"X-%d: " % draw.randrange(100)
    return b"GET / HTTP/1.1\r\n" + name + b"a" * draw.randrange(20_000, 500_000)


def _half_a_request(draw):
    head = b"POST /v1/models/visualpoet:predict HTTP/1.1\r\nHost: localhost\r\n"
    head += b"Content-Length: 1000000\r\n\r\n" + draw.randbytes(500)
    return head[: draw.randrange(len(head))]


def _noise(draw):
    return draw.randbytes(draw.randrange(1, 2000))


RAW = {
    "huge headers": (_huge_headers, PATIENCE),
    "disconnects": (_half_a_request, IMPATIENCE),
    "noise instead of HTTP": (_noise, PATIENCE),
}


@contextlib.asynccontextmanager
async def _connection(address):
    port = int(address.split(":")[-1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


async def _raw(server, make, seconds, draw, photograph):
    """Sends bytes, to either port; leaves if nothing comes of it."""
    address = draw.choice([server.address, server.grpc_address])
    async with _connection(address) as (reader, writer):
        writer.write(make(draw))
        await writer.drain()
        try:
            return await asyncio.wait_for(_reply(reader), seconds)
        except TimeoutError:
            return "left"
    return "closed"  # while we were sending or reading


async def _reply(reader):
    content = await reader.read(12)
    if content.startswith(b"HTTP/1."):
        return content[9:].decode()
    while content:  # of HTTP/2
        content = await reader.read(4096)
    return "closed"


async def _drip(server):
    """A connection that sends a byte now and then; opened again when closed."""
    while True:
        async with _connection(server.address) as (_, writer):
            for byte in b"POST /v1/models/visualpoet:predict HTTP/1.1\r\n" * 99:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)


async def _call(channel, draw, photograph):
    """A gRPC message of noise."""
    method = channel.unary_unary(GRPC_METHOD)
    try:
        await method(draw.randbytes(draw.randrange(1, 2000)), timeout=60)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


if __name__ == "__main__":
    main(run_options.parse_config(Config))
