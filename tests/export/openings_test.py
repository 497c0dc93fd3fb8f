"""Poems that go on from a text, by their signature."""

import pytest
import tensorflow as tf

from tests import tiny
from tests.export import calls
from visualpoet.control import MAX_TEXT_BYTES


@pytest.fixture(scope="module")
def loaded():
    return tf.saved_model.load(str(tiny.exported())).signatures


def continued(loaded, openings, **given):
    size = len(openings)
    return calls.run(
        loaded["continue_poem"],
        image_bytes=[calls.SEA] * size,
        opening=openings,
        **calls.controls(size, **given),
    )


def test_every_candidate_begins_with_the_opening_as_it_was_written(loaded):
    outputs = continued(loaded, [calls.OPENING])
    candidates = [text.decode() for text in outputs["candidates"][0, :3]]
    assert len(set(candidates)) == 3
    for text in candidates:
        assert text.startswith(calls.OPENING + "\n")
        assert text.count("\n") == 3  # `lines` counts the whole poem
        assert text.split("\n")[2][0].isupper()
    assert outputs["poem"][0].decode() == candidates[0]


@pytest.mark.parametrize(
    ("opening", "head"),
    [
        ("the sea\n", "the sea\n"),
        ("the sea\n\n", "the sea\n\n"),
        ("  the sea  ", "  the sea  \n"),
        ("the sea\r\n", "the sea\r\n"),
    ],
)
def test_white_space_of_an_opening_stays(loaded, opening, head):
    poem = continued(loaded, [opening])["poem"][0].decode()
    assert poem.startswith(head)
    assert poem[len(head)].isupper()


@pytest.mark.parametrize(
    "opening", ["", " ", "\n \n", "\u3000", "\u00a0\n", "\x1c"]
)
def test_no_opening_or_blanks_of_any_script_are_compose(loaded, opening):
    outputs = continued(loaded, [opening])
    expected = calls.run(
        loaded["compose"], image_bytes=[calls.SEA], **calls.controls(1)
    )
    calls.assert_same_row(outputs, expected, 0)


def test_marks_that_are_not_read_are_a_line(loaded):
    three, one = continued(loaded, ["* * *"] * 2, lines=[3, 1])["poem"]
    assert three.startswith(b"* * *\n")
    assert three.count(b"\n") == 2
    assert one == b"* * *"


@pytest.mark.parametrize(
    ("name", "wild", "bound"),
    [
        ("temperature", 1e9, 10.0),
        ("guidance", 1e38, 10.0),
        ("guidance", -5.0, 0.0),
    ],
)
def test_numbers_are_kept_within_their_bounds(loaded, name, wild, bound):
    outputs = calls.run(
        loaded["compose"],
        image_bytes=[calls.SEA, calls.SEA],
        **calls.controls(2, **{name: [wild, bound]}),
    )
    assert outputs["poem"][0] == outputs["poem"][1] != b""


def test_where_everything_is_banned_nothing_of_it_is_written(loaded):
    tokens = tiny.vocabulary().tokens
    words = [t for t, is_word in zip(tokens, tiny.kinds().is_word) if is_word]
    outputs = calls.run(
        loaded["compose"],
        image_bytes=[calls.SEA],
        **calls.controls(1, banned=" ".join(words)),
    )
    found = set(" ".join(t.decode() for t in outputs["candidates"][0]).split())
    assert not found & {*words, *map(str.capitalize, words)}


def test_an_opening_with_all_lines_is_left_as_it_is(loaded):
    poems = continued(loaded, [calls.OPENING, calls.OPENING], lines=[2, 1])[
        "poem"
    ]
    assert [poem.decode() for poem in poems] == [calls.OPENING, calls.OPENING]


def test_free_lines_go_on_by_one_at_least(loaded):
    # The tiny poet writes four lines at most.
    opening = "\n".join(["the sea lies down"] * 5)
    poem = continued(loaded, [opening], lines=0)["poem"][0].decode()
    assert poem.startswith(opening + "\n")
    assert poem.count("\n") == 5


def test_an_opening_decides_how_it_goes_on(loaded):
    one, two = continued(loaded, ["the sea", "the hill"])["poem"]
    assert one.split(b"\n")[1:] != two.split(b"\n")[1:]


def test_words_of_an_opening_are_not_banned_in_it(loaded):
    outputs = continued(loaded, ["The sea"], banned="sea", num_candidates=9)
    for poem in outputs["candidates"][0, :9]:
        first, *others = poem.decode().lower().split("\n")
        assert first == "the sea"
        assert "sea" not in " ".join(others).split()


@pytest.mark.parametrize(("lines", "written"), [(0, 1), (402, 2), (399, 0)])
def test_a_long_opening_is_kept_whole(loaded, lines, written):
    opening = "\n".join(["the sea lies down and the sky is wide"] * 400)
    poem = continued(loaded, [opening], lines=lines)["poem"][0].decode()
    assert poem.startswith(opening)
    assert poem.count("\n") == 399 + written


def test_of_an_opening_without_end_the_end_stays(loaded):
    poem = continued(loaded, ["sea " * 100_000], lines=1)["poem"][0]
    assert poem == b"sea " * (MAX_TEXT_BYTES // 4)
