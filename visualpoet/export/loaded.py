"""An export as TensorFlow Serving sees it."""

import functools
import pathlib

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from visualpoet.export import meta_graph
from visualpoet.export import samples


class Export:
    """An export, read and loaded when a point needs it.

    Args:
        folder: The version folder.
    """

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    @functools.cached_property
    def graph(self) -> meta_graph_pb2.MetaGraphDef:
        """The meta graph."""
        return meta_graph.read_meta_graph(self.folder)

    @functools.cached_property
    def signatures(self) -> dict:
        """As of `meta_graph.describe_signatures`."""
        return meta_graph.describe_signatures(self.graph)

    @functools.cached_property
    def _session(self) -> tf.compat.v1.Session:
        # The loader that TensorFlow Serving has, too, and its settings, not
        # those of this process: without Grappler, which makes one graph of
        # many functions, a step that was cancelled may hide why.
        config = tf.compat.v1.ConfigProto()
        with tf.Graph().as_default() as graph:
            session = tf.compat.v1.Session(graph=graph, config=config)
            tf.compat.v1.saved_model.loader.load(
                session, ["serve"], str(self.folder)
            )
        return session

    def run(self, name: str, inputs: dict) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            name: Its name.
            inputs: An array for each input.

        Returns:
            An array for each output.

        Raises:
            tf.errors.OpError: What the graph raises.
        """
        signature = self.graph.signature_def[name]
        return self._session.run(
            {key: info.name for key, info in signature.outputs.items()},
            {signature.inputs[key].name: inputs[key] for key in inputs},
        )

    def sample(self, name: str, size: int) -> dict[str, np.ndarray]:
        """Makes a request; see `samples.sample_inputs`."""
        return samples.sample_inputs(
            self.folder, self.signatures[name]["inputs"], size
        )

    def with_input(self, name: str) -> list[str]:
        """Names the signatures that have an input."""
        found = self.signatures.items()
        return [key for key, value in found if name in value["inputs"]]

    def close(self) -> None:
        """Closes the session, if there is one."""
        if "_session" in self.__dict__:
            self._session.close()
