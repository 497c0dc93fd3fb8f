"""Samples whole poems with a plain loop: no photographs to rank, no form."""

import numpy as np
import tensorflow as tf

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import START
from visualpoet.generator import samplers
from visualpoet.generator.generator_inputs import take_rows
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.samplers import NEVER


def mask_logits(logits: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
    """Leaves what may follow: never START, and only padding after the end.

    Args:
        logits: float `[..., V]`. Scores of the next token.
        last: int `[...]`. The token before it.

    Returns:
        float `[..., V]`. The log probability of padding after the end is 0,
        so that what follows the end adds nothing to any loss.
    """
    size = logits.shape[-1]
    ids = tf.range(size)
    never = tf.where((ids == PAD) | (ids == START), NEVER, 0.0)
    only_padding = tf.where(ids == PAD, 0.0, NEVER)
    ended = (last == END) | (last == PAD)
    return tf.where(
        ended[..., None], only_padding, tf.cast(logits, tf.float32) + never
    )


def draw(logits: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Draws from the whole distribution by inverting its cumulative sum.

    Args:
        logits: float `[B, V]`.
        uniform: float `[B]` in [0, 1). One number a row decides.

    Returns:
        int32 `[B]`.
    """
    cumulative = tf.cumsum(tf.nn.softmax(logits), axis=-1)
    aim = uniform[:, None] * cumulative[:, -1:]
    place = tf.reduce_sum(tf.cast(cumulative <= aim, tf.int32), axis=-1)
    return tf.minimum(place, logits.shape[-1] - 1)


def sample_poems(
    generator: PoemGenerator,
    photograph: dict[str, tf.Tensor],
    max_tokens: int,
    uniform: tf.Tensor | None = None,
    prefix: tf.Tensor | None = None,
    temperature: float = 1.0,
    forbidden: tf.Tensor | None = None,
) -> tf.Tensor:
    """Samples one poem a photograph from the full softmax.

    Source: liu18, training sampler (multinomial) and decoding (greedy).

    Args:
        generator: `PoemGenerator`.
        photograph: Inputs of its `start_view`, each `[B, ...]`.
        max_tokens: Longest poem, START and END included.
        uniform: float `[B, max_tokens]` in [0, 1), or None for the likeliest
            token each time.
        prefix: int `[B, T]`, START first, to be continued; padding of 0 is
            written over. None for START alone.
        temperature: Divides the logits.
        forbidden: float `[V]`, added to the logits; None for nothing.

    Returns:
        int32 `[B, max_tokens]`: START, poem, END, padding. A poem that does
        not end in time has no END.
    """
    view = generator.start_view(photograph)
    batch_size = tf.shape(view["state"])[0]
    tokens = tf.one_hot(
        tf.zeros([batch_size], tf.int32), max_tokens, START, PAD, dtype=tf.int32
    )
    if prefix is not None:
        missing = max_tokens - tf.shape(prefix)[1]
        tokens = tf.pad(prefix, [[0, 0], [0, missing]])

    def write(
        time: tf.Tensor, tokens: tf.Tensor, state: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        last = tf.gather(tokens, time - 1, axis=1)
        step = generator.step_view(
            {
                "token_id": last,
                "state": state,
                "condition": view["condition"],
            }
        )
        logits = tf.cast(step["logits"], tf.float32) / temperature
        logits = mask_logits(
            logits if forbidden is None else logits + forbidden, last
        )
        given = tf.gather(tokens, time, axis=1)
        if uniform is None:
            chosen = samplers.greedy(logits)
        else:
            chosen = draw(logits, tf.gather(uniform, time, axis=1))
        chosen = tf.where(given != PAD, given, chosen)
        here = tf.range(max_tokens) == time
        tokens = tf.where(here, chosen[:, None], tokens)
        return time + 1, tokens, step["state"]

    def goes_on(
        time: tf.Tensor, tokens: tf.Tensor, state: tf.Tensor
    ) -> tf.Tensor:
        last = tf.gather(tokens, time - 1, axis=1)
        ended = tf.reduce_all((last == END) | (last == PAD))
        return (time < max_tokens) & ~ended

    tokens = tf.ensure_shape(tokens, [None, max_tokens])
    return tf.while_loop(goes_on, write, (1, tokens, view["state"]))[1]


def sample_rows(
    generator: PoemGenerator,
    generator_inputs: dict[str, np.ndarray],
    rows: np.ndarray,
    max_tokens: int,
    rng: np.random.Generator,
    batch_size: int = 250,
) -> np.ndarray:
    """Samples a poem for each of some photographs, batch by batch.

    Args:
        generator: `PoemGenerator`.
        generator_inputs: As of `prepare_generator_inputs`.
        rows: int `[S]`; rows of the photographs, which may come again.
        max_tokens: As for `sample_poems`.
        rng: Where the draws come from.
        batch_size: About how many are written at once.

    Returns:
        int32 `[S, max_tokens]`.
    """

    @tf.function(reduce_retracing=True)
    def write(photograph: dict, uniform: tf.Tensor) -> tf.Tensor:
        return sample_poems(generator, photograph, max_tokens, uniform)

    written = []
    for part in np.array_split(rows, max(1, len(rows) // batch_size)):
        uniform = rng.random((len(part), max_tokens), np.float32)
        photograph = take_rows(generator_inputs, part)
        written.append(write(photograph, uniform).numpy())
    return np.concatenate(written)
