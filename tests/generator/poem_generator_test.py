import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from visualpoet.generator.poem_generator import CONDITIONINGS
from visualpoet.generator.poem_generator import PoemGenerator

V, E, H, K = 11, 4, 8, 3
TOKEN_IDS = tf.constant([[1, 5, 6, 4, 7], [1, 9, 10, 8, 5]])
IMAGES = tf.constant([[0.6, 0.0, -0.8], [0.0, 1.0, 0.0]])
CLUES = tf.constant([[5, 7, 0], [10, 0, 0]])
FORMS = ("haiku", "verse")
FORM = tf.constant([2, 1])


def make_generator(conditioning, **options):
    generator = PoemGenerator(
        V, E, H, K, conditioning, name="generator", **options
    )
    draw = np.random.default_rng(0)
    generator.set_weights(
        [draw.standard_normal(w.shape) * 0.7 for w in generator.weights]
    )
    return generator


# Building takes long; these are never changed.
shared_generator = functools.cache(make_generator)

every_conditioning = pytest.mark.parametrize("conditioning", CONDITIONINGS)
with_and_without_forms = pytest.mark.parametrize("forms", [(), FORMS])


def photograph(generator, images=IMAGES, clues=CLUES, form=FORM):
    given = {"image_embedding": images, "clue_ids": clues, "form": form}
    return {name: given[name] for name in generator.start_view.input}


def logits_of(
    generator, token_ids=TOKEN_IDS, images=IMAGES, clues=CLUES, form=FORM
):
    given = photograph(generator, images, clues, form)
    return generator({"token_ids": token_ids, **given}).numpy()


def spread(array):
    """How far apart the rows of a batch are."""
    return np.abs(array[0] - array[1]).max()


@every_conditioning
@with_and_without_forms
def test_step_view_is_the_sequence_view(conditioning, forms):
    generator = shared_generator(conditioning, forms=forms)
    view = generator.start_view(photograph(generator))
    condition, steps = view["condition"], []
    for time in range(TOKEN_IDS.shape[1]):
        view = generator.step_view(
            {
                "token_id": TOKEN_IDS[:, time],
                "state": view["state"],
                "condition": condition,
            }
        )
        steps.append(view["logits"].numpy())
    logits = logits_of(generator)
    assert logits.shape == (2, 5, V)
    assert np.abs(np.stack(steps, axis=1) - logits).max() < 1e-5


@every_conditioning
@with_and_without_forms
def test_hidden_view_times_token_embedding_is_the_logits(conditioning, forms):
    generator = shared_generator(conditioning, forms=forms)
    hidden = generator.hidden_view(
        {"token_ids": TOKEN_IDS, **photograph(generator)}
    ).numpy()
    table = generator.get_layer("token_embedding").embeddings.numpy()
    assert hidden.shape == (2, 5, E)
    np.testing.assert_allclose(
        hidden @ table.T, logits_of(generator), atol=1e-5
    )


@every_conditioning
def test_batch_of_two_is_two_batches_of_one(conditioning):
    generator = shared_generator(conditioning)
    rows = [
        logits_of(generator, TOKEN_IDS[i : i + 1], IMAGES[i : i + 1], clues)
        for i, clues in enumerate([CLUES[:1], CLUES[1:]])
    ]
    np.testing.assert_allclose(
        np.concatenate(rows), logits_of(generator), atol=1e-5
    )


@every_conditioning
@with_and_without_forms
def test_file_gives_the_generator_back(conditioning, forms, tmp_path):
    generator = shared_generator(conditioning, forms=forms)
    generator.save(tmp_path / "generator.keras")
    loaded = keras.saving.load_model(tmp_path / "generator.keras")
    assert type(loaded) is PoemGenerator
    assert loaded.get_config() == {
        "vocabulary_size": V,
        "embedding_dim": E,
        "hidden_dim": H,
        "image_dim": K,
        "conditioning": conditioning,
        "dropout": 0.0,
        "forms": list(forms),
    }
    np.testing.assert_array_equal(logits_of(loaded), logits_of(generator))
    views = [
        model.step_view(
            {
                "token_id": TOKEN_IDS[:, 0],
                **model.start_view(photograph(model)),
            }
        )
        for model in (loaded, generator)
    ]
    np.testing.assert_array_equal(views[0]["logits"], views[1]["logits"])


@every_conditioning
def test_later_tokens_change_no_earlier_logits(conditioning):
    generator = shared_generator(conditioning)
    logits = logits_of(generator)
    padded = tf.pad(TOKEN_IDS, [[0, 0], [0, 3]])
    np.testing.assert_allclose(
        logits_of(generator, padded)[:, :5], logits, atol=1e-6
    )
    other = tf.concat([TOKEN_IDS[:, :3], TOKEN_IDS[:, :2]], 1)
    changed = logits_of(generator, other)
    np.testing.assert_allclose(changed[:, :3], logits[:, :3], atol=1e-6)
    assert np.abs(changed[:, 3] - logits[:, 3]).max() > 1e-2


