"""Pairs of photographs and poems from what sentence embeddings have in common.

`score = similarity - share * mean similarity of the poem to all photographs`

What is taken off are poems that are near to everything. Pairs are taken from
the best on, with a cap on how often a poem is used.
"""

import collections
import dataclasses
import pathlib
import sys
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from rich.progress import track

from visualpoet import whole_files
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem
from visualpoet.embedding import retrieval

Embed = Callable[[Sequence[str]], np.ndarray]
PART_SIZE = 4096  # texts
_CHUNK = 512  # photographs
_AT_ONCE = 128  # texts that an encoder gets
_DEPTH = 20  # candidates for each poem that a photograph gets


@dataclasses.dataclass(frozen=True)
class MiningOptions:
    """How pairs are chosen.

    Attributes:
        pairs_each: Most poems of a photograph.
        most_uses: Most photographs of a poem.
        mean_share: Share of a poem's mean similarity that is taken off.
    """

    pairs_each: int = 5
    most_uses: int = 12
    mean_share: float = 0.5


def load_encoder(path: pathlib.Path) -> Embed:
    """Loads an encoder of texts.

    Args:
        path: A `.keras` file, or the folder of a SavedModel; called with texts
            `[N]` it returns floats `[N, D]`.

    Returns:
        A function of texts to rows of unit length.

    Raises:
        OSError: If nothing can be loaded.
    """
    is_keras = path.suffix == ".keras"
    load = keras.saving.load_model if is_keras else tf.saved_model.load
    encoder = load(str(path))

    def embed(texts: Sequence[str]) -> np.ndarray:
        rows = [
            np.asarray(encoder(tf.constant(list(texts[i : i + _AT_ONCE]))))
            for i in range(0, len(texts), _AT_ONCE)
        ]
        return retrieval.unit_length(np.concatenate(rows))

    return embed


def embed_photographs(photos: Sequence[Photograph], embed: Embed) -> np.ndarray:
    """Embeds what is said of photographs.

    Args:
        photos: Each with captions, or else a label.
        embed: A function of texts to rows of unit length.

    Returns:
        float `[N, D]`, of unit length; the direction of the mean over the
        captions of a photograph.
    """
    texts = [photo.captions or (photo.label,) for photo in photos]
    flat = sorted({text for group in texts for text in group})
    rows = embed(flat)
    index = {text: row for row, text in enumerate(flat)}
    means = [
        rows[[index[text] for text in group]].mean(axis=0) for group in texts
    ]
    return retrieval.unit_length(np.stack(means))


