"""Regions-Hierarchical: a line RNN over image regions, a word RNN per line."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from visualpoet.controls import MAX_LINES
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.generator.samplers import NEVER

MAX_WORDS = 10


@keras.saving.register_keras_serializable("visualpoet")
class HierarchicalGenerator(keras.Model):
    """Writes a poem line by line, each line word by word.

    Regions are projected and max-pooled; a GRU over lines sees the result at
    every line and gives a topic and whether the poem stops here; a GRU over
    words starts from the topic.

    Source: Krause et al. (2017), hierarchical recurrent networks; liu18,
    Regions-Hierarchical: at most 10 lines of 10 words. Differs: GRU for LSTM.

    Args:
        vocabulary_size: Tokens.
        embedding_dim: Width of the token embedding.
        hidden_dim: Width of both GRUs and of the topic.
        region_dim: Width of a region's features.
        dropout: Share of units left out in training.
        max_lines: Most lines L of a poem.

    Call arguments: dict of `regions` float `[B, R, region_dim]` and `lines`
    int `[B, L, MAX_WORDS + 1]` (START, words of the line; 0 on padding);
    returns dict of `logits` `[B, L, MAX_WORDS + 1, V]` of the next token and
    `stop` `[B, L]`, the logit that a line is the last.

    Example:
        >>> generator = HierarchicalGenerator(
        ...     vocabulary_size=20, embedding_dim=6, hidden_dim=7, region_dim=5
        ... )
        >>> lines = np.ones([2, MAX_LINES, MAX_WORDS + 1], int)
        >>> outputs = generator({"regions": np.ones([2, 4, 5]), "lines": lines})
        >>> outputs["logits"].shape, outputs["stop"].shape
        (TensorShape([2, 10, 11, 20]), TensorShape([2, 10]))
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        hidden_dim: int,
        region_dim: int,
        dropout: float = 0.1,
        max_lines: int = MAX_LINES,
        **kwargs: Any,
    ) -> None:
        # === Layers ===
        project = keras.layers.Dense(
            hidden_dim, activation="relu", name="project_regions"
        )
        line_rnn = keras.layers.GRU(
            hidden_dim, return_sequences=True, name="line_rnn"
        )
        to_topic = keras.layers.Dense(
            hidden_dim, activation="tanh", name="topic"
        )
        stop = keras.layers.Dense(1, name="stop")
        embed = keras.layers.ReversibleEmbedding(
            vocabulary_size,
            embedding_dim,
            reverse_dtype=None,
            embeddings_initializer=keras.initializers.RandomNormal(
                stddev=embedding_dim**-0.5
            ),
            name="token_embedding",
        )
        word_rnn = keras.layers.GRU(
            hidden_dim, return_sequences=True, name="word_rnn"
        )
        to_word = keras.layers.Dense(embedding_dim, name="project")
        drop = keras.layers.Dropout(dropout, name="drop")

        # === Functional model ===
        regions = keras.Input([None, region_dim], name="regions")
        length = MAX_WORDS + 1
        lines = keras.Input([max_lines, length], dtype="int32", name="lines")
        pooled = ops.max(project(regions), axis=1)  # [B, H]
        x = ops.repeat(pooled[:, None], max_lines, axis=1)  # [B, L, H]
        x = line_rnn(drop(x))
        topic = ops.reshape(to_topic(x), [-1, hidden_dim])  # [B L, H]
        words = drop(embed(ops.reshape(lines, [-1, length])))
        y = word_rnn(words, initial_state=topic)  # [B L, T, H]
        logits = embed(to_word(drop(y)), reverse=True)
        super().__init__(
            inputs={"regions": regions, "lines": lines},
            outputs={
                "logits": ops.reshape(
                    logits, [-1, max_lines, length, vocabulary_size]
                ),
                "stop": stop(x)[..., 0],
            },
            **kwargs,
        )

        # === Config ===
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.hidden_dim = hidden_dim
        self.region_dim = region_dim
        self.dropout = dropout
        self.max_lines = max_lines

    def get_config(self) -> dict:
        return {
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "hidden_dim": self.hidden_dim,
            "region_dim": self.region_dim,
            "dropout": self.dropout,
            "max_lines": self.max_lines,
        }


