"""What is no good poem: lines out of order, and prose cut into lines.

Both take the shape of a real poem, line by line, so that the number and the
length of lines say nothing about the class; marks are dropped by the
discriminators themselves.
"""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np


def split_lines(token_ids: Sequence[int], line_break: int) -> list[list[int]]:
    """Cuts a poem at its line breaks.

    Args:
        token_ids: Token ids of the poem, without START and END.
        line_break: Id of the line break.

    Returns:
        Token ids of each line that is not empty.
    """
    lines: list[list[int]] = [[]]
    for token_id in token_ids:
        if token_id == line_break:
            lines.append([])
        else:
            lines[-1].append(token_id)
    return [line for line in lines if line]


def join_lines(lines: Sequence[Sequence[int]], line_break: int) -> list[int]:
    """Puts lines together again.

    Args:
        lines: Token ids of each line.
        line_break: Id of the line break.

    Returns:
        Token ids of the poem.
    """
    joined: list[int] = []
    for line in lines:
        joined += [*line, line_break]
    return joined[:-1]


class Disordered:
    """Makes disordered poems: lines drawn from different poems.

    Source: liu18, poem-style discriminator. Differs: each line has as many
    tokens as the line of the poem that lends its shape, where the pool has
    such lines.

    Args:
        poems: Token ids of each poem, without START and END.
        line_break: Id of the line break.
    """

    def __init__(self, poems: Sequence[Sequence[int]], line_break: int):
        self._line_break = line_break
        self._pool: dict[int, list[list[int]]] = {}
        for poem in poems:
            for line in split_lines(poem, line_break):
                self._pool.setdefault(len(line), []).append(line)

    def make(self, shape: Sequence[int], rng: np.random.Generator) -> list[int]:
        """Makes one.

        Args:
            shape: Token ids of the poem that lends its shape, one of those
                that lend their lines.
            rng: Where the draws come from.

        Returns:
            Token ids, without START and END.
        """
        lines = []
        for line in split_lines(shape, self._line_break):
            pool = self._pool[len(line)]
            lines.append(pool[rng.integers(len(pool))])
        return join_lines(lines, self._line_break)


def paragraphic(
    paragraph: Sequence[int],
    shape: Sequence[int],
    line_break: int,
    is_word: Callable[[int], bool],
) -> list[int]:
    """Cuts prose into lines of the words of a poem.

    Source: liu18, poem-style discriminator (paragraphs as negatives). Differs:
    cut into the lines of a poem, so that line breaks alone say nothing.

    Args:
        paragraph: Token ids of the prose.
        shape: Token ids of the poem that lends its shape.
        line_break: Id of the line break.
        is_word: Whether a token counts as a word of a line; the others stay
            with the word before.

    Returns:
        Token ids, without START and END; as many lines as the prose fills.
    """
    wanted = [
        sum(map(is_word, line)) for line in split_lines(shape, line_break)
    ]
    lines: list[list[int]] = [[]]
    for token_id in paragraph:
        if token_id == line_break:
            continue
        full = sum(map(is_word, lines[-1])) >= wanted[len(lines) - 1]
        if full and is_word(token_id):
            if len(lines) == len(wanted):
                break
            lines.append([])
        lines[-1].append(token_id)
    return join_lines([line for line in lines if line], line_break)
