"""Photographs of tensorflow-datasets, with their captions or labels."""

import dataclasses
import pathlib
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from visualpoet import extras
from visualpoet.corpus.records import Photograph


@dataclasses.dataclass(frozen=True)
class Found:
    """Where a builder has what is wanted.

    Attributes:
        image: Name of the feature with the picture.
        captions: Name of the feature with captions; empty where there is none.
        label: Name of the feature with a class; empty where there is none.
        label_names: Names of the classes.
        file_name: Name of the feature that names the picture, if there is one.
    """

    image: str
    captions: str
    label: str
    label_names: tuple[str, ...]
    file_name: str


def open_builder(name: str, cache: pathlib.Path) -> Any:
    """Opens a builder; downloads nothing.

    Args:
        name: As tensorflow-datasets names it (`coco_captions/2014`), or a
            folder that one has prepared.
        cache: Where it prepares its data.

    Returns:
        The builder.

    Raises:
        ValueError: If there is none of this name.
        ModuleNotFoundError: If tensorflow-datasets is not installed.
    """
    with extras.needs("data"):
        import tensorflow_datasets as tfds
    if pathlib.Path(name).is_dir():
        return tfds.builder_from_directory(name)
    try:
        return tfds.builder(name, data_dir=cache, try_gcs=False)
    except tfds.core.registered.DatasetNotFoundError as error:
        raise ValueError(
            "expected a builder of tensorflow-datasets, or the folder of one "
            f"that is prepared. Received: {name}"
        ) from error


def find_features(builder: Any) -> Found:
    """Finds pictures, captions and labels among the features of a builder.

    Args:
        builder: What `open_builder` returned.

    Returns:
        Their names.

    Raises:
        ValueError: If it has no picture, or neither captions nor a class.
    """
    with extras.needs("data"):
        import tensorflow_datasets as tfds
    features = builder.info.features
    image = _first(features, lambda _, f: isinstance(f, tfds.features.Image))
    label = _first(
        features, lambda _, f: isinstance(f, tfds.features.ClassLabel)
    )
    captions = _first(features, lambda name, _: "caption" in name)
    if not image or not (captions or label):
        raise ValueError(
            "expected a builder with pictures, and with captions or a class. "
            f"Received: {builder.name}, with {', '.join(features)}"
        )
    names = tuple(features[label].names) if label else ()
    file_name = _first(features, lambda name, _: "filename" in name)
    return Found(image, captions, label, names, file_name)


def _first(features: Mapping[str, Any], is_wanted: Any) -> str:
    return next((n for n, f in features.items() if is_wanted(n, f)), "")


def read_builder(builder: Any) -> Iterator[tuple[Photograph, bytes]]:
    """Prepares what a builder has, and reads it split by split.

    Args:
        builder: What `open_builder` returned.

    Yields:
        What is known of each photograph, and its bytes as they were published.

    Raises:
        ValueError: As `find_features`.
    """
    with extras.needs("data"):
        import tensorflow_datasets as tfds
    found = find_features(builder)
    builder.download_and_prepare()
    decoders = {found.image: tfds.decode.SkipDecoding()}
    for split in builder.info.splits:
        rows = builder.as_dataset(split=split, decoders=decoders)
        for number, row in enumerate(tfds.as_numpy(rows)):
            photo = _photograph(found, split, number, row)
            if photo.captions or photo.label:  # a test without its classes
                yield photo, row[found.image]


def _photograph(
    found: Found, split: str, number: int, row: Mapping[str, Any]
) -> Photograph:
    name = f"{number:07}.jpg"
    if found.file_name:
        name = row[found.file_name].decode("utf-8", "replace")
    label = row[found.label] if found.label else -1
    return Photograph(
        f"{split}/{name}",
        split=_split_name(split),
        label=found.label_names[label] if label >= 0 else "",
        captions=_captions(row[found.captions]) if found.captions else (),
    )


def _split_name(split: str) -> str:
    starts = {"val": "validation", "dev": "validation", "test": "test"}
    return next((v for k, v in starts.items() if split.startswith(k)), "train")


def _captions(value: Any) -> tuple[str, ...]:
    """Texts, or dictionaries of a text and more, one or many."""
    if isinstance(value, Mapping):
        value = value["text"]
    texts = [value] if isinstance(value, bytes) else list(value)
    lines = (" ".join(t.decode("utf-8", "replace").split()) for t in texts)
    return tuple(line for line in lines if line)


def describe(builder: Any) -> str:
    """Describes where a builder's data come from.

    Args:
        builder: What `open_builder` returned.

    Returns:
        Its version, page and licence in a line.
    """
    info = builder.info
    licence = getattr(info.redistribution_info, "license", "") or "unstated"
    return f"{info.full_name}, {info.homepage or 'no page'}, licence {licence}"
