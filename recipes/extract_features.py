"""Encode every photograph with the object and scene experts (liu18).

python recipes/extract_features.py --photographs PHOTOS.tar FOLDER \
        --object HANDLE --scene HANDLE
"""

import dataclasses
import functools
import itertools
import pathlib

import numpy as np
import tensorflow as tf
from rich.progress import track

from visualpoet import run_options
from visualpoet import runs
from visualpoet.features import experts
from visualpoet.features import images
from visualpoet.features import photographs
from visualpoet.features import picture_files
from visualpoet.features import store
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Encode every photograph with the object and scene experts."""

    photographs: tuple[pathlib.Path, ...] = option(
        (), "folders and tar archives of photographs"
    )
    object: str = option("", "TF-Hub handle of the object CNN")
    scene: str = option("", "TF-Hub handle of the scene CNN")
    run_dir: pathlib.Path = option(pathlib.Path("out/features"), "output")
    num_crops: int = option(
        3, "random crops of each photograph, for distill_visual_encoder.py"
    )
    batch_size: int = option(64, "photographs a batch")
    resume: bool = option(False, "go on with the run in --run-dir")

    def __post_init__(self):
        if not self.photographs:
            raise ValueError("expected --photographs. Received: none")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    run = runs.RunDirectory(config.run_dir, config)
    handles = {"object": config.object, "scene": config.scene}
    encoders = {name: experts.load_expert(h) for name, h in handles.items()}
    digests = {name: experts.expert_digest(h) for name, h in handles.items()}
    stores = {
        name: store.FeatureStore(config.run_dir / "store", digest)
        for name, digest in digests.items()
    }

    def encode(name: str, view: int, batch: list[bytes]) -> np.ndarray:
        size = experts.EXPERT_SIZE
        pictures = [images.load_view(b, size, view) for b in batch]
        return encoders[name](tf.stack(pictures) / 255.0).numpy()

    names, contents, bad = [], [], []
    for name, content in photographs.read_photographs(config.photographs):
        try:
            content = picture_files.make_upright(content, name)
            images.decode_image(content)
        except picture_files.PictureError as error:
            bad.append(str(error))
            continue
        except tf.errors.InvalidArgumentError as error:
            bad.append(f"{name}: {error.message}")
            continue
        names.append(name)
        contents.append(content)
    run.log(f"{len(names)} photographs, {len(bad)} unreadable")
    starts = range(0, len(names), config.batch_size)
    views = range(1 + config.num_crops)
    work = list(itertools.product(views, starts))
    for view, start in track(work, "encoding"):
        batch = contents[start : start + config.batch_size]
        for name in handles:
            encoder = functools.partial(encode, name, view)
            stores[name].encode(batch, encoder, view)

    index = {n: store.image_digest(c) for n, c in zip(names, contents)}
    run.write_json("index.json", index)
    run.write_json("experts.json", {"handles": handles, "digests": digests})
    (config.run_dir / "unreadable.txt").write_text("\n".join(bad))
    run.log(f"features of {len(index)} photographs in {config.run_dir}")


if __name__ == "__main__":
    main(run_options.parse_config(Config))
