import pytest

from visualpoet.evaluation import pronunciation

HEARD = {
    "sea": ["s", "ˈiː"],
    "little": ["l", "ˈɪ", "ɾ", "əl"],
    "button": ["b", "ˈʌ", "ʔ", "n̩"],
    "tonight": ["t", "ə", "n", "ˈaɪ", "t"],
    "delight": ["d", "ᵻ", "l", "ˈaɪ", "t"],
    "flower": ["f", "l", "ˈaʊ", "ɚ"],
    "the": ["ð", "ə"],
    "hm": ["h", "m"],
}


@pytest.mark.parametrize(
    "word, syllables, rhyme",
    [
        ("sea", 1, "i"),
        ("little", 2, "ɪ ɾ əl"),
        ("button", 2, "ʌ ʔ n̩"),
        ("tonight", 2, "aɪ t"),
        ("delight", 2, "aɪ t"),
        ("flower", 2, "aʊ ɚ"),
        ("the", 1, "ə"),
        ("hm", 0, ""),
    ],
)
def test_syllables_and_rhymes_of_phonemes(word, syllables, rhyme):
    assert pronunciation.count_syllables(HEARD[word]) == syllables
    assert pronunciation.find_rhyme(HEARD[word]) == rhyme


def test_espeak_gives_such_phonemes():
    pytest.importorskip("phonemizer")
    pytest.importorskip("espeakng_loader")
    words = [word for word in HEARD if word != "hm"]
    expected = {word: HEARD[word] for word in words}
    assert pronunciation.transcribe([*words, "sea"]) == expected
