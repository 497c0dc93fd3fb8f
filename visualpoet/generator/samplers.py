"""From logits to token ids: greedy, temperature, top-k, nucleus, beam.

Every function works on whole batches and draws nothing itself: uniform numbers
come in as a tensor, so that a row's choice depends on that row alone.
"""

from collections.abc import Callable

import tensorflow as tf

NEVER = -1e9


def greedy(logits: tf.Tensor) -> tf.Tensor:
    """Chooses the likeliest token.

    Args:
        logits: float `[N, V]`.

    Returns:
        int32 `[N]`.
    """
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


def sample(
    logits: tf.Tensor,
    uniform: tf.Tensor,
    temperature: tf.Tensor | float = 1.0,
    top_k: int = 0,
    top_p: tf.Tensor | float = 1.0,
) -> tf.Tensor:
    """Draws a token by inverting the cumulative distribution.

    Source: top-k of Fan et al. (2018), nucleus of Holtzman et al. (2020).

    Args:
        logits: float `[N, V]`.
        uniform: float `[N]` in [0, 1). One number a row decides.
        temperature: Divides the logits; towards 0 this is `greedy`; of all
            rows, or float `[N]`, as `top_p`.
        top_k: Draw from the likeliest `top_k` tokens; 0 for all.
        top_p: Draw from the smallest set of likeliest tokens that holds this
            share of the probability.

    Returns:
        int32 `[N]`.
    """
    size = logits.shape[-1]
    values, ids = tf.math.top_k(logits, min(top_k or size, size))
    temperature = tf.reshape(tf.maximum(temperature, 1e-6), [-1, 1])
    probabilities = tf.nn.softmax(values / temperature)
    before = tf.cumsum(probabilities, axis=-1, exclusive=True)
    share = tf.reshape(tf.maximum(top_p, 1e-6), [-1, 1])
    kept = before < share  # the best always stays
    probabilities *= tf.cast(kept, tf.float32)
    cumulative = tf.cumsum(probabilities, axis=-1)
    aim = uniform[:, None] * cumulative[:, -1:]
    place = tf.reduce_sum(tf.cast(cumulative <= aim, tf.int32), axis=-1)
    place = tf.minimum(place, tf.shape(ids)[-1] - 1)
    return tf.gather(ids, place, batch_dims=1)


def beam_search(
    next_logits: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    state: tf.Tensor,
    start: int,
    end: int,
    beam_width: int,
    max_tokens: int,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds likely sequences with a beam.

    Args:
        next_logits: Maps token ids int `[N]` and state `[N, H]` to logits
            `[N, V]` and the next state.
        state: float `[1, H]`. State before the first token.
        start: First token, not part of the result.
        end: Token that finishes a sequence.
        beam_width: Sequences kept.
        max_tokens: Longest sequence.

    Returns:
        Token ids int32 `[beam_width, max_tokens]`, filled up with `end`, and
        log probabilities float `[beam_width]`, best first.
    """
    state = tf.repeat(state, beam_width, axis=0)
    tokens = tf.fill([beam_width, 0], end)
    last = tf.fill([beam_width], start)
    scores = tf.one_hot(0, beam_width, on_value=0.0, off_value=NEVER)
    for _ in range(max_tokens):
        logits, state = next_logits(last, state)
        size = logits.shape[-1]
        only_end = tf.one_hot(end, size, on_value=0.0, off_value=NEVER)
        log_probs = tf.where(
            (last == end)[:, None], only_end, tf.nn.log_softmax(logits)
        )
        total = tf.reshape(scores[:, None] + log_probs, [-1])
        scores, places = tf.math.top_k(total, beam_width)
        parents, last = places // size, places % size
        tokens = tf.concat([tf.gather(tokens, parents), last[:, None]], axis=1)
        state = tf.gather(state, parents)
    return tokens, scores
