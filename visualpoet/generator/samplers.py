"""From logits to token ids: greedy, temperature, top-k, nucleus.

Every function works on whole batches and draws nothing itself: uniform numbers
come in as a tensor, so that a row's choice depends on that row alone.
"""

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
