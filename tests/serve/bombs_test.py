"""Small pictures that take long are refused, and no one waits for them."""

import concurrent.futures
import functools
import json

import grpc
import pytest

from tests import bombs
from tests.serve import asking
from tests.serve.composing import SEA
from tests.serve.composing import compose
from tests.serve.composing import is_well
from tests.serve.composing import predict_grpc
from tests.serve.conformance import PREDICT

BOMBS = {
    "scans": functools.partial(bombs.scans, 150),
    "inflated": bombs.inflated_png,
    "remarks": functools.partial(bombs.remarks_in_png, 50_000),
    "long": functools.partial(bombs.png, 1, 5_000_000),
    "wide": functools.partial(bombs.png, 5_000_000, 1),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_each_way_refuses_a_bomb(server, kind):
    content = BOMBS[kind]()
    status, answer = asking.ask_json(
        server.rest + PREDICT, {"instances": [asking.b64(content)]}
    )
    assert (status, answer["error"][:9]) == (400, "picture: ")
    status, _, body = asking.post_form(f"{server.rest}/v1/poems", content)
    assert (status, json.loads(body)) == (400, answer)
    with pytest.raises(grpc.RpcError) as caught:
        predict_grpc(server.grpc, [content], 1)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == answer["error"]


def test_a_good_request_beside_them_is_answered(server):
    address = server.rest + PREDICT
    bodies = [compose([make()], 1) for make in BOMBS.values()] * 4
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        refused = pool.map(lambda body: asking.ask(address, body)[0], bodies)
        assert is_well(server)
        assert set(refused) == {400}
    assert is_well(server)


def test_photographs_that_hold_too_much_memory_at_once(server, monkeypatch):
    monkeypatch.setattr(server.core, "_room", 20_000)
    status, headers, content = asking.ask(
        server.rest + PREDICT, compose([SEA] * 3, 1)
    )
    assert (status, headers["Retry-After"]) == (429, "1")
    assert b"too many large photographs" in content
    assert server.core._room == 20_000  # what was taken is given back
    assert is_well(server)
