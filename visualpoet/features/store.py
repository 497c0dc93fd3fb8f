"""On-disk feature store: what an expert has encoded is kept."""

import hashlib
import json
import pathlib
from collections.abc import Sequence

import keras
import numpy as np

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

    def get(self, digests: Sequence[str]) -> np.ndarray:
        """Returns the stored features; shards are read one after the other.

        Args:
            digests: Image digests.

        Returns:
            float `[B, F]`.

        Raises:
            KeyError: If a photograph has not been encoded.
        """
        wanted = set(digests)
        rows: dict[str, np.ndarray] = {}
        for shard in sorted(self._folder.glob("*.npz")):
            with np.load(shard, allow_pickle=False) as arrays:
                held = arrays["digests"].tolist()
                chosen = [i for i, d in enumerate(held) if d in wanted]
                if chosen:
                    features = arrays["features"][chosen]
                    rows.update(zip((held[i] for i in chosen), features))
        missing = [digest for digest in digests if digest not in rows]
        if missing:
            raise KeyError(
                f"{len(missing)} of {len(digests)} photographs have no "
                f"features, the first: {missing[0]}. Run "
                "recipes/extract_features.py on the same photographs, with "
                "as many --num-crops as are asked for"
            )
        return np.stack([rows[digest] for digest in digests], dtype=np.float32)


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


def load_features(
    folder: pathlib.Path, view: int = 0
) -> dict[str, dict[str, np.ndarray]]:
    """Reads the features that a recipe stored.

    Args:
        folder: Run directory of `recipes/extract_features.py` or of
            `recipes/distill_visual_encoder.py`. Where it holds the run of
            `recipes/train_expert.py`, the sentiment features are added.
        view: Number of the view (`images.load_view`).

    Returns:
        Expert name to photograph name to float `[F]`.

    Raises:
        FileNotFoundError: If the folder holds no features.
    """
    folder = pathlib.Path(folder)
    if not (folder / "index.json").exists():
        raise FileNotFoundError(
            f"expected a folder of features. Received: {folder}, which has "
            "no index.json; run recipes/extract_features.py first"
        )
    index = json.loads((folder / "index.json").read_text())
    digests = json.loads((folder / "experts.json").read_text())["digests"]
    features = {}
    keys = [view_digest(digest, view) for digest in index.values()]
    for name, digest in digests.items():
        rows = FeatureStore(folder / "store", digest).get(keys)
        features[name] = rows
    if (folder / experts.SENTIMENT_FILE).exists():
        expert = keras.saving.load_model(folder / experts.SENTIMENT_FILE)
        outputs = expert.predict(dict(features), batch_size=512, verbose=0)
        features["sentiment"] = outputs["sentiment"]
    return {name: dict(zip(index, rows)) for name, rows in features.items()}
