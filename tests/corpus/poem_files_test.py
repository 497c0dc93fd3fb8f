import pytest

from visualpoet.corpus.poem_files import split_poems

SEA, FOX = "The sea is wide,\nthe sky is grey.", "A fox in snow\nruns home."


def plain(text, title="", author=""):
    return {"title": title, "author": author, "text": text}


@pytest.mark.parametrize(
    "border",
    [
        *("\n---\n", "\n\n***\n\n", "\n* * *\n", "\n=====\n", "\n%\n"),
        *("\n\f", "\f\n", "\n\n\n\n", "\r\n\r\n \r\n\r\n", "\n⁂⁂⁂\n"),
    ],
)
def test_borders_of_poems(border):
    assert list(split_poems(SEA + border + FOX)) == [plain(SEA), plain(FOX)]


@pytest.mark.parametrize("border", ["\n", "\n\n", "\f", "\n-\n", "\n\n\n"])
def test_what_is_no_border(border):
    assert len(list(split_poems(SEA + border + FOX))) == 1


def test_each_poem_has_its_title():
    text = f"Sea\n\n{SEA}\n---\nFox\nby Me\n\n{FOX}"
    assert list(split_poems(text)) == [
        plain(SEA, "Sea"),
        plain(FOX, "Fox", "Me"),
    ]


def test_front_matter():
    head = "---\ntitle: 'Sea'\ntags:\n  - blue\nAuthor: Me\n---\n\n"
    assert list(split_poems(head + SEA)) == [plain(SEA, "Sea", "Me")]


@pytest.mark.parametrize("sign", ["", ".", ")", ":"])
def test_numbers_of_lines(sign):
    lines = f"{SEA}\n\n{FOX}".split("\n")
    numbers = iter(range(1, 9))
    text = "\n".join(line and f"{next(numbers)}{sign} {line}" for line in lines)
    assert list(split_poems(text)) == [plain(f"{SEA}\n\n{FOX}")]


def test_numbers_behind_every_fifth_line():
    assert list(split_poems(f"{SEA}   5\n{FOX}\t10")) == [
        plain(f"{SEA}\n{FOX}")
    ]


@pytest.mark.parametrize("numbers", [("I", "II"), ("1.", "2."), ("IV", "V")])
def test_numbers_of_stanzas(numbers):
    first, second = numbers
    ((poem),) = split_poems(f"{first}\n{SEA}\n\n{second}\n{FOX}")
    assert poem["text"].split() == f"{SEA} {FOX}".split()


@pytest.mark.parametrize(
    "text", ["1 fox\n2 gulls\n4 stars", "I\nam here\nI\nam", "born in 1905"]
)
def test_other_numbers_stay(text):
    assert list(split_poems(text)) == [plain(text)]


def test_no_poem():
    assert list(split_poems(" \n")) == [plain("")]
