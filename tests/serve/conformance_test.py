"""The same list against `visualpoet serve` and a stock TensorFlow Serving."""

import dataclasses
import shutil
import subprocess
import time
import urllib.error
import urllib.request

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests import tiny
from tests.serve import conformance

REQUESTS = {
    "Predict": predict_pb2.PredictRequest,
    "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
}
BINARY = shutil.which("tensorflow_model_server")
CONFIG = """
model_config_list { config {
  name: "tiny" base_path: "%s" model_platform: "tensorflow"
  version_labels { key: "stable" value: 3 }
} }
"""


@dataclasses.dataclass(frozen=True)
class Stock:
    rest: str = "http://127.0.0.1:18501"
    grpc: str = "127.0.0.1:18500"


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    if BINARY is None:
        pytest.skip("no tensorflow_model_server on the path")
    config = tmp_path_factory.mktemp("stock") / "models.config"
    config.write_text(CONFIG % tiny.exported().parent)
    command = [BINARY, "--port=18500", "--rest_api_port=18501"]
    command.append(f"--model_config_file={config}")
    command.append("--allow_version_labels_for_unavailable_models")
    process = subprocess.Popen(command)
    try:
        while ask(Stock(), conformance.REST[0])[0] != 200:
            assert process.poll() is None
            time.sleep(0.5)
        yield Stock()
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(
    params=["ours", pytest.param("stock", marks=pytest.mark.tfserving)]
)
def address(request):
    fixture = {"ours": "server", "stock": "stock"}[request.param]
    return request.getfixturevalue(fixture)


def ask(address, case):
    request = urllib.request.Request(
        address.rest + case.path, case.content, method=case.method
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()
    except urllib.error.URLError:
        return None, {}, ""


def names(cases):
    return [case.name for case in cases]


def test_the_list_is_long_and_names_are_unique():
    for cases in (conformance.REST, conformance.GRPC):
        assert len(set(names(cases))) == len(cases)
    assert len(conformance.REST) + len(conformance.GRPC) >= 80


@pytest.mark.parametrize("case", conformance.REST, ids=names(conformance.REST))
def test_rest(address, case):
    status, headers, text = ask(address, case)
    case.check(status, headers.get("Content-Type"), text)


def make_request(call):
    request = REQUESTS[call.method]()
    if call.spec is not None:
        request.model_spec.SetInParent()
        spec = dict(call.spec)
        if "version" in spec:
            request.model_spec.version.value = spec.pop("version")
        for name, value in spec.items():
            setattr(request.model_spec, name, value)
    for name, value in call.inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    for name, values in call.fields.items():
        getattr(request, name).extend(values)
    return request


def check_reply(call, reply):
    if call.method == "Predict":
        assert reply.model_spec.name == "tiny"
        assert reply.model_spec.version.value == 3
        assert reply.model_spec.signature_name == "serving_default"
        assert set(reply.outputs) == set(call.outputs)
        for name, tensor in reply.outputs.items():
            field = "string_val" if name == "poem" else "float_val"
            assert len(getattr(tensor, field)) == 1
            assert [d.size for d in tensor.tensor_shape.dim] == [1]
    if call.method == "GetModelMetadata":
        assert reply.model_spec.name == "tiny"
        assert reply.model_spec.version.value == 3
        found = get_model_metadata_pb2.SignatureDefMap()
        assert reply.metadata["signature_def"].Unpack(found)
        assert found.signature_def.keys() == conformance.SIGNATURES
    if call.method == "GetModelStatus":
        (status,) = reply.model_version_status
        assert status.version == 3
        assert status.state == status.AVAILABLE
        assert status.status.error_code == 0
        assert status.status.error_message == ""


@pytest.mark.parametrize("call", conformance.GRPC, ids=names(conformance.GRPC))
def test_grpc(address, call):
    with grpc.insecure_channel(address.grpc) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        if call.method == "GetModelStatus":
            stub = model_service_pb2_grpc.ModelServiceStub(channel)
        try:
            reply = getattr(stub, call.method)(make_request(call), timeout=60)
        except grpc.RpcError as error:
            assert error.code().name == call.code, error.details()
            if call.details is not conformance.ANY:
                assert error.details() == call.details
        else:
            assert call.code == "OK"
            check_reply(call, reply)
