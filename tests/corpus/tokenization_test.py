"""What a text is read as; vocabulary_test.py has ids and what is written."""

import unicodedata

import pytest

from visualpoet.corpus.vocabulary import Vocabulary


def _words(text, level="word"):
    vocabulary = Vocabulary.train([text], 100, level)
    return [vocabulary.tokens[token_id] for token_id in vocabulary.encode(text)]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("'quoted'", "quoted"),
        ("'quoted words' end", "quoted words end"),
        ("‘quoted words’ end", "quoted words end"),
        ("‛quoted’, ‘words‘", "quoted , words"),
        (
            "'Come, love,' she said, 'and see.'",
            "come , love , she said , and see .",
        ),
        ("he said: 'Come,\nmy love!'", "he said : come , \n my love !"),
        ("'a' 'b' 'c'", "a b c"),
        ("('come')—'go'", "( come ) — go"),
        ("'I don't know'", "i don't know"),
        ("'the dogs' tails wag'", "the dogs ' tails wag"),
        ("'the dog's tail'", "the dog 's tail"),
        ("'tis the dogs' tail, 'em", "'tis the dogs ' tail , 'em"),
        (
            "’tis, ‘twas o’er ’neath th’ sea's stars' sky",
            "'tis , 'twas o'er 'neath th ' sea 's stars ' sky",
        ),
        ("'Tis true,' he said", "'tis true , ' he said"),
        ("'prentice\nthe dogs' tails", "'prentice \n the dogs ' tails"),
        ("the 'possum an' billy", "the 'possum an ' billy"),
        ("rock 'n' roll", "rock 'n ' roll"),
        ("'come, and 'go'", "'come , and go"),
        ("goin' down 'neath the sea", "goin ' down 'neath the sea"),
        ("the '90s' end", "the ' 90s ' end"),
    ],
)
def test_single_marks_around_words_are_quotation_marks(text, tokens):
    assert _words(text) == tokens.split(" ")


# --- what a character is taken for


@pytest.mark.parametrize(
    "apostrophe", list("'’‘‛`´′‵ʼʻʹˈ＇՚׳᾽") + ["\u200b’", "’\u2060"]
)
def test_apostrophe_of_any_code(apostrophe):
    assert _words(f"Don{apostrophe}t go") == ["don't", "go"]
    assert _words(f"the sea{apostrophe}s") == ["the", "sea", "'s"]


@pytest.mark.parametrize("hyphen", list("-‐‑−⁃˗﹣－־"))
def test_hyphen_of_any_code(hyphen):
    assert _words(f"well{hyphen}known") == ["well", "-", "known"]
    assert _words(f"red {hyphen} fox") == ["red", "—", "fox"]


@pytest.mark.parametrize(
    "dash", ["—", "–", "―", "‒", "⸺", "--", "---", "——", " – ", "﹘", "──"]
)
def test_dash_of_any_code(dash):
    assert _words(f"red{dash}fox") == ["red", "—", "fox"]


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ('"', '"'),
        ("“", "”"),
        ("„", "“"),
        ("‟", "”"),
        ("«", "»"),
        ("« ", " »"),
        ("«\u202f", "\u202f»"),
        ("»", "«"),
        ("‹", "›"),
        ("‚", "”"),
        ("「", "」"),
        ("『", "』"),
        ("《", "》"),
        ("〝", "〟"),
        ("＂", "＂"),
        ("″", "″"),
        ("❝", "❞"),
        ("``", "''"),
        ("‘‘", "’’"),
    ],
)
def test_quotation_marks_of_any_kind_are_dropped(opening, closing):
    assert _words(f"{opening}red fox{closing} ah") == ["red", "fox", "ah"]


@pytest.mark.parametrize(
    "hidden",
    list(
        "\u200b\u200c\u200d\u200e\u200f\u2060\u2063\ufeff\xad\u034f\u061c"
        "\u202a\u202e\u2066\u2069\ufe0f\ufffc\x00\x07\x1a\x1b\x7f\x9f"
        "\U000e0041"
    ),
)
@pytest.mark.parametrize("level", ["word", "character"])
def test_what_cannot_be_seen_is_no_token(hidden, level):
    text = f"{hidden}star{hidden}light{hidden}\n{hidden} sea {hidden}"
    assert _words(text, level) == _words("starlight\nsea", level)


