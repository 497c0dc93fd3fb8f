import sys
import unicodedata

import pytest
import tensorflow as tf

from visualpoet.export.normalizer import Normalizer


@pytest.fixture(scope="module", params=["word", "character"])
def level(request):
    return request.param


@pytest.fixture(scope="module")
def normalize(level):
    normalizer = Normalizer(level)

    def run(texts):
        rows = normalizer.normalize(tf.constant(texts, tf.string)).numpy()
        return [row.decode() for row in rows]

    return run


@pytest.fixture(scope="module")
def letters():
    """All that are written with marks, and are their own normal form."""
    return [
        chr(code)
        for code in range(0xC0, sys.maxunicode + 1)
        if unicodedata.normalize("NFD", chr(code)) != chr(code)
        and chr(code) == unicodedata.normalize("NFKC", chr(code)).lower()
    ]


def test_every_letter_with_marks_is_composed_as_unicode_says(
    normalize, letters
):
    parted = [unicodedata.normalize("NFD", letter) for letter in letters]
    assert len(letters) > 11_000
    assert normalize(parted) == letters
    assert normalize(letters) == letters


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("a\u0302\u0323", "\u1ead"),  # put in order, then composed
        ("a\u0301\u0327", "\xe1\u0327"),  # beside a mark that stays
        ("a\u0301\u0301", "\xe1\u0301"),  # two of one kind
        ("\u03b1\u0345\u0313\u0301", "\u1f84"),
        ("x\u0301\u0323", "x\u0323\u0301"),
        ("\u1112\u1161\u11ab", "\ud55c"),
        ("\u0301a", "\u0301a"),
        ("", ""),
    ],
)
def test_marks_in_any_order(normalize, text, normal):
    assert normalize([text]) == [normal]


def test_a_text_does_not_lean_on_the_one_before(normalize):
    assert normalize(["a", "\u0301", "", "e"]) == ["a", "\u0301", "", "e"]


def test_no_texts(normalize):
    assert normalize([]) == []


def test_folding(normalize, level):
    found = normalize(["A\u2019\u200b\u2028\ufb01\uff21\u2014\u201c\0"])
    assert (
        found
        == {
            "word": ["a'\nfia\u2014\""],
            "character": ["A'\n\ufb01\uff21\u2014\""],
        }[level]
    )
