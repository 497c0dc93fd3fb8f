import random

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from visualpoet.control import MAX_TEXT_BYTES
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.export.tokenizer import GraphTokenizer

WORDS = (
    "the sea it's cat o'er 'tis co - operate don't café été naïve fish’s - "
    "i'll st d'd , ; : ! ? . ( ) ' \n 's — s x é 1 2 tm σας i̇ ff"
)
TEXTS = [
    "The sea is wide,\nThe sky is grey.",
    "",
    " ",
    "\n",
    "  \n the sea \n\n\n is\r\nwide \t ",
    "it's the cat's 's, s's 's's ''s",
    "'Tis o'er; ne'er o' er th' st, they' ll don't",
    "o' d' st x, o' dé",
    "the -- sea - and — you–me co-operate -",
    "“Quoted” ‘single’ don’t, the sea’s\nwave’s—foam",
    "' ' lonely ' ' marks '",
    "xylophone unknown words",
    "Café cafe\u0301 ÉTÉ naïve Ünï\u0327",
    "\ufb01sh ½ … ™ \ufb00 ＡＢ ſong 日本 한글 ΣΑΣ İ",
    "no\u00a0break\u2003wide\u2028line\u0085next\vtab\f",
    'a_b a‿b #x* [y] {z} <w> |v| ~ ^ = + @ / \\ "',
    "e\u0302\u0301 two marks",
    "...,;:!?()!",
    "a'b'c'd's e",
    "'sea' 'wide' 'grey', 'The dogs' tails,\nsky' is 'wide seas' grey",
    "'tis 'twas th' sea 'neath goin' down; 'prentice\ndogs' tails",
]
CHARACTERS = [
    *"aábdeIst'''  \n\t-—.,é\u0301’“_/ſﬁ½\u00a0",
    *"\r\v\x00\x1a\x1e\x1f\x85\u200b\u200c\u200d\u2028\u2060\ufe0f\ufeff",
    *"`´′‛‐‑−–″„«「（ー床の가क्ाםשָׁﷺไ🅐👍🏽🇯❤º²ŉİß،।?؟",
    *"\u0302\u0307\u0323\u0327\u030c\u0345\u0951\u09be\u09c7\u3099\u1161\u11a8",
    "'s",
    "' st",
    "' d",
    " 's",
    " 'a",
    "s' ",
    "a' ",
    "'tis ",
    "\r\n",
    "--",
    " - ",
    " ' ",
    "``",
    "''",
    "...",
    "می\u200cخوا",
    "क्\u200dष",
    "👨\u200d👩\u200d👧",
    "e\u0323\u0302",
    "ο\u0313\u0301\u0345",
    "J\u030c",
    "1\ufe0f\u20e3",
    "\u1112\u1161\u11ab",
    "前 月\u3000光",
]


def vocabulary(level):
    return Vocabulary.train([WORDS, *CHARACTERS, *tiny.POEMS], 900, level)


@pytest.fixture(scope="module", params=["word", "character"])
def both(request):
    """A vocabulary and the same as a graph."""
    known = vocabulary(request.param)
    tokenizer = GraphTokenizer(known)
    encode = tf.function(
        tokenizer.encode, input_signature=[tf.TensorSpec([], tf.string)]
    )
    return known, tokenizer, encode


def unpadded(rows):
    return [[index for index in row if index] for row in rows.numpy().tolist()]


@pytest.mark.parametrize("text", TEXTS)
def test_same_ids_as_the_vocabulary(both, text):
    known, _, encode = both
    assert encode(tf.constant(text)).numpy().tolist() == known.encode(text)


def test_same_ids_for_many_texts_at_once(both):
    known, tokenizer, _ = both
    draw = random.Random(0)
    texts = [*TEXTS, *tiny.POEMS]
    for _ in range(2000):
        pieces = draw.choices(CHARACTERS, k=draw.randrange(1, 20))
        texts.append("".join(pieces))
    found = tokenizer.encode_batch(tf.constant(texts))
    expected = known.encode_batch(texts)
    wrong = [
        text
        for text, row, ids in zip(texts, unpadded(found), expected)
        if row != ids
    ]
    assert wrong == []


def test_of_a_long_text_the_end_is_read(both):
    known, tokenizer, _ = both
    end = "the sea\n" * (MAX_TEXT_BYTES // 8)
    found = tokenizer.encode_batch(tf.constant(["moon\n" * 9 + end, end]))
    assert unpadded(found) == [known.encode(end)] * 2


def test_a_character_that_is_written_as_many_costs_no_more():
    tokenizer = GraphTokenizer(Vocabulary.train(tiny.POEMS, 300))
    found = tokenizer.encode_batch(tf.constant(["\ufdfa " * 4000]))
    assert found.shape[1] < MAX_TEXT_BYTES / 2


def test_characters_are_looked_up_as_they_are_read():
    known = Vocabulary.train(["\u9686\n\u9686"], 20, "character")
    tokenizer = GraphTokenizer(known)
    found = tokenizer.encode_characters(tf.constant(["\uf9dc, \u9686"]))
    assert found.to_list() == [known.encode("\u9686") * 2]


def test_rows_are_padded_with_0():
    tokenizer = GraphTokenizer(vocabulary("word"))
    found = tokenizer.encode_batch(tf.constant(["the sea", "", "the"]))
    assert found.dtype == tf.int32
    assert found.shape == (3, 2)
    np.testing.assert_array_equal(found.numpy() == 0, [[0, 0], [1, 1], [0, 1]])


def test_no_texts():
    tokenizer = GraphTokenizer(vocabulary("word"))
    found = tokenizer.encode_batch(tf.constant([], tf.string))
    assert found.shape == (0, 0)


@pytest.mark.parametrize("sign", ["\x1e", "\x1f"])
def test_a_text_cannot_bring_the_signs_of_break_and_blank(both, sign):
    known, _, encode = both
    text = f"the{sign}sea {sign}s"
    assert encode(tf.constant(text)).numpy().tolist() == known.encode(text)
