import math

import numpy as np
import pytest

from tests import tiny_runs
from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.evaluation import bleu
from visualpoet.evaluation import columns
from visualpoet.evaluation import human_poems
from visualpoet.evaluation import measures
from visualpoet.evaluation import relevance
from visualpoet.evaluation.kneser_ney import KneserNey

TRAINING = "the tide goes out\nand leaves the shore\nto hold the night alone"
TEST = "the lamp is lit\nthe tide is in\nthe night is long"
PAIRED = {
    "a.jpg": ["a boat upon\nthe silver tide", "the boat\nat rest"],
    "b.jpg": ["two horses graze\nin clover", "a horse in\nthe field"],
    "c.jpg": ["the snow has\nclosed the road", "deep snow\non every hill"],
}
CAPTIONS = {
    "a.jpg": ("A boat on the water .",),
    "b.jpg": ("Two horses in a field .", "Horses eat clover ."),
    "c.jpg": ("A road in the snow .",),
}
NAMES = list(PAIRED)
EMBEDDINGS = np.eye(3, 4, dtype=np.float32)


class Tower:
    """Embeds poem i of each set as the vector that was asked for."""

    def __init__(self, vectors):
        self._vectors = np.array(vectors, np.float32)

    def predict(self, token_ids, batch_size, verbose):
        sets, rest = divmod(len(token_ids), len(self._vectors))
        assert rest == 0
        return np.tile(self._vectors, [sets, 1])


def corpus():
    pairs = [
        ImagePoemPair(name, Poem(text))
        for name, texts in PAIRED.items()
        for text in texts
    ]
    pairs.append(ImagePoemPair("t.jpg", Poem(TRAINING)))
    photographs = {
        name: Photograph(name, "validation", captions=captions)
        for name, captions in CAPTIONS.items()
    }
    photographs["t.jpg"] = Photograph("t.jpg", "train")
    excerpts = [
        Poem(TRAINING),
        Poem(TEST, split="test"),
        Poem(PAIRED["a.jpg"][0], split="test"),
    ]
    texts = [TRAINING, TEST, *sum(PAIRED.values(), [])]
    return PreparedCorpus(
        excerpts, pairs, photographs, Vocabulary.train(texts, 200)
    )


def measurer(vectors=EMBEDDINGS, sentences=False, options=bleu.DEFAULT):
    return measures.Measurer(
        corpus(), NAMES, EMBEDDINGS, Tower(vectors), sentences, options, 2
    )


def values_of(statistics, options=bleu.DEFAULT):
    functions = columns.value_functions(options)
    return {
        name: functions[name](rows.sum(axis=0))
        for name, rows in statistics.items()
    }


POEMS = [
    "A boat upon the tide",
    "the tide goes out and leaves the shore to hold",
    "snow",
]


def test_measures_by_hand():
    vectors = [[1, 0, 0, 0], [0, 0.6, 0.8, 0], [0, 0, 0.2, 0]]
    statistics = measurer(vectors).statistics({"ours": POEMS})["ours"]
    found = values_of(statistics)
    assert found["relevance"] == pytest.approx(100 * (1 + 0.6 + 0.2) / 3)
    # 5, 10 and 1 words, a line each; 10 of them stand in the training poem.
    assert found["words"] == pytest.approx(16 / 3)
    assert found["lines"] == 1.0
    assert found["words_a_line"] == pytest.approx(16 / 3)
    np.testing.assert_array_equal(statistics["copied_run"][:, 0], [2, 10, 0])
    assert found["copied"] == pytest.approx(100 / 3)
    # Of the 4 + 9 + 0 pairs of words all 9 and "the tide" are in the training
    # pair, and all of them frequent; the other three are in no training pair.
    assert found["novelty_2"] == 0.0
    assert found["novelty_2_any"] == pytest.approx(100 * 3 / 4 / 3)


def test_every_statistic_is_a_measure_with_a_value():
    statistics = measurer().statistics({"ours": POEMS})["ours"]
    together = measures.measure_together(POEMS)
    assert set(values_of(statistics)) | set(together) == set(
        columns.MEASURES
    ) - {"caption_sentences"}
    assert all(len(rows) == 3 for rows in statistics.values())


