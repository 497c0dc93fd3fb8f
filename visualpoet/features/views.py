"""Views of photographs, pixels and the experts' features, on disk.

However many there are, memory holds a block of them.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from visualpoet import whole_files
from visualpoet.features import experts
from visualpoet.features import images
from visualpoet.features import photographs
from visualpoet.features import picture_files
from visualpoet.features import store

BLOCK = 512  # views


@dataclasses.dataclass(frozen=True)
class Views:
    """Views of photographs, in arrays on disk.

    All photographs of the first view come first.

    Attributes:
        pixels: uint8 `[N, S, S, 3]`.
        features: Expert name to float32 `[N, F]`.
    """

    pixels: np.ndarray
    features: dict[str, np.ndarray]

    def read(
        self, rows: slice | np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Reads some views.

        Args:
            rows: Which.

        Returns:
            uint8 `[B, S, S, 3]`, and expert name to float32 `[B, F]`.
        """
        features = {
            name: rows_of[rows] for name, rows_of in self.features.items()
        }
        return self.pixels[rows], features

    def blocks(self) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Yields all views as `read` does, `BLOCK` at once, in their order."""
        for start in range(0, len(self.pixels), BLOCK):
            yield self.read(slice(start, start + BLOCK))


def read_upright(
    sources: Sequence[pathlib.Path], names: Collection[str]
) -> Iterator[tuple[str, bytes]]:
    """Yields some photographs of folders and tar archives, upright.

    Args:
        sources: As for `photographs.read_photographs`.
        names: Which; others are left out.

    Yields:
        Name and encoded bytes; of a name that several sources have, the last
        one counts.
    """
    for name, content in photographs.read_photographs(sources):
        if name in names:
            yield name, picture_files.make_upright(content, name)


def write_views(
    folder: pathlib.Path,
    sources: Sequence[pathlib.Path],
    features_dir: pathlib.Path,
    *,
    names: Sequence[str],
    views: Sequence[int],
    size: int,
) -> Views:
    """Writes views of photographs, unless they are there.

    Photographs and shards of features are read once.

    Args:
        folder: Gets a `.npy` file of the pixels and one of each expert; a file
            that a killed run left half written is written again.
        sources: As for `photographs.read_photographs`.
        features_dir: With the features of the three experts, as for
            `store.load_features`.
        names: Photographs that sources and features have.
        views: Numbers of the views (`images.load_view`).
        size: Side of the pictures in pixels.

    Returns:
        The views.

    Raises:
        KeyError: As for `FeatureStore.get`.
        OSError: As for `store.create_array`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole_files.remove_partial(folder)
    index = store.load_index(features_dir)
    keys = [store.view_digest(index[n], v) for v in views for n in names]
    features = {
        name: _keep(folder / f"{name}.npy", functools.partial(held.get, keys))
        for name, held in store.open_stores(features_dir).items()
    }
    expert = features_dir / experts.SENTIMENT_FILE
    features["sentiment"] = _keep(
        folder / "sentiment.npy",
        lambda path: _write_sentiment(path, expert, features),
    )
    pixels = _keep(
        folder / "pixels.npy",
        lambda path: _write_pixels(path, sources, names, views, size),
    )
    return Views(pixels, features)


def _keep(
    path: pathlib.Path, write: Callable[[pathlib.Path], object]
) -> np.ndarray:
    """Writes an array if it is not there, and opens it."""
    if not path.exists():
        with whole_files.write_whole(path) as partial:
            write(partial)
    return np.load(path, mmap_mode="r")


def _write_sentiment(
    path: pathlib.Path, expert: pathlib.Path, features: dict[str, np.ndarray]
) -> None:
    model = keras.saving.load_model(expert)
    number = len(features["object"])
    rows = store.create_array(path, (number, model.hidden_dim), np.float32)
    for start in range(0, number, BLOCK):
        block = slice(start, start + BLOCK)
        inputs = {name: values[block] for name, values in features.items()}
        rows[block] = model.predict(inputs, verbose=0)["sentiment"]


def _write_pixels(
    path: pathlib.Path,
    sources: Sequence[pathlib.Path],
    names: Sequence[str],
    views: Sequence[int],
    size: int,
) -> None:
    rows = {name: row for row, name in enumerate(names)}
    shape = (len(views) * len(names), size, size, 3)
    pixels = store.create_array(path, shape, np.uint8)
    squares = tf.data.Dataset.from_generator(
        lambda: (
            (rows[name], content)
            for name, content in read_upright(sources, rows)
        ),
        output_signature=(
            tf.TensorSpec([], tf.int64),
            tf.TensorSpec([], tf.string),
        ),
    ).map(
        lambda row, content: (
            row,
            tf.stack([load_pixels(content, size, view) for view in views]),
        ),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    for row, several in squares.as_numpy_iterator():
        pixels[row :: len(names)] = several


def load_pixels(image_bytes: tf.Tensor, size: int, view: int) -> tf.Tensor:
    """Decodes a picture and returns one of its views, rounded.

    Args:
        image_bytes: As for `images.load_view`.
        size: As there.
        view: As there.

    Returns:
        uint8 `[size, size, 3]`.
    """
    pixels = images.load_view(image_bytes, size, view)
    return tf.cast(tf.round(pixels), tf.uint8)


def standard_deviation(rows: np.ndarray) -> np.ndarray:
    """Computes the standard deviation of columns, a block of rows at a time.

    Args:
        rows: float `[N, F]`.

    Returns:
        float32 `[F]`.
    """
    total, squares = np.zeros([2, rows.shape[1]])
    first = rows[0].astype(float)  # close to the mean, so that nothing cancels
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK] - first
        total += block.sum(0)
        squares += (block**2).sum(0)
    variance = squares / len(rows) - (total / len(rows)) ** 2
    return np.sqrt(np.maximum(variance, 0.0)).astype(np.float32)
