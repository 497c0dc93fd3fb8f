"""Poetic clues: the words of the vocabulary that a photograph calls for."""

import pathlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.embedding.encoders import PoemTower
from visualpoet.embedding.encoders import word_weights
from visualpoet.presets import PresetModel

NUM_CLUES = 6
HEAD_FILE = "clues/clue_head.keras"
# How captions speak, whatever the photograph shows.
CAPTION_WORDS = frozenset(
    "background covered doing group holding outside person picture posing "
    "sitting standing wearing".split()
)
NO_CLUES = (ENGLISH_STOP_WORDS | CAPTION_WORDS) - {"fire"}


@keras.saving.register_keras_serializable("visualpoet")
class ClueHead(PresetModel):
    """Scores words by how much a photograph calls for them.

    A logistic regression a word on the place in the joint space.

    Args:
        word_ids: Tokens that can be clues.
        image_dim: Width of the joint space.
        dropout: Share of the place left out in training.
        twins: For each of `word_ids` the place of one that is not chosen
            beside it, its own for none; of several such that of one of them.
            None for none of any.

    Call arguments: float `[B, image_dim]`, unit length; returns float
    `[B, W]`, the log odds of each of `word_ids`.

    Raises:
        ValueError: If no word can be a clue.

    Example:
        >>> clue_head = ClueHead(word_ids=[6, 8, 9], image_dim=5)
        >>> clue_head(np.ones([2, 5])).shape
        TensorShape([2, 3])
    """

    def __init__(
        self,
        word_ids: Sequence[int],
        image_dim: int,
        dropout: float = 0.2,
        twins: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        if not len(word_ids):
            raise ValueError("expected words that can be clues. Received: none")
        # === Functional model ===
        image_embedding = keras.Input([image_dim], name="image_embedding")
        x = keras.layers.Rescaling(image_dim**0.5, name="scale")(
            image_embedding
        )
        x = keras.layers.Dropout(dropout, name="drop")(x)
        scores = keras.layers.Dense(len(word_ids), name="words")(x)
        super().__init__(inputs=image_embedding, outputs=scores, **kwargs)

        # === Config ===
        self.word_ids = list(map(int, word_ids))
        self.image_dim = image_dim
        self.dropout = dropout
        self.twins = None if twins is None else list(map(int, twins))

    def get_config(self) -> dict:
        return {
            "word_ids": self.word_ids,
            "image_dim": self.image_dim,
            "dropout": self.dropout,
            "twins": self.twins,
        }

    @property
    def num_clues(self) -> int:
        """How many clues a photograph has."""
        return min(NUM_CLUES, len(self.word_ids))

    def choose(self, image_embeddings: np.ndarray) -> np.ndarray:
        """Finds the clues of photographs.

        Args:
            image_embeddings: float `[M, K]`.

        Returns:
            int32 `[M, NUM_CLUES]`, the best first; fewer if there are not as
            many words.
        """
        scores = self.predict(image_embeddings, batch_size=512, verbose=0)
        return self.choose_by(tf.constant(scores)).numpy()

    def choose_by(self, scores: tf.Tensor) -> tf.Tensor:
        """Finds the clues that score best; of twins one, unless few are.

        Args:
            scores: float `[B, W]`.

        Returns:
            int32 `[B, NUM_CLUES]`, as of `choose`.
        """
        if self.twins is None:
            best = tf.math.top_k(scores, self.num_clues).indices
        else:
            rank = self._rank_twins_late(scores)
            best = tf.math.top_k(-rank, self.num_clues).indices
        return tf.gather(tf.constant(self.word_ids), best)

    def _rank_twins_late(self, scores: tf.Tensor) -> tf.Tensor:
        """Ranks, all but the best of each group of twins behind the others."""
        order = tf.argsort(scores, direction="DESCENDING", stable=True)
        rank = tf.argsort(order)
        count = len(self.word_ids)
        first = tf.math.unsorted_segment_min(
            tf.transpose(rank), self.groups, count
        )
        is_late = rank > tf.gather(tf.transpose(first), self.groups, axis=1)
        return rank + tf.where(is_late, count, 0)

    @property
    def groups(self) -> np.ndarray:
        """Int `[W]`; twins have the same number."""
        count = len(self.word_ids)
        if self.twins is None:
            return np.arange(count)
        links = csr_array(
            (np.ones(count), (np.arange(count), self.twins)), (count, count)
        )
        return connected_components(links, directed=False)[1]


def name_twins(groups: np.ndarray) -> np.ndarray:
    """Names the twins of words that are sorted into groups.

    Args:
        groups: int `[W]`.

    Returns:
        int `[W]`; for each word the place of the first of its group.
    """
    _, first, numbers = np.unique(
        groups, return_index=True, return_inverse=True
    )
    return first[numbers]


def clue_mask(vocabulary: Vocabulary) -> np.ndarray:
    """Returns which tokens can be clues: words of three letters or more.

    Args:
        vocabulary: The vocabulary; at character level every letter counts.

    Returns:
        bool `[V]`.
    """
    shortest = 3 if vocabulary.level == "word" else 1
    return np.array(
        [t.isalpha() and len(t) >= shortest for t in vocabulary.tokens]
    )


def weigh_clues(vocabulary: Vocabulary, poem_tower: PoemTower) -> np.ndarray:
    """Weighs tokens by how readily they become a clue in training.

    Args:
        vocabulary: The vocabulary.
        poem_tower: Weighs words by what they say of a place.

    Returns:
        float `[V]`, 0 for what can be no clue.
    """
    return word_weights(poem_tower) * clue_mask(vocabulary)


def clue_words(
    corpus: PreparedCorpus,
    token_ids: Sequence[Sequence[int]],
    is_open: np.ndarray,
    min_count: int,
    max_frequency: float,
) -> np.ndarray:
    """Finds the words that can be clues: none of `NO_CLUES`.

    Args:
        corpus: The prepared corpus.
        token_ids: Training poems, for the frequency of words.
        is_open: bool `[V]`; words that call for another, which are no clues.
        min_count: Poems' words that are fewer are no clues: the generator
            hardly knows them.
        max_frequency: Words more frequent than this are no clues.

    Returns:
        bool `[V]`.
    """
    counts = np.bincount(
        np.concatenate(token_ids), minlength=len(corpus.vocabulary)
    )
    usable = clue_mask(corpus.vocabulary) & ~is_open
    usable &= [token not in NO_CLUES for token in corpus.vocabulary.tokens]
    usable &= counts >= min_count
    return usable & (counts < max_frequency * counts.sum())


def label_clues(corpus: PreparedCorpus, names: Sequence[str]) -> np.ndarray:
    """Labels photographs with the words that their texts have.

    Args:
        corpus: The prepared corpus.
        names: Photographs.

    Returns:
        float `[M, V]`; 1 for words of the captions, and where there are none
        1 for words of the label and else the share of the paired poems that
        have the word.
    """
    paired = corpus.paired_poems()
    encode = corpus.vocabulary.encode_batch
    labels = np.zeros([len(names), len(corpus.vocabulary)], np.float32)
    for row, name in zip(labels, names):
        photo = corpus.photographs[name]
        if not photo.captions:
            poems = paired.get(name, [])
            for ids in encode(poems):
                row[sorted(set(ids))] += 1 / len(poems)
        for ids in encode([*photo.captions, photo.label]):
            row[ids] = 1.0
    return labels


def log_odds(labels: np.ndarray) -> np.ndarray:
    """Computes how common each word is.

    `log(share / (1 - share))`; a word of all photographs, or of none, counts
    as if half a photograph were otherwise.

    Args:
        labels: float `[M, W]` in [0, 1].

    Returns:
        float `[W]`, finite.
    """
    half = 0.5 / len(labels)
    share = np.clip(labels.mean(axis=0), half, 1 - half)
    return np.log(share / (1 - share))


def load_clue_head(embedding_dir: pathlib.Path) -> ClueHead:
    """Loads what `recipes/train_clues.py` saved.

    Args:
        embedding_dir: The folder of the embedding, with its run in it.

    Returns:
        The clue head.

    Raises:
        FileNotFoundError: If there is none.
    """
    path = pathlib.Path(embedding_dir) / HEAD_FILE
    if not path.exists():
        raise FileNotFoundError(
            f"expected {HEAD_FILE} in the folder of the embedding. Received: "
            f"{embedding_dir}; run recipes/train_clues.py first"
        )
    return keras.saving.load_model(path)