@every_conditioning
def test_every_conditioning_sees_the_photograph(conditioning):
    generator = shared_generator(conditioning)
    same = tf.repeat(TOKEN_IDS[:1], 2, axis=0)
    clues = tf.repeat(CLUES[:1], 2, axis=0)
    assert spread(logits_of(generator, same, clues=clues)) > 1e-2


@every_conditioning
def test_first_state_is_a_layer_on_the_image(conditioning):
    generator = shared_generator(conditioning)
    weights = generator.get_layer("first_state").weights
    kernel, bias = (w.numpy() for w in weights)
    state = generator.start_view(photograph(generator))["state"]
    expected = np.tanh(IMAGES.numpy() @ kernel + bias)
    np.testing.assert_allclose(state, expected, atol=1e-6)


def test_first_state_sees_the_image_in_the_state_only():
    generator = shared_generator("first_state")
    condition = generator.start_view(photograph(generator))["condition"]
    np.testing.assert_array_equal(condition, np.zeros([2, E]))


def test_every_step_sees_the_image_in_the_condition():
    generator = shared_generator("every_step")
    condition = generator.start_view(photograph(generator))["condition"]
    kernel = generator.get_layer("see_image").kernel.numpy()
    np.testing.assert_allclose(condition, IMAGES.numpy() @ kernel, atol=1e-6)


def test_clues_add_the_mean_embedding_of_words():
    generator = shared_generator("clues")
    condition = generator.start_view(photograph(generator))["condition"]
    table = generator.get_layer("token_embedding").embeddings.numpy()
    mean = np.stack([(table[5] + table[7]) / 2, table[10]])
    see, use = map(generator.get_layer, ("see_image", "use_clues"))
    expected = IMAGES.numpy() @ see.kernel.numpy() + mean @ use.kernel.numpy()
    np.testing.assert_allclose(condition, expected, atol=1e-5)


def test_condition_without_photograph_is_zero_however_many_clues():
    generator = shared_generator("clues")
    no_image = tf.zeros([2, K])
    one, six = (
        logits_of(
            generator, images=no_image, clues=tf.zeros([2, number], tf.int32)
        )
        for number in (1, 6)
    )
    np.testing.assert_array_equal(one, six)
    condition = generator.start_view(
        photograph(generator, no_image, tf.zeros([2, 6], tf.int32))
    )["condition"]
    np.testing.assert_array_equal(condition, np.zeros([2, E]))


@every_conditioning
def test_form_is_given_in_the_condition(conditioning):
    generator = shared_generator(conditioning, forms=FORMS)
    none, given = (
        generator.start_view(photograph(generator, form=form))
        for form in (tf.constant([0, 0]), FORM)
    )
    table = generator.get_layer("know_form").embeddings.numpy()
    assert table.shape == (3, E)
    np.testing.assert_allclose(
        given["condition"] - none["condition"],
        table[FORM.numpy()] - table[:1],
        atol=1e-5,
    )
    np.testing.assert_array_equal(given["state"], none["state"])
    assert (
        spread(
            logits_of(generator, form=FORM)
            - logits_of(generator, form=FORM[::-1])
        )
        > 1e-2
    )


def test_no_form_is_as_if_there_were_none_before_training():
    generator = PoemGenerator(V, E, H, K, forms=FORMS)
    table = generator.get_layer("know_form").embeddings.numpy()
    np.testing.assert_array_equal(table, np.zeros([3, E]))


@every_conditioning
def test_inputs(conditioning):
    expected = {"token_ids", "image_embedding"}
    if conditioning == "clues":
        expected.add("clue_ids")
    assert set(shared_generator(conditioning).input) == expected
    generator = shared_generator(conditioning, forms=FORMS)
    assert set(generator.input) == {*expected, "form"}


@every_conditioning
def test_output_matrix_is_the_token_embedding(conditioning):
    generator = make_generator(conditioning)
    shapes = [tuple(w.shape) for w in generator.weights]
    assert shapes.count((V, E)) == 1
    before = logits_of(generator)
    embeddings = generator.get_layer("token_embedding").embeddings
    table = embeddings.numpy()
    table[3] *= 2  # never read here
    embeddings.assign(table)
    expected = before * np.where(np.arange(V) == 3, 2, 1)
    np.testing.assert_allclose(logits_of(generator), expected, atol=1e-5)


def test_dropout_is_for_training_only():
    generator = make_generator("clues", dropout=0.5)
    expected = logits_of(shared_generator("clues"))
    np.testing.assert_allclose(logits_of(generator), expected, atol=1e-6)
    inputs = {"token_ids": TOKEN_IDS, **photograph(generator)}
    dropped = generator(inputs, training=True)
    assert np.abs(dropped - expected).max() > 1e-2


def test_refuses_an_unknown_conditioning():
    with pytest.raises(ValueError, match="Received: 'words'"):
        PoemGenerator(V, E, H, K, "words")
