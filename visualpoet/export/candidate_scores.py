"""What an export scores the wording of candidates by."""

import functools
from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from visualpoet.discriminators.rewards import first_class_probability
from visualpoet.embedding.encoders import PoemTower
from visualpoet.export.stored_weights import StoredWeight
from visualpoet.export.stored_weights import StoredWeights
from visualpoet.generator.common_lines import CommonLines
from visualpoet.generator.known_phrases import KnownPhrases
from visualpoet.generator.known_runs import KnownRuns
from visualpoet.generator.ranking import measure_repetition
from visualpoet.generator.token_kinds import TokenKinds


class CandidateScores(tf.Module):
    """Discriminators, as they are stored, and what poems are worded like.

    Args:
        discriminators: `paired`, the multi-modal one, and `poetic`, the
            poem-style one; or none.
        poem_tower: The tower.
        shared: Stored weights by Keras variable, the tower's among them.
        known_runs: What poems should not recite; None for no such score.
        common_lines: What too many poems have; None for no such score.
        known_phrases: What people have said; None for no such score.
        kinds: Sorts of tokens, for repetition; None for no such score.
    """

    def __init__(
        self,
        discriminators: dict[str, keras.Model],
        poem_tower: PoemTower,
        shared: dict[int, StoredWeight],
        known_runs: KnownRuns | None = None,
        common_lines: CommonLines | None = None,
        known_phrases: KnownPhrases | None = None,
        kinds: TokenKinds | None = None,
    ):
        super().__init__()
        self._shares: dict[str, Callable[..., tf.Tensor]] = {}
        copied = [known.measure_copied for known in [known_runs] if known]
        if known_phrases:
            self._shares["novelty"] = known_phrases.measure_novelty
            copied.append(known_phrases.measure_recited)
        if copied:
            self._shares["copied"] = functools.partial(_find_most, copied)
        if common_lines:
            self._shares["common"] = common_lines.measure
        if kinds:
            self._shares["repetition"] = functools.partial(
                measure_repetition, kinds
            )
        self.names = (*discriminators, *self._shares)
        self._inputs = [tuple(m.input) for m in discriminators.values()]
        self.models = [
            _store(model, poem_tower, shared)
            for model in discriminators.values()
        ]

    def read(self) -> Callable[..., dict[str, tf.Tensor]]:
        """Reads the weights once.

        Returns:
            Function of token ids int `[N, T]`, padded with 0, image embedding
            float `[N, K]`, and int32 `[N]`, how many of the tokens are of an
            opening: gives the probability of what a poem should be, and,
            behind the opening, the shares of `repetition` and `copied` among
            the words (that of lines, if it is larger), `common` among the
            lines and `novelty` among the trigrams, float `[N]`, by name.
        """
        models = [model.read() for model in self.models]

        def score(
            token_ids: tf.Tensor, image_embedding: tf.Tensor, begin: tf.Tensor
        ) -> dict[str, tf.Tensor]:
            # Padding changes nothing, and costs as much as words.
            length = tf.math.count_nonzero(token_ids, axis=1, dtype=tf.int32)
            longest = tf.maximum(tf.reduce_max(length), 1)
            # One more: no step at all is refused.
            token_ids = tf.pad(token_ids, [[0, 0], [0, 1]])[:, :longest]
            # A row more: the product of a single one may round in another way.
            given = {
                "token_ids": tf.pad(token_ids, [[0, 1], [0, 0]]),
                "image_embedding": tf.pad(image_embedding, [[0, 1], [0, 0]]),
            }
            probabilities = {
                name: first_class_probability(
                    model({key: given[key] for key in inputs})
                )[:-1]
                for name, inputs, model in zip(self.names, self._inputs, models)
            }
            shares = {
                name: measure(token_ids, begin)
                for name, measure in self._shares.items()
            }
            return {**probabilities, **shares}

        return score


def _find_most(
    measures: Sequence[Callable[..., tf.Tensor]],
    token_ids: tf.Tensor,
    begin: tf.Tensor,
) -> tf.Tensor:
    """The largest of some shares of each row."""
    found = [measure(token_ids, begin) for measure in measures]
    return functools.reduce(tf.maximum, found)


def _store(
    model: keras.Model, poem_tower: PoemTower, shared: dict[int, StoredWeight]
) -> StoredWeights:
    """Word vectors that are still the poem tower's are stored once."""
    vectors = poem_tower.get_layer("word_vectors").embeddings
    read = model.get_layer("token_embedding").embeddings
    if read.shape == vectors.shape and np.array_equal(read, vectors):
        shared[id(read)] = shared[id(vectors)]
    return StoredWeights(model, shared)
