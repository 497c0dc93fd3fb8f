"""The two-way ranking loss of the visual-poetic embedding."""

import tensorflow as tf


def ranking_loss(
    image_embeddings: tf.Tensor,
    poem_embeddings: tf.Tensor,
    margin: float = 0.2,
    hardest: bool = False,
) -> tf.Tensor:
    """Hinge loss between pairs and the other pairs of the batch.

    `sum_k max(0, margin - x.m + x.m_k) + sum_k max(0, margin - m.x + m.x_k)`

    Source: liu18, visual-poetic embedding, the loss of both directions.
    Differs: the sums are over the batch and divided by its size; `hardest`
    keeps only the worst negative of each row and column.

    Args:
        image_embeddings: float `[B, K]`, unit length.
        poem_embeddings: float `[B, K]`, unit length; row i belongs to image i.
        margin: How much better a pair has to be than any other.
        hardest: Whether to count the hardest negative only.

    Returns:
        float scalar.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> places = tf.constant([[1.0, 0.0], [0.0, 1.0]])
        >>> ranking_loss(places, places).numpy()
        np.float32(0.0)
        >>> ranking_loss(places, places[::-1], margin=0.5).numpy()
        np.float32(3.0)
    """
    if image_embeddings.shape != poem_embeddings.shape:
        raise ValueError(
            "expected two tensors of the same shape [batch, dim]. Received: "
            f"image_embeddings.shape={image_embeddings.shape}, "
            f"poem_embeddings.shape={poem_embeddings.shape}"
        )
    scores = tf.matmul(image_embeddings, poem_embeddings, transpose_b=True)
    paired = tf.linalg.diag_part(scores)  # [B]
    by_image = tf.nn.relu(margin - paired[:, None] + scores)  # [B, B]
    by_poem = tf.nn.relu(margin - paired[None, :] + scores)  # [B, B]
    unpaired = 1.0 - tf.eye(tf.shape(scores)[0])  # a pair is no negative
    reduce = tf.reduce_max if hardest else tf.reduce_sum
    losses = reduce(by_image * unpaired, 1) + reduce(by_poem * unpaired, 0)
    return tf.reduce_mean(losses)
