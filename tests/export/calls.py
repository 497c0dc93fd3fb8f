"""How tests call the signatures of the tiny export."""

import numpy as np
import tensorflow as tf

from tests import tiny
from visualpoet.export import signatures

SEA = tiny.photograph("sea")
NIGHT = tiny.photograph("night", "PNG")
OPENING = "The Sea,  xylophone—\nlies DOWN!"


def controls(size, **given):
    values = {
        "form": "verse",
        "seed": 7,
        "temperature": 0.9,
        "top_p": 0.9,
        "guidance": 1.2,
        "lines": 4,
        "num_candidates": 3,
        "banned": "",
        **given,
    }
    return {
        name: tf.broadcast_to(tf.constant(values[name], dtype), [size])
        for name, dtype in signatures.control_inputs().items()
    }


def run(signature, **inputs):
    outputs = signature(
        **{name: tf.convert_to_tensor(v) for name, v in inputs.items()}
    )
    return {name: value.numpy() for name, value in outputs.items()}


def assert_same_row(found, expected, row, expected_row=0):
    for name, values in found.items():
        if values.dtype == np.float32:
            np.testing.assert_allclose(
                values[row], expected[name][expected_row], atol=1e-4
            )
        else:
            np.testing.assert_array_equal(
                values[row], expected[name][expected_row]
            )
