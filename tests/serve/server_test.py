"""The whole server on real sockets: seeds, reloads, stops, hostile clients."""

import concurrent.futures
import functools
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
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
from tests.serve import running
from visualpoet import cli
from visualpoet.serve import page

SEA, NIGHT = tiny.photograph("sea"), tiny.photograph("night", "PNG")
PREDICT = "/v1/models/tiny:predict"
ROOT = pathlib.Path(__file__).parents[2]


def compose(photographs, seed, row=True):
    row_of = [
        {
            "image_bytes": asking.b64(photograph),
            "seed": seed + number,
            "temperature": 0.8,
            "top_p": 0.95,
            "guidance": 1.5,
            "lines": 0,
            "num_candidates": 1,
            "banned": "",
        }
        for number, photograph in enumerate(photographs)
    ]
    if row:
        return {"signature_name": "compose", "instances": row_of}
    columns = {name: [r[name] for r in row_of] for name in row_of[0]}
    return {"signature_name": "compose", "inputs": columns}


@functools.cache
def poem_of(photograph, seed):
    return tiny.poet().write(photograph, seed=seed, candidates=1).poem


def predict_grpc(address, photographs, seed, timeout=60, metadata=None):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "tiny"
    request.model_spec.signature_name = "compose"
    columns = compose(photographs, seed, row=False)["inputs"]
    columns["image_bytes"] = photographs
    dtypes = {"seed": "int64", "lines": "int32", "num_candidates": "int32"}
    for name, values in columns.items():
        request.inputs[name].CopyFrom(
            tf.make_tensor_proto(values, dtypes.get(name))
        )
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        outputs = stub.Predict(request, timeout=timeout).outputs
    return [poem.decode() for poem in tf.make_ndarray(outputs["poem"])]


def is_well(server):
    """A good request is answered."""
    status, answer = asking.ask_json(server.rest + PREDICT, compose([SEA], 1))
    assert status == 200, answer
    return answer["predictions"][0]["poem"] == poem_of(SEA, 1)


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


# --- full, late, gone


class Gate:
    """Holds every run of a signature until it is opened."""

    def __init__(self, server, monkeypatch, name="compose"):
        signature = server.core.versions.resolve("tiny").signatures[name]
        run, self.runs = signature.run, 0
        self.open = threading.Event()
        self.entered = threading.Event()

        def wait(inputs):
            self.runs += 1
            self.entered.set()
            assert self.open.wait(60)
            return run(inputs)

        monkeypatch.setattr(signature, "run", wait)


@pytest.fixture
def small_server():
    """One thread, and room for two rows that wait."""
    model = tiny.exported().parent
    with running.serve(
        model, threads=1, queue_rows=2, request_rows=2, batch_rows=1
    ) as given:
        yield given


def until(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_full_queue_deadline_and_disconnect(small_server, monkeypatch):
    server = small_server
    gate = Gate(server, monkeypatch)
    length = server.core._batcher.queue_length
    address = server.rest + PREDICT
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        first = pool.submit(asking.ask_json, address, compose([SEA], 1))
        assert gate.entered.wait(60)
        # Whoever goes away makes room, and is not run.
        content = json.dumps(compose([SEA, SEA], 9)).encode()
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: "
        import socket

        host, port = server.rest.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                head.encode() + str(len(content)).encode() + b"\r\n\r\n"
            )
            connection.sendall(content)
            until(lambda: server.call(length) == 2)
        until(lambda: server.call(length) == 0)
        # So does whoever has no time.
        with pytest.raises(grpc.RpcError) as caught:
            predict_grpc(server.grpc, [SEA], 1, timeout=0.3)
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        until(lambda: server.call(length) == 0)
        waiting = pool.submit(asking.ask_json, address, compose([SEA] * 2, 2))
        until(lambda: server.call(length) == 2)
        status, headers, content = asking.ask(address, compose([SEA], 3))
        assert (status, headers["Retry-After"]) == (429, "1")
        assert json.loads(content)["error"].startswith("the queue is full: 2")
        with pytest.raises(grpc.RpcError) as caught:
            predict_grpc(server.grpc, [SEA], 3)
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        _, _, page_text = asking.ask(
            f"{server.rest}/monitoring/prometheus/metrics"
        )
        assert b"\nvisualpoet_queue_length 2.0\n" in page_text
        gate.open.set()
        assert first.result()[0] == waiting.result()[0] == 200
    assert gate.runs == 2