@pytest.mark.parametrize(
    "line_break",
    ["\r", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029", "\x1e"],
)
@pytest.mark.parametrize("level", ["word", "character"])
def test_line_break_of_any_code(line_break, level):
    text = f"a{line_break}b {line_break}{line_break} c"
    assert _words(text, level) == ["a", "\n", "b", "\n", "c"]


@pytest.mark.parametrize(
    "word",
    [
        "हिन्दी",
        "कविता",
        "שָׁלוֹם",
        "السَّلامُ",
        "ดวงจันทร์",
        "தமிழ்",
        "n\u0302ow",
        "i\u0307stanbul",
        "한국",
    ],
)
def test_marks_belong_to_their_letter(word):
    assert _words(f"{word}, {word}") == [word, ",", word]


def test_marks_without_a_letter_are_no_tokens():
    assert _words("\u0301 red \u0308, \u0301") == ["red", ","]


@pytest.mark.parametrize("level", ["word", "character"])
def test_composed_and_decomposed_letters_are_the_same(level):
    texts = ["café", "Ἄ", "ộ", "ǰ", "한", "ä̀", "ậ", "ो"]
    decomposed = [unicodedata.normalize("NFD", text) for text in texts]
    vocabulary = Vocabulary.train(texts, 100, level)
    assert vocabulary.encode_batch(decomposed) == vocabulary.encode_batch(texts)


def test_order_of_marks_is_the_same():
    one, other = "\u05e9\u05b8\u05c1", "\u05e9\u05c1\u05b8"
    assert _words(f"{one} {other}") == [one, one]


def test_joiners_stay_where_they_change_the_letters():
    persian, hindi = "می\u200cخواهم", "क\u094d\u200dष"
    assert _words(f"{persian} {hindi}") == [persian, hindi]
    malayalam = "ന\u0d4d\u200d"
    assert _words(f"{malayalam} x") == [malayalam, "x"]


def test_joiners_that_join_nothing_are_dropped():
    assert _words("\u200dخواهم\u200c x\u200d, \u200c") == [
        "خواهم",
        "x",
        ",",
    ]


@pytest.mark.parametrize("level", ["word", "character"])
def test_pictographs_are_one_token(level):
    family, thumb, flag = "👨\u200d👩\u200d👧", "👍🏽", "🇯🇵"
    assert _words(f"{family}{thumb}{flag}🌊", level) == [
        family,
        thumb,
        flag,
        "🌊",
    ]
    assert _words("❤\ufe0f", level) == ["❤"]


def test_ligatures_and_wide_letters_are_plain_ones():
    assert _words("ﬁre ＳＥＡ ａ１ ℌ") == ["fire", "sea", "a1", "h"]


def test_soft_hyphens_hold_words_together_and_narrow_blanks_part_them():
    assert _words("star\xadlight\u202fsea\u2009now") == [
        "starlight",
        "sea",
        "now",
    ]


# --- characters


def test_character_level_keeps_blanks():
    text = "a red\n fox\u3000 runs "
    vocabulary = Vocabulary.train([text], 50, "character")
    assert vocabulary.decode(vocabulary.encode(text)) == "a red\nfox runs"
    blank = vocabulary.tokens.index(" ")
    assert vocabulary.is_word()[blank]
    assert blank not in vocabulary.mark_ids()


def test_character_level_keeps_blanks_of_korean_and_between_scripts():
    assert _words("비가 온다 a 水", "character") == list("비가 온다 a 水")


@pytest.mark.parametrize("blank", [" ", "\u3000", "  "])
def test_character_level_drops_blanks_between_chinese_letters(blank):
    text = f"山上{blank}白云{blank}。雨"
    assert _words(text, "character") == list("山上白云。雨")


def test_character_level_has_marks_with_their_letter():
    assert _words("हिन्दी n\u0302 ش\u0651\u064e", "character") == [
        "हि",
        "न्",
        "दी",
        " ",
        "n\u0302",
        " ",
        "ش\u064e\u0651",
    ]
