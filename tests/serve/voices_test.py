"""Several models in one server; `voices` has tiny, version 3, and haiku, 1."""

import json

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests import tiny
from tests.serve import asking
from tests.serve import running
from tests.serve.composing import SEA
from tests.serve.composing import until
from visualpoet import cli
from visualpoet import model_folders
from visualpoet.serve import client
from visualpoet.serve import options as serving
from visualpoet.serve.client import PoemClient

STREAM = {"Accept": "text/event-stream"}


def poem_of(photograph, **given):
    return tiny.poet().write(photograph, **given).poem


def versions_of(server, name):
    address = f"{server.rest}/v1/models/{name}"
    status, answer = asking.ask_json(address)
    assert status == 200, answer
    return {
        entry["version"]: entry["state"]
        for entry in answer["model_version_status"]
    }


def write(server, headers=None, **fields):
    status, _, content = asking.post_form(
        f"{server.rest}/v1/poems", SEA, headers, **fields
    )
    return status, content.decode()


def token_of(server, **fields):
    _, content = write(server, STREAM, candidates=1, **fields)
    return json.loads(content.split("\n")[1].removeprefix("data: "))["token"]


def next_line(server, token, **controls):
    return asking.ask_json(
        f"{server.rest}/v1/lines", {"token": token, "candidates": 1, **controls}
    )


# --- as TensorFlow Serving's


def test_each_model_answers_to_its_name(voices):
    assert versions_of(voices, "tiny") == {"3": "AVAILABLE"}
    assert versions_of(voices, "haiku") == {"1": "AVAILABLE"}
    address = f"{voices.rest}/v1/models/haiku"
    _, answer = asking.ask_json(f"{address}/metadata")
    assert answer["model_spec"]["name"] == "haiku"
    assert answer["model_spec"]["version"] == "1"
    body = {"instances": [asking.b64(SEA)]}
    assert asking.ask_json(f"{address}:predict", body)[0] == 200
    assert asking.ask_json(f"{address}/versions/3:predict", body) == (
        404,
        {"error": "Servable not found for request: Specific(haiku, 3)"},
    )


def test_models_answer_by_grpc(voices):
    with grpc.insecure_channel(voices.grpc) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = predict_pb2.PredictRequest()
        request.inputs["image_bytes"].string_val.append(SEA)
        request.inputs["image_bytes"].tensor_shape.dim.add(size=1)
        request.inputs["image_bytes"].dtype = 7  # DT_STRING
        served = {}
        for name in ("tiny", "haiku"):
            request.model_spec.name = name
            spec = stub.Predict(request, timeout=60).model_spec
            served[spec.name] = spec.version.value
    assert served == {"tiny": 3, "haiku": 1}


def test_names_that_are_none_are_refused_as_ever(voices):
    address = f"{voices.rest}/v1/models/sonnet"
    assert asking.ask_json(address) == (
        404,
        {"error": "Could not find any versions of model sonnet"},
    )
    body = {"instances": [asking.b64(SEA)]}
    assert asking.ask_json(f"{address}:predict", body) == (
        404,
        {"error": "Servable not found for request: Latest(sonnet)"},
    )


def test_versions_are_counted_by_model(voices):
    address = f"{voices.rest}/monitoring/prometheus/metrics"
    text = asking.ask(address)[2].decode()
    assert "\nvisualpoet_version 3.0\n" in text
    assert '\nvisualpoet_voice_version{model="haiku"} 1.0\n' in text


def test_each_folder_is_watched(voices):
    new = voices.core.options.voices["haiku"] / "2" / "saved_model.pb"
    new.parent.mkdir()
    new.write_bytes(b"broken")
    until(lambda: versions_of(voices, "haiku").get("2") == "END")
    assert versions_of(voices, "haiku")["1"] == "AVAILABLE"
    assert versions_of(voices, "tiny") == {"3": "AVAILABLE"}
    new.unlink()


