import json
import unicodedata

import numpy as np
import pytest

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import SPECIAL_TOKENS
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary

CORPUS = [
    "The fox's tail is red, and I'm well-known (or so\nthey say) - don't ask!",
    "Why? Why not: the o'clock; dogs' tails. 'Tis what it is, I'll go — ah.",
]
CHINESE = ["雨落在窗上,\n灯还亮着。", "雨停了。"]


@pytest.fixture(scope="module")
def words():
    return Vocabulary.train(CORPUS, 100)


@pytest.fixture(scope="module")
def characters():
    return Vocabulary.train(CHINESE, 50, "character")


def _tokens(vocabulary, text):
    return [vocabulary.tokens[token_id] for token_id in vocabulary.encode(text)]


def test_tokens_are_ordered_by_count_after_the_special_ones():
    vocabulary = Vocabulary.train(["b a a\nb a", "a b c"], 8)
    assert vocabulary.tokens == [*SPECIAL_TOKENS, "a", "b", "\n", "c"]
    assert len(vocabulary) == 8
    assert vocabulary.encode("c\nA") == [7, 6, 4]


def test_the_rarest_are_cut():
    vocabulary = Vocabulary.train(["b a a\nb a", "a b c"], 7)
    assert vocabulary.tokens == [*SPECIAL_TOKENS, "a", "b", "\n"]
    assert vocabulary.encode("c a d") == [UNKNOWN, 4, UNKNOWN]


def test_small_sources_are_heard():
    # Scores: a 16 / sqrt(25), b 5 / 5, c 2 / sqrt(4), d 1 / 2, line break 1.5.
    poems = [["a " * 16 + "b " * 5 + "\n x x x"], ["c c\nd"]]
    vocabulary = Vocabulary.train_balanced(poems, ["e d d d"], 9)
    assert vocabulary.tokens == [*SPECIAL_TOKENS, "\n", "a", "d", "b", "c"]
    assert vocabulary.encode("a\nx e") == [5, 4, UNKNOWN, UNKNOWN]


def test_balanced_vocabulary_is_saved_and_loaded(tmp_path):
    vocabulary = Vocabulary.train_balanced([["a b\na"], ["c"]], ["c"], 7)
    vocabulary.save(tmp_path / "vocabulary.json")
    loaded = Vocabulary.load(tmp_path / "vocabulary.json")
    assert (
        loaded.tokens == vocabulary.tokens == [*SPECIAL_TOKENS, "\n", "c", "a"]
    )


def test_share_of_words_without_a_token(words):
    # Marks and line breaks are no words.
    assert words.unknown_share(["The dog,", "fox! dogs' zebra\nthe"]) == 2 / 6
    assert np.isnan(words.unknown_share([]))


def test_special_tokens_have_fixed_ids():
    assert (PAD, START, END, UNKNOWN) == (0, 1, 2, 3)


def test_line_break_is_an_ordinary_token(words):
    line_break = words.line_break
    assert line_break >= len(SPECIAL_TOKENS)
    assert words.tokens[line_break] == "\n"
    assert words.encode("red\nfox").count(line_break) == 1
    assert words.decode(words.encode("red\nfox")) == "Red\nFox"


@pytest.mark.parametrize("text", ["red\r\nfox", "red \n  fox", "red\n\n \nfox"])
def test_line_breaks_in_a_row_are_one(words, text):
    assert _tokens(words, text) == ["red", "\n", "fox"]


def test_blanks_and_breaks_at_the_ends_are_dropped(words):
    assert _tokens(words, " \n red fox\n\n") == ["red", "fox"]


@pytest.mark.parametrize(
    ("text", "tokens", "written"),
    [
        ("the fox's tail", ["the", "fox", "'s", "tail"], "The fox's tail"),
        ("it’s red", ["it", "'s", "red"], "It's red"),
        ("well-known", ["well", "-", "known"], "Well-known"),
        ("red - red", ["red", "—", "red"], "Red — red"),
        ("red--red", ["red", "—", "red"], "Red — red"),
        ("red – red", ["red", "—", "red"], "Red — red"),
        ("red,red", ["red", ",", "red"], "Red, red"),
        ("ah!", ["ah", "!"], "Ah!"),
        ("why ?", ["why", "?"], "Why?"),
        ("not: it; is.", ["not", ":", "it", ";", "is", "."], "Not: it; is."),
        ("is it? it is", None, "Is it? It is"),
        ("it is: red; is", None, "It is: red; is"),
        ("ah…", ["ah", ".", ".", "."], "Ah..."),
        ("don’t ask", ["don't", "ask"], "Don't ask"),
        ("O'CLOCK", ["o'clock"], "O'clock"),
        ("dogs' tails", ["dogs", "'", "tails"], "Dogs' tails"),
        ("is 'tis", ["is", "'tis"], "Is 'tis"),
        ("go (or so) ah", ["go", "(", "or", "so", ")", "ah"], "Go (or so) ah"),
        ("go ( or so ).", ["go", "(", "or", "so", ")", "."], "Go (or so)."),
        ("and i'm red; I'll go", None, "And I'm red; I'll go"),
    ],
)
def test_punctuation_round_trip(words, text, tokens, written):
    if tokens:
        assert _tokens(words, text) == tokens
    assert words.decode(words.encode(text)) == written
    assert words.decode(words.encode(written)) == written


