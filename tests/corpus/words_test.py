from visualpoet.corpus.words import list_n_grams
from visualpoet.corpus.words import split_words


def test_words_of_a_text():
    text = "The Sea\u2019s salt \u2014 don't\nkeep 42 e-mails, \u00c9mile_x!"
    assert split_words(text) == [
        *["the", "sea's", "salt", "don't", "keep", "e", "mails"],
        *["\u00e9mile", "x"],
    ]
    assert split_words("The Sea", lower_case=False) == ["The", "Sea"]


def test_runs_of_words_go_across_lines():
    assert list_n_grams("The sea,\nthe sky", 2) == [
        ("the", "sea"),
        ("sea", "the"),
        ("the", "sky"),
    ]
    assert list_n_grams("the sea", 3) == []
