"""One table of controls: what stands in it, every door has."""

import inspect
import pathlib
import re
import runpy
import types

import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

import visualpoet
from tests import tiny
from tests.serve import asking
from tests.serve import running
from visualpoet import cli
from visualpoet import controls
from visualpoet import model_folders
from visualpoet import poet
from visualpoet.control import MAX_TEXT_BYTES
from visualpoet.control import Control
from visualpoet.control import Field
from visualpoet.controls import CONTROLS
from visualpoet.export import signatures
from visualpoet.serve import client as client_module
from visualpoet.serve import errors
from visualpoet.serve.client import PoemClient
from visualpoet.serve.servable import Signature

SEA = tiny.photograph("sea")
PACKAGE = pathlib.Path(visualpoet.__file__).parent
NUMBERS = [control for control in CONTROLS if control.kind is not str]
MOOD = Control(
    "mood",
    "mood_weight",
    "float32",
    "how much the mood counts",
    bounds=(0.0, 2.0),
    default=1.0,
    field=Field(7, "Mood", "Right is sad.", {"type": "range", "max": 2}),
)
METRE = Control(
    "metre",
    "metre",
    "string",
    "how the lines walk",
    choices=("iambic", "free"),
    default="free",
    field=Field(8, "Metre"),
)


def record(monkeypatch, owner, name):
    """The arguments of all calls from now on."""
    calls, called = [], getattr(owner, name)

    def call(*arguments):
        calls.append(arguments)
        return called(*arguments)

    monkeypatch.setattr(owner, name, call)
    return calls


# --- what is checked


@pytest.mark.parametrize("control", NUMBERS, ids=lambda c: c.name)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_no_number_may_be_infinite_or_none(control, value):
    with pytest.raises(ValueError, match=f"^expected {control.name}, a"):
        control.read(value)


@pytest.mark.parametrize("control", NUMBERS, ids=lambda c: c.name)
def test_bounds_themselves_are_inside(control):
    for bound in control.bounds:
        assert control.read(bound) == bound
    with pytest.raises(ValueError, match=f"Received: {control.bounds[0] - 1}"):
        control.read(control.bounds[0] - 1)


def test_numbers_are_of_the_kind_of_their_input():
    by_name = {control.name: control for control in CONTROLS}
    assert type(by_name["temperature"].read(1)) is float
    with pytest.raises(ValueError, match="lines, an integer .* Received: 2.0"):
        by_name["lines"].read(2.0)


def test_a_choice_is_one_of_some():
    assert METRE.read("iambic") == "iambic"
    with pytest.raises(
        ValueError, match="^expected metre, one of iambic, free. Received: 5$"
    ):
        METRE.read(5)


def test_texts_are_valid_utf_8_with_plain_line_breaks():
    (ban,) = (control for control in CONTROLS if control.is_list)
    assert ban.read(["sea", "\ud800"]) == "sea ?"
    assert ban.read("a\r\nb\0") == "a\nb"


