"""Requests for poems of the tiny poet, and what they should give."""

import functools
import threading
import time

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests import tiny
from tests.serve import asking
from tests.serve import conformance

SEA, NIGHT = tiny.photograph("sea"), tiny.photograph("night", "PNG")


def compose(photographs, seed, row=True):
    row_of = [
        {
            **conformance.COMPOSE,
            "image_bytes": asking.b64(photograph),
            "seed": seed + number,
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


def predict_grpc(address, photographs, seed, timeout=60):
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
    status, answer = asking.ask_json(
        server.rest + conformance.PREDICT, compose([SEA], 1)
    )
    assert status == 200, answer
    return answer["predictions"][0]["poem"] == poem_of(SEA, 1)


def until(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


class Gate:
    """Holds every run of a signature until it is opened."""

    def __init__(self, server, monkeypatch, name="compose"):
        signature = server.core.resolve("tiny").signatures[name]
        run, self.runs = signature.run, 0
        self.open = threading.Event()
        self.entered = threading.Event()

        def wait(inputs):
            self.runs += 1
            self.entered.set()
            assert self.open.wait(60)
            return run(inputs)

        monkeypatch.setattr(signature, "run", wait)
