"""Encode a grid of crops of every photograph, for Regions-Hierarchical.

python recipes/extract_regions.py --photographs PHOTOS.tar FOLDER \
        --encoder out/encoder/encoder.keras --run-dir out/regions
"""

import dataclasses
import pathlib

import keras
import numpy as np
import tensorflow as tf

from visualpoet import run_options
from visualpoet import runs
from visualpoet.features import photographs
from visualpoet.features import picture_files
from visualpoet.features import regions
from visualpoet.features.experts import concatenate_features
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Encode a grid of crops of every photograph."""

    photographs: tuple[pathlib.Path, ...] = option(
        (), "folders and tar archives of photographs"
    )
    encoder: pathlib.Path = option(
        pathlib.Path("out/encoder/encoder.keras"),
        "output of distill_visual_encoder.py",
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/regions"), "output")
    batch_size: int = option(32, "photographs a batch")
    resume: bool = option(False, "write again into --run-dir")

    def __post_init__(self):
        if not self.photographs:
            raise ValueError("expected --photographs. Received: none")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    run = runs.RunDirectory(config.run_dir, config, [config.encoder])
    encoder = keras.saving.load_model(config.encoder)
    contents = {
        name: picture_files.make_upright(content, name)
        for name, content in photographs.read_photographs(config.photographs)
    }
    size = encoder.image_size
    dataset = (
        tf.data.Dataset.from_tensor_slices(list(contents.values()))
        .map(
            lambda content: regions.load_regions(content, size),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        .ignore_errors()
        .batch(config.batch_size)
    )
    encode = tf.function(
        lambda crops: encoder(tf.reshape(crops, [-1, size, size, 3]))
    )
    rows = []
    for crops in dataset:
        features = {k: v.numpy() for k, v in encode(tf.round(crops)).items()}
        joined = concatenate_features(features).astype(np.float16)
        rows.append(joined.reshape(-1, regions.REGIONS, joined.shape[-1]))
    encoded = np.concatenate(rows)
    if len(encoded) != len(contents):
        raise ValueError(
            f"expected {len(contents)} readable photographs. Received: "
            f"{len(encoded)}; leave out those in unreadable.txt of "
            "extract_features.py"
        )
    np.savez(config.run_dir / "regions.npz", names=list(contents), rows=encoded)
    run.log(f"regions of {len(encoded)} photographs")


if __name__ == "__main__":
    main(run_options.parse_config(Config))
