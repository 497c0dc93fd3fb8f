import numpy as np
import tensorflow as tf

from visualpoet.generator import guidance


def test_guide_is_the_formula():
    conditional = tf.constant([[-1.0, -2.0]])
    unconditional = tf.constant([[-3.0, -1.0]])
    for weight, expected in [
        (0.0, [[-3.0, -1.0]]),
        (1.0, [[-1.0, -2.0]]),
        (1.5, [[0.0, -2.5]]),
    ]:
        np.testing.assert_allclose(
            guidance.guide(conditional, unconditional, weight), expected
        )
