import numpy as np
import pytest
import tokenizers
from tokenizers import models

from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem
from visualpoet.corpus.vocabulary import SPECIAL_TOKENS
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.embedding import clues

POEMS = ("the sea\nthe sea and the gull", "a gull over stones", "a stone")


@pytest.fixture(scope="module")
def corpus():
    photographs = {
        "captioned": Photograph(
            "captioned", captions=("a gull", "the gull is white")
        ),
        "labelled": Photograph("labelled", label="sea"),
        "bare": Photograph("bare"),
    }
    pairs = [
        ImagePoemPair(name, Poem(text))
        for name, text in (
            ("captioned", POEMS[2]),
            ("labelled", POEMS[0]),
            ("labelled", POEMS[1]),
        )
    ]
    vocabulary = Vocabulary.train([*POEMS, "white"], 300)
    return PreparedCorpus([], pairs, photographs, vocabulary)


def test_labels(corpus):
    labels = clues.label_clues(corpus, ["captioned", "labelled", "bare"])
    words = ["gull", "white", "sea", "stones", "stone"]
    ids = [corpus.vocabulary.tokens.index(word) for word in words]
    expected = [[1, 1, 0, 0, 0], [1, 0, 1, 0.5, 0], [0, 0, 0, 0, 0]]
    np.testing.assert_allclose(labels[:, ids], expected)


def test_log_odds():
    # Of four photographs: none, one, two and all; half stands in for 0 and 4.
    labels = np.array([[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1]])
    expected = np.log([1 / 7, 1 / 3, 1, 7])
    np.testing.assert_allclose(clues.log_odds(labels), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("min_count", "max_frequency", "expected"),
    [
        (1, 1.0, {"sea", "gull", "stones", "stone"}),
        (2, 1.0, {"sea", "gull"}),
        (1, 2 / 13, {"stones", "stone"}),
    ],
)
def test_words_neither_rare_nor_frequent_nor_open_nor_stop_words(
    corpus, min_count, max_frequency, expected
):
    vocabulary = corpus.vocabulary
    is_open = np.array([token == "the" for token in vocabulary.tokens])
    usable = clues.clue_words(
        corpus,
        [_words(vocabulary, poem) for poem in POEMS],
        is_open,
        min_count,
        max_frequency,
    )
    found = {vocabulary.tokens[index] for index in np.flatnonzero(usable)}
    assert found == expected


def _words(vocabulary, poem):
    return vocabulary.encode(poem.replace("\n", " "))


def test_scores_are_a_regression_a_word_and_the_best_are_clues():
    head = clues.ClueHead(range(10, 18), image_dim=4)
    kernel = np.zeros([4, 8], np.float32)
    kernel[0], kernel[1] = np.arange(8), -np.arange(8)
    bias = np.eye(8, dtype=np.float32)[0] * 5
    head.get_layer("words").set_weights([kernel, bias])
    places = np.eye(4, dtype=np.float32)[:2]
    np.testing.assert_allclose(head(places), 2 * kernel[:2] + bias, rtol=1e-6)
    np.testing.assert_array_equal(
        head.choose(places),
        [[17, 16, 15, 14, 13, 10], [10, 11, 12, 13, 14, 15]],
    )


def test_of_two_twins_the_better_one_is_a_clue():
    twins = [0, 2, 1, 3, 4, 5, 7, 6]
    head = clues.ClueHead(range(10, 18), image_dim=4, twins=twins)
    scores = np.arange(8, dtype=np.float32)[None]  # 17 is better than 16
    chosen = head.choose_by(scores).numpy()
    np.testing.assert_array_equal(chosen, [[17, 15, 14, 13, 12, 10]])
    again = clues.ClueHead.from_config(head.get_config())
    np.testing.assert_array_equal(again.choose_by(scores), chosen)


def test_of_many_twins_the_best_one_is_a_clue():
    """Twelve with the first one's meaning, better than all others."""
    twins = [0] * 12 + list(range(12, 19))
    head = clues.ClueHead(range(10, 29), image_dim=4, twins=twins)
    scores = np.arange(19, dtype=np.float32)[::-1][None].copy()
    scores[0, :3] = 10.0, 20.0, 20.0  # the second and the third are the best
    chosen = head.choose_by(np.repeat(scores, 2, axis=0)).numpy()
    np.testing.assert_array_equal(chosen, [[11, 22, 23, 24, 25, 26]] * 2)


def test_twins_are_clues_where_there_are_no_others():
    head = clues.ClueHead([10, 11, 12], image_dim=4, twins=[1, 0, 2])
    chosen = head.choose_by(np.array([[1.0, 2.0, 0.0]], np.float32))
    np.testing.assert_array_equal(chosen, [[11, 12, 10]])


def test_no_word_can_be_a_clue():
    with pytest.raises(ValueError, match="words that can be clues"):
        clues.ClueHead([], image_dim=4)


def test_head_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="train_clues.py"):
        clues.load_clue_head(tmp_path)


# --- what can be a clue


def make_vocabulary(tokens, level):
    table = {t: i for i, t in enumerate([*SPECIAL_TOKENS, *tokens])}
    model = models.WordLevel(table, unk_token="<unknown>")
    return Vocabulary(tokenizers.Tokenizer(model), level)


def test_clues_are_words_of_three_letters_or_more():
    words = ["\n", "sea", "of", "don't", "'s", "-", "x9z", "\u00fcber", "1889"]
    mask = clues.clue_mask(make_vocabulary(words, "word"))
    names = [*SPECIAL_TOKENS, *words]
    assert [name for name, is_clue in zip(names, mask) if is_clue] == [
        "sea",
        "\u00fcber",
    ]


def test_every_letter_is_a_clue_at_character_level():
    characters = ["\n", "a", ",", "Q", "7"]
    mask = clues.clue_mask(make_vocabulary(characters, "character"))
    np.testing.assert_array_equal(
        mask, [False] * 4 + [False, True, False, True, False]
    )
