import dataclasses
import json

import pytest

from recipes import render_pictures
from tests import tiny
from tests.serve import asking
from visualpoet import cli
from visualpoet import unwritten

SEA = tiny.photograph("sea")
STREAM = {"Accept": "text/event-stream"}


def write(server, photograph=SEA, headers=None, **fields):
    status, _, content = asking.post_form(
        f"{server.rest}/v1/poems", photograph, headers, **fields
    )
    return status, json.loads(content)


def stream(server, photograph=SEA, headers=STREAM, path="", **fields):
    status, headers, content = asking.post_form(
        f"{server.rest}/v1/poems{path}", photograph, headers, **fields
    )
    assert status == 200, content
    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    blocks = content.decode().split("\n\n")
    assert blocks.pop() == ""
    pairs = [block.split("\n") for block in blocks]
    return [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in pairs
    ]


def next_line(server, token, **controls):
    return asking.ask_json(
        f"{server.rest}/v1/lines", {"token": token, **controls}
    )


@pytest.fixture(scope="module")
def token(server):
    return stream(server, candidates=1)[0][1]["token"]


# --- /v1/poems


def test_poem_is_what_python_writes(server):
    status, answer = write(
        server,
        seed=5,
        temperature=1.2,
        top_p=0.9,
        guidance=2,
        lines=3,
        candidates=4,
        ban="Sea, shore",
    )
    expected = tiny.poet().write(
        SEA,
        seed=5,
        temperature=1.2,
        top_p=0.9,
        guidance=2.0,
        lines=3,
        candidates=4,
        ban="Sea, shore",
    )
    assert status == 200
    assert answer.keys() == {
        *(
            "poem",
            "score",
            "fit",
            "fluency",
            "clue_share",
            "seed",
            "clues",
            "candidates",
        )
    }
    assert answer["poem"] == expected.poem
    assert answer["clues"] == list(expected.clues)
    assert answer["seed"] == 5
    assert answer["score"] == pytest.approx(expected.score, abs=1e-5)
    assert [c["poem"] for c in answer["candidates"]] == [
        c.poem for c in expected.candidates
    ]
    assert answer["candidates"][0].keys() == {
        *("poem", "score", "fit", "fluency", "clue_share")
    }


def test_what_is_not_given_is_as_the_model_does_it(server):
    status, answer = write(server)
    assert (status, answer["seed"]) == (200, 0)
    assert answer["poem"] == tiny.poet().write(SEA).poem
    assert len(answer["candidates"]) == 16


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "GIF", "BMP"])
def test_any_picture_is_read_as_python_reads_it(server, file_format):
    content = tiny.encode(render_pictures.render("night", 0, 60), file_format)
    _, answer = write(server, content, candidates=1)
    assert answer["poem"] == tiny.poet().write(content, candidates=1).poem


def test_opening_begins_the_poem(server):
    opening = "the sea was quiet"
    _, answer = write(server, opening=opening, candidates=2, lines=3)
    assert answer["poem"].split("\n")[0].lower().startswith("the sea")
    assert answer["poem"].count("\n") == 2


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"seed": "x"},
            "expected seed, an integer from 0 to 9223372036854775807. "
            "Received: 'x'",
        ),
        ({"seed": -1}, "Received: -1"),
        ({"seed": 1.5}, "Received: 1.5"),
        ({"seed": 2**63}, "Received: 9223372036854775808"),
        ({"lines": 11}, "expected lines, an integer from 0 to 10."),
        ({"candidates": 65}, "expected candidates, an integer from 1 to 64."),
        ({"temperature": "nan"}, "expected temperature, a number from 0.0"),
        ({"top_p": 2}, "expected top_p, a number from 0.0 to 1.0."),
        ({"guidance": "inf"}, "expected guidance, a number from 0.0 to 10.0."),
        ({"temperature": "1e999"}, "expected temperature, a number from 0.0"),
        ({"ban": "x" * 2001}, "expected ban of at most 2000 characters."),
        ({"colour": "red"}, "Received: colour"),
        ({"poem": "x"}, "Received: poem"),
        ({"voice": "tiny"}, "Received: voice"),
    ],
)
def test_controls_out_of_bounds_are_named(server, fields, error):
    status, answer = write(server, **fields)
    assert (status, list(answer)) == (400, ["error"])
    assert error in answer["error"]