def hierarchical_loss(
    outputs: dict[str, tf.Tensor], lines: tf.Tensor
) -> tf.Tensor:
    """Cross-entropy of words, and of where the poem stops.

    Source: Krause et al. (2017). Differs: both with weight 1, words averaged
    over tokens, stops over lines.

    Args:
        outputs: Of the model for `lines[..., :-1]`.
        lines: int `[B, L, T + 1]`: START, words, END of each line; lines of
            padding after the last.

    Returns:
        float scalar [nats].

    Example:
        >>> logits, stop = tf.zeros([1, 1, 3, 20]), tf.zeros([1, 1])
        >>> lines = tf.constant([[[1, 8, 6, 2]]])
        >>> loss = hierarchical_loss({"logits": logits, "stop": stop}, lines)
        >>> round(float(loss - tf.math.log(20.0)), 3)  # log 2, of the stop
        0.693
    """
    targets = lines[..., 1:]
    words = tf.cast(targets != PAD, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
        targets, tf.cast(outputs["logits"], tf.float32)
    )
    is_line = tf.cast(lines[..., 0] != PAD, tf.float32)  # [B, L]
    following = tf.pad(is_line[:, 1:], [[0, 0], [0, 1]])
    stops = tf.nn.sigmoid_cross_entropy_with_logits(
        is_line - following, tf.cast(outputs["stop"], tf.float32)
    )
    return tf.reduce_sum(losses * words) / tf.reduce_sum(words) + (
        tf.reduce_sum(stops * is_line) / tf.reduce_sum(is_line)
    )


def to_lines(
    poems: list[list[list[int]]], max_lines: int = MAX_LINES
) -> np.ndarray:
    """Pads the lines of poems.

    Args:
        poems: Lines of token ids of each poem.
        max_lines: L.

    Returns:
        int32 `[B, L, MAX_WORDS + 2]`: START, words, END; longer poems
        and lines are cut.
    """
    padded = np.full([len(poems), max_lines, MAX_WORDS + 2], PAD, np.int32)
    for row, lines in zip(padded, poems):
        for place, line in zip(row, lines):
            framed = [START, *line[:MAX_WORDS], END]
            place[: len(framed)] = framed
    return padded


def write_lines(
    model: HierarchicalGenerator,
    regions: np.ndarray,
    line_break: int,
    temperature: float = 0.0,
    seed: int | tuple[int, ...] = 0,
) -> list[list[int]]:
    """Writes the lines of poems, all lines at once, word after word.

    Args:
        model: The generator.
        regions: float `[B, R, F]`.
        line_break: Id of the line break, put between lines.
        temperature: Divides the logits; 0 for the likeliest words.
        seed: Of the draws.

    Returns:
        Token ids of each poem, without START and END.
    """
    lines = np.full(
        [len(regions), model.max_lines, MAX_WORDS + 1], PAD, np.int32
    )
    lines[..., 0] = START
    unwanted = np.zeros(model.vocabulary_size, np.float32)
    unwanted[[PAD, START, UNKNOWN, line_break]] = NEVER
    rng = np.random.default_rng(seed)
    for place in range(MAX_WORDS):
        outputs = model.predict_on_batch({"regions": regions, "lines": lines})
        logits = outputs["logits"][:, :, place].astype(np.float32) + unwanted
        if temperature:  # the largest of Gumbel-shifted logits is a draw
            logits = logits / temperature + rng.gumbel(size=logits.shape)
        best = logits.argmax(-1)
        ended = np.isin(lines[..., place], (END, PAD)) & (place > 0)
        lines[..., place + 1] = np.where(ended, PAD, best)
    stops = outputs["stop"] > 0
    last = np.where(stops.any(1), stops.argmax(1), model.max_lines - 1)
    return [
        _join(poem[: end + 1, 1:], line_break) for poem, end in zip(lines, last)
    ]


def _join(lines: np.ndarray, line_break: int) -> list[int]:
    joined: list[int] = []
    for line in lines:
        joined += [int(i) for i in line if i not in (PAD, END)]
        joined.append(line_break)
    return joined[:-1]
