import numpy as np
import pytest
import tensorflow as tf

from visualpoet.generator.teacher_forcing import sampled_loss
from visualpoet.generator.teacher_forcing import teacher_forced_loss
from visualpoet.generator.teacher_forcing import token_losses

LN2, LN4, LN5 = np.log([2, 4, 5])

# Rows of probabilities; the target of each, and what it costs:
#   row 0   4: -ln 0.4 = 0.916291    2: ln 4 = 1.386294
#   row 1   1: -ln 0.2 = 1.609438    0: padding
LOGITS = tf.math.log(
    [
        [[0.1, 0.2, 0.2, 0.1, 0.4], [0.25, 0.25, 0.25, 0.15, 0.1]],
        [[0.1, 0.2, 0.2, 0.1, 0.4], [0.6, 0.1, 0.1, 0.1, 0.1]],
    ]
)
TOKEN_IDS = tf.constant([[1, 4, 2], [1, 1, 0]])


@pytest.mark.parametrize("compiled", [False, True])
def test_loss_is_the_mean_over_real_tokens(compiled):
    loss = teacher_forced_loss
    loss = tf.function(loss) if compiled else loss
    assert float(loss(LOGITS, TOKEN_IDS)) == pytest.approx(1.304008, abs=1e-5)
    assert float(loss(LOGITS[:1], TOKEN_IDS[:1])) == pytest.approx(
        1.151293, abs=1e-5
    )


def test_token_losses_can_be_added():
    total, count = token_losses(LOGITS, TOKEN_IDS)
    assert float(total) == pytest.approx(3.912023, abs=1e-5)
    assert float(count) == 3.0


def test_padding_changes_nothing():
    padded = tf.concat(
        [LOGITS, tf.random.stateless_normal([2, 3, 5], [1, 2]) * 9], 1
    )
    token_ids = tf.pad(TOKEN_IDS, [[0, 0], [0, 3]])
    loss = teacher_forced_loss(padded, token_ids)
    assert float(loss) == pytest.approx(1.304008, abs=1e-5)


def test_unknown_words_are_not_counted():
    with_unknown = tf.constant([[1, 4, 2], [1, 1, 3]])
    total, count = token_losses(LOGITS, with_unknown)
    assert float(total) == pytest.approx(3.912023, abs=1e-5)
    assert float(count) == 3.0


def test_nothing_but_padding_costs_nothing():
    loss = teacher_forced_loss(LOGITS, tf.zeros([2, 3], tf.int32))
    assert float(loss) == 0.0


def test_loss_of_half_precision_logits_is_float32():
    loss = teacher_forced_loss(tf.cast(LOGITS, tf.bfloat16), TOKEN_IDS)
    assert loss.dtype == tf.float32
    assert float(loss) == pytest.approx(1.304, abs=0.01)


@pytest.mark.parametrize("length", [2, 4])
def test_refuses_token_ids_that_are_not_one_longer(length):
    with pytest.raises(ValueError, match=rf"Received: \(2, {length}\)"):
        teacher_forced_loss(LOGITS, tf.ones([2, length], tf.int32))


def network(vocabulary_size):
    """Hidden vectors `[2, 5, 4]`, token embedding, token ids `[2, 6]`."""
    draw = np.random.default_rng(0)
    hidden = tf.constant(draw.standard_normal([2, 5, 4]), tf.float32)
    table = draw.standard_normal([vocabulary_size, 4]) / 4
    token_ids = draw.integers(1, vocabulary_size, [2, 6])
    token_ids[1, 4:] = 0
    return (
        hidden,
        tf.constant(table, tf.float32),
        tf.constant(token_ids, tf.int32),
    )


def full_loss(hidden, table, token_ids):
    return float(teacher_forced_loss(hidden @ tf.transpose(table), token_ids))


@pytest.mark.parametrize(
    ("vocabulary_size", "num_sampled"), [(8, 8), (9, 9), (9, 12), (9, 2048)]
)
def test_sampled_loss_of_the_whole_vocabulary_is_the_loss(
    vocabulary_size, num_sampled
):
    # Four tokens of the head, and all of the rest.
    given = network(vocabulary_size)
    loss = sampled_loss(*given, num_sampled, tf.constant([0, 0]))
    assert float(loss) == pytest.approx(full_loss(*given), abs=1e-5)


def test_sampled_loss_raises_what_is_drawn():
    # All logits are 0, and the loss of four tokens is ln 4. The right token 1
    # costs ln(1 + 1) if it is itself the one that is drawn of three, next to
    # token 0, the head; else the token drawn stands for three: ln(1 + 1 + 3).
    draws = np.array(
        [
            sampled_loss(
                tf.zeros([1, 1, 4]),
                tf.zeros([4, 4]),
                tf.constant([[1, 1]]),
                2,
                tf.constant([0, seed]),
            )
            for seed in range(300)
        ]
    )
    is_two = np.isclose(draws, LN2, atol=1e-5)
    is_five = np.isclose(draws, LN5, atol=1e-5)
    assert (is_two | is_five).all()
    assert is_two.mean() == pytest.approx(1 / 3, abs=0.08)
    assert np.exp(draws).mean() == pytest.approx(4, abs=0.25)


def test_sampled_loss_is_the_loss_on_average():
    # The log of an unbiased estimate is a little low on average.
    given = network(60)
    draws = [
        float(sampled_loss(*given, 20, tf.constant([1, seed])))
        for seed in range(100)
    ]
    assert np.std(draws) > 1e-3
    assert np.mean(draws) == pytest.approx(full_loss(*given), abs=0.03)


def test_sampled_loss_is_decided_by_the_seed():
    given = network(60)
    first, second, other = (
        float(sampled_loss(*given, 10, tf.constant(seed)))
        for seed in ([0, 5], [0, 5], [0, 6])
    )
    assert first == second
    assert abs(first - other) > 1e-4


def test_sampled_loss_ignores_unknown_words():
    hidden, table, token_ids = network(60)
    seed = tf.constant([0, 0])
    unknown = tf.concat([token_ids, [[3], [3]]], 1)
    more = tf.concat([hidden, tf.ones([2, 1, 4])], 1)
    assert float(sampled_loss(more, table, unknown, 10, seed)) == pytest.approx(
        float(sampled_loss(hidden, table, token_ids, 10, seed)), abs=1e-5
    )


def test_sampled_loss_ignores_padding():
    hidden, table, token_ids = network(60)
    seed = tf.constant([0, 0])
    loss = sampled_loss(hidden, table, token_ids, 10, seed)
    padded = sampled_loss(
        tf.concat(
            [hidden, tf.random.stateless_normal([2, 3, 4], [1, 2]) * 9], 1
        ),
        table,
        tf.pad(token_ids, [[0, 0], [0, 3]]),
        10,
        seed,
    )
    assert float(padded) == pytest.approx(float(loss), abs=1e-6)


def test_sampled_loss_has_the_gradient_of_the_loss():
    hidden, table, token_ids = network(8)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([hidden, table])
        sampled = sampled_loss(hidden, table, token_ids, 8, tf.constant([0, 0]))
        full = teacher_forced_loss(hidden @ tf.transpose(table), token_ids)
    for given in (hidden, table):
        np.testing.assert_allclose(
            tf.convert_to_tensor(tape.gradient(sampled, given)),
            tape.gradient(full, given),
            atol=1e-6,
        )
