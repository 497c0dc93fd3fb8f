"""Classifier-free guidance: the network with and without the photograph.

Both sides are stepped in one product; the place of the side is the second one
of a state or condition `[N, 2, H]`.
"""

import tensorflow as tf

from visualpoet.generator.networks import Networks


def guide(
    conditional: tf.Tensor, unconditional: tf.Tensor, guidance: tf.Tensor
) -> tf.Tensor:
    """Weighs the photograph.

    `unconditional + guidance * (conditional - unconditional)`

    Source: Ho and Salimans (2022), classifier-free guidance. Logits are affine
    in the last hidden vector: guiding that is the same, and cheaper.

    Args:
        conditional: float `[N, V]`. Logits with the photograph, or `[N, E]`,
            what they come from.
        unconditional: The same without it.
        guidance: Its weight.

    Returns:
        float of their shape.
    """
    return unconditional + guidance * (conditional - unconditional)


def start_both(
    networks: Networks,
    image_embedding: tf.Tensor,
    clue_ids: tf.Tensor,
    form: tf.Tensor,
) -> tuple[tf.Tensor, ...]:
    """Begins with and without the photograph.

    Args:
        networks: The models.
        image_embedding: float `[B, K]`.
        clue_ids: int `[B, C]`.
        form: int `[B]`; which of the generator's forms, 0 for none.

    Returns:
        State `[B, 2, H]` and condition `[B, 2, E]`.
    """
    sides = networks.start(
        tf.concat([image_embedding, tf.zeros_like(image_embedding)], axis=0),
        tf.concat([clue_ids, tf.zeros_like(clue_ids)], axis=0),
        tf.tile(form, [2]),
    )
    return tuple(tf.stack(tf.split(side, 2), axis=1) for side in sides)


def step_both(
    networks: Networks,
    token_id: tf.Tensor,
    state: tf.Tensor,
    condition: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Takes one step of both sides.

    Args:
        networks: The models.
        token_id: int32 `[N]`. The token that is read.
        state: `[N, 2, H]`.
        condition: `[N, 2, E]`.

    Returns:
        Hidden vectors `[2N, E]`, those without photograph last; the state
        after the token.
    """
    sides = (tf.concat(tf.unstack(x, axis=1), 0) for x in (state, condition))
    hidden, state = networks.step(tf.tile(token_id, [2]), *sides)
    return hidden, tf.stack(tf.split(state, 2), axis=1)


def read_both(
    networks: Networks,
    state: tf.Tensor,
    condition: tf.Tensor,
    tokens: tf.Tensor,
    length: tf.Tensor,
) -> tf.Tensor:
    """Reads openings, all but the last token of each.

    Args:
        networks: The models.
        state: `[B, 2, H]`.
        condition: `[B, 2, E]`.
        tokens: int32 `[B, L + 1]`. START and the opening, padded with 0.
        length: int32 `[B]`. Tokens of the opening.

    Returns:
        The state before the last token.
    """

    def read(time: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        _, after = step_both(networks, tokens[:, time], state, condition)
        after = tf.where((time < length)[:, None, None], after, state)
        return time + 1, tf.ensure_shape(after, state.shape)

    _, state = tf.while_loop(
        lambda time, _: time < tf.shape(tokens)[1] - 1, read, (0, state)
    )
    return state


def both_logits(
    networks: Networks, hidden: tf.Tensor, guidance: tf.Tensor
) -> list[tf.Tensor]:
    """Returns what to draw from and what to judge by.

    Args:
        networks: The models.
        hidden: `[2N, E]`, as `step_both` returns.
        guidance: float `[N]`. Weight of the photograph.

    Returns:
        Logits `[N, V]`, guided and without the photograph.
    """
    conditional, unconditional = tf.split(hidden, 2)
    guided = guide(conditional, unconditional, guidance[:, None])
    both = networks.to_logits(tf.concat([guided, unconditional], axis=0))
    return tf.split(both, 2)
