"""Books as Project Gutenberg lays them out; the texts are made up."""

import pytest

from visualpoet.corpus import books

PREFACE = """\
These verses were written in the winter of that year, when the snow lay upon
the roofs for eleven weeks and there was nothing to be done but to write; the
reader will forgive them."""
FILE = f"""\
The Project Gutenberg eBook of Winter Songs

Title: Winter Songs

Author: A. Nobody

*** START OF THE PROJECT GUTENBERG EBOOK WINTER SONGS ***

WINTER SONGS

PREFACE

{PREFACE}

CONTENTS

     The Roofs
     The Long Road of the Carter Home
     Thaw

I.

The Roofs

  The snow lies deep,                     1
  _the snow lies_ long,

  and in its sleep
  it has no song.[3]

THE LONG ROAD

  The carter goes along the road and thinks about the many miles
      behind him,
  He counts them all,
  And all are his.

NOTES

  3. The song, of course;
  It is a thrush.

*** END OF THE PROJECT GUTENBERG EBOOK WINTER SONGS ***

Start: full license"""


def test_verse_is_cut_at_headings():
    book = books.read_book(FILE.replace("\n", "\r\n"))
    assert (book.title, book.author) == ("Winter Songs", "A. Nobody")
    poems = books.cut_poems(book, "gutenberg-7")
    assert [(p.id, p.title, p.author) for p in poems] == [
        ("gutenberg-7-1", "The Roofs", "A. Nobody"),
        ("gutenberg-7-2", "THE LONG ROAD", "A. Nobody"),
    ]
    assert [p.text for p in poems] == [
        "The snow lies deep,\nthe snow lies long,\n\n"
        "and in its sleep\nit has no song.",
        "The carter goes along the road and thinks about the many miles "
        "behind him,\nHe counts them all,\nAnd all are his.",
    ]


def test_prose_is_cut_at_blank_lines():
    book = books.read_book(FILE)
    (paragraph,) = books.cut_paragraphs(book, "gutenberg-7")
    assert paragraph.text == PREFACE.replace("\n", " ")
    assert paragraph.id == "gutenberg-7-1"


def test_a_book_of_prose_has_no_poems():
    prose = books.Book("A Winter", "A. Nobody", f"{PREFACE}\n\n" * 9)
    with pytest.raises(ValueError, match="A Winter, with 0 of 27 lines of"):
        books.cut_poems(prose, "gutenberg-8")


def test_another_text_is_no_book():
    with pytest.raises(ValueError, match="expected a plain text of Project"):
        books.read_book("<html>404</html>")


def test_equal_poems_are_of_one_split():
    splits = [books.choose_split(f"poem {number}") for number in range(2000)]
    assert 70 < splits.count("validation") < 130
    assert 70 < splits.count("test") < 130
    assert books.choose_split("The  Sea\nis wide") == books.choose_split(
        "the sea is wide"
    )


def wrap(text):
    start, end = (f"*** {word} OF THE BOOK ***" for word in ("START", "END"))
    return books.read_book(f"Title: T\n{start}\n{text}\n{end}\n")


def test_pictures_and_notes_in_brackets_are_no_headings():
    verse = "The sea is grey,\nthe sky is wide,"
    text = f"SONG\n\n[Illustration]\n\n{verse}\n\n[Footnote 1: A sea.]\n\n"
    text += f"{verse}\n\n\nIntroduction\n\n{verse}\n\nNOTES\n\n{verse}\n"
    poems = books.cut_poems(wrap(text), "b")
    assert [(poem.title, poem.text.count("sea")) for poem in poems] == [
        ("SONG", 2),
        ("Introduction", 1),
    ]


@pytest.mark.parametrize(
    "lines", ["床前明月光，\n疑是地上霜。", "البحر واسع،\nوالليل طويل؟"]
)
def test_scripts_without_capitals(lines):
    (poem,) = books.cut_poems(wrap(f"I\n\n{lines}\n"), "b")
    assert poem.text == lines


def test_a_book_without_prose_is_refused():
    with pytest.raises(ValueError, match="without a paragraph of 25 to 110"):
        books.cut_paragraphs(wrap("The sea,\nthe sky."), "b")
