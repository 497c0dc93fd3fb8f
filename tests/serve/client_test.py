import asyncio
import concurrent.futures
import contextlib
import json

import pytest
from aiohttp import web

from tests import tiny
from visualpoet import model_folders
from visualpoet import pictures
from visualpoet.serve import client as client_module
from visualpoet.serve import errors
from visualpoet.serve.client import AsyncPoemClient
from visualpoet.serve.client import PoemClient

SEA = tiny.photograph("sea")


@pytest.fixture(autouse=True)
def _tiny_is_the_default(monkeypatch):
    monkeypatch.setattr(model_folders, "default_model", tiny.exported)


@pytest.fixture(params=["rest", "grpc"])
def client(request, server):
    url = server.rest if request.param == "rest" else f"grpc://{server.grpc}"
    with PoemClient(url, name="tiny") as given:
        yield given


def same(written, expected):
    assert written.poem == expected.poem
    assert written.clues == expected.clues
    assert written.seed == expected.seed
    assert [c.poem for c in written.candidates] == [
        c.poem for c in expected.candidates
    ]
    for name in ("score", "fit", "fluency"):
        assert getattr(written, name) == pytest.approx(
            getattr(expected, name), abs=1e-4
        )
    return True


def test_writes_as_python_does(client):
    assert same(
        client.write(SEA, candidates=2), tiny.poet().write(SEA, candidates=2)
    )
    given = {
        "seed": 2**63 - 1,
        "temperature": 1.1,
        "top_p": 0.9,
        "guidance": 2.0,
        "lines": 2,
        "candidates": 3,
        "ban": ["sea", "shore"],
    }
    assert same(client.write(SEA, **given), tiny.poet().write(SEA, **given))


def test_an_opening_is_kept_and_goes_on(client):
    given = {"opening": "The sea,\nmy own words", "lines": 4, "candidates": 2}
    written = client.write(SEA, **given)
    assert written.lines[:2] == ("The sea,", "my own words")
    assert same(written, tiny.poet().write(SEA, **given))


def test_a_control_that_is_none_is_named(client):
    with pytest.raises(TypeError, match="^expected only .* Received: colour$"):
        client.write(SEA, colour="red")


def test_photographs_of_any_kind(client, tmp_path):
    file = tmp_path / "night.webp"
    file.write_bytes(tiny.photograph("night", "WEBP"))
    expected = tiny.poet().write(file, candidates=1)
    assert same(client.write(str(file), candidates=1), expected)
    with pytest.raises(pictures.PictureError, match="^no.jpg: No such file"):
        client.write("no.jpg")


def test_controls_out_of_bounds_are_not_sent(client):
    with pytest.raises(errors.ServeError) as caught:
        client.write(SEA, lines=2**31)
    assert caught.value.message == (
        "expected lines, an integer from 0 to 10. Received: 2147483648"
    )


def test_what_the_server_refuses(client, monkeypatch):
    monkeypatch.setattr(pictures, "read_picture", lambda photograph: b"none")
    with pytest.raises(errors.ServeError) as caught:
        client.write(SEA)
    assert caught.value.code.name == "INVALID_ARGUMENT"
    assert caught.value.message


def test_shared_by_threads(client):
    expected = [
        tiny.poet().write(SEA, candidates=1, seed=n).poem for n in range(4)
    ]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        written = pool.map(
            lambda n: client.write(SEA, candidates=1, seed=n).poem, range(4)
        )
        assert list(written) == expected


@pytest.mark.parametrize("scheme", ["rest", "grpc"])
def test_async_form(server, scheme):
    url = server.rest if scheme == "rest" else f"grpc://{server.grpc}"

    async def scene():
        async with AsyncPoemClient(url, name="tiny") as client:
            return await asyncio.gather(
                *(client.write(SEA, candidates=1, seed=n) for n in (1, 2))
            )

    poems = [written.poem for written in asyncio.run(scene())]
    assert poems == [
        tiny.poet().write(SEA, candidates=1, seed=n).poem for n in (1, 2)
    ]


@pytest.mark.parametrize("scheme", ["rest", "grpc"])
def test_no_such_model(server, scheme):
    url = server.rest if scheme == "rest" else f"grpc://{server.grpc}"
    with PoemClient(url, name="other") as client:
        with pytest.raises(errors.ServeError) as caught:
            client.write(SEA)
    assert caught.value.code.name == "NOT_FOUND"
    assert caught.value.message == (
        "Servable not found for request: Latest(other)"
    )


@pytest.mark.parametrize("url", ["localhost:8501", "ftp://x", "http://", ""])
def test_addresses_that_are_none(url):
    with pytest.raises(ValueError, match="^expected http://host:port"):
        PoemClient(url)


# --- a server that fails first


