"""What whoever runs the server sees of it, and clients of its insides."""

import dataclasses
import gzip
import json
import logging
import os
import shutil
import socket
import urllib.request

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1 import health_pb2_grpc

from tests import tiny
from tests.serve import asking
from tests.serve.composing import SEA
from tests.serve.composing import Gate
from tests.serve.composing import compose
from tests.serve.composing import is_well
from tests.serve.composing import until
from tests.serve.conformance import PREDICT
from visualpoet.serve import errors
from visualpoet.serve import server as serving
from visualpoet.serve.servable import Servable


def change(server, monkeypatch, **options):
    """The options of a server that runs."""
    given = dataclasses.replace(server.core.options, **options)
    monkeypatch.setattr(server.core, "options", given)
    monkeypatch.setattr(server.server, "_options", given)


def health(server):
    with grpc.insecure_channel(server.grpc) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest()
        return stub.Check(request, timeout=60).status


def test_a_late_run_is_seen_from_outside(server, monkeypatch):
    monkeypatch.setattr(serving, "_LOOK_SECONDS", 0.01)
    change(server, monkeypatch, timeout_seconds=0.05)
    states = health_pb2.HealthCheckResponse
    address = f"{server.rest}/v1/models/tiny"
    gate = Gate(server, monkeypatch)

    def is_held():
        late = asking.ask_json(server.rest + PREDICT, compose([SEA], 1))
        assert late == (504, {"error": "the time for the request is over"})
        return gate.entered.wait(0.1)

    until(is_held)  # a slow machine may be late before the run begins
    try:
        until(lambda: asking.ask(address)[0] == 503)
        assert asking.ask_json(address)[1] == {
            "error": "a run of the model is under way for more than 0.05 s"
        }
        until(lambda: health(server) == states.NOT_SERVING)
    finally:
        gate.open.set()
    until(lambda: asking.ask(address)[0] == 200)
    until(lambda: health(server) == states.SERVING)


def test_a_line_for_each_request(server, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "visualpoet.serve.core")

    def messages():
        # gRPC complains through asyncio where a process has several loops, as
        # that of the tests has.
        ours = (r for r in caplog.records if r.name.startswith("visualpoet"))
        return [record.getMessage() for record in ours]

    assert is_well(server)
    assert messages() == []
    change(server, monkeypatch, log_requests=True)
    assert is_well(server)
    asking.ask(f"{server.rest}/no%0Asuch%20path")
    until(lambda: len(messages()) == 2)
    well, none = messages()
    assert well.startswith(f"127.0.0.1 POST {PREDICT} 200 ")
    assert well.endswith(" ms")
    assert none.startswith("127.0.0.1 GET /no\\nsuch path 404 ")


def test_the_oldest_connections_of_an_address_make_room(server, monkeypatch):
    monkeypatch.setattr(serving, "_LOOK_SECONDS", 0.01)
    change(server, monkeypatch, connections=2)
    address = server.rest.removeprefix("http://").split(":")
    opened = [socket.create_connection(address, timeout=60) for _ in range(4)]
    try:
        assert [one.recv(1) for one in opened[:2]] == [b"", b""]
        for one in opened[2:]:
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert one.recv(15) == b"HTTP/1.1 200 OK"
    finally:
        for one in opened:
            one.close()


@pytest.mark.parametrize(
    "path", ["/", "/v1/models/tiny", "/v1/models/tiny/metadata"]
)
def test_head_is_get_without_a_body(server, path):
    status, headers, content = asking.ask(server.rest + path)
    request = urllib.request.Request(server.rest + path, method="HEAD")
    with urllib.request.urlopen(request, timeout=60) as reply:
        assert (reply.status, reply.read()) == (status, b"")
        assert reply.headers["Content-Length"] == str(len(content))
        assert reply.headers["Content-Type"] == headers["Content-Type"]


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "X-GZIP"])
def test_a_packed_body_is_read_by_either_name(server, name):
    packed = gzip.compress(json.dumps(compose([SEA], 1)).encode())
    status, answer = asking.ask_json(
        server.rest + PREDICT, packed, {"Content-Encoding": name}
    )
    assert status == 200, answer


@pytest.mark.parametrize("name", ["gzip", "x-gzip"])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"none", 400),
        (gzip.compress(b"{}")[:-9], 400),
        (gzip.compress(bytes(21 * 2**20)), 413),
    ],
    ids=["none", "cut", "large"],
)
def test_a_body_that_is_packed_badly_is_refused(server, name, body, code):
    status, answer = asking.ask_json(
        server.rest + PREDICT, body, {"Content-Encoding": name}
    )
    assert (status, list(answer)) == (code, ["error"])
    assert is_well(server)


def part(name, content, more=b""):
    head = b'--b\r\nContent-Disposition: form-data; name="' + name + b'"'
    return head + more + b"\r\n\r\n" + content + b"\r\n"


FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize("more", [b"", b"\r\nContent-Type: image/jpeg"])
def test_a_photograph_needs_no_file_name(server, more):
    body = part(b"photograph", SEA, more) + part(b"seed", b" 7 ") + b"--b--\r\n"
    address = f"{server.rest}/v1/poems"
    status, answer = asking.ask_json(address, body, FORM)
    assert status == 200, answer
    assert answer["poem"] == tiny.poet().write(SEA, seed=7).poem


@pytest.mark.parametrize(
    "seed", ["1_000", "１２", "0x1", "1e", "1.", "--1", "nan", "inf"]
)
def test_what_is_no_number_of_a_form(server, seed):
    status, _, content = asking.post_form(
        f"{server.rest}/v1/poems", SEA, seed=seed
    )
    assert status == 400
    assert json.loads(content)["error"].startswith("expected seed, an integer")


def test_inputs_are_named_as_clients_know_them(server):
    for inputs, received in (
        ({"image_bytes": asking.b64(SEA)}, "of shape [any]. Received: []"),
        ({"image_bytes": [[asking.b64(SEA)]]}, "Received: [1, 1]"),
    ):
        status, answer = asking.ask_json(
            server.rest + PREDICT, {"inputs": inputs}
        )
        assert status == 400
        assert answer["error"].endswith(received)


@pytest.mark.parametrize("options", ["[]", "null", "no JSON", None])
def test_options_that_are_none_refuse_the_version(tmp_path, options):
    shutil.copytree(tiny.cold(), tmp_path / "1", copy_function=os.symlink)
    file = tmp_path / "1" / "assets.extra" / "options.json"
    file.unlink()
    if options is not None:
        file.write_text(options)
    with pytest.raises((ValueError, FileNotFoundError)):
        Servable(1, tmp_path / "1")


def test_clients_are_not_told_where_a_model_lies(server):
    versions = server.core.models["tiny"]
    error = FileNotFoundError(f"{versions._folder}/9/saved_model.pb")
    try:
        server.call(versions._refuse, 9, errors.from_tensorflow(error))
        _, answer = asking.ask_json(f"{server.rest}/v1/models/tiny/versions/9")
    finally:
        del versions.states[9]
    (entry,) = answer["model_version_status"]
    assert entry["status"]["error_message"] == "9/saved_model.pb"


def test_an_address_of_version_6_is_in_brackets():
    given = serving._bracket("::1"), serving._bracket("127.0.0.1")
    assert given == ("[::1]", "127.0.0.1")
