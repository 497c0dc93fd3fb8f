"""Features of the photographs of a source, shard by shard."""

import collections
import functools
import hashlib
import itertools
import json
import pathlib
import threading
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from visualpoet import whole_files
from visualpoet.features import experts
from visualpoet.features import images
from visualpoet.features import photographs
from visualpoet.features import picture_files
from visualpoet.features import store

SHARD = 512  # photographs; all that is held of them at once
PARTS = "parts"
View = tuple[str, bytes, int]  # digest of the view, photograph, number
_load_once = functools.cache(experts.load_expert)
_loading = threading.Lock()  # a worker may have several threads


def _part(source: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    name = hashlib.sha256(str(source).encode()).hexdigest()[:16]
    return folder / PARTS / f"{name}.json"


def find_missing(
    sources: Sequence[pathlib.Path], folder: pathlib.Path
) -> list[pathlib.Path]:
    """Cleans up what a killed run left half written, and says what is to do.

    Args:
        sources: Folders and tar archives.
        folder: Of the features.

    Returns:
        Sources that have not been read to their end.
    """
    (folder / PARTS).mkdir(parents=True, exist_ok=True)
    whole_files.remove_partial(folder)
    return [s for s in sources if not _part(s, folder).exists()]


def extract_features(
    source: pathlib.Path,
    *,
    folder: pathlib.Path,
    handles: Mapping[str, str],
    digests: Mapping[str, str],
    num_crops: int,
    batch_size: int,
) -> collections.Counter[str]:
    """Stores the experts' features of the photographs of a source.

    Args:
        source: A folder or tar archive (`photographs.read_photographs`).
        folder: Gets the shards in `store`, and in `PARTS` what was read.
        handles: TF-Hub handle by expert; loaded once in each process.
        digests: Digest by expert.
        num_crops: Views of a photograph beside the whole one.
        batch_size: Views a batch.

    Returns:
        Numbers of `photographs` and of `unreadable` ones.
    """
    stores = {
        name: store.FeatureStore(folder / "store", digest)
        for name, digest in digests.items()
    }
    index: dict[str, str] = {}
    bad: list[str] = []
    reading = _read(source, bad)
    while shard := list(itertools.islice(reading, SHARD)):
        digests_of = {n: store.image_digest(content) for n, content in shard}
        index |= digests_of
        views = _list_views(
            {digests_of[n]: content for n, content in shard}, num_crops
        )
        _add_views(views, stores, handles, batch_size)
    with whole_files.write_whole(_part(source, folder)) as path:
        path.write_text(json.dumps({"index": index, "unreadable": bad}))
    return collections.Counter(photographs=len(index), unreadable=len(bad))


def _list_views(contents: Mapping[str, bytes], num_crops: int) -> list[View]:
    return [
        (store.view_digest(digest, view), content, view)
        for view in range(1 + num_crops)
        for digest, content in contents.items()
    ]


def _add_views(
    views: Sequence[View],
    stores: Mapping[str, store.FeatureStore],
    handles: Mapping[str, str],
    batch_size: int,
) -> None:
    """Adds a shard to each store, unless all have it."""
    keys = [key for key, *_ in views]
    if not all(held.holds(keys) for held in stores.values()):
        features = _encode(views, handles, batch_size)
        for name, held in stores.items():
            held.add(keys, features[name])


def _read(source: pathlib.Path, bad: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yields what can be decoded, upright, and notes why the rest cannot."""
    for name, content in photographs.read_photographs([source]):
        try:
            content = picture_files.make_upright(content, name)
            images.decode_image(content)
        except picture_files.PictureError as error:
            bad.append(str(error))
        except tf.errors.InvalidArgumentError as error:
            bad.append(f"{name}: {error.message}")
        else:
            yield name, content


def _encode(
    views: Sequence[View],
    handles: Mapping[str, str],
    batch_size: int,
) -> dict[str, np.ndarray]:
    """Expert to float16 `[len(views), F]`."""
    encoders = {name: _load(handle) for name, handle in handles.items()}
    rows: dict[str, list[np.ndarray]] = {name: [] for name in handles}
    for start in range(0, len(views), batch_size):
        pixels = [
            images.load_view(content, experts.EXPERT_SIZE, view)
            for _, content, view in views[start : start + batch_size]
        ]
        batch = tf.stack(pixels) / 255.0
        for name, encoder in encoders.items():
            rows[name].append(encoder(batch).numpy().astype(np.float16))
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def _load(handle: str) -> Callable[[tf.Tensor], tf.Tensor]:
    with _loading:
        return _load_once(handle)


def join_parts(
    sources: Sequence[pathlib.Path], folder: pathlib.Path
) -> tuple[dict[str, str], list[str]]:
    """Joins what is known of each source.

    Args:
        sources: Folders and tar archives.
        folder: Of the features.

    Returns:
        Digest by photograph, of the last source if several have the name; and
        why others cannot be read.
    """
    parts: list[dict[str, Any]] = [
        json.loads(_part(source, folder).read_text()) for source in sources
    ]
    index = {k: v for part in parts for k, v in part["index"].items()}
    return index, [line for part in parts for line in part["unreadable"]]
