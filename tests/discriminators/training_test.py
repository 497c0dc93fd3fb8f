import keras
import numpy as np
import pytest

from visualpoet.discriminators import training
from visualpoet.discriminators.poem_style import PoemStyleDiscriminator
from visualpoet.optimization import make_train_step

CLASSES = ("poetic", "disordered", "paragraphic")


def test_confusion_has_true_classes_in_rows():
    logits = np.array([[2, 1, 0], [0, 1, 2], [0, 3, 1.0]])
    confusion = training.confusion_matrix(logits, np.array([0, 0, 1]))
    assert confusion.numpy().tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_accuracy_of_each_class():
    confusion = [[3, 1, 0], [0, 2, 2], [0, 0, 0]]
    shares = training.class_accuracies(confusion, CLASSES)
    assert shares["poetic"] == 0.75
    assert shares["disordered"] == 0.5
    assert np.isnan(shares["paragraphic"])


def test_one_class_for_everything_is_refused():
    training.check_discriminates([[3, 1, 0], [0, 4, 0]], CLASSES, "mine")
    with pytest.raises(ValueError, match="mine: .*'disordered' for all of 9"):
        training.check_discriminates([[0, 4, 0], [0, 5, 0]], CLASSES, "mine")


def test_updates_learn_to_tell_words_apart():
    model = PoemStyleDiscriminator(9, [], 4, 5, ("real", "generated"))
    step = make_train_step(
        training.make_loss(model),
        model.trainable_variables,
        keras.optimizers.Adam(0.05),
    )
    texts = np.array([[1, 5, 6, 2], [1, 6, 5, 2], [1, 7, 8, 2], [1, 8, 7, 2]])
    labels = np.array([0, 0, 1, 1])
    first, confusion = step(({"token_ids": texts}, labels))
    assert confusion.numpy().sum(axis=1).tolist() == [2, 2]
    for _ in range(150):
        loss, _ = step(({"token_ids": texts}, labels))
    assert first > 0.5
    assert loss < 0.1
    guesses = np.argmax(model({"token_ids": texts}), axis=1)
    assert guesses.tolist() == [0, 0, 1, 1]
