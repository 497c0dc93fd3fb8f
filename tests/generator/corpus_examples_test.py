import dataclasses

import keras
import numpy as np
import pytest

from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.embedding.encoders import PoemTower
from visualpoet.generator import corpus_examples

VERSE = Poem("rain and wind\nand rain", form="verse")
HAIKU = Poem("snow\nfalls", form="haiku")
NONE = Poem("wind\nand snow")
IMAGES = {"a.jpg": 0, "b.jpg": 1}
SEEN = np.array([[0.6, 0.8], [0.0, 1.0]], np.float32)


@pytest.fixture(scope="module")
def corpus():
    vocabulary = Vocabulary.train([VERSE.text, HAIKU.text], 9)
    # "wind" is unknown.
    assert vocabulary.tokens[4:] == ["\n", "and", "rain", "falls", "snow"]
    return PreparedCorpus(
        excerpts=[VERSE, HAIKU, NONE, dataclasses.replace(NONE, split="test")],
        pairs=[
            ImagePoemPair("a.jpg", HAIKU),
            ImagePoemPair("b.jpg", VERSE),
            ImagePoemPair("b.jpg", HAIKU),
        ],
        photographs={
            "a.jpg": Photograph("a.jpg", captions=("rain falls", "rain")),
            "b.jpg": Photograph("b.jpg", label="snow"),
        },
        vocabulary=vocabulary,
    )


def select_pairs(corpus):
    return corpus_examples.pair_examples(corpus, corpus.pairs, IMAGES, SEEN, 9)


def excerpts_of(corpus, **options):
    options = {"max_unknown": 1.0, "leave_out": (), **options}
    return corpus_examples.excerpt_examples(corpus, "train", 2, 9, **options)


def test_excerpts_are_sorted_by_form(corpus):
    found = excerpts_of(corpus)
    assert found.token_ids == [
        [1, 3, 4, 5, 8, 2],
        [1, 8, 4, 7, 2],
        [1, 6, 5, 3, 4, 5, 6, 2],
    ]
    assert found.forms.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(found.image_embeddings, [[0.0, 0.0]])
    assert found.image_rows == [[0], [0], [0]]
    assert found.descriptions == [[]]


def test_excerpts_that_are_left_out(corpus):
    found = excerpts_of(corpus, max_unknown=0.2, leave_out=("falls",))
    assert found.forms.tolist() == [2]
    assert len(found.token_ids) == len(found.image_rows) == 1


def test_a_poem_of_two_photographs_is_one_example(corpus):
    found = select_pairs(corpus)
    assert found.token_ids == [(1, 8, 4, 7, 2), (1, 6, 5, 3, 4, 5, 6, 2)]
    assert found.image_rows == [[0, 1], [1]]
    assert found.forms.tolist() == [1, 2]
    assert found.image_embeddings is SEEN
    assert found.descriptions[0] == [6, 7]
    # Without captions the paired poems and the label are what is known.
    assert found.descriptions[1] == [3, 4, 5, 6, 7, 8]


def test_an_excerpt_near_two_photographs_is_added_once(corpus):
    places = np.array([[-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    found = corpus_examples.add_nearest(
        select_pairs(corpus), excerpts_of(corpus), places, [0, 1], 1
    )
    assert found.token_ids[2:] == [[1, 8, 4, 7, 2]]
    assert found.image_rows == [[0, 1], [1], [0, 1]]
    assert found.forms.tolist() == [1, 2, 1]


@pytest.mark.parametrize("held_out", [True, False])
def test_perturbation_has_the_cosines_of_new_pairs(corpus, held_out):
    keras.utils.set_random_seed(0)
    tower = PoemTower(9, 4, word_dim=3, embedding_dim=2)
    pairs = select_pairs(corpus)
    if held_out:
        new = dataclasses.replace(
            pairs, token_ids=[(1, 5, 2)], image_rows=[[1]]
        )
        place = tower(np.array([[1, 5, 2]]))[0].numpy()
        expected = [SEEN[1] @ place]
    else:
        new = dataclasses.replace(pairs, token_ids=[], image_rows=[])
        haiku, verse = (
            tower(np.array([ids]))[0].numpy() for ids in pairs.token_ids
        )
        expected = [SEEN[0] @ haiku, SEEN[1] @ haiku, SEEN[1] @ verse]
    found = corpus_examples.measure_perturbation(pairs, new, tower)
    np.testing.assert_allclose(found.cosines, expected, atol=1e-3)
    np.testing.assert_allclose(found.photographs, SEEN, atol=1e-3)
    assert found.descriptions == pairs.descriptions


@pytest.mark.parametrize("extra", [0, 1])
def test_excerpts_have_their_own_places(corpus, extra):
    keras.utils.set_random_seed(0)
    tower = PoemTower(9, 4, word_dim=3, embedding_dim=2)
    excerpts, pairs = excerpts_of(corpus), select_pairs(corpus)
    placed, extended = corpus_examples.place_excerpts(
        excerpts, pairs, pairs, tower, [1], extra
    )
    assert placed.token_ids == excerpts.token_ids
    for row, ids in enumerate(excerpts.token_ids):
        (index,) = placed.image_rows[row]
        place = tower(np.array([ids]))[0].numpy()
        np.testing.assert_allclose(
            placed.image_embeddings[index], place, atol=1e-3
        )
    assert len(extended.token_ids) == len(pairs.token_ids) + extra
    assert len(placed.perturbation.cosines) == 3


def test_no_pairs_no_perturbation(corpus):
    nothing = dataclasses.replace(
        select_pairs(corpus), token_ids=[], image_rows=[]
    )
    assert corpus_examples.measure_perturbation(nothing, nothing, None) is None
