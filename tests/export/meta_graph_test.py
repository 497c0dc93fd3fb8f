import pytest
import tensorflow as tf

from visualpoet.export import meta_graph


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    module = tf.Module()
    inner = tf.function(lambda x: tf.math.erfinv(x))
    serve = tf.function(
        lambda x: {"y": tf.cast(inner(x), tf.float64)},
        input_signature=[tf.TensorSpec([None, 3], tf.float32, "x")],
    )
    path = tmp_path_factory.mktemp("model")
    tf.saved_model.save(module, str(path), signatures={"double": serve})
    return path


def test_signatures_are_described(folder):
    graph = meta_graph.read_meta_graph(folder)
    assert meta_graph.describe_signatures(graph) == {
        "double": {
            "inputs": {"x": {"dtype": "float32", "shape": [None, 3]}},
            "outputs": {"y": {"dtype": "float64", "shape": [None, 3]}},
        }
    }


def test_nodes_of_functions_are_found(folder):
    graph = meta_graph.read_meta_graph(folder)
    assert "Erfinv" not in {node.op for node in graph.graph_def.node}
    assert "Erfinv" in {node.op for node in meta_graph.iterate_nodes(graph)}
    assert len(meta_graph.list_functions(graph)) >= 2


def test_graph_without_the_tag(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match=r"tag 'serve'. Received: \[\]"):
        meta_graph.read_meta_graph(tmp_path)
