import keras
import numpy as np
import pytest
import tensorflow as tf

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import START
from visualpoet.generator import poem_sampling
from visualpoet.generator.poem_generator import PoemGenerator


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(1)
    model = PoemGenerator(9, 4, 5, 3, "first_state")
    # Far from even, so that choices show.
    for variable in model.trainable_variables:
        variable.assign(variable * 3)
    return model


@pytest.fixture
def photograph():
    return {"image_embedding": tf.random.stateless_normal([4, 3], [1, 2])}


def uniform(rows=4, seed=0):
    return tf.random.stateless_uniform([rows, 12], [seed, 3])


def test_nothing_but_padding_follows_the_end():
    logits = tf.zeros([3, 6])
    masked = poem_sampling.mask_logits(logits, tf.constant([END, PAD, 5]))
    log_probs = tf.nn.log_softmax(masked).numpy()
    assert log_probs[0, PAD] == log_probs[1, PAD] == 0.0
    assert log_probs[0, END] < -1e8
    # Four of six tokens may follow a word: not padding, not START.
    np.testing.assert_allclose(log_probs[2, 2:], np.log(0.25), rtol=1e-6)
    assert log_probs[2, PAD] < -1e8
    assert log_probs[2, START] < -1e8


def test_draws_invert_the_cumulative_distribution():
    logits = tf.math.log([[0.2, 0.5, 0.3]] * 5)
    drawn = poem_sampling.draw(
        logits, tf.constant([0.0, 0.19, 0.21, 0.69, 0.999])
    )
    assert drawn.numpy().tolist() == [0, 0, 1, 1, 2]


def test_poems_begin_end_and_are_padded(generator, photograph):
    poems = poem_sampling.sample_poems(
        generator, photograph, 12, uniform()
    ).numpy()
    assert poems.shape == (4, 12)
    assert (poems[:, 0] == START).all()
    assert (poems[:, 1:] != START).all()
    for poem in poems:
        ends = np.flatnonzero(poem == END)
        if len(ends):
            assert (poem[ends[0] + 1 :] == PAD).all()
            assert (poem[: ends[0]] != PAD).all()


def test_rows_do_not_depend_on_each_other(generator, photograph):
    poems = poem_sampling.sample_poems(generator, photograph, 12, uniform())
    for row in range(4):
        alone = {k: v[row : row + 1] for k, v in photograph.items()}
        poem = poem_sampling.sample_poems(
            generator, alone, 12, uniform()[row : row + 1]
        )
        np.testing.assert_array_equal(poem[0], poems[row])


def test_greedy_takes_the_likeliest_of_the_sequence_view(generator, photograph):
    poems = poem_sampling.sample_poems(generator, photograph, 12)
    logits = generator({"token_ids": poems[:, :-1], **photograph})
    masked = poem_sampling.mask_logits(logits, poems[:, :-1])
    np.testing.assert_array_equal(np.argmax(masked, -1), poems[:, 1:])


def test_a_prefix_is_kept_and_continued(generator, photograph):
    poems = poem_sampling.sample_poems(generator, photograph, 12, uniform())
    kept = tf.where(tf.range(12) < 4, poems, PAD)
    again = poem_sampling.sample_poems(
        generator, photograph, 12, uniform(), kept
    )
    np.testing.assert_array_equal(again, poems)
    other = poem_sampling.sample_poems(
        generator, photograph, 12, uniform(seed=9), kept
    )
    np.testing.assert_array_equal(other[:, :4], poems[:, :4])


def test_forbidden_tokens_are_not_written(generator, photograph):
    forbidden = tf.one_hot(4, 9, -1e9, 0.0)
    free = poem_sampling.sample_poems(generator, photograph, 12, uniform())
    bound = poem_sampling.sample_poems(
        generator, photograph, 12, uniform(), forbidden=forbidden
    )
    assert (free.numpy() == 4).any()
    assert not (bound.numpy() == 4).any()


def test_low_temperature_is_greedy(generator, photograph):
    cold = poem_sampling.sample_poems(
        generator, photograph, 12, uniform(), temperature=1e-4
    )
    np.testing.assert_array_equal(
        cold, poem_sampling.sample_poems(generator, photograph, 12)
    )
