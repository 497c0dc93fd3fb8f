import keras
import numpy as np
import pytest
import tensorflow as tf

from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.reader_head import ReaderHead
from visualpoet.generator.reader_head import average_states
from visualpoet.generator.reader_head import load_reader_head

START, END = 1, 2
IMAGE_DIM = 3


def test_a_state_is_weighed():
    head = ReaderHead(3)
    head.set_weights([np.array([1.0, -2.0, 0.5]), np.array(0.25)])
    found = head(tf.constant([[1.0, 1.0, 2.0], [0.0, 0.5, 0.0]]))
    np.testing.assert_allclose(found, [0.25, -0.75])


def test_a_row_alone_is_weighed_as_beside_others():
    head = ReaderHead(768)
    rng = np.random.default_rng(0)
    states = rng.standard_normal([70, 768]).astype(np.float32)
    head.set_weights([rng.standard_normal(768), np.array(0.1)])
    alone = np.concatenate([head(state[None]) for state in states])
    np.testing.assert_array_equal(head(states), alone)


def test_it_is_saved(tmp_path):
    head = ReaderHead(2)
    head.set_weights([np.array([1.0, 2.0]), np.array(3.0)])
    head.save(tmp_path / "head.keras")
    read = keras.saving.load_model(tmp_path / "head.keras")
    np.testing.assert_allclose(read(tf.ones([1, 2])), [6.0])


def test_a_head_of_another_generator_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected reader_head.keras"):
        load_reader_head(tmp_path, 3)
    ReaderHead(2).save(tmp_path / "reader_head.keras")
    assert load_reader_head(tmp_path, 2).hidden_dim == 2
    with pytest.raises(ValueError, match="expected .* states of 3 numbers"):
        load_reader_head(tmp_path, 3)


@pytest.mark.parametrize("forms", [[], ["haiku", "verse"]])
def test_states_are_those_of_the_steps(forms):
    generator = PoemGenerator(12, 4, 8, IMAGE_DIM, forms=forms)
    if forms:
        table = generator.get_layer("know_form").embeddings
        table.assign(np.random.default_rng(0).standard_normal(table.shape))
    texts = np.array([[START, 5, 6, END, 0, 0], [START, 7, 8, 9, 5, END]])
    found = average_states(generator, 2, texts)
    photograph = {
        "image_embedding": tf.zeros([1, IMAGE_DIM]),
        "clue_ids": tf.zeros([1, 1], tf.int32),
        "form": tf.constant([2]),
    }
    names = generator.start_view.input
    start = generator.start_view({name: photograph[name] for name in names})
    for text, mean in zip(texts, found):
        state, states = start["state"], []
        for token in text[text > 0][:-1]:
            view = generator.step_view(
                {
                    "token_id": tf.constant([token]),
                    "state": state,
                    "condition": start["condition"],
                }
            )
            state = view["state"]
            states.append(state[0])
        np.testing.assert_allclose(mean, np.mean(states, axis=0), atol=1e-6)
