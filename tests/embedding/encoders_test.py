import keras
import numpy as np
import pytest
import tensorflow as tf

from visualpoet.embedding.encoders import MAX_EMBEDDED_LINES
from visualpoet.embedding.encoders import ImageTower
from visualpoet.embedding.encoders import PoemTower
from visualpoet.embedding.encoders import load_towers

START, END, UNKNOWN, BREAK = 1, 2, 3, 4
FEATURE_DIMS = {"object": 3, "scene": 2, "sentiment": 5}


def set_random_weights(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights(
        # Variances of normalisation have to be positive.
        [rng.uniform(0.1, 1, w.shape) for w in model.weights]
    )
    return model


def make_poem_tower():
    tower = set_random_weights(PoemTower(11, BREAK, 6, 4, name="poem_tower"))
    vectors = np.random.default_rng(1).standard_normal([11, 6])
    tower.get_layer("word_vectors").embeddings.assign(vectors)
    return tower


def make_image_tower(hidden_dim):
    tower = ImageTower(FEATURE_DIMS, 4, hidden_dim, name="image_tower")
    return set_random_weights(tower)


def random_features():
    rng = np.random.default_rng(2)
    return {
        name: tf.constant(rng.standard_normal([2, dim]), tf.float32)
        for name, dim in FEATURE_DIMS.items()
    }


def embed(tower, *token_ids):
    return tower(tf.constant([token_ids], tf.int32)).numpy()[0]


def unit(vector):
    return vector / np.linalg.norm(vector, axis=-1, keepdims=True)


def test_poem_is_the_mean_of_its_encoded_lines():
    tower = make_poem_tower()
    vectors = tower.get_layer("word_vectors").embeddings.numpy()
    weights = np.exp(tower.get_layer("log_weights").embeddings.numpy())
    to_space, bend = map(tower.get_layer, ("to_space", "bend"))

    def encode(*words):
        words = list(words)
        line = (weights[words] * vectors[words]).sum(0) / weights[words].sum()
        kernel, bias = (w.numpy() for w in to_space.weights)
        bend_kernel, bend_bias = (w.numpy() for w in bend.weights)
        return line @ kernel + bias + np.tanh(line @ bend_kernel + bend_bias)

    expected = unit((encode(5, 6, 7) + encode(8, 9)) / 2)
    found = embed(tower, 5, 6, 7, BREAK, 8, 9)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_poem_has_unit_length():
    tower = make_poem_tower()
    poems = tf.constant([[5, 6, BREAK, 7, 8], [9, 10, 5, 0, 0]])
    lengths = np.linalg.norm(tower(poems), axis=1)
    np.testing.assert_allclose(lengths, [1.0, 1.0], atol=1e-5)


def test_padding_changes_nothing():
    tower = make_poem_tower()
    poem = (START, 5, 6, BREAK, 7, END)
    np.testing.assert_allclose(
        embed(tower, *poem, 0, 0, 0), embed(tower, *poem), atol=1e-6
    )


def test_special_and_unknown_tokens_count_nothing():
    tower = make_poem_tower()
    np.testing.assert_allclose(
        embed(tower, START, 5, UNKNOWN, 6, BREAK, UNKNOWN, 7, END),
        embed(tower, 5, 6, BREAK, 7),
        atol=1e-6,
    )


def test_lines_without_words_count_nothing():
    tower = make_poem_tower()
    np.testing.assert_allclose(
        embed(tower, 5, 6, BREAK, BREAK, UNKNOWN, BREAK, 7, BREAK),
        embed(tower, 5, 6, BREAK, 7),
        atol=1e-6,
    )


def test_repeated_lines_are_as_one_line():
    tower = make_poem_tower()
    np.testing.assert_allclose(
        embed(tower, 5, 6, BREAK, 5, 6, BREAK, 6, 5),
        embed(tower, 5, 6),
        atol=1e-6,
    )


def test_order_of_lines_does_not_matter_but_what_stands_in_them_does():
    tower = make_poem_tower()
    poem = embed(tower, 5, 6, BREAK, 7)
    np.testing.assert_allclose(embed(tower, 7, BREAK, 5, 6), poem, atol=1e-6)
    assert np.abs(embed(tower, 5, 7, BREAK, 6) - poem).max() > 1e-3
    assert np.abs(embed(tower, 5, 6, 7) - poem).max() > 1e-3


def test_word_of_little_weight_counts_little():
    tower = make_poem_tower()
    table = np.zeros([11, 1])
    table[5] = -20.0
    tower.get_layer("log_weights").embeddings.assign(table)
    np.testing.assert_allclose(embed(tower, 5, 6), embed(tower, 6), atol=1e-5)


def test_lines_after_the_last_are_left_out():
    tower = make_poem_tower()
    lines = [5, BREAK] * MAX_EMBEDDED_LINES
    np.testing.assert_allclose(
        embed(tower, *lines, 6, 7), embed(tower, 5), atol=1e-5
    )


def test_poem_without_words_is_nowhere():
    found = embed(make_poem_tower(), START, UNKNOWN, BREAK, END, 0)
    np.testing.assert_array_equal(found, np.zeros(4))


def test_poem_batch_of_two_is_two_batches_of_one():
    tower = make_poem_tower()
    poems = tf.constant([[5, 6, BREAK, 7, 8], [9, 10, 5, 0, 0]])
    np.testing.assert_allclose(
        tower(poems),
        tf.concat([tower(poems[:1]), tower(poems[1:])], 0),
        atol=1e-6,
    )


def normalised(tower, features):
    """What batch normalisation makes of features, concatenated."""
    parts = []
    for name in FEATURE_DIMS:
        layer = tower.get_layer(f"normalize_{name}")
        gamma, beta, mean, variance = (w.numpy() for w in layer.weights)
        scaled = (features[name].numpy() - mean) / np.sqrt(variance + 1e-3)
        parts.append(gamma * scaled + beta)
    return np.concatenate(parts, axis=1)


def test_image_tower_without_hidden_layer_is_linear():
    tower, features = make_image_tower(0), random_features()
    kernel, bias = (w.numpy() for w in tower.get_layer("to_space").weights)
    assert kernel.shape == (10, 4)
    expected = unit(normalised(tower, features) @ kernel + bias)
    np.testing.assert_allclose(tower(features), expected, atol=1e-5)


def test_image_tower_with_hidden_layer():
    tower, features = make_image_tower(8), random_features()
    weights = tower.get_layer("hidden").weights
    kernel, bias = (w.numpy() for w in weights)
    x = np.maximum(normalised(tower, features) @ kernel + bias, 0)
    kernel, bias = (w.numpy() for w in tower.get_layer("to_space").weights)
    np.testing.assert_allclose(
        tower(features), unit(x @ kernel + bias), atol=1e-5
    )


@pytest.mark.parametrize("hidden_dim", [0, 8])
def test_image_has_unit_length(hidden_dim):
    embeddings = make_image_tower(hidden_dim)(random_features())
    lengths = np.linalg.norm(embeddings, axis=1)
    np.testing.assert_allclose(lengths, [1.0, 1.0], atol=1e-5)


@pytest.mark.parametrize("hidden_dim", [0, 8])
def test_image_tower_file_gives_the_tower_back(hidden_dim, tmp_path):
    tower, features = make_image_tower(hidden_dim), random_features()
    tower.save(tmp_path / "tower.keras")
    loaded = keras.saving.load_model(tmp_path / "tower.keras")
    assert type(loaded) is ImageTower
    assert loaded.get_config() == {
        "feature_dims": FEATURE_DIMS,
        "embedding_dim": 4,
        "hidden_dim": hidden_dim,
        "dropout": 0.2,
    }
    np.testing.assert_array_equal(loaded(features), tower(features))


def test_load_towers(tmp_path):
    image_tower, poem_tower = make_image_tower(8), make_poem_tower()
    image_tower.save(tmp_path / "image_tower.keras")
    poem_tower.save(tmp_path / "poem_tower.keras")
    image_loaded, poem_loaded = load_towers(tmp_path)
    assert type(image_loaded) is ImageTower
    assert type(poem_loaded) is PoemTower
    assert poem_loaded.get_config() == {
        "vocabulary_size": 11,
        "line_break": BREAK,
        "word_dim": 6,
        "embedding_dim": 4,
        "dropout": 0.1,
    }
    features = random_features()
    np.testing.assert_array_equal(image_loaded(features), image_tower(features))
    np.testing.assert_array_equal(
        embed(poem_loaded, 5, 6, BREAK, 7), embed(poem_tower, 5, 6, BREAK, 7)
    )