ANSWER = {
    "outputs": {
        "poem": ["a\nb"],
        "score": [1.0],
        "fit": [0.5],
        "fluency": [-5.0],
        "clues": [["sea"]],
        "candidates": [["a\nb", ""]],
        "candidate_score": [[1.0, 0.0]],
        "candidate_fit": [[0.5, 0.0]],
        "candidate_fluency": [[-5.0, 0.0]],
    }
}


@contextlib.asynccontextmanager
async def failing(*statuses):
    """Answers with these statuses, then as it should; counts requests.

    Instead of a status there may be a function that answers the request.
    """
    left, asked = list(statuses), []

    async def handle(request):
        asked.append(json.loads(await request.read()))
        status = left.pop(0) if left else 200
        if callable(status):
            return await status(request)
        if status == 0:
            await asyncio.sleep(30)
        answer = ANSWER if status == 200 else {"error": f"no {status}"}
        return web.json_response(answer, status=status)

    application = web.Application()
    application.router.add_post("/v1/models/visualpoet:predict", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


@pytest.fixture
def _quick(monkeypatch):
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.001)


async def write(url, **options):
    async with AsyncPoemClient(url, **options) as client:
        return await client.write(SEA, seed=7)


@pytest.mark.usefixtures("_quick")
def test_busy_servers_are_asked_again():
    async def scene():
        async with failing(429, 503, 429) as (url, asked):
            written = await write(url)
            assert len(asked) == 4
            assert asked[0]["signature_name"] == "compose"
            assert asked[0]["inputs"]["seed"] == [7]
            return written

    written = asyncio.run(scene())
    assert written.lines == ("a", "b")
    assert len(written.candidates) == 1


@pytest.mark.usefixtures("_quick")
def test_not_for_ever():
    async def scene():
        async with failing(*[503] * 9) as (url, asked):
            with pytest.raises(errors.ServeError) as caught:
                await write(url, retries=2)
            assert caught.value.code.name == "UNAVAILABLE"
            assert caught.value.message == "no 503"
            assert len(asked) == 3

    asyncio.run(scene())


@pytest.mark.parametrize("status", [400, 404, 500, 504])
def test_other_failures_are_final(status):
    async def scene():
        async with failing(status) as (url, asked):
            with pytest.raises(errors.ServeError) as caught:
                await write(url)
            assert caught.value.message == f"no {status}"
            assert len(asked) == 1

    asyncio.run(scene())


def text(status, content):
    async def answer(request):
        return web.Response(status=status, text=content)

    return answer


async def cut(request):
    answer = web.StreamResponse()
    answer.content_length = 100
    await answer.prepare(request)
    await answer.write(b'{"outputs"')
    request.transport.close()
    return answer


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize(
    "first",
    [text(503, "<html>"), text(502, ""), text(502, "null"), cut],
    ids=["html", "empty", "null", "cut"],
)
def test_broken_ways_to_the_server_are_tried_again(first):
    async def scene():
        async with failing(first) as (url, asked):
            assert (await write(url)).lines == ("a", "b")
            assert len(asked) == 2
        async with failing(first) as (url, _):
            with pytest.raises(errors.ServeError) as caught:
                await write(url, retries=0)
            assert caught.value.code.name == "UNAVAILABLE"
            assert caught.value.message

    asyncio.run(scene())


@pytest.mark.parametrize(
    "content",
    [
        *("<html>", "", "[]", "null", "{}", '{"outputs": [["a"]]}'),
        *('{"outputs": {"poem": 1}}', '{"outputs": {"poem": []}}'),
    ],
)
def test_answers_of_another_kind(content):
    async def scene():
        async with failing(text(200, content)) as (url, asked):
            with pytest.raises(errors.ServeError) as caught:
                await write(url)
            assert len(asked) == 1
            assert caught.value.code.name == "UNKNOWN"
            assert caught.value.message == (
                "expected JSON with `outputs` from "
                f"{url}/v1/models/visualpoet:predict. Received: {content!r}. "
                "Check that the address is that of the model"
            )

    asyncio.run(scene())


def test_a_server_that_speaks_no_http():
    async def handle(reader, writer):
        await reader.read(1)
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        writer.close()

    async def scene():
        async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(errors.ServeError) as caught:
                await write(f"http://127.0.0.1:{port}")
            assert caught.value.code.name == "UNKNOWN"
            assert caught.value.message.startswith("expected an answer of HTTP")

    asyncio.run(scene())


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server_is_asked_again(scheme, unused_port):
    async def scene():
        url = f"{scheme}://127.0.0.1:{unused_port}"
        with pytest.raises(errors.ServeError) as caught:
            await write(url, retries=1)
        assert caught.value.code.name == "UNAVAILABLE"

    asyncio.run(scene())


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_the_time_is_over():
    async def scene():
        async with failing(0) as (url, asked):
            with pytest.raises(errors.ServeError) as caught:
                await write(url, timeout=0.5)
            assert caught.value.code.name == "DEADLINE_EXCEEDED"
            assert caught.value.message == "the server did not answer in 0.5 s"
            assert len(asked) == 1

    asyncio.run(scene())
