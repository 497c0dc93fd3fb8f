"""What no client should send: each is refused, and the server lives on."""

import concurrent.futures
import contextlib
import json
import select
import socket
import struct
import zlib

import grpc
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests import tiny
from tests.serve import asking
from tests.serve import conformance
from tests.serve import running
from tests.serve.composing import NIGHT
from tests.serve.composing import SEA
from tests.serve.composing import Gate
from tests.serve.composing import compose
from tests.serve.composing import is_well
from tests.serve.composing import predict_grpc
from tests.serve.composing import until
from tests.serve.conformance import PREDICT


def png(width, height):
    """A PNG that says how large it is and holds next to nothing."""

    def chunk(kind, content):
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def lying_jpeg(width, height):
    """The sea, in a frame of another size."""
    start = SEA.index(b"\xff\xc0") + 5
    size = struct.pack(">HH", height, width)
    return SEA[:start] + size + SEA[start + 4 :]


HOSTILE_PICTURES = [
    b"",
    b"\x00" * 1000,
    SEA[:300],
    SEA[:-500],
    SEA[100:],
    NIGHT[:200],
    NIGHT[:-20],
    png(30_000, 30_000),
    lying_jpeg(60_000, 60_000),
    b"\xff\xd8\xff\xe0" + b"\xff" * 1000,
    b"GIF89a" + b"\xff" * 100,
    b"RIFF\xff\xff\xff\xffWEBP",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
]


@pytest.mark.parametrize("picture", HOSTILE_PICTURES)
def test_hostile_pictures(server, picture):
    body = {"instances": [asking.b64(picture)]}
    status, answer = asking.ask_json(server.rest + PREDICT, body)
    assert (status, list(answer)) == (400, ["error"])
    assert "node" not in answer["error"]
    status, _, content = asking.post_form(f"{server.rest}/v1/poems", picture)
    assert (status, list(json.loads(content))) == (400, ["error"])
    with pytest.raises(grpc.RpcError) as caught:
        predict_grpc(server.grpc, [picture], 1)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_good_pictures_in_between(server):
    assert is_well(server)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"instances":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
        b'{"a":' * 100_000,
        b'{"instances": [' + b'{"image_bytes":' * 900 + b"1",
        json.dumps({"instances": [{"b64": "x" * 1_000_001}]}).encode(),
        json.dumps({"instances": ["x"] * 100_000}).encode(),
        json.dumps({"inputs": [[0] * 1000] * 2000}).encode(),
        json.dumps({"instances": [1e999]}).encode(),
        b'{"instances": [' + b"9" * 100_000 + b"]}",
        b"\xff\xfe\x00{",
        b"\x80\x04\x95",  # of a pickle
    ],
    ids=range(11),
)
def test_hostile_bodies(server, body):
    status, answer = asking.ask_json(server.rest + PREDICT, body)
    assert (status, list(answer)) == (400, ["error"])
    assert len(answer["error"]) < 1000
    assert is_well(server)


