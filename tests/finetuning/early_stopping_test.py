import keras
import numpy as np
import tensorflow as tf

from visualpoet.finetuning.early_stopping import EarlyStopping


def test_the_best_weights_come_back():
    weight = keras.Variable([1.0, 2.0])
    stopping = EarlyStopping([weight], patience=2)
    over = []
    for value, now in ((5.0, 10.0), (4.0, 20.0), (4.0, 30.0), (6.0, 40.0)):
        weight.assign([now, now])
        stopping.look(value)
        over.append(stopping.is_over())
    assert over == [False, False, False, True]
    stopping.restore()
    np.testing.assert_array_equal(weight, [20.0, 20.0])


def test_nothing_better_than_not_a_number():
    stopping = EarlyStopping([keras.Variable([1.0])], patience=1)
    stopping.look(float("nan"))
    assert stopping.is_over()


def test_a_checkpoint_holds_it(tmp_path):
    weight = keras.Variable([3.0])
    stopping = EarlyStopping([weight], patience=2)
    stopping.look(1.5)
    path = tf.train.Checkpoint(stopping=stopping).save(str(tmp_path / "a"))
    weight.assign([9.0])
    another = EarlyStopping([weight], patience=2)
    tf.train.Checkpoint(stopping=another).restore(path).assert_consumed()
    assert float(another.lowest) == 1.5
    another.restore()
    np.testing.assert_array_equal(weight, [3.0])
