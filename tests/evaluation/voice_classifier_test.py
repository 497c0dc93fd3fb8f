import numpy as np
import pytest

from visualpoet.evaluation import voice_classifier
from visualpoet.evaluation.memorisation import CopiedRuns
from visualpoet.evaluation.voice_classifier import Reading

POEM = "The Sea, the sea!\nA grey gull's cry\nand rain;\nI sleep."


def test_case_marks_and_line_breaks_tell_nothing():
    reading = Reading(2, 4, 100, False)
    plain = "the sea the sea a\ngrey gull\u2019s cry and\nrain i sleep"
    assert reading.read([POEM]) == reading.read([plain])
    assert reading.read([POEM]) == [
        "the sea the sea a grey gull's cry and rain i sleep"
    ]


def test_human_poems_are_cut_as_the_written_ones():
    assert Reading(2, 2, 3, False).cut([POEM, "One line"]) == [
        "the sea the",
        "and rain i",
    ]


def test_the_reading_is_that_of_the_written_poems():
    written = ["a b\nc"] * 2 + ["a b c d\ne\nf"] * 9
    assert voice_classifier.find_reading(written, False) == Reading(
        2, 3, 3, False
    )
    quatrain = "明月光，\n疑是霜。\n望明月\n思故鄉"
    assert voice_classifier.find_reading([quatrain], True) == Reading(
        4, 4, 12, True
    )


def draw(most):
    quoted = "one two three four five six\nseven"
    others = [f"{word} of its own\nand more of it" for word in "abcd"]
    return voice_classifier.draw_others(
        [*others, quoted, "a line"],
        most,
        Reading(2, 2, 7, False),
        CopiedRuns(["Zero, one two three\nfour five six"]),
        np.random.default_rng(0),
    )


def test_others_that_quote_the_corpus_are_left_out():
    assert sorted(draw(6)) == [f"{x} of its own and more of" for x in "abcd"]
    assert len(set(draw(2))) == 2


def test_a_classifier_knows_whose_words_they_are():
    own = ["noon bee the clover", "the bee and noon", "clover noon bee"]
    others = ["ship the captain sail", "sail and ship", "captain ship sail"]
    classifier = voice_classifier.train_classifier(own, others)
    texts = ["the bee noon", "and a ship", "bee sail ship captain"]
    assert classifier.predict(texts).tolist() == [True, False, False]
    share = voice_classifier.share_own(classifier, texts)
    assert share == pytest.approx(1 / 3)
