"""On-disk feature store: what an expert has encoded is kept."""

import hashlib
import json
import math
import pathlib
import shutil
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import DTypeLike

from visualpoet import whole_files
from visualpoet.features import experts


def image_digest(image_bytes: bytes) -> str:
    """Names a photograph by its content.

    Args:
        image_bytes: The encoded file.

    Returns:
        32 hexadecimal digits.
    """
    return hashlib.sha256(image_bytes).hexdigest()[:32]


def view_digest(digest: str, view: int) -> str:
    """Names a view of a photograph.

    Args:
        digest: Digest of the photograph.
        view: Number of the view (`images.load_view`).

    Returns:
        The digest itself for the whole photograph.
    """
    return digest if view == 0 else f"{digest}-{view}"


class FeatureStore:
    """Feature vectors of one expert, keyed by image digest.

    Each call of `add` writes one shard (`.npz`, never pickled), which is named
    by the digests in it and is there as a whole or not at all: several
    processes may write, and a kill loses at most one shard of each.

    Args:
        folder: Where the shards live; one sub-folder an expert.
        expert: Digest of the expert (`expert_digest`).
    """

    def __init__(self, folder: pathlib.Path, expert: str):
        self._folder = pathlib.Path(folder) / expert
        self._folder.mkdir(parents=True, exist_ok=True)

    def _shard(self, digests: Sequence[str]) -> pathlib.Path:
        name = hashlib.sha256("\n".join(digests).encode()).hexdigest()
        return self._folder / f"{name[:32]}.npz"

    def holds(self, digests: Sequence[str]) -> bool:
        """Returns whether the features of these were added together.

        Args:
            digests: Image digests, in the order of then.
        """
        return self._shard(digests).exists()

    def add(self, digests: Sequence[str], features: np.ndarray) -> None:
        """Stores the features of some photographs.

        Args:
            digests: Image digests.
            features: float `[B, F]`; kept as float16.
        """
        features = np.asarray(features, np.float16)
        with (
            whole_files.write_whole(self._shard(digests)) as path,
            path.open("wb") as stream,
        ):
            np.savez(stream, digests=np.array(digests), features=features)

    def get(
        self, digests: Sequence[str], path: pathlib.Path | None = None
    ) -> np.ndarray:
        """Returns the stored features; shards are read one after the other.

        Args:
            digests: Image digests.
            path: Of a `.npy` file that holds the features in place of memory.

        Returns:
            float `[B, F]`.

        Raises:
            KeyError: If a photograph has not been encoded.
            OSError: As for `create_array`.
        """
        row_of = {digest: row for row, digest in enumerate(digests)}
        found = np.zeros(len(digests), bool)
        features = np.empty([0, 0], np.float32)
        for shard in sorted(self._folder.glob("*.npz")):
            with np.load(shard, allow_pickle=False) as arrays:
                held = arrays["digests"].tolist()
                chosen = [i for i, d in enumerate(held) if d in row_of]
                if not chosen:
                    continue
                read = arrays["features"][chosen]
            if not len(features):
                shape = (len(digests), read.shape[1])
                features = create_array(path, shape, np.float32)
            rows = [row_of[held[i]] for i in chosen]
            features[rows], found[rows] = read, True
        missing = [d for d in digests if not found[row_of[d]]]
        if missing:
            raise KeyError(
                f"{len(missing)} of {len(digests)} photographs have no "
                f"features, the first: {missing[0]}. Run "
                "recipes/extract_features.py on the same photographs, with "
                "as many --num-crops as are asked for"
            )
        for row, digest in enumerate(digests):
            if row_of[digest] != row:  # the same picture under another name
                features[row] = features[row_of[digest]]
        return features


def create_array(
    path: pathlib.Path | None, shape: tuple[int, ...], dtype: DTypeLike
) -> np.ndarray:
    """Makes room for an array.

    Args:
        path: Of a `.npy` file that holds it; in memory if None.
        shape: Its shape.
        dtype: Its type.

    Returns:
        The array, of any content; what is assigned to it is in the file.

    Raises:
        OSError: If the disk has no room for it: writing would kill the process.
    """
    if not path:
        return np.empty(shape, dtype)
    size, free = math.prod(shape), shutil.disk_usage(path.parent).free
    size *= np.dtype(dtype).itemsize
    if size > free:
        raise OSError(
            f"expected {size / 1e9:.1f} GB of free disk for {path}. Received: "
            f"{free / 1e9:.1f} GB; free some, or name a folder elsewhere"
        )
    return np.lib.format.open_memmap(path, "w+", dtype, shape)


def feature_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """Names the files that say which features a folder holds, for lineage.

    Args:
        folder: As for `load_features`.

    Returns:
        Those that exist: names and digests of photographs, experts, and the
        sentiment expert.
    """
    names = ("index.json", "experts.json", experts.SENTIMENT_FILE)
    paths = [pathlib.Path(folder) / name for name in names]
    return [path for path in paths if path.exists()]


def load_index(folder: pathlib.Path) -> dict[str, str]:
    """Reads which photographs have features.

    Args:
        folder: As for `load_features`.

    Returns:
        Photograph name to its digest.

    Raises:
        FileNotFoundError: If the folder holds no features.
    """
    path = pathlib.Path(folder) / "index.json"
    if not path.exists():
        raise FileNotFoundError(
            f"expected a folder of features. Received: {folder}, which has "
            "no index.json; run recipes/extract_features.py first"
        )
    return json.loads(path.read_text())


def open_stores(folder: pathlib.Path) -> dict[str, FeatureStore]:
    """Opens the stores of a folder of features.

    Args:
        folder: As for `load_features`.

    Returns:
        Expert name to its store; the sentiment expert has none.
    """
    folder = pathlib.Path(folder)
    digests = json.loads((folder / "experts.json").read_text())["digests"]
    return {
        name: FeatureStore(folder / "store", digest)
        for name, digest in digests.items()
    }


def load_features(
    folder: pathlib.Path, view: int = 0, names: Sequence[str] | None = None
) -> dict[str, dict[str, np.ndarray]]:
    """Reads the features that a recipe stored.

    Args:
        folder: Run directory of `recipes/extract_features.py` or of
            `recipes/distill_visual_encoder.py`. Where it holds the run of
            `recipes/train_expert.py`, the sentiment features are added.
        view: Number of the view (`images.load_view`).
        names: Photographs that are wanted, of `load_index`; all by default.

    Returns:
        Expert name to photograph name to float `[F]`.

    Raises:
        FileNotFoundError: If the folder holds no features.
    """
    folder = pathlib.Path(folder)
    index = load_index(folder)
    names = list(index) if names is None else names
    keys = [view_digest(index[name], view) for name in names]
    features = {
        name: held.get(keys) for name, held in open_stores(folder).items()
    }
    if (folder / experts.SENTIMENT_FILE).exists():
        expert = keras.saving.load_model(folder / experts.SENTIMENT_FILE)
        outputs = expert.predict(dict(features), batch_size=512, verbose=0)
        features["sentiment"] = outputs["sentiment"]
    return {name: dict(zip(names, rows)) for name, rows in features.items()}


def join_features(
    features: Mapping[str, Mapping[str, np.ndarray]], names: Sequence[str]
) -> np.ndarray:
    """Joins the features that the experts have of photographs.

    Args:
        features: As of `load_features`.
        names: Photographs.

    Returns:
        float `[N, sum of F]`, as of `experts.concatenate_features`.
    """
    return experts.concatenate_features(
        {
            kind: np.stack([rows[name] for name in names])
            for kind, rows in features.items()
        }
    )
