"""Human poems for photographs: retrieval in the joint space."""

import pathlib
import sys
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus import excerpts
from visualpoet.corpus import readers
from visualpoet.corpus.records import Poem
from visualpoet.embedding import retrieval
from visualpoet.embedding.retrieval import FoundPoem
from visualpoet.pictures import PictureSource
from visualpoet.poet import Poet

_BATCH = 1024


def read_excerpts(path: pathlib.Path) -> list[Poem]:
    """Reads poems to search in.

    Args:
        path: As for `corpus.readers.read_poems`; bad rows and poems that are
            too short are reported on standard error.

    Returns:
        Their excerpts.

    Raises:
        FileNotFoundError: If the path does not exist.
        ValueError: If it holds no poem of three lines or more.
    """
    poems, bad_rows = readers.read_poems(path)
    for row in bad_rows:
        print(f"visualpoet: {row}", file=sys.stderr)
    found, without = excerpts.cut_poems(poems)
    if not found:
        raise ValueError(
            "expected poems of three lines or more. Received: "
            f"{path}, {len(poems)} poems, none long enough"
        )
    if without:
        print(f"visualpoet: {excerpts.name_short(without)}", file=sys.stderr)
    return found


class PoemIndex:
    """Some poems, placed in the joint space of a model.

    Args:
        poet: The model.
        poems: One or more, as of `read_excerpts`.
    """

    def __init__(self, poet: Poet, poems: Sequence[Poem]):
        self._poet = poet
        self._poems = poems
        texts = [poem.text for poem in poems]
        starts = range(0, len(texts), _BATCH)
        self._embeddings = np.concatenate(
            [poet.embed_poems(texts[i : i + _BATCH]) for i in starts]
        )

    def nearest(self, photograph: PictureSource, count: int) -> list[FoundPoem]:
        """Finds the poems nearest to a photograph.

        Args:
            photograph: As for `Poet.write`.
            count: How many, 1 or more.

        Returns:
            The poems, nearest first.

        Raises:
            ValueError: If `count` is less than 1.
        """
        if count < 1:
            raise ValueError(
                f"expected a count of 1 or more. Received: {count}"
            )
        query = self._poet.embed_images([photograph])
        count = min(count, len(self._poems))
        order = retrieval.nearest(query, self._embeddings, count)[0]
        fits = self._embeddings[order] @ query[0]
        return [
            FoundPoem(self._poems[index], float(fit))
            for index, fit in zip(order, fits)
        ]
