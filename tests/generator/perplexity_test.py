import pytest
import tensorflow as tf

from visualpoet.generator import perplexity

POEMS = [[1, 4, 2]] * 63 + [[1, 5, 6, 7, 2], [1, 3, 9, 2]]


class Sure:
    """Gives one token 91 parts of 100, and the nine others one each."""

    input = ("token_ids", "image_embedding", "form")
    image_dim = 3

    def __init__(self):
        self.shapes = []

    def __call__(self, inputs, training):
        assert not training
        self.shapes.append({n: tuple(v.shape) for n, v in inputs.items()})
        size, time = tf.unstack(tf.shape(inputs["token_ids"]))
        likely = tf.where(inputs["form"] == 2, 4, 5)[:, None, None]
        logits = tf.where(tf.range(10) == likely, tf.math.log(91.0), 0.0)
        return tf.broadcast_to(logits, [size, time, 10])


def test_perplexity_of_whole_poems_by_hand():
    generator = Sure()
    value, tokens = perplexity.measure_without_photograph(generator, POEMS, 2)
    # Token 4 has 91 parts; the unknown word is not counted.
    assert tokens == 63 * 2 + 4 + 2
    expected = 100 * 91 ** (-63 / 132)
    assert value == pytest.approx(expected, rel=1e-5)
    assert generator.shapes[0].keys() == set(Sure.input)
