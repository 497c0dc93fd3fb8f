"""The trained models of an export as Keras models, to look into or to train on.

Example:
    from visualpoet import models

    vocabulary = models.Vocabulary.from_preset("out/poet")
    generator = models.PoemGenerator.from_preset("out/poet")
    generator.summary()
"""

from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.discriminators.multimodal import MultimodalDiscriminator
from visualpoet.discriminators.poem_style import PoemStyleDiscriminator
from visualpoet.embedding.clues import ClueHead
from visualpoet.embedding.encoders import ImageTower
from visualpoet.embedding.encoders import PoemTower
from visualpoet.features.visual_encoder import VisualEncoder
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.reader_head import ReaderHead

__all__ = [
    "ClueHead",
    "ImageTower",
    "MultimodalDiscriminator",
    "PoemGenerator",
    "PoemStyleDiscriminator",
    "PoemTower",
    "ReaderHead",
    "VisualEncoder",
    "Vocabulary",
]