def test_rest_deadline():
    with running.serve(tiny.exported().parent, timeout_seconds=0.001) as server:
        status, answer = asking.ask_json(
            server.rest + PREDICT, compose([SEA], 1)
        )
        assert (status, answer) == (
            504,
            {"error": "the time for the request is over"},
        )


# --- new versions


def copy_version(folder, name):
    partial = folder / f"{name}.partial"
    shutil.copytree(tiny.exported(), partial)
    partial.rename(folder / name)


def statuses(server):
    _, answer = asking.ask_json(f"{server.rest}/v1/models/tiny")
    return {
        entry["version"]: entry["state"]
        for entry in answer["model_version_status"]
    }


def test_hot_reload_without_a_failed_request(tmp_path):
    copy_version(tmp_path, "1")
    answers, enough = [], threading.Event()

    def keep_asking(server):
        while not enough.is_set():
            answers.append(
                asking.ask(server.rest + PREDICT, compose([SEA], 1))[0]
            )

    with running.serve(tmp_path, poll_seconds=0.05) as server:
        tasks = [
            threading.Thread(target=keep_asking, args=[server])
            for _ in range(2)
        ]
        for task in tasks:
            task.start()
        try:
            until(lambda: len(answers) > 2)
            copy_version(tmp_path, "2")
            until(lambda: statuses(server) == {"2": "AVAILABLE", "1": "END"})
            (tmp_path / "3").mkdir()
            (tmp_path / "3" / "saved_model.pb").write_bytes(b"broken")
            until(lambda: statuses(server).get("3") == "END")
            number = len(answers)
            until(lambda: len(answers) > number + 2)
        finally:
            enough.set()
            for task in tasks:
                task.join()
        assert set(answers) == {200}
        _, answer = asking.ask_json(f"{server.rest}/v1/models/tiny/versions/3")
        (entry,) = answer["model_version_status"]
        assert entry["state"] == "END"
        assert entry["status"]["error_code"] != "OK"
        assert entry["status"]["error_message"]
        _, answer = asking.ask_json(f"{server.rest}/v1/models/tiny/metadata")
        assert answer["model_spec"]["version"] == "2"


def test_a_warm_up_that_fails_refuses_the_version(tmp_path):
    copy_version(tmp_path, "1")
    copy_version(tmp_path, "2")
    records = tmp_path / "2" / "assets.extra" / "tf_serving_warmup_requests"
    with tf.io.TFRecordWriter(str(records)) as writer:
        writer.write(b"no record")
    with running.serve(tmp_path) as server:
        assert statuses(server) == {"1": "AVAILABLE", "2": "END"}


def test_nothing_that_can_be_served(tmp_path):
    with pytest.raises(FileNotFoundError, match="numbered versions of one"):
        running.Running(tmp_path)
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "saved_model.pb").write_bytes(b"broken")
    with pytest.raises(ValueError, match="^expected a model that can be load"):
        running.Running(tmp_path)


# --- start and stop


def start_command(*arguments):
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "visualpoet", "serve", "--name", "tiny"),
            *("--model", str(tiny.exported().parent)),
            *("--rest-port", "0", "--grpc-port", "0", *arguments),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline().split()
    assert line, process.stderr.read()
    return process, line[1], line[2].removeprefix("grpc://")


def test_sigterm_finishes_what_runs_and_what_waits():
    process, rest, address = start_command("--threads", "1")
    seas = [SEA] * 64
    with process, concurrent.futures.ThreadPoolExecutor(2) as pool:
        by_rest = pool.submit(asking.ask_json, rest + PREDICT, compose(seas, 1))
        by_grpc = pool.submit(predict_grpc, address, seas, 1)
        page_address = f"{rest}/monitoring/prometheus/metrics"
        waits = b"visualpoet_queue_length 64.0"
        try:
            until(lambda: waits in asking.ask(page_address)[2], 60)
        finally:
            process.send_signal(signal.SIGTERM)
        status, answer = by_rest.result()
        assert status == 200
        poems = [row["poem"] for row in answer["predictions"]]
        assert by_grpc.result() == poems
        assert len(poems) == len(seas)
        assert poems[0] == poem_of(SEA, 1)
        assert process.wait(60) == 0
        assert process.stdout.read() == ""
        errors = process.stderr.read().splitlines()
    assert errors == ["visualpoet: INFO version 3 of tiny is served"]


