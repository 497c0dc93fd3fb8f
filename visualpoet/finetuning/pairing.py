"""Photographs of a user, paired with poems of a corpus."""

import csv
import itertools
import pathlib
import types
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from visualpoet import pictures
from visualpoet import templating
from visualpoet.corpus import datasets
from visualpoet.corpus import readers
from visualpoet.corpus.caption_files import read_caption_file
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.embedding import retrieval
from visualpoet.embedding.encoders import embed_token_ids
from visualpoet.evaluation import mining
from visualpoet.features import images
from visualpoet.finetuning.base import PoetParts
from visualpoet.finetuning.corpus import VoiceCorpus
from visualpoet.generator.examples import Examples

PAIRS_EACH = 3
_AT_ONCE = 64
_EXAMPLES = 100


def place_photographs(
    poet: PoetParts, paths: Sequence[pathlib.Path]
) -> dict[str, np.ndarray]:
    """Places photographs in the joint space.

    Args:
        poet: The poet.
        paths: Of the photographs; what cannot be read is left out.

    Returns:
        float `[K]` of each, by its path.
    """
    places: dict[str, np.ndarray] = {}
    for start in range(0, len(paths), _AT_ONCE):
        views = {}
        for path in paths[start : start + _AT_ONCE]:
            try:
                content = pictures.read_picture(path)
            except pictures.PictureError:
                continue
            view = images.load_view(content, poet.visual_encoder.image_size, 0)
            views[str(path)] = tf.round(view)
        if views:
            features = poet.visual_encoder(
                tf.stack(list(views.values())), training=False
            )
            rows = poet.image_tower(features, training=False).numpy()
            places |= dict(zip(views, rows))
    return places


