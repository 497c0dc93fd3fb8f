"""Keras models read back from an export: the export is their preset.

TARGET/<name>/<version>/variables/               their weights
TARGET/<name>/<version>/assets.extra/models.json their configurations
"""

import json
import pathlib
from typing import Any
from typing import Self

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import trackable_object_graph_pb2

from visualpoet import model_folders

MODELS_FILE = "assets.extra/models.json"
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def has_model(folder: pathlib.Path, name: str) -> bool:
    """Says whether an export holds a model.

    Args:
        folder: The version folder.
        name: Of its class.

    Returns:
        Whether there is one.

    Raises:
        FileNotFoundError: If the folder holds no export.
    """
    return name in _read_configs(folder)


class PresetModel(keras.Model):
    """A Keras model that an export holds.

    Its configuration is kept under the name of its class, each weight under
    its path; so every layer with weights has a name of its own.
    """

    @classmethod
    def from_preset(cls, folder: pathlib.Path | str) -> Self:
        """Reads the model back from an export.

        Args:
            folder: The version folder, or one of numbered versions, of which
                the newest is taken.

        Returns:
            The model, its matrices rounded as the export keeps them.

        Raises:
            FileNotFoundError: If the folder holds no export, or one without
                configurations or weights.
            ValueError: If the export has no such model, or a broken one.
        """
        folder = model_folders.newest_version(pathlib.Path(folder))
        model = cls.from_config(_read_config(folder, cls.__name__))
        stored = _read_weights(folder, cls.__name__)
        expected = {variable.path: variable for variable in model.weights}
        if stored.keys() != expected.keys():
            raise ValueError(
                f"expected the weights {sorted(expected)} of {cls.__name__}. "
                f"Received: {sorted(stored)} in {folder}; export it again"
            )
        for path, variable in expected.items():
            variable.assign(stored[path])
        return model


def _read_configs(folder: pathlib.Path) -> dict[str, dict]:
    path = folder / MODELS_FILE
    if not path.exists():
        raise FileNotFoundError(
            f"expected an export with a file {MODELS_FILE}. Received: "
            f"{folder}, which is none of VisualPoet's or was exported before "
            "models could be read back; export it again"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def _read_config(folder: pathlib.Path, name: str) -> dict:
    configs = _read_configs(folder)
    if name not in configs:
        raise ValueError(
            f"expected an export that has a {name}. Received: {folder}, which "
            f"has {', '.join(sorted(configs))}"
        )
    return configs[name]


def _read_weights(folder: pathlib.Path, name: str) -> dict[str, np.ndarray]:
    prefix = folder / "variables" / "variables"
    if not prefix.with_suffix(".index").exists():
        raise FileNotFoundError(
            "expected an export with its weights. Received: "
            f"{folder}, without {prefix.parent.name}/{prefix.name}.index; copy "
            "it again"
        )
    try:
        checkpoint = tf.train.load_checkpoint(str(prefix))
        keys = _find_keys(checkpoint, name)
        return {
            path: _scale(*map(checkpoint.get_tensor, keys[path]))
            for path in keys
        }
    except (tf.errors.OpError, IndexError) as error:  # the latter: too short
        raise ValueError(
            f"expected all weights of an export in {prefix.parent}. Received: "
            f"broken ones ({error}); copy it again"
        ) from error


def _scale(value: np.ndarray, scale: np.ndarray | None = None) -> np.ndarray:
    return value if scale is None else value * scale


def _find_keys(checkpoint: Any, name: str) -> dict[str, list[str]]:
    """Where the checkpoint has each weight: what two models share, once.

    Returns:
        By path the key of its value, and that of its scale if it has one.
    """
    graph = trackable_object_graph_pb2.TrackableObjectGraph.FromString(
        checkpoint.get_tensor(_OBJECT_GRAPH)
    )
    node = graph.nodes[0]  # the exported module; these are its attributes
    for step in ("models", name, "weights"):
        node = _children(graph, node)[step]
    found = {}
    for path, weight in _children(graph, node).items():
        parts = _children(graph, weight)
        found[path] = [
            parts[part].attributes[0].checkpoint_key
            for part in ("value", "scale")
            if part in parts
        ]
    return found


def _children(
    graph: trackable_object_graph_pb2.TrackableObjectGraph, node: Any
) -> dict[str, Any]:
    return {
        child.local_name: graph.nodes[child.node_id] for child in node.children
    }