def test_command_without_a_model(capsys, tmp_path):
    assert cli.main(["serve", "--model", str(tmp_path)]) == 2
    assert "expected a SavedModel" in capsys.readouterr().err


def test_command_without_its_packages(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "visualpoet.serve.server", raising=False)
    monkeypatch.delattr("visualpoet.serve.server", raising=False)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    assert cli.main(["serve"]) == 2
    assert capsys.readouterr().err == (
        "visualpoet: expected aiohttp, which is not installed. Try: pip "
        'install "visualpoet[serve]"\n'
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--threads", "0"], "expected threads of 1 or more. Received: 0"),
        (["--queue-rows", "1"], "Received: 1 < 64"),
    ],
)
def test_options_out_of_bounds(capsys, arguments, error):
    assert cli.main(["serve", *arguments]) == 2
    assert error in capsys.readouterr().err


@pytest.mark.parametrize("label", ["stable", "stable=x", "a b=1", "=1"])
def test_labels_that_are_none(capsys, label):
    with pytest.raises(SystemExit):
        cli.main(["serve", "--label", label])
    assert "expected LABEL=VERSION" in capsys.readouterr().err


def test_taken_port(server, capsys):
    model = str(tiny.exported().parent)
    port = server.rest.rsplit(":", 1)[1]
    assert cli.main(["serve", "--model", model, "--rest-port", port]) == 2
    assert "visualpoet: cannot listen: " in capsys.readouterr().err


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
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(),
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


# --- hostile requests


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


def test_too_large_a_body(server):
    body = b"x" * (20 * 2**20 + 1)
    for path in (PREDICT, "/v1/lines"):
        status, answer = asking.ask_json(server.rest + path, body)
        assert (status, list(answer)) == (413, ["error"])
    status, _, content = asking.post_form(f"{server.rest}/v1/poems", body)
    assert (status, list(json.loads(content))) == (413, ["error"])
    assert is_well(server)


HEAD = b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "content",
    [
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
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
    with running.serve(tiny.exported().parent, idle_seconds=0.3) as server:
        for start in (b"", b"GET / HT", HEAD + b"Content-Length: 9"):
            assert asking.exchange(server.rest, start) == b""
        head = HEAD + b"Content-Length: 99\r\n\r\n{"
        answer = asking.exchange(server.rest, head)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert is_well(server)


def test_too_many_requests_at_once():
    with running.serve(tiny.exported().parent, requests=1) as server:
        import socket

        host, port = server.rest.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(HEAD + b"Content-Length: 9\r\n\r\n{")
            until(lambda: server.server._busy == 1)
            status, answer = asking.ask_json(server.rest + PREDICT, b"{}")
            assert (status, answer["error"][:8]) == (429, "too many")
        until(lambda: server.server._busy == 0)
        assert is_well(server)


def bomb(dtype, shape, **values):
    tensor = tf.make_tensor_proto([b"x"])
    tensor.Clear()
    tensor.dtype = dtype
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    for name, value in values.items():
        getattr(tensor, name).append(value)
    return tensor


@pytest.mark.parametrize(
    "method",
    [
        "/tensorflow.serving.PredictionService/Predict",
        "/tensorflow.serving.ModelService/GetModelStatus",
        "/grpc.health.v1.Health/Check",
    ],
)
def test_noise_for_a_grpc_message(server, method):
    with grpc.insecure_channel(server.grpc) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(method)(b"\xff" * 9, timeout=60)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "Unable to parse request"


@pytest.mark.parametrize(
    "tensor",
    [
        bomb(types_pb2.DT_STRING, [2**40], string_val=b"x"),
        bomb(types_pb2.DT_STRING, [2**20, 2**20, 2**30], string_val=b"x"),
        bomb(types_pb2.DT_STRING, [-1], string_val=b"x"),
        bomb(types_pb2.DT_STRING, [3]),
        bomb(types_pb2.DT_STRING, [1] * 300, string_val=b"x"),
        bomb(types_pb2.DT_STRING, [65], string_val=b"x"),
        bomb(types_pb2.DT_INVALID, [1]),
        bomb(types_pb2.DT_RESOURCE, [1]),
        bomb(types_pb2.DT_VARIANT, [1]),
        bomb(types_pb2.DT_STRING_REF, [1], string_val=b"x"),
        bomb(99, [1]),
    ],
    ids=range(11),
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