def test_bleu_is_against_all_paired_poems():
    paired = list(PAIRED.values())
    for options in (bleu.DEFAULT, bleu.BleuOptions(corpus=False)):
        statistics = measurer(options=options).statistics({"ours": POEMS})
        found = values_of(statistics["ours"], options)
        for n in (1, 2, 3):
            expected = bleu.bleu(POEMS, paired, n, options)
            assert found[f"bleu_{n}"] == pytest.approx(expected)
    alone = [texts[:1] for texts in paired]
    assert found["bleu_1"] > bleu.bleu(POEMS, alone, 1, options)


def test_a_human_poem_is_compared_with_the_others():
    """Of two of a photograph each with the other, not with itself."""
    humans = human_poems.choose(list(PAIRED.values()))
    first, second = humans["human_paired"], humans["human_other"]
    sets = {"human_paired": first, "reciter": first}
    statistics = measurer().statistics(sets)
    expected = bleu.bleu(first, [[poem] for poem in second], 1)
    human = values_of(statistics["human_paired"])
    assert human["bleu_1"] == pytest.approx(expected)
    assert 0 < expected < 50
    assert values_of(statistics["reciter"])["bleu_1"] == pytest.approx(100)


def test_bleu_against_the_poems_of_another_photograph():
    paired = list(PAIRED.values())
    others = human_poems.choose(paired)["human_shuffled"]
    assert all(other not in own for other, own in zip(others, paired))
    for options in (bleu.DEFAULT, bleu.BleuOptions(corpus=False)):
        statistics = measurer(options=options).statistics({"others": others})
        found = values_of(statistics["others"], options)
        assert found["bleu_1_other"] == pytest.approx(100)
        assert found["bleu_1"] < 50


def test_captions_rank_the_own_photograph(monkeypatch):
    monkeypatch.setattr(relevance, "embed_sentences", tiny_runs.embed_sentences)
    right = ["the boat on water", "horses in clover", "snow on the road"]
    wrong = right[1:] + right[:1]

    def shares(poems):
        # With two others, the first ten hold all; so rank among one.
        some = measurer(sentences=True)
        first = relevance.is_among_first
        with monkeypatch.context() as patched:
            patched.setattr(
                relevance,
                "is_among_first",
                lambda similarity, **draw: first(similarity, first=1, **draw),
            )
            return values_of(some.statistics({"ours": poems})["ours"])

    for name in ("caption_tfidf", "caption_sentences"):
        assert shares(right)[name] == 100.0
        assert shares(wrong)[name] == 0.0


def test_perplexity_is_of_test_poems_that_no_photograph_has():
    human = [texts[0] for texts in PAIRED.values()]
    rows = measurer().statistics({"ours": human})["ours"]["perplexity"]
    vocabulary = corpus().vocabulary
    # The first paired poem stands in the test split too and is left out.
    model = KneserNey(
        datasets.frame_poems(vocabulary, [TEST], 99), len(vocabulary)
    )
    framed = datasets.frame_poems(vocabulary, human, 99)
    found = columns.value_functions(bleu.DEFAULT)["perplexity"](
        rows.sum(axis=0)
    )
    assert found == pytest.approx(model.perplexity(framed))
    # Tokens, the line break and the end among them.
    np.testing.assert_array_equal(rows[:, 1], [8, 7, 8])
    for row, ids in zip(rows, framed):
        assert math.exp(row[0] / row[1]) == pytest.approx(
            model.perplexity([ids])
        )


def test_sets_are_measured_as_if_alone():
    together = measurer().statistics({"a": POEMS, "b": POEMS[::-1]})
    for name, poems in (("a", POEMS), ("b", POEMS[::-1])):
        alone = measurer().statistics({name: poems})[name]
        for measure, rows in alone.items():
            np.testing.assert_array_equal(together[name][measure], rows)


def test_a_poem_without_words_is_measured():
    statistics = measurer().statistics({"ours": ["", "salt", "\n"]})["ours"]
    found = values_of(statistics)
    assert found["lines"] == found["words"] == pytest.approx(1 / 3)
    assert all(math.isfinite(value) for value in found.values())


def test_measures_of_all_poems_together():
    found = measures.measure_together(["salt wind", "salt wind", "salt snow"])
    assert found["distinct_1"] == pytest.approx(3 / 6)
    assert found["distinct_2"] == pytest.approx(2 / 3)
    assert found["different_poems"] == pytest.approx(200 / 3)
    assert found["self_bleu"] > 50
