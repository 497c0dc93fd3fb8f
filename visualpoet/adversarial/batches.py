"""What a step learns from: photographs and human texts, batch by batch."""

import pathlib

import numpy as np
import tensorflow as tf

from visualpoet.corpus import readers
from visualpoet.corpus.prepared import load_corpus
from visualpoet.discriminators import material
from visualpoet.embedding.encoders import load_towers
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.features.store import load_features
from visualpoet.generator.generator_inputs import prepare_generator_inputs
from visualpoet.generator.generator_inputs import take_rows
from visualpoet.generator.poem_generator import PoemGenerator


class Batches:
    """Draws pairs of photograph and poem, and texts of the other classes.

    Attributes:
        vocabulary: Of the corpus.
        photograph_spec: Inputs of the generator's `start_view`, without batch.
        names: Photographs of the last batch.
        shown: Photographs held out, to write for each time.
        shown_photographs: Inputs of the generator for them.

    Args:
        corpus_dir: Output of `recipes/prepare_corpus.py`.
        features_dir: Output of `recipes/extract_features.py`.
        embedding_dir: Output of `recipes/train_embedding.py`.
        paragraphs: Prose.
        generator: Who writes.
        batch_size: Photographs a batch.
        num_shown: Photographs held out.
        seed: Of the draws.
        caption_share: Of pairs, captions in place of poems for the
            discriminators.
        **limits: As for `gather_material`.
    """

    def __init__(
        self,
        corpus_dir: pathlib.Path,
        features_dir: pathlib.Path,
        embedding_dir: pathlib.Path,
        paragraphs: pathlib.Path,
        generator: PoemGenerator,
        *,
        batch_size: int,
        num_shown: int,
        seed: int,
        caption_share: float,
        **limits: float,
    ):
        corpus = load_corpus(corpus_dir)
        image_tower, _ = load_towers(embedding_dir)
        features = load_features(features_dir)
        rows, image_embeddings = embed_photographs(
            features, list(corpus.photographs), "joint", image_tower
        )
        self.vocabulary = corpus.vocabulary
        self._batch_size, self._seed = batch_size, seed
        self._caption_share = caption_share
        self._generator_inputs = prepare_generator_inputs(
            generator, image_embeddings, embedding_dir
        )
        self._all_names = list(rows)
        prose, _ = readers.read_poems(paragraphs)
        self._texts = material.gather_material(
            corpus,
            "train",
            rows,
            [text.text for text in prose if text.split == "train"],
            **limits,
        )
        held_out = [n for n in corpus.images("validation") if n in rows]
        self.shown = held_out[:num_shown]
        self.shown_photographs = take_rows(
            self._generator_inputs, [rows[name] for name in self.shown]
        )
        self.names: list[str] = []
        self.photograph_spec = {
            name: tf.TensorSpec(values.shape[1:], values.dtype)
            for name, values in self._generator_inputs.items()
        }

    def draw(self, step: int) -> dict[str, dict[str, np.ndarray]]:
        """Draws the batch of a step; the same for the same step.

        Args:
            step: Its number.

        Returns:
            `photograph`: inputs of the generator; `pairs` and `style`: human
            texts of the classes, each int `[B, T]`; `teacher`: photograph and
            `token_ids` of its poem.
        """
        rng = np.random.default_rng((self._seed, step))
        texts, size = self._texts, self._batch_size
        chosen = rng.integers(len(texts.pair_images), size=size)
        rows = texts.pair_images[chosen]
        self.names = [self._all_names[row] for row in rows]
        pairs = texts.pair_batch(chosen, rng)
        photograph = take_rows(self._generator_inputs, rows)
        return {
            "photograph": photograph,
            "pairs": texts.take_captions(
                chosen, pairs, self._caption_share, rng
            ),
            "style": texts.style_batch(size, rng),
            "teacher": {**photograph, "token_ids": pairs["paired"]},
        }


def make_discriminator_batch(
    discriminator: str,
    batch: dict[str, dict[str, np.ndarray]],
    poems: np.ndarray,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Makes the batch of a discriminator.

    Args:
        discriminator: `multimodal`, `poem_style` or `real_or_generated`.
        batch: As of `Batches.draw`.
        poems: int `[B, T]`, samples for its photographs.

    Returns:
        Its inputs and labels.
    """
    if discriminator == "multimodal":
        image_embeddings = batch["photograph"]["image_embedding"]
        return material.multimodal_batch(
            image_embeddings, batch["pairs"], poems
        )
    num_classes = 4 if discriminator == "poem_style" else 2
    return material.style_batch(batch["style"], poems, num_classes)