@pytest.mark.parametrize("control", ["temperature", "top_p", "guidance"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_controls_that_are_not_finite(server, control, value):
    row = {**conformance.COMPOSE, control: float(value)}
    body = {"signature_name": "compose", "instances": [row]}
    status, answer = asking.ask_json(server.rest + PREDICT, body)
    assert (status, list(answer)) == (400, ["error"])
    assert f"expected input {control} of finite numbers" in answer["error"]


def test_too_large_a_body(server):
    body = b"x" * (20 * 2**20 + 1)
    for path in (PREDICT, "/v1/lines"):
        status, answer = asking.ask_json(server.rest + path, body)
        assert (status, list(answer)) == (413, ["error"])
    status, _, content = asking.post_form(f"{server.rest}/v1/poems", body)
    assert (status, list(json.loads(content))) == (413, ["error"])
    assert is_well(server)


HEAD = b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    "content",
    [
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "
        + b"a" * 100_000
        + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 10_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: x\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n",
        HEAD + b"Connection: close\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: 2\r\n\r\nxx",
    ],
    ids=range(10),
)
def test_hostile_http(server, content):
    answer = asking.exchange(server.rest, content)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"Traceback" not in answer
    assert is_well(server)


def test_a_body_that_never_ends():
    with running.serve(tiny.cold().parent, idle_seconds=0.3) as server:
        for start in (b"", b"GET / HT", HEAD + b"Content-Length: 9"):
            assert asking.exchange(server.rest, start) == b""
        head = HEAD + b"Content-Length: 99\r\n\r\n{"
        answer = asking.exchange(server.rest, head)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert is_well(server)


def test_half_sent_bodies_take_nobodys_place():
    with (
        running.serve(tiny.cold().parent, requests=2) as server,
        contextlib.ExitStack() as stack,
    ):
        address = server.rest.removeprefix("http://").split(":")
        halves = []
        for _ in range(9):
            half = stack.enter_context(socket.create_connection(address))
            half.sendall(HEAD + b"Content-Length: 9\r\n\r\n{")
            halves.append(half)
        # The oldest make room, and are told so.
        until(lambda: len(select.select(halves, [], [], 0)[0]) == 7)
        for half in select.select(halves, [], [], 0)[0]:
            assert half.recv(65536).startswith(b"HTTP/1.1 408 ")
        assert is_well(server)
        assert asking.ask(f"{server.rest}/v1/models/tiny")[0] == 200


@pytest.fixture(scope="module")
def narrow_server():
    """Takes one request at a time."""
    with running.serve(tiny.cold().parent, requests=1) as given:
        yield given


def test_too_many_requests_at_once(narrow_server, monkeypatch):
    server = narrow_server
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        gate = Gate(server, monkeypatch)
        first = pool.submit(is_well, server)
        assert gate.entered.wait(60)
        for ask in (
            lambda: asking.ask(server.rest + PREDICT, compose([SEA], 1)),
            lambda: asking.post_form(f"{server.rest}/v1/poems", SEA),
            lambda: asking.ask(f"{server.rest}/v1/lines", {"token": "x"}),
        ):
            status, headers, content = ask()
            assert (status, headers["Retry-After"]) == (429, "1")
            assert b"too many requests" in content
        for path in ("/v1/models/tiny", "/monitoring/prometheus/metrics", "/"):
            assert asking.ask(server.rest + path)[0] == 200
        gate.open.set()
        assert first.result()


def ask_health(channel):
    request = health_pb2.HealthCheckRequest()
    return health_pb2_grpc.HealthStub(channel).Check(request, timeout=60).status


def test_too_many_calls_at_once(narrow_server, monkeypatch):
    server = narrow_server
    with (
        grpc.insecure_channel(server.grpc) as channel,
        concurrent.futures.ThreadPoolExecutor(1) as pool,
    ):
        gate = Gate(server, monkeypatch)
        first = pool.submit(predict_grpc, server.grpc, [SEA], 1)
        assert gate.entered.wait(60)
        with pytest.raises(grpc.RpcError) as caught:
            predict_grpc(server.grpc, [SEA], 1)
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert caught.value.details() == "too many requests. Try again later"
        assert ask_health(channel) == health_pb2.HealthCheckResponse.SERVING
        gate.open.set()
        assert first.result() == predict_grpc(server.grpc, [SEA], 1)


@pytest.mark.parametrize(
    ("number", "changed", "message"),
    [
        (1, {"banned": "a" * 16_385}, "input banned of at most 16,384 bytes"),
        (1, {"form": "\u00e9" * 8193}, "input form of at most 16,384 bytes"),
        (17, {"num_candidates": 64}, "at most 1,024 in all rows together"),
        # Each counts as the graph takes it.
        (64, {"num_candidates": 10**6}, "Received: 4,096"),
    ],
)
def test_what_a_request_may_cost_has_an_end(server, number, changed, message):
    body = compose([SEA] * number, 1)
    body["instances"] = [{**row, **changed} for row in body["instances"]]
    status, answer = asking.ask_json(server.rest + PREDICT, body)
    assert status == 400
    assert message in answer["error"]


def test_strings_without_commas_are_not_even_looked_for(server):
    body = b"Inf" + b'""' * 10**6
    status, answer = asking.ask_json(server.rest + PREDICT, body)
    assert status == 400
    assert "Missing a comma" in answer["error"]


def test_a_form_has_no_more_parts_than_fields(server):
    fields = {f"field{number}": "" for number in range(40)}
    address = f"{server.rest}/v1/poems"
    status, _, content = asking.post_form(address, SEA, **fields)
    assert status == 400
    assert b"a broken one" in content


def bomb(dtype, shape, **values):
    tensor = tf.make_tensor_proto([b"x"])
    tensor.Clear()
    tensor.dtype = dtype
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    for name, value in values.items():
        getattr(tensor, name).append(value)
    return tensor


METHODS = (
    "/tensorflow.serving.PredictionService/Predict",
    "/tensorflow.serving.ModelService/GetModelStatus",
    "/grpc.health.v1.Health/Check",
)


def refuse(server, method, content, **options):
    """The error that bytes for a message get."""
    with grpc.insecure_channel(server.grpc) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(method)(content, timeout=60, **options)
    return caught.value


@pytest.mark.parametrize("method", METHODS)
def test_packed_grpc_messages_are_not_unpacked(server, method):
    """20 MB on the wire would be 20 GB."""
    packed = grpc.Compression.Gzip
    error = refuse(server, method, bytes(2**22), compression=packed)
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("method", METHODS)
def test_noise_for_a_grpc_message(server, method):
    error = refuse(server, method, b"\xff" * 9)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "Unable to parse request"


@pytest.mark.parametrize(
    "tensor",
    [
        bomb(types_pb2.DT_STRING, [2**40], string_val=b"x"),
        bomb(types_pb2.DT_STRING, [2**20, 2**20, 2**30], string_val=b"x"),
        bomb(types_pb2.DT_STRING, [-1], string_val=b"x"),
        bomb(types_pb2.DT_STRING, [3]),
        bomb(types_pb2.DT_STRING, [1] * 300, string_val=b"x"),
        bomb(types_pb2.DT_STRING, [65], string_val=b"x"),
        bomb(types_pb2.DT_STRING, [64], string_val=SEA + bytes(2**20)),
        bomb(types_pb2.DT_INVALID, [1]),
        bomb(types_pb2.DT_RESOURCE, [1]),
        bomb(types_pb2.DT_VARIANT, [1]),
        bomb(types_pb2.DT_STRING_REF, [1], string_val=b"x"),
        bomb(99, [1]),
    ],
    ids=range(12),
)
def test_hostile_tensors(server, tensor):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "tiny"
    request.inputs["image_bytes"].CopyFrom(tensor)
    with grpc.insecure_channel(server.grpc) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Predict(request, timeout=60)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert is_well(server)


def test_too_large_a_message(server):
    with pytest.raises(grpc.RpcError) as caught:
        predict_grpc(server.grpc, [b"x" * (21 * 2**20)], 1)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert is_well(server)
