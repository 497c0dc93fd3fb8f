import json

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


def test_how_tokens_are_written_is_worked_out_once(monkeypatch):
    """Not for every poem: an adversarial run writes a hundred thousand."""
    worked_out = []
    write = Vocabulary._write

    def count(vocabulary, token):
        worked_out.append(token)
        return write(vocabulary, token)

    monkeypatch.setattr(Vocabulary, "_write", count)
    vocabulary = Vocabulary.train(CORPUS, 100)
    poems = [vocabulary.decode(vocabulary.encode(text)) for text in CORPUS * 3]
    assert len(set(poems)) == 2
    assert len(worked_out) == len(vocabulary) - len(SPECIAL_TOKENS)
