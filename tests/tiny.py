"""A poet of random weights, exported once a run, and pictures for it."""

import dataclasses
import functools
import io
import os
import pathlib
import shutil

import keras
import numpy as np
from PIL import Image

import visualpoet
from recipes import render_pictures
from recipes import smoke_data
from tests import shared
from visualpoet.corpus import datasets
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.discriminators.multimodal import MultimodalDiscriminator
from visualpoet.discriminators.poem_style import PoemStyleDiscriminator
from visualpoet.embedding.clues import ClueHead
from visualpoet.embedding.clues import clue_mask
from visualpoet.embedding.encoders import ImageTower
from visualpoet.embedding.encoders import PoemTower
from visualpoet.export import signatures
from visualpoet.export.poet_module import PoetModule
from visualpoet.export.savedmodel import export_poet
from visualpoet.export.stored_weights import EncoderFeatures
from visualpoet.export.warmup import WARMUP_FILE
from visualpoet.features.visual_encoder import VisualEncoder
from visualpoet.generator.composer import DecodingOptions
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.reader_head import ReaderHead
from visualpoet.generator.token_kinds import TokenKinds
from visualpoet.generator.token_kinds import sort_tokens

FEATURE_DIMS = {"object": 5, "scene": 6, "sentiment": 7}
LINEAGE = {"commit": "0123abc", "inputs": {"corpus/vocabulary.json": "4" * 64}}
# All of them, so that tests do not depend on how the shipped model is tuned.
OPTIONS = DecodingOptions(
    temperature=0.8,
    top_p=0.95,
    guidance=1.5,
    min_lines=2,
    max_lines=4,
    min_words=3,
    max_words=5,
    penalty=2.0,
    fluency_weight=0.1,
    clue_weight=0.6,
)
HAIKU = dataclasses.replace(
    OPTIONS, temperature=0.7, min_lines=2, max_lines=2, clue_weight=0.3
)
POEMS = [text for texts in smoke_data.POEMS.values() for text in texts]


@dataclasses.dataclass(frozen=True)
class Parts:
    encoder: VisualEncoder
    image_tower: ImageTower
    poem_tower: PoemTower
    generator: PoemGenerator


@functools.cache
def vocabulary() -> Vocabulary:
    return Vocabulary.train(POEMS, 300)


@functools.cache
def parts() -> Parts:
    keras.utils.set_random_seed(5)
    size = len(vocabulary())
    return Parts(
        VisualEncoder(
            FEATURE_DIMS, filters=(4, 4, 4, 4), trunk_dim=8, image_size=64
        ),
        ImageTower(FEATURE_DIMS, embedding_dim=9, hidden_dim=10),
        PoemTower(size, vocabulary().line_break, word_dim=11, embedding_dim=9),
        PoemGenerator(
            size,
            embedding_dim=12,
            hidden_dim=13,
            image_dim=9,
            dropout=0.1,
            forms=["haiku", "verse"],
        ),
    )


@functools.cache
def module() -> PoetModule:
    """The poet as Python calls it, before it is exported."""
    return make_module(EncoderFeatures(parts().encoder))


@functools.cache
def clue_head() -> ClueHead:
    keras.utils.set_random_seed(7)
    return ClueHead(np.flatnonzero(clue_mask(vocabulary())), 9)


@functools.cache
def discriminators() -> dict[str, keras.Model]:
    """Both, reading with the poem tower's word vectors."""
    keras.utils.set_random_seed(6)
    size, marks = len(vocabulary()), vocabulary().mark_ids()
    models = {
        "paired": MultimodalDiscriminator(size, marks, 9, 11, 6),
        "poetic": PoemStyleDiscriminator(size, marks, 11, 5),
    }
    vectors = parts().poem_tower.get_layer("word_vectors").embeddings
    for model in models.values():
        model.get_layer("token_embedding").embeddings.assign(vectors)
    return models


@functools.cache
def reader_head() -> ReaderHead:
    head = ReaderHead(parts().generator.hidden_dim)
    head.set_weights([np.linspace(-1, 1, head.hidden_dim), np.array(0.5)])
    return head


@functools.cache
def kinds() -> TokenKinds:
    return sort_tokens(
        vocabulary(), datasets.frame_poems(vocabulary(), POEMS, 200)
    )


def make_module(
    visual_encoder,
    head=None,
    discriminators=None,
    known_runs=None,
    common_lines=None,
    reader_head=None,
) -> PoetModule:
    models = parts()
    return PoetModule(
        visual_encoder,
        models.image_tower,
        models.poem_tower,
        models.generator,
        vocabulary(),
        head or clue_head(),
        kinds(),
        {"verse": OPTIONS, "haiku": HAIKU},
        discriminators,
        known_runs,
        common_lines,
        reader_head=reader_head,
    )


@functools.cache
def exported() -> pathlib.Path:
    """The version folder `<temporary folder>/tiny/3`."""

    def export(folder):
        export_poet(module(), vocabulary(), folder / "3", LINEAGE)

    return shared.make_once("tiny", export) / "3"


def export_only(patch, *names):
    """Leaves the other signatures out of what is exported from now on."""
    exported()  # whole, since all share it
    make = signatures.make_signatures

    def make_some(poet):
        made = make(poet)
        return {name: made[name] for name in names}

    patch.setattr(signatures, "make_signatures", make_some)


@functools.cache
def cold() -> pathlib.Path:
    """The same without requests to warm up: a server starts sooner."""

    def link(folder):
        shutil.copytree(exported(), folder / "3", copy_function=os.symlink)
        (folder / "3" / WARMUP_FILE).unlink()

    return shared.make_once("cold", link) / "3"


@functools.cache
def poet() -> visualpoet.Poet:
    return visualpoet.load(exported())


@functools.cache
def photograph(kind: str, file_format: str = "JPEG") -> bytes:
    """One of the rendered pictures, 80 x 60 pixels."""
    return encode(render_pictures.render(kind, 0, 60), file_format)


def encode(picture: Image.Image, file_format: str, **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, file_format, **options)
    return stream.getvalue()


def decode(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))