def embed_in_parts(
    texts: Sequence[str], embed: Embed, folder: pathlib.Path
) -> np.ndarray:
    """Embeds many texts; parts that an earlier run has done are read.

    Args:
        texts: N texts, the same in each run.
        embed: A function of texts to rows.
        folder: Of the parts.

    Returns:
        float `[N, D]`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in track(
        range(0, len(texts), PART_SIZE),
        "embedding",
        disable=not sys.stdout.isatty(),
    ):
        path = folder / f"{start}.npy"
        if not path.exists():
            with whole_files.write_whole(path) as partial:
                with partial.open("wb") as stream:
                    np.save(stream, embed(texts[start : start + PART_SIZE]))
        parts.append(np.load(path))
    return np.concatenate(parts)


def mine_pairs(
    photos: Sequence[Photograph],
    photo_rows: np.ndarray,
    poems: Sequence[Poem],
    poem_rows: np.ndarray,
    options: MiningOptions,
) -> list[ImagePoemPair]:
    """Pairs photographs with poems; no poem is on two sides of a split.

    Photographs for training draw on poems for training. Those of another
    split draw on poems of theirs and on poems for training that no photograph
    of an earlier split has; excerpts with one id are one poem.

    Args:
        photos: N photographs.
        photo_rows: float `[N, D]`, what `embed_photographs` returned.
        poems: M excerpts.
        poem_rows: float `[M, D]`, of unit length.
        options: How pairs are chosen.

    Returns:
        The pairs, by photograph, the most similar poem first.
    """
    means = poem_rows @ photo_rows.mean(axis=0)
    taken: set[str] = set()
    pairs: list[ImagePoemPair] = []
    for split in ("train", "validation", "test"):
        rows = [i for i, photo in enumerate(photos) if photo.split == split]
        columns = [
            j
            for j, poem in enumerate(poems)
            if poem.split in ("train", split) and _name(poem) not in taken
        ]
        if not rows or not columns:
            continue
        similarity = _candidates(
            photo_rows[rows], poem_rows[columns], means[columns], options
        )
        found = [
            ImagePoemPair(
                photos[rows[i]].image,
                dataclasses.replace(poems[columns[j]], split=split),
                value,
            )
            for i, j, value in _assign(similarity, options)
        ]
        taken |= {_name(pair.poem) for pair in found}
        pairs += found
    return pairs


def _name(poem: Poem) -> str:
    return poem.id or poem.text


Candidate = tuple[float, float, int, int]


def _candidates(
    photo_rows: np.ndarray,
    poem_rows: np.ndarray,
    means: np.ndarray,
    options: MiningOptions,
) -> list[Candidate]:
    """Score, similarity, photograph and poem of the best, best first."""
    depth = min(_DEPTH * options.pairs_each, len(poem_rows))
    found: list[Candidate] = []
    for start in range(0, len(photo_rows), _CHUNK):
        similarity = photo_rows[start : start + _CHUNK] @ poem_rows.T
        scores = similarity - options.mean_share * means
        best = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
        for row, columns in enumerate(best):
            found += [
                (scores[row, j], similarity[row, j], start + row, int(j))
                for j in columns
            ]
    return sorted(found, key=lambda c: (-c[0], c[2], c[3]))


def _assign(
    candidates: Sequence[Candidate], options: MiningOptions
) -> list[tuple[int, int, float]]:
    """Photograph, poem and similarity of those that are kept."""
    uses: collections.Counter[int] = collections.Counter()
    kept: dict[int, list[tuple[int, float]]] = collections.defaultdict(list)
    for _, similarity, photo, poem in candidates:
        if uses[poem] < options.most_uses:
            if len(kept[photo]) < options.pairs_each:
                uses[poem] += 1
                kept[photo].append((poem, float(similarity)))
    return [
        (photo, poem, similarity)
        for photo, group in sorted(kept.items())
        for poem, similarity in sorted(group, key=lambda p: -p[1])
    ]


def similarity_by_rank(pairs: Sequence[ImagePoemPair]) -> list[float]:
    """Averages similarities over photographs.

    Args:
        pairs: As `mine_pairs` returned them.

    Returns:
        Mean similarity of the first poems, of the second ones, and so on.
    """
    groups: dict[str, list[float]] = collections.defaultdict(list)
    for pair in pairs:
        groups[pair.image].append(pair.similarity)
    depth = max(map(len, groups.values()), default=0)
    return [
        float(np.mean([g[rank] for g in groups.values() if len(g) > rank]))
        for rank in range(depth)
    ]


def example_rows(
    pairs: Sequence[ImagePoemPair],
    photos: Mapping[str, Photograph],
    count: int,
    rng: np.random.Generator,
) -> list[dict]:
    """Draws photographs with their poems, to look through.

    Args:
        pairs: As `mine_pairs` returned them.
        photos: Photographs by name.
        count: Photographs, at most.
        rng: Draws them.

    Returns:
        `image`, `captions` and `pairs` of each.
    """
    groups: dict[str, list[ImagePoemPair]] = collections.defaultdict(list)
    for pair in pairs:
        groups[pair.image].append(pair)
    names = rng.permutation(sorted(groups))[:count].tolist()
    return [
        {
            "image": name,
            "captions": photos[name].captions or (photos[name].label,),
            "pairs": groups[name],
        }
        for name in names
    ]
