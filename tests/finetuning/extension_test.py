import numpy as np
import pytest

from tests import tiny
from tests.finetuning import poems
from visualpoet.export.stored_weights import StoredWeight
from visualpoet.finetuning import extension
from visualpoet.generator import token_kinds

TEXTS = [
    "The harmonica sighs\nThe sea and the sky\nThe night",
    "A harmonica at night\nThe sea\nThe sky",
]


@pytest.fixture(scope="module")
def poet():
    return poems.base_poet()


@pytest.fixture(scope="module")
def vocabulary(poet):
    return poet.vocabulary.extend(TEXTS, min_count=2, most=10)


@pytest.fixture(scope="module")
def extended(poet, vocabulary):
    return extension.extend_poet(poet, vocabulary, TEXTS)


def test_a_poet_is_read_with_all_its_parts(poet):
    parts = tiny.parts()
    for found, expected in (
        (poet.generator, parts.generator),
        (poet.poem_tower, parts.poem_tower),
    ):
        rounded = StoredWeight(expected.weights[0]).read()
        np.testing.assert_array_equal(found.weights[0], rounded)
    assert poet.options == {"verse": tiny.OPTIONS, "haiku": tiny.HAIKU}
    for name, expected in vars(tiny.kinds()).items():
        np.testing.assert_array_equal(getattr(poet.kinds, name), expected, name)
    assert poet.known_runs is None


def test_tokens_that_occur_often_enough_are_added(poet, vocabulary):
    added = vocabulary.tokens[len(poet.vocabulary) :]
    assert added == ["harmonica"]
    assert vocabulary.tokens[: len(poet.vocabulary)] == poet.vocabulary.tokens
    more = poet.vocabulary.extend(TEXTS, min_count=1, most=1)
    assert more.tokens[len(poet.vocabulary) :] == ["harmonica"]
    assert vocabulary.decode(vocabulary.encode("Harmonica,")) == "Harmonica,"


def test_a_new_vector_is_a_mean_of_those_beside_it(poet):
    vocabulary = poet.vocabulary.extend(["sea harmonica night"] * 2, 2, 10)
    known = len(poet.vocabulary)
    weights = np.ones(known)
    sea, night = vocabulary.encode("sea night")
    weights[night] = 3.0
    beside = extension.weigh_neighbours(
        vocabulary, ["sea harmonica night"], known, weights
    )
    assert beside.shape == (1, known)
    assert beside[0, [sea, night]].tolist() == [0.25, 0.75]
    assert beside.sum() == 1.0


def test_a_word_alone_is_beside_all(poet):
    vocabulary = poet.vocabulary.extend(["harmonica\nharmonica"], 2, 10)
    known = len(poet.vocabulary)
    beside = extension.weigh_neighbours(
        vocabulary, ["harmonica"], known, np.ones(known)
    )
    words = poet.kinds.is_word
    np.testing.assert_allclose(beside[0, words], 1 / words.sum(), rtol=1e-5)
    assert not beside[0, ~words].any()


def test_old_words_are_as_they_were(poet, extended):
    known = len(poet.vocabulary)
    for name in ("generator", "poem_tower"):
        before, after = getattr(poet, name), getattr(extended, name)
        for earlier, variable in zip(before.weights, after.weights):
            rows = variable.numpy()
            if variable.shape != earlier.shape:
                assert len(rows) == known + 1
                rows = rows[:known]
            np.testing.assert_array_equal(rows, earlier, variable.path)
    token_ids = np.array([poet.vocabulary.encode(tiny.POEMS[0])])
    np.testing.assert_array_equal(
        extended.poem_tower(token_ids), poet.poem_tower(token_ids)
    )


def test_a_new_word_is_a_content_word(poet, extended):
    plain = token_kinds.sort_tokens(extended.vocabulary, [[]])
    (new,) = extended.vocabulary.encode("harmonica")
    kinds = extended.kinds
    assert kinds.is_word[new] and kinds.is_content[new]
    assert not kinds.is_open[new]
    assert kinds.is_open[:new].tolist() == poet.kinds.is_open.tolist()
    assert kinds.twin.tolist() == plain.twin.tolist()


def test_no_new_word_changes_nothing(poet):
    vocabulary = poet.vocabulary.extend(TEXTS, min_count=99, most=10)
    assert extension.extend_poet(poet, vocabulary, TEXTS) is poet