# --- poems for people


def test_a_form_names_the_voice(voices):
    written = {
        voice: json.loads(write(voices, voice=voice, seed=7)[1])["poem"]
        for voice in ("", "tiny", "haiku")
    }
    verse = poem_of(SEA, seed=7)
    haiku = poem_of(SEA, seed=7, form="haiku")
    assert verse != haiku
    assert written == {"": verse, "tiny": verse, "haiku": haiku}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"voice": "sonnet"},
            "expected voice, one of tiny, haiku. Received: 'sonnet'",
        ),
        (
            {"voice": "haiku", "form": "verse"},
            "expected form, one of haiku. Received: 'verse'",
        ),
    ],
)
def test_what_a_voice_has_not_is_refused(voices, fields, error):
    status, content = write(voices, **fields)
    assert (status, json.loads(content)) == (400, {"error": error})


def test_a_line_goes_on_in_the_voice_of_its_token(voices):
    given = {"seed": 3, "poem": "the sea", "lines": 2}
    token = token_of(voices, voice="haiku")
    _, line = next_line(voices, token, **given)
    own = token_of(voices)
    assert "." not in own
    assert next_line(voices, own, **given, form="haiku") == (200, line)
    assert next_line(voices, own, **given)[1] != line
    status, answer = next_line(voices, f"sonnet.{own}")
    assert status == 400
    assert answer["error"].endswith("Received: one of another model")


@pytest.mark.parametrize("scheme", ["rest", "grpc"])
def test_the_client_names_a_voice(voices, scheme, monkeypatch):
    folder = voices.core.options.voices["haiku"]
    monkeypatch.setattr(model_folders, "default_model", lambda: folder / "1")
    url = voices.rest if scheme == "rest" else f"grpc://{voices.grpc}"
    with PoemClient(url, name="haiku") as client:
        assert client.write(SEA, seed=7).poem == poem_of(
            SEA, seed=7, form="haiku"
        )


def test_the_client_knows_the_forms_of_the_voices_of_the_package():
    forms = client._read_defaults("tang")["forms"]
    assert list(forms) == ["plain", "jueju-5", "jueju-7"]
    assert "haiku-5-7-5" in client._read_defaults("mine")["forms"]


# --- which ones


def test_voices_are_those_of_the_package_and_folders(tmp_path):
    (tmp_path / "lear" / "1").mkdir(parents=True)
    (tmp_path / "lear" / "1" / "saved_model.pb").touch()
    folder = tmp_path / "lear"
    assert serving.find_voices(["tang", str(folder)]) == {
        "tang": model_folders.shipped_model("tang").parent,
        "lear": folder,
    }
    assert serving.find_voices([f"{folder}/1/"]) == {"lear": folder / "1"}


@pytest.mark.parametrize(
    ("voices", "error"),
    [
        (
            ["sonnet"],
            "expected --voices, each one of dickinson, tang, verse, visualpoet "
            "or a folder with a model. Received: sonnet",
        ),
        (
            ["tang", "tang"],
            "expected --voices of different names. Received: tang, twice",
        ),
        (
            ["visualpoet"],
            "expected --voices of other names than the model's. Received: "
            "visualpoet. Give the model another --name",
        ),
    ],
)
def test_voices_that_are_none(voices, error, capsys):
    assert cli.main(["serve", "--voices", *voices]) == 2
    assert capsys.readouterr().err == f"visualpoet: {error}\n"


def test_a_voice_that_cannot_be_loaded_is_refused_at_start(tmp_path):
    broken = tmp_path / "2" / "saved_model.pb"
    broken.parent.mkdir()
    broken.write_bytes(b"broken")
    with pytest.raises(
        ValueError,
        match="^expected a model that can be loaded. Received: version 2 of "
        f"{tmp_path}",
    ):
        running.Running(tiny.cold().parent, voices={"sonnet": tmp_path})
