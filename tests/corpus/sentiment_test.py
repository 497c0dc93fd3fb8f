import numpy as np
import pytest

from visualpoet.corpus.sentiment import label_sentiment
from visualpoet.corpus.sentiment import sentiment_lemma


@pytest.mark.parametrize(
    ("word", "lemma"),
    [
        ("gloomy", "gloomy"),
        ("happier", "happy"),
        ("laughed", "laugh"),
        ("wept", "weep"),
        ("forgotten", "forget"),
        # Nouns as well, so they may only name what is seen.
        ("dog", None),
        ("blue", None),
        ("smile", None),
        # Verbs and adjectives that say nothing.
        ("is", None),
        ("making", None),
        ("own", None),
        ("qwxz", None),
    ],
)
def test_sentiment_lemma(word, lemma):
    assert sentiment_lemma(word) == lemma


TEXTS = {
    "a.jpg": ["The lonely dog wept.", "Lonely, LONELY tree"],
    "b.jpg": ["a happier dog"],
    "c.jpg": ["the happy girl laughed", "she weeps"],
    "d.jpg": ["a blue tree"],
}


def test_words_are_ordered_by_number_of_photographs():
    words, labels = label_sentiment(TEXTS, 4, ["c.jpg", "b.jpg", "a.jpg"])
    # happy and weep in two photographs, the rest in one; lonely counts once.
    assert words == ["happy", "weep", "laugh", "lonely"]
    np.testing.assert_array_equal(
        labels,
        [[0, 1, 0, 1], [1, 0, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0]],
    )
    assert labels.dtype == bool


def test_only_the_named_photographs_decide_on_the_words():
    words, labels = label_sentiment(TEXTS, 4, ["b.jpg"])
    assert words == ["happy"]
    np.testing.assert_array_equal(labels, [[0], [1], [1], [0]])


def test_the_rarest_words_are_cut():
    words, labels = label_sentiment(TEXTS, 1, ["b.jpg", "c.jpg", "a.jpg"])
    assert words == ["happy"]
    np.testing.assert_array_equal(labels, [[0], [1], [1], [0]])


def test_texts_without_sentiment_are_refused():
    with pytest.raises(ValueError, match="or --no-english. Received: none"):
        label_sentiment({"d.jpg": ["tree"]}, 4, ["d.jpg"])


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Море и лес", "Море и луна", "Лес и я", "Он и дом"], "лес море"),
        (["海の夜", "海の山", "山の月", "犬の家"], "山 海"),
    ],
)
def test_words_of_another_language_that_not_most_have(texts, expected):
    images = {f"{n}.jpg": [text] for n, text in enumerate(texts)}
    words, labels = label_sentiment(images, 2, list(images), english=False)
    assert sorted(words) == expected.split()
    assert labels.sum(axis=0).tolist() == [2, 2]
