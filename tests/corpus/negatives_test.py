import numpy as np
import pytest

from visualpoet.corpus import negatives

BREAK = 4


def test_lines_of_a_poem():
    assert negatives.split_lines([5, 6, 4, 4, 7, 4], BREAK) == [[5, 6], [7]]
    assert negatives.split_lines([], BREAK) == []


def test_joined_lines_are_the_poem_again():
    poem = [5, 6, 4, 7, 4, 8, 9, 10]
    lines = negatives.split_lines(poem, BREAK)
    assert negatives.join_lines(lines, BREAK) == poem


def test_disordered_has_the_shape_and_lines_of_other_poems():
    poems = [[5, 6, 4, 7], [8, 9, 4, 10], [11, 12, 4, 13]]
    maker = negatives.Disordered(poems, BREAK)
    rng = np.random.default_rng(0)
    made = [maker.make(poems[0], rng) for _ in range(40)]
    for poem in made:
        lines = negatives.split_lines(poem, BREAK)
        assert [len(line) for line in lines] == [2, 1]
        assert lines[0] in ([5, 6], [8, 9], [11, 12])
        assert lines[1] in ([7], [10], [13])
    # Lines of one poem stay together in a ninth of the cases each.
    assert {tuple(poem) for poem in made} > {(5, 6, 4, 10), (8, 9, 4, 7)}


@pytest.mark.parametrize(
    ("paragraph", "cut"),
    [
        # 20 is a mark: it stays with the word before it.
        ([5, 6, 20, 7, 8, 9], [5, 6, 20, 4, 7]),
        ([5, 6], [5, 6]),
        ([5, 4, 6, 7], [5, 6, 4, 7]),
        ([], []),
    ],
)
def test_prose_is_cut_into_the_lines_of_a_poem(paragraph, cut):
    shape = [11, 20, 12, 4, 13]  # two words, one word
    assert (
        negatives.paragraphic(paragraph, shape, BREAK, lambda i: i < 20) == cut
    )
