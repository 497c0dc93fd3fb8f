import dataclasses

import numpy as np
import pytest

from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.discriminators import gathering
from visualpoet.discriminators.material import PairDraws

POEMS = [
    "the sea is wide,\nthe sea is blue",
    "a bird in the tree\nsings for me",
    "green is the hill\nand the wind is still",
]
PROSE = "the bird is in the tree and the sea is wide and blue for the hill"


@pytest.fixture(scope="module")
def corpus():
    vocabulary = Vocabulary.train([*POEMS, PROSE], 60)
    poems = [Poem(text, split="train") for text in POEMS]
    return PreparedCorpus(
        excerpts=poems,
        pairs=[
            ImagePoemPair("sea.jpg", poems[0]),
            ImagePoemPair("bird.jpg", poems[1]),
            ImagePoemPair("hill.jpg", poems[2], 0.1),
        ],
        photographs={
            name: Photograph(name, captions=("the bird is wide", "in the tree"))
            for name in ("sea.jpg", "bird.jpg", "hill.jpg")
        },
        vocabulary=vocabulary,
    )


ROWS = {"sea.jpg": 0, "bird.jpg": 1, "hill.jpg": 2}
SEEN = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])


def gather(corpus, **options):
    given = {"max_tokens": 14, "max_unknown": 0.1, "min_similarity": 0.3}
    return gathering.gather_material(
        corpus, "train", ROWS, SEEN, [PROSE], **{**given, **options}
    )


def test_pairs_below_the_similarity_are_left_out(corpus):
    assert gather(corpus).pair_images.tolist() == [0, 1]
    assert gather(corpus, min_similarity=0.0).pair_images.tolist() == [0, 1, 2]


def test_poetic_poems_have_no_word_that_is_left_out(corpus):
    texts = gather(corpus, leave_out=("bird", "unicorn"))
    kept = [corpus.vocabulary.decode(poem) for poem in texts.poems]
    assert len(kept) == 2
    assert not any("bird" in poem for poem in kept)
    assert len(texts.pair_poems) == 2  # photographs have few enough


def test_unpaired_poems_belong_to_another_photograph(corpus):
    texts = gather(corpus)
    chosen = np.array([0, 1] * 10)
    batch = texts.pair_batch(chosen, PairDraws(), np.random.default_rng(0))
    np.testing.assert_array_equal(batch["paired"][0], batch["unpaired"][1])
    np.testing.assert_array_equal(batch["paired"][1], batch["unpaired"][0])
    assert batch["paired"].shape == (20, 14)


def draw_unpaired(texts, chosen, hard_negatives):
    """Photographs whose poems stand unpaired beside those of pairs."""
    draws = PairDraws(hard_negatives=hard_negatives)
    rng = np.random.default_rng(0)
    batch = texts.pair_batch(np.array(chosen), draws, rng)
    taken = texts.take_poems(np.arange(len(texts.pair_images)))
    found = (batch["unpaired"][:, None] == taken).all(axis=-1)
    return texts.pair_images[found.argmax(axis=1)].tolist()


def test_hard_negatives_are_of_near_photographs(corpus):
    """The hill is nearest to both others, the bird to the hill."""
    texts = gather(corpus, min_similarity=0.0)
    chosen = [0, 1, 2] * 10
    assert draw_unpaired(texts, chosen, 20) == [2, 2, 1] * 10
    assert draw_unpaired(texts, chosen, 1) != [2, 2, 1] * 10


def test_a_poem_of_the_same_words_is_not_unpaired(corpus):
    """The hill has the bird's poem too, and only the sea's is another."""
    shared = dataclasses.replace(
        corpus,
        pairs=[
            *corpus.pairs[:2],
            ImagePoemPair("hill.jpg", Poem(POEMS[1], "another id")),
        ],
    )
    texts = gather(shared)
    assert draw_unpaired(texts, [1, 2] * 10, 20) == [0, 0] * 10