@pytest.mark.parametrize(
    ("photograph", "error"),
    [
        (None, "expected a file named photograph. Received: seed"),
        (b"", "picture: the file is empty"),
        (b"no picture", "picture: not a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF"),
        (SEA[:900], "picture: broken or truncated"),
    ],
)
def test_photographs_that_cannot_be_used(server, photograph, error):
    for headers in ({}, STREAM):
        status, answer = write(server, photograph, headers, seed=1)
        assert status == 400
        assert answer["error"].startswith(error)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=a"),
        (b"--a\r\nx", "multipart/form-data; boundary=a"),
        (b"--a\r\n\r\nx\r\n--a--", "multipart/form-data; boundary=a"),
        (b"x", "multipart/form-data; boundary=" + "a" * 100),
        (
            b"--a\r\nContent-Encoding: deflate\r\nContent-Disposition: "
            b'form-data; name="x"\r\n\r\nx\r\n--a--\r\n',
            "multipart/form-data; boundary=a",
        ),
        (b"photograph=x", "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form(server, body, kind):
    status, answer = asking.ask_json(
        f"{server.rest}/v1/poems", body, {"Content-Type": kind}
    )
    assert (status, list(answer)) == (400, ["error"])


# --- the same as events


def test_stream_is_the_poem_and_its_clues(server):
    events = stream(server, seed=3, candidates=2, lines=3)
    names = [name for name, _ in events]
    assert names == ["clues", "line", "line", "line", "done"]
    clues, *lines, done = [data for _, data in events]
    assert clues["clues"] == done["clues"]
    assert [line["number"] for line in lines] == [1, 2, 3]
    assert done["poem"] == "\n".join(line["line"] for line in lines)
    assert done == write(server, seed=3, candidates=2, lines=3)[1]


def test_stream_may_be_asked_for_in_the_address(server):
    events = stream(server, headers={}, path="?stream=1", candidates=1)
    assert events[0][0] == "clues"
    assert events[-1][0] == "done"


def test_stream_begins_with_the_opening(server):
    opening = "the sea\nthe shore"
    events = stream(server, opening=opening, lines=3, candidates=1)
    lines = [data for name, data in events if name == "line"]
    assert [line["line"] for line in lines[:2]] == ["the sea", "the shore"]
    assert [line["number"] for line in lines] == [1, 2, 3]
    _, whole = write(server, opening=opening, lines=3, candidates=1)
    assert events[-1] == ("done", whole)


def test_one_seed_is_one_poem_everywhere(server, tmp_path, capsys):
    photograph = tmp_path / "sea.jpg"
    photograph.write_bytes(SEA)
    poem = tiny.poet().write(photograph, seed=7).poem
    assert write(server, seed=7)[1]["poem"] == poem
    assert stream(server, seed=7)[-1][1]["poem"] == poem
    model = str(tiny.exported())
    cli.main(["write", str(photograph), "--seed", "7", "--model", model])
    assert capsys.readouterr().out.strip() == poem


def test_stream_breaks_with_an_event(server, monkeypatch):
    poet = server.core.resolve("tiny")
    signature = poet.signatures["compose"]
    from visualpoet.serve import errors

    def fail(inputs):
        raise errors.invalid("no words come")

    monkeypatch.setattr(signature, "run", fail)
    events = stream(server, candidates=1)
    assert [name for name, _ in events] == ["clues", "error"]
    assert events[1][1] == {"error": "no words come"}


# --- /v1/lines


def test_a_line_goes_on_from_those_that_stand_there(server):
    events = stream(server, seed=3, candidates=2, lines=3)
    token, poem = events[0][1]["token"], events[-1][1]["poem"]
    asked = {"seed": 3, "candidates": 2, "lines": 4}
    status, more = next_line(server, token, poem=poem, **asked)
    assert status == 200
    assert more["line"]
    assert more["poem"] == f"{poem}\n{more['line']}"
    assert more["finished"]
    _, none = next_line(server, token, poem=more["poem"], **asked)
    assert (none["line"], none["poem"]) == ("", more["poem"])


def test_another_seed_rolls_a_line_again(server, token):
    def line(seed):
        return next_line(server, token, seed=seed, poem="the sea", lines=3)[1]

    lines = {line(seed)["line"] for seed in range(4)}
    assert len(lines) > 1
    assert line(1) == line(1)


def test_banned_words_may_be_a_list(server, token):
    _, free = next_line(server, token, candidates=1)
    words = free["line"].split()[:2]
    _, answer = next_line(server, token, candidates=1, ban=words)
    assert not set(words) & set(answer["line"].split())
    assert (
        answer == next_line(server, token, candidates=1, ban=" ".join(words))[1]
    )


def test_words_that_are_left_out(server, token, monkeypatch):
    _, free = write(server, candidates=1)
    word = free["poem"].lower().split()[0]
    monkeypatch.setattr(unwritten, "WORDS", (word,))
    _, answer = write(server, candidates=1)
    assert word not in answer["poem"].lower().split()
    _, line = next_line(server, token, candidates=1)
    assert word not in line["line"].lower().split()
    options = dataclasses.replace(server.core.options, any_word=True)
    monkeypatch.setattr(server.core, "options", options)
    assert write(server, candidates=1)[1] == free


@pytest.mark.parametrize(
    "bad", [None, 1, "", "x", "AAAA", "é", ["a"], "A" * 99]
)
def test_tokens_that_are_none(server, bad):
    status, answer = next_line(server, bad)
    assert status in (400, 409)
    assert "token" in answer["error"]


def test_token_of_another_version_or_changed(server, token):
    import base64
    import struct

    content = bytearray(base64.urlsafe_b64decode(token))
    other = struct.pack("<q", 2) + content[8:]
    status, answer = next_line(server, base64.urlsafe_b64encode(other).decode())
    assert status == 409
    assert answer["error"] == (
        "the token is of version 2, and version 3 is served now: send the "
        "photograph again"
    )
    wrong = content[:12] + struct.pack("<f", float("nan")) + content[16:]
    changed = base64.urlsafe_b64encode(wrong).decode()
    assert next_line(server, changed)[0] == 400
    assert next_line(server, token[:-4])[0] == 400
    # The last clue: what is no token counts as none.
    far, none = (
        base64.urlsafe_b64encode(
            content[:-4] + struct.pack("<i", clue)
        ).decode()
        for clue in (10**6, 0)
    )
    status, answer = next_line(server, far)
    assert status == 200
    assert answer["line"] == next_line(server, none)[1]["line"]


@pytest.mark.parametrize(
    ("controls", "error"),
    [
        ({"seed": "x"}, "expected seed, an integer"),
        ({"seed": 1.0}, "expected seed, an integer"),
        ({"seed": True}, "expected seed, an integer"),
        ({"temperature": []}, "expected temperature, a number"),
        (
            {"lines": json.loads("[" * 99 + "]" * 99)},
            "from 0 to 10. Received: [[[[[[[...]]]]]]]",
        ),
        (
            {"poem": 5},
            "expected poem, a text of at most 16,384 bytes. Received: 5",
        ),
        (
            {"guidance": float("nan")},
            "a number from 0.0 to 10.0. Received: nan",
        ),
        ({"opening": "x"}, "Received: opening"),
    ],
)
def test_controls_of_a_line(server, token, controls, error):
    status, answer = next_line(server, token, **controls)
    assert status == 400
    assert error in answer["error"]


def test_lines_of_what_is_no_json(server):
    address = f"{server.rest}/v1/lines"
    assert asking.ask_json(address, b"[1]")[0] == 400
    assert asking.ask_json(address, b"{")[0] == 400
    status, _, content = asking.ask(address)
    assert (status, list(json.loads(content))) == (400, ["error"])


def test_half_a_surrogate_pair_in_a_text(server, token):
    status, answer = asking.ask_json(
        f"{server.rest}/v1/lines",
        b'{"token": "%s", "ban": "\\ud800", "candidates": 1}' % token.encode(),
    )
    assert status == 200
    assert answer["line"]
