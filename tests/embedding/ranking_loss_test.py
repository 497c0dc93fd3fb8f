import numpy as np
import pytest
import tensorflow as tf

from visualpoet.embedding.ranking_loss import ranking_loss

# The images are the axes, so that the poems are the columns of the scores.
IMAGES = tf.eye(3)
#             poem 0  poem 1  poem 2
SCORES = [
    [0.90, 0.80, 0.10],  # image 0
    [0.20, 0.50, 0.60],  # image 1
    [0.75, 0.40, 0.70],  # image 2
]
# margin - paired + unpaired, where positive (margin 0.2):
#   rows     0: 0.10          1: 0.30         2: 0.25
#   columns  0: 0.05          1: 0.50 + 0.10  2: 0.10
POEMS = tf.transpose(tf.constant(SCORES))


@pytest.mark.parametrize("compiled", [False, True])
def test_sums_both_directions(compiled):
    function = tf.function(ranking_loss) if compiled else ranking_loss
    loss = function(IMAGES, POEMS)
    assert float(loss) == pytest.approx((0.65 + 0.75) / 3, abs=1e-6)


@pytest.mark.parametrize("compiled", [False, True])
def test_hardest_keeps_one_negative_each_way(compiled):
    function = tf.function(ranking_loss) if compiled else ranking_loss
    loss = function(IMAGES, POEMS, hardest=True)
    assert float(loss) == pytest.approx((0.65 + 0.65) / 3, abs=1e-6)


@pytest.mark.parametrize(
    "scores",
    [
        # Row 1: 0.2 - 0.5 + 0.6 = 0.3; column 0: 0.2 - 0.9 + 0.6 < 0.
        [[0.9, 0.0], [0.6, 0.5]],
        # Row 1: 0.2 - 0.9 + 0.6 < 0; column 0: 0.2 - 0.5 + 0.6 = 0.3.
        [[0.5, 0.0], [0.6, 0.9]],
    ],
    ids=["by_image", "by_poem"],
)
@pytest.mark.parametrize("hardest", [False, True])
def test_each_direction_counts_alone(scores, hardest):
    poems = tf.transpose(tf.constant(scores))
    loss = ranking_loss(tf.eye(2), poems, hardest=hardest)
    assert float(loss) == pytest.approx(0.3 / 2, abs=1e-6)


def test_margin_is_an_argument():
    # Row 1: 0.5 - 0.5 + 0.6 = 0.6; column 0: 0.5 - 0.9 + 0.6 = 0.2; row 0 and
    # column 1 have 0 for a negative: 0.5 - 0.9 < 0 and 0.5 - 0.5 = 0.
    poems = tf.transpose(tf.constant([[0.9, 0.0], [0.6, 0.5]]))
    loss = ranking_loss(tf.eye(2), poems, margin=0.5)
    assert float(loss) == pytest.approx(0.8 / 2, abs=1e-6)


@pytest.mark.parametrize("hardest", [False, True])
def test_zero_with_zero_gradient_when_the_margins_hold(hardest):
    poems = tf.constant([[0.8, 0.5], [0.6, 0.9]])
    with tf.GradientTape() as tape:
        tape.watch(poems)
        loss = ranking_loss(tf.eye(2), poems, hardest=hardest)
    assert float(loss) == 0.0
    np.testing.assert_array_equal(tape.gradient(loss, poems), np.zeros([2, 2]))


@pytest.mark.parametrize("hardest", [False, True])
def test_a_pair_is_not_its_own_negative(hardest):
    # A batch of one has no negatives: 0, not twice the margin.
    loss = ranking_loss(
        tf.constant([[0.6, 0.8]]), tf.constant([[1.0, 0.0]]), hardest=hardest
    )
    assert float(loss) == 0.0


@pytest.mark.parametrize("hardest", [False, True])
def test_gradient_moves_the_pair_and_its_negative_only(hardest):
    images, poems = tf.eye(2), tf.constant([[0.9, 0.6], [0.0, 0.5]])
    with tf.GradientTape() as tape:
        tape.watch([images, poems])
        loss = ranking_loss(images, poems, hardest=hardest)
    by_images, by_poems = tape.gradient(loss, [images, poems])
    # loss = (0.2 - x1.m1 + x1.m0) / 2, with x1 = (0, 1).
    np.testing.assert_allclose(by_images, [[0.0, 0.0], [0.45, 0.05]], atol=1e-6)
    np.testing.assert_allclose(by_poems, [[0.0, 0.5], [0.0, -0.5]], atol=1e-6)


def test_refuses_different_shapes():
    with pytest.raises(
        ValueError, match=r"Received: image_embeddings\.shape=\(2, 3\)"
    ):
        ranking_loss(tf.zeros([2, 3]), tf.zeros([3, 3]))
