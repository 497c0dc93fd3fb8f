import keras
import numpy as np
import tensorflow as tf

from visualpoet.optimization import make_train_step


def test_repeated_tokens_take_one_step_of_adam():
    # A gradient of 1 - 3 + 0.5 for token 1, of 2 + 2 for token 4; the first
    # step of Adam is its learning rate against the sign of the sum.
    table = keras.Variable(np.zeros([11, 3], np.float32))
    token_ids = tf.constant([[1, 1, 1], [4, 4, 7]])

    def loss(weights):
        rows = tf.gather(table.value, token_ids)  # [B, T, 3]
        return tf.reduce_sum(rows * weights[..., None])

    train_step = make_train_step(loss, [table], keras.optimizers.Adam(0.01))
    train_step(tf.constant([[1.0, -3.0, 0.5], [2.0, 2.0, -1.0]]))
    expected = np.zeros([11, 3])
    expected[1], expected[4], expected[7] = 0.01, -0.01, 0.01
    np.testing.assert_allclose(table, expected, rtol=1e-4)


def _square():
    x = keras.Variable([1.0, 2.0])
    return x, lambda batch: tf.reduce_sum(batch * x.value**2)


def test_loss_is_that_before_the_update():
    x, loss = _square()
    train_step = make_train_step(loss, [x], keras.optimizers.SGD(0.25))
    assert float(train_step(tf.constant(1.0))) == 5.0
    np.testing.assert_allclose(x, [0.5, 1.0])
    assert float(train_step(tf.constant(1.0))) == 1.25


def test_what_comes_with_the_loss_is_returned():
    x, loss = _square()
    train_step = make_train_step(
        lambda batch: (loss(batch), x.value + 1.0),
        [x],
        keras.optimizers.SGD(0.25),
    )
    value, more = train_step(tf.constant(1.0))
    assert float(value) == 5.0
    assert more.numpy().tolist() == [2.0, 3.0]


def test_other_variables_stay():
    x, _ = _square()
    y = keras.Variable([1.0, 2.0])
    train_step = make_train_step(
        lambda batch: tf.reduce_sum(batch * x.value * y.value),
        [x],
        keras.optimizers.SGD(1.0),
    )
    train_step(tf.constant(1.0))
    np.testing.assert_allclose(x, [0.0, 0.0])
    np.testing.assert_allclose(y, [1.0, 2.0])


def test_one_graph_for_all_batches_of_a_spec():
    x, loss = _square()
    traced = []

    def traced_loss(batch):
        traced.append(batch.shape.as_list())
        return loss(tf.reduce_sum(batch))

    train_step = make_train_step(
        traced_loss, [x], keras.optimizers.SGD(0.0), tf.TensorSpec([None])
    )
    for length in (1, 2, 5):
        train_step(np.ones(length, np.float32))
    assert traced == [[None]]