@pytest.mark.parametrize(
    "text",
    ['"red fox"', "“red fox”", "[red] {fox}", "_red_ *fox*", "red ' fox"],
)
def test_quotation_marks_and_square_brackets_are_dropped(words, text):
    assert _tokens(words, text) == ["red", "fox"]


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


def _words(text, level="word"):
    return _tokens(Vocabulary.train([text], 100, level), text)


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


# --- ids


def test_unknown_words_are_left_out_of_the_text(words):
    assert words.encode("red zebra")[1] == UNKNOWN
    assert words.decode(words.encode("red zebra fox")) == "Red fox"
    assert words.decode(words.encode("zebra fox")) == "Fox"


def test_decode_stops_at_end_and_leaves_special_tokens_out(words):
    red, fox = words.encode("red fox")
    assert words.decode([START, red, PAD, fox, END, red]) == "Red fox"
    assert words.decode(np.array([START, END])) == ""


def test_encode_batch_equals_encode(words):
    texts = ["red fox", "", "why\nzebra?"]
    assert words.encode_batch(texts) == [words.encode(text) for text in texts]
    assert words.encode_batch(texts)[1] == []


@pytest.mark.parametrize("fixture", ["words", "characters"])
def test_save_and_load(tmp_path, request, fixture):
    vocabulary = request.getfixturevalue(fixture)
    path = tmp_path / "vocabulary.json"
    vocabulary.save(path)
    loaded = Vocabulary.load(path)
    text = "The fox's — \n雨停 zebra"
    assert loaded.tokens == vocabulary.tokens
    assert loaded.level == vocabulary.level
    assert loaded.line_break == vocabulary.line_break
    assert loaded.encode(text) == vocabulary.encode(text)
    np.testing.assert_array_equal(loaded.pieces(), vocabulary.pieces())


@pytest.mark.parametrize("fixture", ["words", "characters"])
def test_renewed_it_reads_texts_by_the_rules_of_today(
    tmp_path, request, fixture
):
    vocabulary = request.getfixturevalue(fixture)
    path = tmp_path / "vocabulary.json"
    vocabulary.save(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["tokenizer"]["normalizer"] = None
    path.write_text(json.dumps(content), encoding="utf-8")
    text = "the FOX\u2019s tail,\u2028\u96e8\u505c"
    old = Vocabulary.load(path)
    assert old.encode(text) != vocabulary.encode(text)
    assert old.renew().tokens == vocabulary.tokens
    assert old.renew().encode(text) == vocabulary.encode(text)


def test_character_level_writes_chinese_without_blanks(characters):
    assert set(characters.tokens[4:]) == set("雨落在窗上,\n灯还亮着。停了")
    assert _tokens(characters, "雨停\n了。") == ["雨", "停", "\n", "了", "。"]
    assert characters.decode(characters.encode("灯 亮着,\n雨停")) == (
        "灯亮着,\n雨停"
    )
    assert characters.encode("雪") == [UNKNOWN]


@pytest.mark.parametrize("texts", [[], [""], ["\n"], ["* _ []", ' "" ']])
def test_empty_corpus(texts):
    with pytest.raises(
        ValueError, match="Received: no token but the special ones"
    ):
        Vocabulary.train(texts, 9)


def test_unknown_level():
    with pytest.raises(ValueError, match=r"'character'\). Received: syllable"):
        Vocabulary.train(CORPUS, 9, "syllable")


def test_pieces_and_forms_of_single_tokens(words):
    pieces, forms = words.pieces(), words.forms()
    assert pieces.shape == (4, len(words))
    assert forms.dtype == np.int32
    written = {
        token: (*pieces[:, index], forms[index])
        for index, token in enumerate(words.tokens)
    }
    assert written["red"] == ("Red", " red", "red", " Red", 1)
    assert written["i'm"] == ("I'm", " I'm", "I'm", " I'm", 1)
    assert written["\n"] == ("\n", "\n", "\n", "\n", 0)
    assert written["-"] == ("-", "-", "-", "-", 2)
    assert written["("] == ("(", " (", "(", " (", 2)
    assert written[","] == (",", ",", ",", ",", 1)
    assert written["?"] == ("?", "?", "?", "?", 3)
    assert written["—"] == ("—", " —", "—", " —", 1)
    assert written["<unknown>"] == ("", "", "", "", 1)
    assert written["<start>"] == ("", "", "", "", 0)


@pytest.mark.parametrize(
    ("fixture", "text"),
    [
        (
            "words",
            "The fox's tail (is red), well-known -\ndon't ask: 'tis I! Why",
        ),
        ("words", "(ah!) - I'll go\nwell-\nknown"),
        ("characters", "雨落在窗上,\n灯还亮着。"),
    ],
)
def test_concatenated_pieces_equal_decode(request, fixture, text):
    vocabulary = request.getfixturevalue(fixture)
    pieces, forms = vocabulary.pieces(), vocabulary.forms()
    token_ids = vocabulary.encode(text)
    written = "".join(
        pieces[forms[previous], token_id]
        for previous, token_id in zip([START, *token_ids], token_ids)
    )
    assert len(written) > 10
    assert written == vocabulary.decode(token_ids)


def test_tokens_are_left_out_and_the_others_move_up(words):
    kept = [i for i, token in enumerate(words.tokens) if token != "fox"]
    fewer = words.keep(kept)
    assert fewer.tokens == [t for t in words.tokens if t != "fox"]
    assert fewer.encode("fox") == [UNKNOWN]
    assert fewer.decode(fewer.encode("The tail,")) == "The tail,"
    assert "fox" in words.tokens
