import json

import numpy as np
import pytest
import tensorflow as tf

from visualpoet.serve import errors
from visualpoet.serve import json_replies
from visualpoet.serve import servable
from visualpoet.serve.servable import Servable


class Greeter(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "warmth")])
    def greet(self, warmth):
        return {"greeting": tf.constant("hello"), "warmth": warmth[0]}


@pytest.fixture(scope="module")
def signature(tmp_path_factory):
    folder = tmp_path_factory.mktemp("greeter") / "1"
    toy = Greeter()
    tf.saved_model.save(toy, str(folder), signatures=toy.greet)
    return Servable(1, folder).signatures["serving_default"]


def test_outputs_without_rows_are_arrays(signature):
    outputs = signature.run({"warmth": np.array([0.5], np.float32)})
    assert {name: value.shape for name, value in outputs.items()} == {
        "greeting": (),
        "warmth": (),
    }
    assert json.loads(json_replies.write_columns(outputs)) == {
        "outputs": {"greeting": "hello", "warmth": 0.5}
    }
    with pytest.raises(errors.ServeError, match="no shape information"):
        json_replies.write_rows(outputs)


class Counter(tf.Module):
    def __init__(self):
        super().__init__()
        entries = tf.lookup.KeyValueTensorInitializer(["sea", "sky"], [1, 2])
        self.table = tf.lookup.StaticHashTable(entries, 0)
        self.weight = tf.Variable(2)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "word")])
    def count(self, word):
        return {"count": self.weight * self.table.lookup(word)}


def test_a_version_takes_its_tables_with_it(tmp_path):
    """TensorFlow keeps them: two megabytes of the poet at each reload."""
    toy = Counter()
    folder = tmp_path / "1"
    tf.saved_model.save(toy, str(folder), signatures=toy.count)
    one, other = Servable(1, folder), Servable(2, folder)
    (table,) = servable._list_tables(one._loaded)
    assert tf.raw_ops.LookupTableSizeV2(table_handle=table) == 2
    one.close()
    with pytest.raises(tf.errors.NotFoundError):
        tf.raw_ops.LookupTableSizeV2(table_handle=table)
    words = {"word": np.array([b"sky"], object)}
    assert other.signatures["serving_default"].run(words)["count"] == [4]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(signature, value):
    signature.check({"warmth": np.array([0.5], np.float32)})
    with pytest.raises(errors.ServeError) as caught:
        signature.check({"warmth": np.array([0.5, value], np.float32)})
    assert caught.value.http_status == 400
    assert caught.value.message == (
        f"expected input warmth of finite numbers. Received: {value}"
    )
