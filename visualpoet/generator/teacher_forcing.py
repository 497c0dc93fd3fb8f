"""Teacher forcing: masked cross-entropy and perplexity."""

import tensorflow as tf

from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import UNKNOWN


def teacher_forced_loss(logits: tf.Tensor, token_ids: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy of each next token given the reference prefix.

    `loss = -sum(mask * log p(token_{t+1} | tokens_{<=t})) / sum(mask)`

    Source: liu18, generator (maximum likelihood before the adversarial
    training).

    Args:
        logits: float `[B, T, V]`. Scores of the token after each position.
        token_ids: int `[B, T + 1]`. START, poem, END, then padding with 0.

    Returns:
        float32 scalar [nats per token].

    Raises:
        ValueError: If `token_ids` is not one longer than `logits`.

    Example:
        >>> token_ids = tf.constant([[1, 4, 2], [1, 2, 0]])
        >>> loss = teacher_forced_loss(tf.zeros([2, 2, 10]), token_ids)
        >>> round(float(tf.exp(loss)), 3)  # perplexity, of ten tokens
        10.0
    """
    total, count = token_losses(logits, token_ids)
    return total / tf.maximum(count, 1.0)


def token_losses(
    logits: tf.Tensor, token_ids: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sums the cross-entropy over real tokens, so that batches can be added.

    Unknown words, which no poem may have, are neither learnt nor counted.

    Args:
        logits: As for `teacher_forced_loss`.
        token_ids: As for `teacher_forced_loss`.

    Returns:
        float32 scalars: the sum [nats] and the number of tokens.

    Raises:
        ValueError: If `token_ids` is not one longer than `logits`.
    """
    time, length = logits.shape[1], token_ids.shape[1]
    if time is not None and length is not None and length != time + 1:
        raise ValueError(
            "expected token_ids of shape [batch, time + 1] for logits "
            f"[batch, time, vocabulary]. Received: {token_ids.shape} and "
            f"{logits.shape}"
        )
    targets = token_ids[:, 1:]
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
        targets, tf.cast(logits, tf.float32)
    )  # [B, T]
    mask = _is_learnt(targets)
    return tf.reduce_sum(losses * mask), tf.reduce_sum(mask)


def count_tokens(token_ids: tf.Tensor) -> tf.Tensor:
    """Counts the tokens that a loss is the mean of.

    Args:
        token_ids: int `[B, T + 1]`. START, poem, END, then padding with 0.

    Returns:
        float32 scalar.
    """
    return tf.reduce_sum(_is_learnt(token_ids[:, 1:]))


def _is_learnt(targets: tf.Tensor) -> tf.Tensor:
    """1 on tokens to learn, 0 on padding and unknown words."""
    return tf.cast((targets != PAD) & (targets != UNKNOWN), tf.float32)


def sampled_loss(
    hidden: tf.Tensor,
    token_embedding: tf.Tensor,
    token_ids: tf.Tensor,
    num_sampled: int,
    seed: tf.Tensor,
) -> tf.Tensor:
    """Teacher-forced loss over a part of the vocabulary, several times faster.

    Half of the part are the most frequent tokens (ids are in order of
    frequency), half are drawn evenly from the rest without replacement; the
    logits of the latter are raised by `-log(share drawn)`, so that the
    partition function is estimated without bias. Padding and unknown words
    do not count.

    Source: Bengio and Senecal (2008), adaptive importance sampling.

    Args:
        hidden: float `[B, T, E]`. What the token embedding is multiplied by.
        token_embedding: float `[V, E]`.
        token_ids: int `[B, T + 1]`. START, poem, END, then padding with 0.
        num_sampled: Tokens to normalise over, besides the right one; all there
            are if there are fewer.
        seed: int `[2]`. Of the draw.

    Returns:
        float32 scalar [nats per token].

    Example:
        >>> hidden, table = tf.ones([1, 2, 6]), tf.ones([10, 6])
        >>> token_ids = tf.constant([[1, 4, 2]])
        >>> loss = sampled_loss(hidden, table, token_ids, 10, seed=[0, 0])
        >>> round(float(tf.exp(loss)), 3)  # all ten, and all alike
        10.0
    """
    vocabulary_size = token_embedding.shape[0]
    num_sampled = min(num_sampled, vocabulary_size)
    head = num_sampled // 2
    num_drawn, rest = num_sampled - head, vocabulary_size - head
    draws = tf.random.stateless_uniform([rest], seed)
    drawn = head + tf.math.top_k(draws, num_drawn, sorted=False).indices
    sampled = tf.concat([tf.range(head), drawn], 0)  # [S]
    correction = -tf.math.log(num_drawn / rest)

    targets = tf.reshape(token_ids[:, 1:], [-1])  # [N]
    hidden = tf.reshape(hidden, [-1, hidden.shape[-1]])  # [N, E]
    table = tf.cast(tf.gather(token_embedding, sampled), hidden.dtype)
    others = tf.matmul(hidden, table, transpose_b=True)  # [N, S]
    others = tf.cast(others, tf.float32)
    others += tf.where(sampled < head, 0.0, correction)
    others = tf.where(sampled == targets[:, None], -1e9, others)
    right = tf.cast(tf.gather(token_embedding, targets), hidden.dtype)
    paired = tf.cast(tf.reduce_sum(hidden * right, 1), tf.float32)
    total = tf.reduce_logsumexp(others, axis=1)
    losses = tf.nn.softplus(total - paired)  # -log p(right)
    mask = _is_learnt(targets)
    return tf.reduce_sum(losses * mask) / tf.maximum(tf.reduce_sum(mask), 1.0)
