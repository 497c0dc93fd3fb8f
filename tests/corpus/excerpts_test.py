import pytest

from visualpoet.corpus.excerpts import cut_excerpts
from visualpoet.corpus.excerpts import cut_poems
from visualpoet.corpus.excerpts import name_short
from visualpoet.corpus.records import Poem


def _lines(*numbers):
    return "\n".join(f"line {number}" for number in numbers)


@pytest.mark.parametrize("count", [3, 4, 9, 10])
def test_poem_of_three_to_ten_lines_is_one_excerpt(count):
    text = _lines(*range(count))
    assert cut_excerpts(text) == [text]


@pytest.mark.parametrize("text", ["", "  \n\n ", "one line", "one\ntwo"])
def test_poem_of_fewer_than_three_lines_gives_nothing(text):
    assert cut_excerpts(text) == []


def test_stanzas_that_are_long_enough_stay_apart():
    text = f"{_lines(1, 2, 3)}\n\n{_lines(4, 5, 6, 7)}"
    assert cut_excerpts(text) == [_lines(1, 2, 3), _lines(4, 5, 6, 7)]


def test_short_stanzas_are_joined_to_the_next():
    text = "\n\n".join([_lines(1, 2), _lines(3, 4), _lines(5), _lines(6, 7, 8)])
    assert cut_excerpts(text) == [_lines(1, 2, 3, 4), _lines(5, 6, 7, 8)]


def test_short_last_stanza_is_left_out():
    assert cut_excerpts(f"{_lines(1, 2, 3)}\n\n{_lines(4, 5)}") == [
        _lines(1, 2, 3)
    ]


def test_short_stanza_that_does_not_fit_with_the_next_is_left_out():
    text = f"{_lines(1, 2)}\n\n{_lines(*range(3, 12))}"
    assert cut_excerpts(text) == [_lines(*range(3, 12))]


def test_short_stanza_fits_up_to_ten_lines():
    text = f"{_lines(1, 2)}\n\n{_lines(*range(3, 11))}"
    assert cut_excerpts(text) == [_lines(*range(1, 11))]


@pytest.mark.parametrize("border", ["\n\n", "\n \t\n", "\n\n\n\n", "\r\n\r\n"])
def test_stanza_borders(border):
    text = f"{_lines(1, 2, 3)}{border}{_lines(4, 5, 6)}"
    assert cut_excerpts(text) == [_lines(1, 2, 3), _lines(4, 5, 6)]


def test_blanks_around_lines_are_dropped():
    assert cut_excerpts("\n  a \n\tb\n c\n\n") == ["a\nb\nc"]


@pytest.mark.parametrize(
    "mark",
    [".", "!", "?", ";", '."', ".')", "?'", ".”", "!’", "…", ".»", "。", "।"],
)
def test_long_stanza_is_cut_at_the_last_sentence_end_that_fits(mark):
    lines = [f"line {number}" for number in range(1, 13)]
    lines[3] += "."
    lines[6] += mark
    lines[10] += "."
    assert cut_excerpts("\n".join(lines)) == [
        "\n".join(lines[:7]),
        "\n".join(lines[7:]),
    ]


@pytest.mark.parametrize("mark", [",", ":", "'", " -"])
def test_other_marks_do_not_end_a_sentence(mark):
    lines = [f"line {number}" for number in range(1, 14)]
    lines[6] += mark
    assert cut_excerpts("\n".join(lines)) == [
        "\n".join(lines[:10]),
        "\n".join(lines[10:]),
    ]


def test_sentence_end_before_the_third_line_is_too_early():
    lines = [f"line {number}" for number in range(1, 14)]
    lines[1] += "."
    assert cut_excerpts("\n".join(lines)) == [
        "\n".join(lines[:10]),
        "\n".join(lines[10:]),
    ]


def test_rest_of_a_long_stanza_joins_the_next():
    text = f"{_lines(*range(1, 12))}\n\n{_lines(12, 13)}"
    assert cut_excerpts(text) == [
        _lines(*range(1, 11)),
        _lines(11, 12, 13),
    ]


@pytest.mark.parametrize(
    ("min_lines", "sizes"), [(1, [1, 4]), (2, [4, 1]), (3, [4, 1])]
)
def test_long_stanza_is_cut_at_a_sentence_end_that_leaves_enough(
    min_lines, sizes
):
    lines = ["one.", "two", "three", "four", "five"]
    found = cut_excerpts("\n".join(lines), min_lines, max_lines=4)
    expected = [size for size in sizes if size >= min_lines]
    assert [len(excerpt.split("\n")) for excerpt in found] == expected


@pytest.mark.parametrize("line_break", ["\r", "\u2028", "\x85", "\v", "\f"])
def test_line_breaks_of_any_kind(line_break):
    text = _lines(1, 2, 3).replace("\n", line_break)
    assert cut_excerpts(text) == [_lines(1, 2, 3)]


def test_poems_and_those_without_an_excerpt():
    long = Poem(
        f"{_lines(1, 2, 3)}\n\n{_lines(4, 5, 6)}", "a", "test", "T", "A"
    )
    short = Poem(_lines(1, 2), "b")
    assert cut_poems([short, long]) == (
        [
            Poem(_lines(1, 2, 3), "a", "test", "T", "A"),
            Poem(_lines(4, 5, 6), "a", "test", "T", "A"),
        ],
        [short],
    )


def test_names_of_poems_without_an_excerpt():
    poems = [Poem("x", "a"), Poem("x", title="The Tide"), Poem("one\ntwo")]
    said = "poems left out, with no excerpt of 3 to 10 lines: "
    assert name_short(poems) == f"{said}3 (a, The Tide, one two)"
    assert name_short(poems * 2) == f"{said}6 (a, The Tide, one two, ...)"


def test_bounds_are_arguments():
    text = _lines(1, 2, 3, 4, 5)
    assert cut_excerpts(text, min_lines=2, max_lines=3) == [
        _lines(1, 2, 3),
        _lines(4, 5),
    ]
    assert cut_excerpts(text, min_lines=6) == []
