"""docs/tensorflow-serving.md does what it says."""

import base64
import json
import pathlib
import re

import pytest

from tests.serve import asking
from tests.serve import composing
from visualpoet.controls import CONTROLS
from visualpoet.generator.composer import DecodingOptions

DOCUMENT = (
    pathlib.Path(__file__).parents[2] / "docs" / "tensorflow-serving.md"
).read_text(encoding="utf-8")
BODIES = re.findall(r"printf '(.*?)' ", DOCUMENT, re.DOTALL)
# Told a server of the tiny poet, which has learnt forms.
FORM = '"seed": 7', '"seed": 7, "form": ""'


def test_there_are_two_requests():
    assert len(BODIES) == 2


@pytest.mark.parametrize("body", BODIES)
def test_requests_are_answered(server, body):
    picture = base64.b64encode(composing.SEA).decode()
    request = json.loads(body.replace("%s", picture).replace(*FORM))
    address = f"{server.rest}/v1/models/tiny:predict"
    status, answer = asking.ask_json(address, request)
    assert status == 200, answer
    (row,) = answer["predictions"]
    assert {"poem", "score", "fit", "fluency", "clue_share"} <= row.keys()


def test_the_program_prints_a_poem(server, tmp_path, capsys, monkeypatch):
    (program,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    (tmp_path / "photo.jpg").write_bytes(composing.SEA)
    monkeypatch.chdir(tmp_path)
    program = program.replace("127.0.0.1:8500", server.grpc)
    exec(program.replace('name = "visualpoet"', 'name = "tiny"'), {})
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("control", CONTROLS, ids=lambda c: c.input)
def test_inputs_stand_in_the_table(control):
    (row,) = re.findall(rf"^\| `{control.input}` .*$", DOCUMENT, re.MULTILINE)
    _, _, dtype, bounds, default, _ = (cell.strip() for cell in row.split("|"))
    assert dtype.split(",")[0] == control.dtype
    if control.bounds:
        assert bounds == f"{control.bounds[0]} to {control.bounds[1]}"
    if control.input in vars(DecodingOptions()):
        assert default == "of the export"
    elif control.kind is int:
        assert default == str(control.default)
