"""What a step learns from: photographs and human texts, batch by batch."""

import pathlib
from collections.abc import Sequence
from typing import Any
from typing import Protocol

import numpy as np
import tensorflow as tf

from visualpoet.corpus import readers
from visualpoet.corpus.prepared import load_corpus
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.discriminators import gathering
from visualpoet.discriminators import material
from visualpoet.discriminators.tasks import draw_texts
from visualpoet.embedding.encoders import load_towers
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.embedding.photographs import replace_by_folds
from visualpoet.features.store import load_features
from visualpoet.generator.generator_inputs import prepare_generator_inputs
from visualpoet.generator.generator_inputs import take_rows
from visualpoet.generator.poem_generator import PoemGenerator


class BatchSource(Protocol):
    """Draws what a step learns from.

    Attributes:
        vocabulary: Of the texts.
        photograph_spec: Inputs of the generator's `start_view`, without batch.
        draws: What stands beside a photograph unpaired.
        shown: Photographs held out, to write for each time.
        shown_photographs: Inputs of the generator for them.
    """

    vocabulary: Vocabulary
    photograph_spec: dict[str, tf.TensorSpec]
    draws: material.PairDraws
    shown: list[str]
    shown_photographs: dict[str, np.ndarray]

    def draw(self, step: int) -> dict[str, dict[str, np.ndarray]]:
        """Draws the batch of a step; the same for the same step.

        Args:
            step: Its number.

        Returns:
            `photograph`: inputs of the generator; `texts`: human texts, each
            int `[B, T]`, by what they are; `teacher`: photograph and
            `token_ids` of its poem.
        """


class Batches:
    """Draws pairs of photograph and poem, and texts of the other classes.

    A `BatchSource`.

    Attributes:
        vocabulary: Of the corpus.
        photograph_spec: Inputs of the generator's `start_view`, without batch.
        names: Photographs of the last batch.
        draws: How the discriminators' pairs are drawn.
        shown: Photographs held out, to write for each time.
        shown_photographs: Inputs of the generator for them.

    Args:
        corpus_dir: Output of `recipes/prepare_corpus.py`.
        features_dir: Output of `recipes/extract_features.py`.
        embedding_dir: Output of `recipes/train_embedding.py`.
        paragraphs: Prose.
        generator: Who writes.
        folds: As for `replace_by_folds`.
        batch_size: Photographs a batch.
        num_shown: Photographs held out.
        seed: Of the draws.
        draws: How the discriminators' pairs are drawn.
        form: That the generator writes, and of the human poems; "" if it has
            learnt none.
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
        folds: Sequence[pathlib.Path],
        batch_size: int,
        num_shown: int,
        seed: int,
        draws: material.PairDraws,
        form: str,
        **limits: Any,
    ):
        corpus = load_corpus(corpus_dir)
        image_tower, _ = load_towers(embedding_dir)
        features = load_features(features_dir)
        rows, image_embeddings = embed_photographs(
            features, list(corpus.photographs), "joint", image_tower
        )
        replace_by_folds(image_embeddings, rows, features, corpus, folds)
        self.vocabulary = corpus.vocabulary
        self._batch_size, self._seed = batch_size, seed
        self.draws = draws
        self._generator_inputs = prepare_generator_inputs(
            generator, image_embeddings, embedding_dir, form
        )
        self._all_names = list(rows)
        prose, _ = readers.read_poems(paragraphs)
        self._texts = gathering.gather_material(
            corpus,
            "train",
            rows,
            image_embeddings,
            [text.text for text in prose if text.split == "train"],
            form=form,
            **limits,
        )
        held_out = [n for n in corpus.images("validation") if n in rows]
        self.shown = held_out[:num_shown]
        if not self.shown:
            raise ValueError(
                "expected --num-shown of 1 or more, of the photographs of the "
                f"split validation that have features. Received: {num_shown} "
                f"of {len(held_out)}"
            )
        self.shown_photographs = take_rows(
            self._generator_inputs,
            np.array([rows[name] for name in self.shown]),
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
            `photograph`: inputs of the generator; `texts`: human texts as of
            `draw_texts`; `teacher`: photograph and `token_ids` of its poem.
        """
        rng = np.random.default_rng((self._seed, step))
        texts, size = self._texts, self._batch_size
        chosen = rng.integers(len(texts.pair_images), size=size)
        rows = texts.pair_images[chosen]
        self.names = [self._all_names[row] for row in rows]
        photograph = take_rows(self._generator_inputs, rows)
        poems = texts.take_poems(chosen)
        return {
            "photograph": photograph,
            "texts": draw_texts(texts, chosen, self.draws, rng),
            "teacher": {**photograph, "token_ids": poems},
        }
