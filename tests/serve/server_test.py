"""The whole server on real sockets: seeds, many clients, the page."""

import concurrent.futures
import json

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc

from tests import tiny
from tests.serve import asking
from tests.serve.composing import NIGHT
from tests.serve.composing import SEA
from tests.serve.composing import compose
from tests.serve.composing import is_well
from tests.serve.composing import poem_of
from tests.serve.composing import predict_grpc
from tests.serve.conformance import PREDICT
from visualpoet.serve import page

# --- the same seed, the same poem


def test_same_seed_same_poem_by_every_way_alone_and_in_a_batch(server):
    photographs = [SEA, NIGHT, tiny.photograph("meadow")]
    expected = [poem_of(photo, 5 + n) for n, photo in enumerate(photographs)]
    assert len(set(expected)) == 3
    address = server.rest + PREDICT
    _, rows = asking.ask_json(address, compose(photographs, 5))
    assert [row["poem"] for row in rows["predictions"]] == expected
    _, columns = asking.ask_json(address, compose(photographs, 5, row=False))
    assert columns["outputs"]["poem"] == expected
    assert predict_grpc(server.grpc, photographs, 5) == expected
    for number, photograph in enumerate(photographs):
        body = compose([photograph], 5 + number)
        _, alone = asking.ask_json(address, body)
        assert alone["predictions"][0]["poem"] == expected[number]


def test_requests_of_many_clients_are_merged_and_not_mixed_up(server):
    photographs = [SEA, NIGHT, tiny.photograph("meadow")]
    expected = [poem_of(photographs[n % 3], n) for n in range(12)]

    def write(number):
        photograph = photographs[number % 3]
        if number % 2:
            return predict_grpc(server.grpc, [photograph], number)[0]
        body = compose([photograph], number)
        _, answer = asking.ask_json(server.rest + PREDICT, body)
        return answer["predictions"][0]["poem"]

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert list(pool.map(write, range(12))) == expected


def test_a_broken_picture_among_many_clients_fails_alone(server):
    contents = [SEA, SEA[:900], NIGHT, b"none"] * 2

    def write(content):
        body = {"instances": [asking.b64(content)]}
        return asking.ask_json(server.rest + PREDICT, body)[0]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, contents)) == [200, 400, 200, 400] * 2


def test_health(server):
    with grpc.insecure_channel(server.grpc) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "tensorflow.serving.PredictionService"):
            request = health_pb2.HealthCheckRequest(service=service)
            reply = stub.Check(request, timeout=60)
            assert reply.status == reply.SERVING


# --- the page and the numbers


def test_page_is_strict(server):
    for path, kind in [
        ("/", "text/html; charset=utf-8"),
        ("/static/app.js", "text/javascript; charset=utf-8"),
        ("/static/style.css", "text/css; charset=utf-8"),
        ("/static/icon.svg", "image/svg+xml"),
    ]:
        status, headers, content = asking.ask(server.rest + path)
        assert (status, headers["Content-Type"]) == (200, kind)
        assert content
        for name, value in page.HEADERS.items():
            assert headers[name] == value
    policy = page.HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/static/",
        "/static/none.js",
        "/none",
        "/v2/models/tiny",
    ],
)
def test_other_paths_are_404(server, path):
    answer = asking.exchange(
        server.rest,
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
        + b"Connection: close\r\n\r\n",
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert list(json.loads(body)) == ["error"]


def test_metrics(server):
    assert is_well(server)
    assert asking.ask(server.rest + PREDICT, b"{")[0] == 400
    status, headers, content = asking.ask(
        f"{server.rest}/monitoring/prometheus/metrics"
    )
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    text = content.decode()
    for name in [
        'visualpoet_requests_total{api="models",code="200"}',
        'visualpoet_requests_total{api="models",code="400"}',
        'visualpoet_request_seconds_count{api="models"}',
        'visualpoet_graph_seconds_count{signature="compose"}',
        "visualpoet_queue_length 0.0",
        "visualpoet_version 3.0",
    ]:
        assert f"\n{name}" in text
