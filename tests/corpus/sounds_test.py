import pytest

from visualpoet.corpus.sounds import measure_sounds
from visualpoet.corpus.vocabulary import Vocabulary

TEXT = """the sea is wide, the tide is high
a bicycle beside the sky
turn'd and waked 'neath beauteous clouds's shade
love above move"""


@pytest.fixture(scope="module")
def heard():
    vocabulary = Vocabulary.train([TEXT], 60)
    return vocabulary, measure_sounds(vocabulary)


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("sea", 1),
        ("bicycle", 3),
        ("beside", 2),
        # By their spelling.
        ("turn'd", 1),
        ("waked", 1),
        ("'neath", 1),
        ("beauteous", 2),
        # No words.
        (",", 0),
        ("'s", 0),
        ("\n", 0),
    ],
)
def test_syllables(heard, word, syllables):
    vocabulary, sounds = heard
    assert sounds.syllables[vocabulary.tokens.index(word)] == syllables


@pytest.mark.parametrize(
    ("one", "other", "rhymes"),
    [
        ("wide", "beside", True),
        ("high", "sky", True),
        ("love", "above", True),
        ("love", "move", False),  # to the eye alone
        ("sea", "sky", False),
    ],
)
def test_rhymes(heard, one, other, rhymes):
    vocabulary, sounds = heard
    classes = [
        sounds.rhyme[vocabulary.tokens.index(word)] for word in (one, other)
    ]
    assert 0 not in classes
    assert (classes[0] == classes[1]) == rhymes


@pytest.mark.parametrize(
    ("word", "hisses"), [("clouds", True), ("sea", False), ("waked", False)]
)
def test_words_whose_genitive_is_a_syllable_more(heard, word, hisses):
    vocabulary, sounds = heard
    assert sounds.hisses[vocabulary.tokens.index(word)] == hisses


def test_a_chinese_character_is_a_syllable():
    vocabulary = Vocabulary.train(
        ["床前明月光，\n疑是地上霜。"], 60, "character"
    )
    sounds = measure_sounds(vocabulary)
    found = dict(zip(vocabulary.tokens, sounds.syllables.tolist()))
    assert found["月"] == 1
    assert found["。"] == 0
    assert found["\n"] == 0
    assert not sounds.rhyme.any()