def test_a_text_has_an_end():
    (ban,) = (control for control in CONTROLS if control.is_list)
    assert ban.read(["a" * (MAX_TEXT_BYTES - 2), "b"]).endswith(" b")
    with pytest.raises(
        ValueError,
        match="^expected ban, a text or a list of words of at most 16,384 "
        "bytes. Received: 16,386 bytes$",
    ):
        ban.read(["\u00e9" * (MAX_TEXT_BYTES // 2), "b"])


def test_a_list_of_words_holds_words():
    (ban,) = (control for control in CONTROLS if control.is_list)
    with pytest.raises(
        ValueError,
        match=r"^expected ban, a text or a list of words of at most 16,384 "
        r"bytes. Received: \[1\]$",
    ):
        ban.read([1])


def test_defaults_and_fields_are_inside_the_bounds():
    for control in CONTROLS:
        if control.default is not None:
            assert control.read(control.default) == control.default
        if control.bounds and control.field:
            attributes = control.field.attributes
            least, value, most = (
                attributes[key] for key in ("min", "value", "max")
            )
            low, high = control.bounds
            assert low <= least <= value <= most <= high


def test_the_model_says_what_is_not_given():
    given = {"temperature": 2, "lines": None}
    options = {"temperature": 0.5, "top_p": 0.9, "guidance": 1.2, "lines": 3}
    assert controls.complete(CONTROLS, given, options) == {
        "seed": 0,
        "temperature": 2.0,
        "top_p": 0.9,
        "guidance": 1.2,
        "lines": 3,
        "num_candidates": 16,
        "opening": "",
        "banned": "",
    }


FORMS = {
    "haiku": {"temperature": 0.7, "max_lines": 3},
    "verse": {"temperature": 0.5, "max_lines": 5},
}
OF_MODEL = {"form": "haiku", "forms": FORMS, **FORMS["haiku"], "top_p": 0.9}


@pytest.mark.parametrize(
    ("given", "form", "temperature"),
    [
        ({}, "haiku", 0.7),
        ({"form": ""}, "haiku", 0.7),
        ({"form": "verse"}, "verse", 0.5),
        ({"form": "verse", "temperature": 0.1}, "verse", 0.1),
    ],
)
def test_a_form_brings_what_it_is_written_with(given, form, temperature):
    values = controls.complete(CONTROLS, given, OF_MODEL)
    assert (values["form"], values["temperature"]) == (form, temperature)
    assert values["top_p"] == 0.9


@pytest.mark.parametrize("form", ["ode", 3, ["haiku"]])
def test_a_form_is_one_that_the_model_has_learnt(form):
    with pytest.raises(ValueError, match="form, one of haiku, verse. Received"):
        controls.complete(CONTROLS, {"form": form}, OF_MODEL)


def test_a_model_without_forms_has_no_such_control():
    assert "form" not in controls.complete(CONTROLS, {"form": None}, {})
    assert controls.complete(CONTROLS, {}, {"form": ""})["form"] == ""
    with pytest.raises(ValueError, match="expected no form, .*ived: haiku$"):
        controls.complete(CONTROLS, {"form": "haiku"}, {"forms": {"": {}}})


def test_words_of_a_list_are_added_to_those_of_the_model():
    for ban, expected in (
        ("sea", "snow sea"),
        (["sea", "ice"], "snow sea ice"),
        (None, "snow"),
        ("", "snow"),
    ):
        values = controls.complete(CONTROLS, {"ban": ban}, {"banned": "snow"})
        assert values["banned"] == expected


@pytest.mark.parametrize(
    "write",
    [poet.Poet.write, PoemClient.write, client_module.AsyncPoemClient.write],
    ids=["Poet", "PoemClient", "AsyncPoemClient"],
)
def test_functions_list_the_controls(write):
    listed = [
        parameter
        for parameter in inspect.signature(write).parameters.values()
        if parameter.name
        not in ("self", "photograph", "photographs", "on_error")
    ]
    assert [(one.name, one.default) for one in listed] == [
        ("form", ""),
        ("seed", 0),
        ("temperature", None),
        ("top_p", None),
        ("guidance", None),
        ("lines", 0),
        ("candidates", 16),
        ("opening", ""),
        ("ban", ""),
    ]
    assert {one.kind for one in listed} == {inspect.Parameter.KEYWORD_ONLY}
    text = inspect.getdoc(write)
    assert "\n    lines: Lines of the poem, 0 for as many as it wants; " in text
    assert "**given" not in text


# --- a made-up control, which stands nowhere but in the table


@pytest.fixture
def _made_up(monkeypatch):
    tiny.cold()  # of all tests: exported without them
    monkeypatch.setattr(controls, "CONTROLS", (*CONTROLS, MOOD, METRE))


@pytest.mark.usefixtures("_made_up")
def test_python_has_it(monkeypatch):
    write = runpy.run_path(poet.__file__)["Poet"].write  # as defined anew
    listed = str(inspect.signature(write))
    assert (
        ", mood: float | None = 1.0, metre: str | None = 'free') ->" in listed
    )
    assert "mood: How much the mood counts; a number from 0.0 to" in (
        write.__doc__
    )
    calls = record(monkeypatch, tiny.poet(), "_run")
    tiny.poet().write(SEA, candidates=1, mood=2)
    ((_, _, values),) = calls
    assert (values["mood_weight"], values["metre"]) == (2.0, "free")
    with pytest.raises(ValueError, match="^expected mood, a number from 0.0"):
        tiny.poet().write(SEA, mood=3)


@pytest.mark.usefixtures("_made_up")
def test_the_command_line_has_it(monkeypatch, tmp_path, capsys):
    photograph = tmp_path / "sea.jpg"
    photograph.write_bytes(SEA)
    monkeypatch.setattr(poet, "load", lambda *_, **__: tiny.poet())
    calls = record(monkeypatch, tiny.poet(), "_run")
    options = ["--candidates", "1", "--mood", "0.5", "--metre", "iambic"]
    assert cli.main(["write", str(photograph), *options]) == 0
    ((_, _, values),) = calls
    assert (values["mood_weight"], values["metre"]) == (0.5, "iambic")
    with pytest.raises(SystemExit):
        cli.main(["write", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "how much the mood counts; a number from 0.0 to 2.0 (1.0)" in printed
    assert "--metre {iambic,free}" in printed


@pytest.mark.usefixtures("_made_up")
def test_signatures_have_it():
    assert signatures.defaults(tiny.module())["mood_weight"] == 1.0
    made = signatures.make_signatures(tiny.module())
    for name in ("compose", "compose_or_error", "continue_poem", "next_line"):
        *_, mood, metre = made[name].input_signature
        assert (mood.name, mood.dtype.name) == ("mood_weight", "float32")
        assert (metre.name, metre.dtype.name) == ("metre", "string")


@pytest.fixture
def server(_made_up):
    with running.serve(tiny.cold().parent) as started:
        yield started


def test_form_json_client_and_page_have_it(server, monkeypatch):
    calls = record(monkeypatch, Signature, "make_row")
    _check_form(server, calls)
    _check_json(server, calls)
    _check_page(server)
    monkeypatch.setattr(model_folders, "default_model", tiny.cold)
    _check_client(server, monkeypatch)


def _check_form(server, calls):
    address = f"{server.rest}/v1/poems"
    status, *_ = asking.post_form(
        address, SEA, candidates=1, mood="0.5", metre="iambic"
    )
    assert status == 200
    values = calls[-1][1]
    assert (values["mood_weight"], values["metre"]) == (0.5, "iambic")
    status, _, answer = asking.post_form(address, SEA, mood="3")
    assert (status, answer) == (
        400,
        b'{"error": "expected mood, a number from 0.0 to 2.0. Received: 3"}',
    )


def _check_json(server, calls):
    stream = f"{server.rest}/v1/poems?stream=1"
    _, _, events = asking.post_form(stream, SEA, candidates=1)
    token = re.search(rb'"token": "(.*?)"', events)[1].decode()
    given = {"token": token, "mood": 0.25, "candidates": 1}
    address = f"{server.rest}/v1/lines"
    assert asking.ask_json(address, given)[0] == 200
    assert calls[-1][1]["mood_weight"] == 0.25
    status, answer = asking.ask_json(address, {**given, "metre": "lame"})
    assert (status, answer["error"]) == (
        400,
        "expected metre, one of iambic, free. Received: 'lame'",
    )


def _check_page(server):
    page = asking.ask(server.rest)[2].decode()
    assert (
        '<input id="mood" name="mood" type="range" max="2" '
        'aria-describedby="mood-hint">'
    ) in page
    assert '<span class="hint" id="mood-hint">Right is sad.</span>' in page
    assert '<label for="metre">Metre</label>' in page
    assert '<select id="metre" name="metre">' in page
    assert re.findall(r"<option(.*)>(.*)</option>", page) == [
        (" selected", "verse"),
        ("", "haiku"),
        ("", "iambic"),
        (" selected", "free"),
    ]


def _check_client(server, monkeypatch):
    with PoemClient(server.rest, name="tiny") as client:
        calls = record(monkeypatch, client._client._transport, "predict")
        with pytest.raises(errors.ServeError, match="expected metre, one of"):
            client.write(SEA, metre="lame")
        assert client.write(SEA, mood=2, candidates=1).poem
        ((_, values, _),) = calls
        assert (values["mood_weight"], values["metre"]) == (2.0, "free")
    with PoemClient(f"grpc://{server.grpc}", retries=0) as client:
        sent = []

        async def refuse(request, **options):
            sent.append(request)
            raise errors.invalid("no such input")

        stub = types.SimpleNamespace(Predict=refuse)
        monkeypatch.setattr(
            prediction_service_pb2_grpc,
            "PredictionServiceStub",
            lambda channel: stub,
        )
        with pytest.raises(errors.ServeError, match="^no such input$"):
            client.write(SEA, mood=2)
        assert sent[0].inputs["mood_weight"].float_val == [2.0]
        assert sent[0].inputs["metre"].string_val == [b"free"]


# --- nowhere else


@pytest.mark.parametrize(
    ("name", "files"),
    [
        (
            "guidance",
            [
                "controls.py",
                "export/candidate_writer.py",
                "generator/composer.py",
                "generator/forms.py",
                "generator/guidance.py",
            ],
        ),
        (
            "top_p",
            [
                "controls.py",
                "export/candidate_writer.py",
                "generator/composer.py",
                "generator/samplers.py",
            ],
        ),
        ("Words to avoid", ["controls.py"]),
    ],
)
def test_a_control_stands_in_the_table_and_in_the_graph_alone(name, files):
    found = [
        path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.*"))
        if path.suffix in (".py", ".html", ".js", ".css", ".md")
        and re.search(rf"\b{name}\b", path.read_text(encoding="utf-8"))
    ]
    assert found == files
