"""Each failure of a client is the documented one, within its time."""

import asyncio
import gzip
import http.server
import json
import os
import threading
import time

import pytest
from aiohttp import web

from tests import tiny
from tests.serve.client_test import ANSWER
from tests.serve.client_test import failing
from tests.serve.client_test import text
from tests.serve.client_test import write
from visualpoet import model_folders
from visualpoet.serve import client as client_module
from visualpoet.serve import errors
from visualpoet.serve import transports
from visualpoet.serve.client import AsyncPoemClient
from visualpoet.serve.client import PoemClient

SEA = tiny.photograph("sea")


@pytest.fixture(autouse=True)
def _tiny_is_the_default(monkeypatch):
    monkeypatch.setattr(model_folders, "default_model", tiny.exported)


def fails(first, code, message, **options):
    async def scene():
        async with failing(first) as (url, asked):
            with pytest.raises(errors.ServeError) as caught:
                await write(url, **options)
            assert len(asked) == 1
            assert caught.value.code.name == code
            assert message in caught.value.message

    asyncio.run(scene())


async def redirect(request):
    raise web.HTTPTemporaryRedirect("http://192.0.2.1/elsewhere")


async def flood(request):
    answer = web.StreamResponse(headers={"Content-Encoding": "gzip"})
    await answer.prepare(request)
    await answer.write(gzip.compress(bytes(2**20)))
    return answer


def test_no_other_host_is_asked():
    fails(redirect, "UNKNOWN", "a redirection to http://192.0.2.1/elsewhere")


def test_answers_have_a_bound(monkeypatch):
    monkeypatch.setattr(transports, "_MAX_MESSAGE", 2**16)
    fails(flood, "UNKNOWN", "at most 65536 bytes from http://127.0.0.1:")


@pytest.mark.parametrize(
    "content",
    ['{"outputs": {"poem": ["a"]}}', '{"outputs": {}}', "[" * 100_000],
    ids=range(3),
)
def test_an_answer_that_is_no_poem(content):
    fails(text(200, content), "UNKNOWN", "expected ")


def test_the_photograph_is_read_within_the_time(monkeypatch):
    def read_picture(photograph):
        time.sleep(0.5)
        return SEA

    monkeypatch.setattr(client_module.pictures, "read_picture", read_picture)

    async def scene():
        async with AsyncPoemClient("http://127.0.0.1:9", timeout=0.1) as client:
            with pytest.raises(errors.ServeError, match="answer in 0.1 s"):
                await client.write(SEA)

    asyncio.run(scene())


def test_what_grpc_imports_is_imported_beside_the_loop(monkeypatch):
    def prepare(*_):
        time.sleep(0.5)

    monkeypatch.setattr(transports, "_prepare", prepare)
    with PoemClient("grpc://127.0.0.1:9", timeout=0.1) as client:
        with pytest.raises(errors.ServeError, match="answer in 0.1 s"):
            client.write(SEA)


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_a_closed_client_says_so(scheme):
    client = PoemClient(f"{scheme}://127.0.0.1:9")
    client.close()
    client.close()
    with pytest.raises(errors.ServeError, match="^the client is closed$"):
        client.write(SEA)

    async def scene():
        client = AsyncPoemClient(f"{scheme}://127.0.0.1:9")
        await client.close()
        await client.close()
        with pytest.raises(errors.ServeError, match="^the client is closed$"):
            await client.write(SEA)

    asyncio.run(scene())


def test_who_waits_when_a_client_is_closed_is_told():
    """By another thread, which waits for a server that never answers."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = PoemClient(f"http://127.0.0.1:{server.server_port}", timeout=300)
    told = []

    def wait():
        with pytest.raises(errors.ServeError) as caught:
            client.write(SEA)
        told.append(caught.value.message)

    waiting = threading.Thread(target=wait)
    waiting.start()
    _Silent.asked.wait()
    client.close()
    waiting.join(timeout=60)
    server.shutdown()
    server.server_close()
    assert told == ["the client is closed"]


class _Silent(http.server.BaseHTTPRequestHandler):
    asked = threading.Event()

    def do_POST(self):
        self.asked.set()
        self.rfile.read()  # until the client is gone


def test_schemes_have_no_case_and_a_token_is_sent():
    sent = []

    async def answer(request):
        sent.append(request.headers.get("Authorization"))
        return web.json_response(ANSWER)

    async def scene():
        async with failing(answer, answer) as (url, _):
            url = url.replace("http", "HTTP")
            assert (await write(url, token="abc")).lines == ("a", "b")
            assert (await write(url)).lines == ("a", "b")

    asyncio.run(scene())
    assert sent == ["Bearer abc", None]


class Answering(http.server.BaseHTTPRequestHandler):
    """A server of one answer, on connections that stay open."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        content = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def test_a_client_works_in_the_child_of_a_fork():
    address = ("127.0.0.1", 0)
    with http.server.ThreadingHTTPServer(address, Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        with PoemClient(url, timeout=60) as client:
            assert client.write(SEA).lines == ("a", "b")
            child = os.fork()
            if not child:
                try:
                    same = client.write(SEA).lines == ("a", "b")
                    client.close()
                    os._exit(0 if same else 1)
                finally:
                    os._exit(2)
            assert os.waitpid(child, 0)[1] == 0
            assert client.write(SEA).lines == ("a", "b")
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("retries", [0, 2])
def test_a_server_that_was_started_again(monkeypatch, retries):
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.001)

    async def serve(port):
        async def answer(request):
            return web.json_response(ANSWER)

        application = web.Application()
        application.router.add_post("/v1/models/visualpoet:predict", answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return runner

    async def scene():
        runner = await serve(0)
        port = runner.addresses[0][1]
        url = f"http://127.0.0.1:{port}"
        async with AsyncPoemClient(url, retries=retries) as client:
            await client.write(SEA)
            await runner.cleanup()
            with pytest.raises(errors.ServeError) as caught:
                await client.write(SEA)
            assert caught.value.code.name == "UNAVAILABLE"
            runner = await serve(port)
            assert (await client.write(SEA)).lines == ("a", "b")
            await runner.cleanup()

    asyncio.run(scene())
