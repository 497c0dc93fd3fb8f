"""Run directories of the recipes before the poems, on twenty pictures."""

import dataclasses
import json
import pathlib
import zlib

import keras
import numpy as np

from recipes import prepare_corpus
from recipes import render_pictures
from recipes import smoke_data
from tests import shared
from tests import tiny
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.embedding.clues import HEAD_FILE
from visualpoet.embedding.clues import ClueHead
from visualpoet.embedding.clues import clue_mask
from visualpoet.embedding.encoders import PoemTower
from visualpoet.features.store import FeatureStore
from visualpoet.features.store import image_digest

EMBEDDING_DIM = 9
SENTENCE_DIM = 384


@dataclasses.dataclass(frozen=True)
class Paths:
    pictures: pathlib.Path
    data: pathlib.Path
    corpus: pathlib.Path
    features: pathlib.Path
    embedding: pathlib.Path


def made() -> Paths:
    """Made once; what a test writes besides goes elsewhere."""
    return _locate(shared.make_once("tiny_runs", _make))


def _locate(root: pathlib.Path) -> Paths:
    names = [field.name for field in dataclasses.fields(Paths)]
    return Paths(**{name: root / name for name in names})


def _make(root: pathlib.Path) -> None:
    paths = _locate(root)
    render_pictures.main(
        render_pictures.Config(run_dir=paths.pictures, count=4, size=60)
    )
    smoke_data.main(
        smoke_data.Config(pictures=paths.pictures, run_dir=paths.data)
    )
    prepare_corpus.main(
        prepare_corpus.Config(
            poems=(paths.data / "poems.jsonl",),
            pairs=(paths.data / "pairs.csv",),
            captions=(paths.data / "captions.jsonl",),
            vocabulary_size=300,
            run_dir=paths.corpus,
        )
    )
    _write_features(paths)
    write_embedding(paths)


def _write_features(paths: Paths) -> None:
    """Random features, as `extract_features.py` and `train_expert.py` write."""
    draw = np.random.default_rng(0).normal
    names = sorted(path.name for path in paths.pictures.glob("*.jpg"))
    contents = [(paths.pictures / name).read_bytes() for name in names]
    digests = [image_digest(content) for content in contents]
    paths.features.mkdir()
    for kind, width in tiny.FEATURE_DIMS.items():
        store = FeatureStore(paths.features / "store", kind)
        store.add(digests, draw(size=[len(names), width]))
    index = dict(zip(names, digests))
    (paths.features / "index.json").write_text(json.dumps(index))
    kinds = {"digests": {kind: kind for kind in tiny.FEATURE_DIMS}}
    (paths.features / "experts.json").write_text(json.dumps(kinds))


def write_embedding(paths: Paths) -> None:
    vocabulary = Vocabulary.load(paths.corpus / "vocabulary.json")
    image_tower = tiny.parts().image_tower  # has seeds of its own
    keras.utils.set_random_seed(6)
    poem_tower = PoemTower(
        len(vocabulary),
        vocabulary.line_break,
        word_dim=11,
        embedding_dim=EMBEDDING_DIM,
    )
    paths.embedding.mkdir()
    image_tower.save(paths.embedding / "image_tower.keras")
    poem_tower.save(paths.embedding / "poem_tower.keras")
    words = np.flatnonzero(clue_mask(vocabulary))
    (paths.embedding / "clues").mkdir()
    ClueHead(words, EMBEDDING_DIM).save(paths.embedding / HEAD_FILE)


def embed_sentences(texts) -> np.ndarray:
    """Stands in for the sentence embedding: adds up a vector a word."""
    rows = np.zeros([len(texts), SENTENCE_DIM], np.float32)
    for row, text in zip(rows, texts):
        for word in text.lower().split():
            row[zlib.crc32(word.encode()) % SENTENCE_DIM] += 1
    return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6)
