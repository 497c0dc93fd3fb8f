"""The server when it is full, gets new versions, starts and stops."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading

import grpc
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.core.protobuf import saved_model_pb2

from tests import tiny
from tests.serve import asking
from tests.serve import running
from tests.serve.composing import SEA
from tests.serve.composing import Gate
from tests.serve.composing import compose
from tests.serve.composing import poem_of
from tests.serve.composing import predict_grpc
from tests.serve.composing import until
from tests.serve.conformance import PREDICT
from visualpoet import cli
from visualpoet.export.warmup import WARMUP_FILE

ROOT = pathlib.Path(__file__).parents[2]


# --- full, late, gone


@pytest.fixture
def small_server():
    """One thread, and room for two rows that wait."""
    model = tiny.cold().parent
    with running.serve(
        model, threads=1, queue_rows=2, request_rows=2, batch_rows=1
    ) as given:
        yield given


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
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
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
    with running.serve(tiny.cold().parent, timeout_seconds=0.001) as server:
        status, answer = asking.ask_json(
            server.rest + PREDICT, compose([SEA], 1)
        )
        assert (status, answer) == (
            504,
            {"error": "the time for the request is over"},
        )


def test_the_deadline_counts_while_pictures_are_read():
    with running.serve(
        tiny.cold().parent, threads=1, timeout_seconds=0.3
    ) as server:
        lane = server.core._decoders._quick
        process = lane._free.get()  # the only one
        try:
            status, _ = asking.ask_json(
                server.rest + PREDICT, compose([SEA], 1)
            )
            form = asking.post_form(f"{server.rest}/v1/poems", SEA)
        finally:
            lane._free.put(process)
        assert (status, form[0]) == (504, 504)


# --- new versions


def add_version(folder, name, copy=os.symlink):
    """Links are not loaded anew: see `_loaded_once` of tests/conftest.py."""
    partial = folder / f"{name}.partial"
    shutil.copytree(tiny.cold(), partial, copy_function=copy)
    partial.rename(folder / name)


def statuses(server):
    _, answer = asking.ask_json(f"{server.rest}/v1/models/tiny")
    return {
        entry["version"]: entry["state"]
        for entry in answer["model_version_status"]
    }


def test_hot_reload_without_a_failed_request(tmp_path):
    add_version(tmp_path, "1")
    answers, enough = [], threading.Event()

    def keep_asking(server):
        while not enough.is_set():
            answers.append(
                asking.ask(server.rest + PREDICT, compose([SEA], 1))[0]
            )
            enough.wait(0.1)  # leaves time to load

    with running.serve(tmp_path, poll_seconds=0.05) as server:
        tasks = [
            threading.Thread(target=keep_asking, args=[server])
            for _ in range(2)
        ]
        for task in tasks:
            task.start()
        try:
            until(lambda: len(answers) > 2)
            add_version(tmp_path, "2", shutil.copy2)
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


@pytest.mark.parametrize(
    "content",
    [
        b"",
        saved_model_pb2.SavedModel(
            meta_graphs=[meta_graph_pb2.MetaGraphDef()]
        ).SerializeToString(),
    ],
    ids=["empty", "without the tag"],
)
def test_a_graph_that_is_none_is_passed_over(tmp_path, content):
    add_version(tmp_path, "1")
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "saved_model.pb").write_bytes(content)
    with running.serve(tmp_path) as server:
        assert statuses(server) == {"1": "AVAILABLE", "2": "END"}


def test_a_copy_file_by_file_ends_in_the_whole_version(tmp_path):
    add_version(tmp_path, "1")
    files = [path for path in tiny.cold().rglob("*") if path.is_file()]
    # The worst order: a graph that could be run, if its options were there.
    files.sort(key=lambda file: file.name == "options.json")
    with running.serve(tmp_path, poll_seconds=0.01) as server:
        for file in files:
            target = tmp_path / "2" / file.relative_to(tiny.cold())
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.name == "options.json":
                until(lambda: statuses(server).get("2") == "END")
                assert server.core.resolve("tiny").number == 1
            shutil.copy(file, target)
        until(lambda: server.core.resolve("tiny").number == 2)
        assert server.core.resolve("tiny").options


def test_a_warm_up_that_fails_refuses_the_version(tmp_path):
    add_version(tmp_path, "1")
    add_version(tmp_path, "2")
    records = tmp_path / "2" / WARMUP_FILE
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
            *("--model", str(tiny.cold().parent)),
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
    # As many rows as are run at once, so that the two are not merged.
    options = "--threads", "1", "--batch-rows", "8"
    process, rest, address = start_command(*options)
    seas = [SEA] * 8
    with process, concurrent.futures.ThreadPoolExecutor(2) as pool:
        by_rest = pool.submit(asking.ask_json, rest + PREDICT, compose(seas, 1))
        by_grpc = pool.submit(predict_grpc, address, seas, 1)
        page_address = f"{rest}/monitoring/prometheus/metrics"
        waits = b"visualpoet_queue_length 8.0"
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
    assert errors == [
        "visualpoet: INFO loading and warming up: the address follows",
        "visualpoet: INFO version 3 of tiny is served",
        "visualpoet: INFO stopping: what is under way is finished first",
        "visualpoet: INFO stopped",
    ]


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
        (["--threads", "0"], "expected --threads of 1 or more. Received: 0"),
        (["--queue-rows", "1"], "Received: 1 < 64"),
        (
            ["--body-bytes", "-1"],
            "expected --body-bytes of 1 or more. Received",
        ),
        (["--picture-pixels", "0"], "expected --picture-pixels of 1 or more."),
        (
            ["--timeout-seconds", "0"],
            "expected --timeout-seconds of more than 0",
        ),
        (["--idle-seconds", "nan"], "expected --idle-seconds of more than 0."),
        (["--rest-port", "65536"], "--rest-port from 0 to 65535. Received: 65"),
        (
            ["--grpc-port", "-1"],
            "expected --grpc-port from 0 to 65535. Received",
        ),
    ],
)
def test_options_out_of_bounds(capsys, arguments, error):
    assert cli.main(["serve", *arguments]) == 2
    assert error in capsys.readouterr().err


@pytest.mark.parametrize(
    "label", ["stable", "stable=x", "stable=²", "a b=1", "=1"]
)
def test_labels_that_are_none(capsys, label):
    with pytest.raises(SystemExit):
        cli.main(["serve", "--label", label])
    assert "expected LABEL=VERSION" in capsys.readouterr().err


def test_command_with_a_folder_that_cannot_be_read(capsys):
    folder = "a" * 300  # more than a name may have
    assert cli.main(["serve", "--model", folder]) == 2
    error = capsys.readouterr().err
    assert "expected a model folder that can be read. Received: aaa" in error
    assert "name too long" in error and "cannot listen" not in error


def test_taken_port(server, capsys):
    model = str(tiny.cold().parent)
    port = server.rest.rsplit(":", 1)[1]
    assert cli.main(["serve", "--model", model, "--rest-port", port]) == 2
    assert "visualpoet: cannot listen: " in capsys.readouterr().err
