"""What a generator is given of a photograph: a row of a matrix."""

import json
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np

from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.embedding.encoders import ImageTower
from visualpoet.features.experts import FEATURE_NAMES
from visualpoet.features.experts import concatenate_features

IMAGE_INPUTS = ("joint", "object", "experts")


def embed_photographs(
    features: dict[str, dict[str, np.ndarray]],
    names: Sequence[str],
    image_input: str,
    image_tower: ImageTower,
) -> tuple[dict[str, int], np.ndarray]:
    """Computes one vector a photograph.

    Source: liu18, compared methods: Show and Tell takes the features of one CNN
    or of three, I2P-GAN the joint embedding. Differs: each CNN's features are
    brought to unit length, and so is the row.

    Args:
        features: Expert name to photograph name to float `[F]`.
        names: Photographs; those without features are left out.
        image_input: `joint`, the embedding; `object`, the features of that CNN;
            `experts`, of all three.
        image_tower: For `joint`.

    Returns:
        Row of each photograph, and float32 `[M, K]`.

    Raises:
        ValueError: If `image_input` is unknown, or no photograph has features.
    """
    if image_input not in IMAGE_INPUTS:
        raise ValueError(
            "expected an image input of "
            f"{IMAGE_INPUTS}. Received: {image_input!r}"
        )
    known = [name for name in names if name in features["object"]]
    if not known:
        raise ValueError(
            f"expected photographs with features. Received: {len(names)} "
            f"photographs and features of {len(features['object'])}, none of "
            "the same name; see the pairs and captions of the corpus"
        )
    inputs = {
        kind: np.stack([features[kind][name] for name in known])
        for kind in FEATURE_NAMES
    }
    rows = {name: row for row, name in enumerate(known)}
    if image_input == "joint":
        return rows, image_tower.predict(inputs, batch_size=512, verbose=0)
    unit = {kind: _unit_length(values) for kind, values in inputs.items()}
    if image_input == "object":
        return rows, unit["object"]
    return rows, _unit_length(concatenate_features(unit))


def embed_out_of_fold(
    features: dict[str, dict[str, np.ndarray]],
    folds: Sequence[Sequence[str]],
    image_towers: Sequence[ImageTower],
) -> dict[str, np.ndarray]:
    """Embeds photographs with towers that did not learn from them.

    Args:
        features: As for `embed_photographs`.
        folds: Names of the photographs that each tower did not learn from.
        image_towers: The towers.

    Returns:
        float32 `[K]` of each photograph that has features.
    """
    embeddings = {}
    for names, image_tower in zip(folds, image_towers, strict=True):
        rows, seen = embed_photographs(features, names, "joint", image_tower)
        embeddings.update({name: seen[row] for name, row in rows.items()})
    return embeddings


def replace_by_folds(
    image_embeddings: np.ndarray,
    rows: Mapping[str, int],
    features: dict[str, dict[str, np.ndarray]],
    corpus: PreparedCorpus,
    folders: Sequence[pathlib.Path],
) -> None:
    """Moves training photographs to where new ones would lie.

    Args:
        image_embeddings: float `[N, K]`; is changed in place.
        rows: Name of a photograph to its row.
        features: As for `embed_photographs`.
        corpus: Deals out the training photographs.
        folders: Outputs of `train_embedding.py` for each left-out fold in
            order; none leaves all as it is.

    Raises:
        ValueError: If they are not all the folds, in order.
    """
    for place, folder in enumerate(folders):
        options = json.loads((folder / "config.json").read_text())
        found = options["num_folds"], options["left_out_fold"]
        if found != (len(folders), place):
            raise ValueError(
                f"expected {folder} to have left out fold {place} of "
                f"{len(folders)}: all folds, in order. Received: fold "
                f"{found[1]} of {found[0]}"
            )
    towers = [
        keras.saving.load_model(folder / "image_tower.keras")
        for folder in folders
    ]
    folds = corpus.folds(len(towers))
    for name, seen in embed_out_of_fold(features, folds, towers).items():
        image_embeddings[rows[name]] = seen


def _unit_length(values: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return (values / np.maximum(lengths, 1e-6)).astype(np.float32)