def read_captions(
    path: pathlib.Path, names: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Reads what is said of photographs.

    Args:
        path: As for `read_caption_file`.
        names: Paths of the photographs; the file may name them by other
            folders. Of several of one name, each goes with the path that has
            the most last parts in common, if there is one such.

    Returns:
        Captions, or else the label, by path, of those that have any.

    Raises:
        ValueError: If nothing is said of any.
    """
    rows, _ = read_caption_file(path)
    photos = readers.merge_photographs(rows, [])
    named = _group([photo.image for photo in photos])
    said = {photo.image: photo.captions or (photo.label,) for photo in photos}
    found = {}
    for name, paths in _group(names).items():
        others = named.get(name, [])
        for other in others:
            own = _match(other, paths)
            if own and _match(own, others) == other:
                found[own] = said[other]
    if not found:
        raise ValueError(
            "expected captions of the photographs, by the names of their "
            f"files. Received: {path}, which has none of {names[0]} and "
            f"{len(names) - 1} others"
        )
    return found


def _group(paths: Sequence[str]) -> dict[str, list[str]]:
    """Paths by the name of their file."""
    groups: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        groups.setdefault(pathlib.PurePath(path).name, []).append(path)
    return groups


def _match(path: str, others: Sequence[str]) -> str | None:
    """The one with which a path has the most last parts in common."""
    counts = [_count_common(path, other) for other in others]
    best = max(counts, default=0)
    return others[counts.index(best)] if counts.count(best) == 1 else None


def _count_common(one: str, other: str) -> int:
    ends = zip(
        reversed(pathlib.PurePath(one).parts),
        reversed(pathlib.PurePath(other).parts),
    )
    return sum(
        1 for _ in itertools.takewhile(lambda two: two[0] == two[1], ends)
    )


def pair(
    poet: PoetParts,
    corpus: VoiceCorpus,
    places: Mapping[str, np.ndarray],
    captions: Mapping[str, Sequence[str]] = types.MappingProxyType({}),
) -> list[ImagePoemPair]:
    """Pairs photographs with the training poems nearest to them.

    A photograph with captions stands halfway between its own place and that
    of its captions.

    Args:
        poet: Places poems and captions.
        corpus: The poems.
        places: Of the photographs.
        captions: Of those photographs that have any.

    Returns:
        The pairs; near to everything is no nearness.
    """
    photos = [Photograph(name) for name in places]
    poems = [poem for poem in corpus.excerpts if poem.split == "train"]
    token_ids = poet.vocabulary.encode_batch([poem.text for poem in poems])
    rows = embed_token_ids(poet.poem_tower, token_ids).astype(np.float32)
    options = mining.MiningOptions(pairs_each=min(PAIRS_EACH, len(poems)))
    photo_rows = np.stack(
        [
            _move(poet, place, captions.get(name, ()))
            for name, place in places.items()
        ]
    )
    return mining.mine_pairs(photos, photo_rows, poems, rows, options)


def _move(
    poet: PoetParts, place: np.ndarray, captions: Sequence[str]
) -> np.ndarray:
    """Moves a place halfway to that of captions, if there are any."""
    token_ids = poet.vocabulary.encode_batch(captions)
    if not any(token_ids):
        return place
    rows = poet.poem_tower(datasets.pad_token_ids(token_ids)).numpy()
    said = retrieval.unit_length(rows.mean(axis=0, keepdims=True))
    return retrieval.unit_length(place[None] + said)[0]


def write_pairs(path: pathlib.Path, pairs: Sequence[ImagePoemPair]) -> None:
    """Writes pairs to be looked through and edited.

    Args:
        path: CSV with the columns `file`, `similarity`, `poem`, which is read
            back by `--pairs`; beside it a page, `.html`.
        pairs: The pairs.
    """
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "similarity", "poem"])
        for one in pairs:
            similarity = round(one.similarity, 4)
            writer.writerow([one.image, similarity, one.poem.text])
    photos = {one.image: Photograph(one.image) for one in pairs}
    rng = np.random.default_rng(0)
    rows = mining.example_rows(pairs, photos, _EXAMPLES, rng)
    page = templating.render("pairs.html", rows=rows)
    path.with_suffix(".html").write_text(page, encoding="utf-8")


def read_pairs(path: pathlib.Path) -> list[ImagePoemPair]:
    """Reads pairs as they are given.

    Args:
        path: As for `readers.read_pairs`; photographs are named by their
            paths, from here or from the folder of the file.

    Returns:
        The pairs.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a row cannot be read, or a photograph is missing.
    """
    pairs, bad_rows = readers.read_pairs(path)
    if bad_rows or not pairs:
        reason = bad_rows[0] if bad_rows else f"{path}, without any"
        raise ValueError(f"expected pairs. Received: {reason}")
    return [
        ImagePoemPair(_locate(path, one.image), one.poem, one.similarity)
        for one in pairs
    ]


def _locate(path: pathlib.Path, image: str) -> str:
    for place in (pathlib.Path(image), path.parent / image):
        if place.is_file():
            return str(place)
    raise ValueError(
        "expected photographs named by their paths, from here or from the "
        f"folder of {path.name}. Received: {image}, which is in neither"
    )


def learn_pairs(
    poet: PoetParts,
    pairs: Sequence[ImagePoemPair],
    places: Mapping[str, np.ndarray],
    form: str,
    max_tokens: int,
) -> Examples:
    """Makes examples of pairs; a poem with many photographs is one of them.

    Args:
        poet: The poet.
        pairs: The pairs.
        places: Of the photographs.
        form: One that the poet has learnt, or empty.
        max_tokens: As for `datasets.frame`.

    Returns:
        The examples; what is known of a photograph are its clues.
    """
    names = {name: row for row, name in enumerate(places)}
    rows: dict[str, list[int]] = {}
    for one in pairs:
        if one.image in names:
            rows.setdefault(one.poem.text, []).append(names[one.image])
    token_ids = datasets.frame_poems(poet.vocabulary, list(rows), max_tokens)
    embeddings = np.stack(list(places.values()))
    clues = poet.clue_head.choose(embeddings)
    return Examples(
        token_ids=token_ids,
        image_embeddings=embeddings,
        descriptions=clues.tolist(),
        image_rows=list(rows.values()),
        forms=np.full(len(token_ids), poet.number_form(form)),
    )