def test_captions_of_near_photographs_are_hard_negatives(corpus):
    texts = gather(corpus, max_tokens=20)
    encode = corpus.vocabulary.encode
    texts.captions.clear()
    texts.captions.update(
        enumerate([[encode("sea")], [encode("bird")], [encode("hill")]])
    )
    draws, rng = PairDraws(1.0, 20), np.random.default_rng(0)
    chosen = np.array([0, 1] * 5)
    poems = texts.pair_batch(chosen, draws, rng)
    taken = texts.take_captions(chosen, poems, draws, rng)["unpaired"]
    assert {corpus.vocabulary.decode(row[1:2].tolist()) for row in taken} == {
        "Hill"
    }


def test_no_poem_is_longer_than_asked_for(corpus):
    lengths = [len(corpus.vocabulary.encode(text)) + 2 for text in POEMS]
    shortest = min(lengths)
    texts = gather(corpus, max_tokens=shortest, min_similarity=0.0)
    kept = sum(length == shortest for length in lengths)
    assert kept < len(POEMS)
    assert len(texts.poems) == len(texts.pair_poems) == kept
    assert (texts.take_poems([0])[0, -1:] == END).all()
    with pytest.raises(ValueError, match="poems of 5 tokens at most"):
        gather(corpus, max_tokens=5)


def test_captions_replace_pairs_in_the_lines_of_their_poems(corpus):
    texts = gather(corpus, max_tokens=20)
    encode = corpus.vocabulary.encode
    texts.captions.clear()
    texts.captions[0] = [encode("the sea is blue and wide for the sea is wide")]
    texts.captions[2] = [encode("green is the hill and the wind")]
    chosen = np.array([0, 1] * 20)
    rng = np.random.default_rng(0)
    poems = texts.pair_batch(chosen, PairDraws(), rng)
    before = poems["paired"].copy()
    taken = texts.take_captions(chosen, poems, PairDraws(0.5), rng)
    np.testing.assert_array_equal(poems["paired"], before)
    is_taken = (taken["paired"] != before).any(axis=1)
    np.testing.assert_array_equal(
        is_taken, (taken["unpaired"] != poems["unpaired"]).any(axis=1)
    )
    assert not is_taken[1::2].any()  # the bird has no captions
    assert 4 < is_taken.sum() < 16
    paired, unpaired = (
        corpus.vocabulary.decode(taken[kind][is_taken.argmax()][1:-1].tolist())
        for kind in ("paired", "unpaired")
    )
    assert paired.lower() == "the sea is blue\nand wide for the"
    assert unpaired.lower() == "green is the hill\nand the wind"


def test_classes_of_style_have_the_same_lines(corpus):
    texts = gather(corpus, max_tokens=20)
    batch = texts.style_batch(50, np.random.default_rng(0))
    assert list(batch) == ["poetic", "disordered", "paragraphic"]
    for rows in batch.values():
        assert rows.shape == (50, 20)
        assert ((rows == texts.line_break).sum(axis=1) == 1).all()


def test_length_and_marks_do_not_give_the_class_away(corpus):
    """A classifier on words a line, number of lines and marks alone."""
    from sklearn.linear_model import LogisticRegression

    texts = gather(corpus, max_tokens=20)
    rng = np.random.default_rng(0)
    batch = texts.style_batch(400, rng)

    def shape_of(row):
        words = texts.is_word[row]
        breaks = row == texts.line_break
        first = words[: int(breaks.argmax())].sum()
        return [words.sum(), breaks.sum(), first]

    x = [shape_of(row) for rows in batch.values() for row in rows]
    y = np.repeat([0, 1, 2], 400)
    order = rng.permutation(len(y))
    x, y = np.array(x)[order], y[order]
    guess = LogisticRegression(max_iter=500).fit(x[:800], y[:800])
    assert guess.score(x[800:], y[800:]) < 0.45  # chance is 0.33


def test_a_class_without_texts(corpus):
    with pytest.raises(ValueError, match="expected pairs of the split train"):
        gather(corpus, min_similarity=2.0)
