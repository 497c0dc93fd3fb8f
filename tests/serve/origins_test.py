"""Requests as browsers send them, from this server's page and from others."""

import json

import pytest

from tests import tiny
from tests.serve import asking
from tests.serve import running
from tests.serve.composing import is_well
from tests.serve.conformance import PREDICT
from visualpoet.serve import origins

FOREIGN = [
    {"Origin": "https://other.example"},
    {"Origin": "https://localhost.other.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Host": "other.example"},
    {"Host": "other.example:8501"},
    {"Host": "["},
    {"Host": "127.0.0.1.other.example", "Sec-Fetch-Site": "same-origin"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/", "/v1/models/tiny", PREDICT])
def test_pages_of_other_sites_are_refused(server, headers, path):
    body = b"{}" if path == PREDICT else None
    status, answer = asking.ask_json(server.rest + path, body, headers)
    assert (status, list(answer)) == (403, ["error"])
    assert "Received: " in answer["error"]


def test_a_port_of_another_server_is_another_site(server):
    headers = {"Origin": "http://127.0.0.1:1"}
    assert asking.ask(f"{server.rest}/", None, headers)[0] == 403


def test_a_form_of_another_site_is_refused(server):
    headers = {"Origin": "https://other.example"}
    status, _, _ = asking.post_form(
        f"{server.rest}/v1/poems", tiny.photograph("sea"), headers
    )
    assert status == 403
    assert is_well(server)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Host": "localhost:8501", "Origin": "http://localhost:8501"},
        {"Host": "LOCALHOST", "Origin": "https://localhost"},
        {"Host": "[::1]:8501"},
    ],
)
def test_its_own_page_links_and_programs_are_answered(server, headers):
    assert asking.ask(f"{server.rest}/", None, headers)[0] == 200


def test_names_that_are_allowed():
    model = tiny.cold().parent
    names = "poems.example.org,Other.example"
    with running.serve(model, allowed_hosts=names) as server:
        for headers in (
            {"Host": "poems.example.org"},
            {
                "Host": "poems.example.org:443",
                "Origin": "https://other.example",
            },
            {"Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"},
        ):
            assert asking.ask(f"{server.rest}/", None, headers)[0] == 200
        status, _, content = asking.ask(
            f"{server.rest}/", None, {"Host": "example.org"}
        )
        assert (status, list(json.loads(content))) == (403, ["error"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_names_of_this_machine_only(name, expected):
    assert origins.is_loopback(name) is expected
