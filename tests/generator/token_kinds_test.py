import numpy as np
import tokenizers
from tokenizers import models

from visualpoet.corpus.vocabulary import SPECIAL_TOKENS
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.generator import token_kinds


def test_tokens_are_sorted_by_how_poems_use_them():
    tokens = [
        *SPECIAL_TOKENS,
        *["\n", "sea", "the", ",", "moon", "-", "'s", "of", "with", "gull"],
    ]
    table = {token: index for index, token in enumerate(tokens)}
    model = models.WordLevel(table, unk_token="<unknown>")
    vocabulary = Vocabulary(tokenizers.Tokenizer(model), "word")

    def poem(text):
        words = text.replace(" / ", " \n ").split(" ")
        return [1, *(table[word] for word in words), 2]

    kinds = token_kinds.sort_tokens(
        vocabulary,
        [
            # `sea` is always stopped, `the` never.
            *[poem("the sea , / the sea")] * 40,
            # `of` is stopped 1 time of 25: 4 %, too often to be open.
            *[poem("of sea")] * 24,
            poem("of"),
            # `with` is stopped 1 time of 26.
            *[poem("with sea")] * 25,
            poem("with ,"),
            # Of 40 * 8 + 24 * 4 + 3 + 25 * 4 + 4 + 5 = 528 tokens, 0.4 % are
            # 2.1: `moon` and `gull`, which does not occur, are rare.
            poem("moon 's -"),
        ],
    )

    def names(flags):
        return {token for token, flag in zip(tokens, flags) if flag}

    words = {"sea", "the", "moon", "of", "with", "gull"}
    assert names(kinds.is_word) == words
    assert names(kinds.is_mark) == {",", "-"}
    assert names(kinds.is_content) == {"moon", "gull"}
    assert names(kinds.is_open) == {"the", "with", "-", "moon"}
    assert kinds.line_break == 4


def test_numerals_but_no_words():
    numerals = [
        "ii",
        "iii",
        "iv",
        "vi",
        "viii",
        "ix",
        "xi",
        "xiv",
        "xxix",
        "7",
        "12",
    ]
    words = ["i", "v", "x", "ill", "il", "mix", "civil", "-", "vix"]
    found = [bool(token_kinds.NUMERAL.fullmatch(w)) for w in numerals + words]
    assert found == [True] * len(numerals) + [False] * len(words)


def test_twins_differ_by_an_s():
    tokens = [*SPECIAL_TOKENS, "\n", "a", "as", "tree", "trees", "gras", "'s"]
    model = models.WordLevel(
        {token: index for index, token in enumerate(tokens)},
        unk_token="<unknown>",
    )
    vocabulary = Vocabulary(tokenizers.Tokenizer(model), "word")
    kinds = token_kinds.sort_tokens(vocabulary, [[1, 5, 2]])
    place = {token: index for index, token in enumerate(tokens)}
    expected = np.arange(len(tokens))
    expected[[place["tree"], place["trees"]]] = place["trees"], place["tree"]
    np.testing.assert_array_equal(kinds.twin, expected)


def test_no_line_of_a_pattern_ends_with_a_genitive():
    vocabulary = Vocabulary.train(["the sea's the sea-the\nsea, is."], 40)
    poems = [[1, *vocabulary.encode("the sea's the sea,\nthe sea."), 2]]
    kinds = token_kinds.sort_tokens(vocabulary, poems)
    rules = token_kinds.add_rules(kinds, vocabulary, poems, {}).rules
    place = {token: index for index, token in enumerate(vocabulary.tokens)}
    assert rules.leans[[place["'s"], place["-"]]].all()
    others = [place[token] for token in (",", ".", "sea", "\n")]
    assert not rules.leans[others].any()
    # In two of three cases, and never.
    assert rules.is_closing[place["sea"]]
    assert not rules.is_closing[place["the"]]
