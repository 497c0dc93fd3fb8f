import asyncio
import random
import re
import types

import pytest

from recipes import attack_serving
from tests import tiny

LARGE = "pictures as large as allowed"
READABLE = (
    "pictures with changed bytes",
    "pictures that lie about their size",
    LARGE,
)


def test_every_reply_is_clean(capsys):
    model = str(tiny.cold().parent)
    # With this seed every kind is drawn, and each of the bombs.
    config = attack_serving.Config(model=model, requests=101, seed=3)
    attack_serving.main(config)
    printed = capsys.readouterr().out
    rows = re.findall(r"^\| (.+) \| (\d+) \| (.+) \|$", printed, re.MULTILINE)
    replies = {
        kind: dict(pair.split(": ") for pair in said.split(", "))
        for kind, _, said in rows
    }
    assert sum(int(number) for _, number, _ in rows) == 103
    assert replies.pop("good requests in between") == {"200": "2"}
    assert set(attack_serving.BODIES) < set(replies)
    assert set(attack_serving.RAW) < set(replies)
    for kind, counts in replies.items():
        clean = {"400", "413", "431", "closed", "INVALID_ARGUMENT"}
        clean |= {"403"} if kind == "pages of other sites" else set()
        clean |= {"200"} if kind in READABLE else set()
        clean |= {"504"} if kind == LARGE else set()  # of a slow machine
        clean |= {"left"} if kind == "disconnects" else set()
        assert set(counts) <= clean, kind
    assert re.search(r"good requests: [\d,]+ ms before, [\d,]+ ms in", printed)
    assert "exit code 0" in printed


@pytest.mark.parametrize(
    ("answer", "closes", "reply"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "400"),
        (b"", True, "closed"),
        (b"\0\0\0\4\0\0\0\0\0", True, "closed"),
        (b"", False, "left"),
        (b"\0\0\0\4\0\0\0\0\0", False, "left"),
    ],
)
def test_closed_is_what_the_server_closed(answer, closes, reply):
    ended = asyncio.Event()

    async def handle(reader, writer):
        await reader.read(1)
        writer.write(answer)
        if not closes:
            await reader.read()
        writer.close()
        ended.set()

    async def scene():
        async with await asyncio.start_server(handle, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            address = f"127.0.0.1:{port}"
            target = types.SimpleNamespace(
                address=address, grpc_address=address
            )
            found = await attack_serving._raw(
                target, lambda draw: b"x", 0.2, random.Random(0), b""
            )
            await ended.wait()
            return found

    assert asyncio.run(scene()) == reply
