"""Both discriminators, and how they read."""

import keras
import numpy as np
import pytest

from visualpoet.discriminators.multimodal import CLASSES as MULTIMODAL
from visualpoet.discriminators.multimodal import MultimodalDiscriminator
from visualpoet.discriminators.poem_style import CLASSES as STYLE
from visualpoet.discriminators.poem_style import REAL_OR_GENERATED
from visualpoet.discriminators.poem_style import PoemStyleDiscriminator
from visualpoet.discriminators.reading import WordsOnly

MARKS = [9, 10]
POEMS = np.array(
    [[1, 5, 6, 9, 4, 7, 2, 0], [1, 8, 4, 5, 10, 6, 3, 7]], np.int32
)


@pytest.fixture
def multimodal():
    return MultimodalDiscriminator(11, MARKS, 3, 4, 5)


@pytest.fixture
def style():
    return PoemStyleDiscriminator(11, MARKS, 4, 5)


def inputs(token_ids):
    seen = np.linspace(-1, 1, 3 * len(token_ids), dtype=np.float32)
    return {"token_ids": token_ids, "image_embedding": seen.reshape(-1, 3)}


def test_only_words_lines_and_the_unknown_are_read():
    read = keras.ops.convert_to_numpy(WordsOnly(MARKS)(POEMS))
    assert read.tolist() == [
        [5, 6, 4, 7, 0, 0, 0, 0],
        [8, 4, 5, 6, 3, 7, 0, 0],
    ]


def test_shapes_and_classes(multimodal, style):
    assert multimodal(inputs(POEMS)).shape == (2, 3)
    assert MULTIMODAL == ("paired", "unpaired", "generated")
    assert style({"token_ids": POEMS}).shape == (2, 4)
    assert STYLE == ("poetic", "disordered", "paragraphic", "generated")
    discriminator = PoemStyleDiscriminator(11, MARKS, 4, 5, REAL_OR_GENERATED)
    assert discriminator({"token_ids": POEMS}).shape == (2, 2)


@pytest.mark.parametrize("name", ["multimodal", "style"])
def test_padding_marks_and_neighbours_change_nothing(name, request):
    model = request.getfixturevalue(name)
    given = inputs(POEMS)
    given = {key: given[key] for key in model.input}
    logits = keras.ops.convert_to_numpy(model(given))
    padded = {**given, "token_ids": np.pad(POEMS, [(0, 0), (0, 3)])}
    np.testing.assert_allclose(model(padded), logits, atol=1e-6)
    unmarked = np.where(np.isin(POEMS, MARKS), 2, POEMS)
    np.testing.assert_allclose(
        model({**given, "token_ids": unmarked}), logits, atol=1e-6
    )
    alone = {key: value[:1] for key, value in given.items()}
    np.testing.assert_allclose(model(alone), logits[:1], atol=1e-6)
    other = np.where(POEMS == 5, 8, POEMS)
    changed = model({**given, "token_ids": other})
    assert np.abs(changed - logits).max() > 1e-4


def test_an_empty_poem_is_read_without_an_error(style):
    logits = style({"token_ids": np.array([[1, 2, 0]], np.int32)})
    assert np.isfinite(logits).all()


def test_the_product_needs_both_sides(multimodal):
    """tanh(W_x x + b_x) * tanh(W_c c + b_c): without a photograph, and with
    biases of 0, only the bias of the classes is left."""
    nothing = {
        "token_ids": POEMS,
        "image_embedding": np.zeros([2, 3], np.float32),
    }
    np.testing.assert_allclose(multimodal(nothing), np.zeros([2, 3]), atol=1e-7)
    assert np.abs(multimodal(inputs(POEMS))).max() > 1e-4


@pytest.mark.parametrize("name", ["multimodal", "style"])
def test_saved_and_loaded_again(name, request, tmp_path):
    model = request.getfixturevalue(name)
    given = inputs(POEMS)
    given = {key: given[key] for key in model.input}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded(given), model(given))
