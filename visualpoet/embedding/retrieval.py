"""Neighbours in the joint space: recall, nearest poems."""

import dataclasses
import math

import numpy as np

from visualpoet.corpus.records import Poem

MAX_BYTES = 2**30  # of the similarities that `nearest` holds at once


@dataclasses.dataclass(frozen=True)
class FoundPoem:
    """A human poem for a photograph.

    Attributes:
        poem: An excerpt.
        fit: Cosine of poem and photograph in the joint space.
    """

    poem: Poem
    fit: float

    @property
    def source(self) -> str:
        """Its title and author, or its id."""
        named = filter(None, (self.poem.title, self.poem.author))
        return ", ".join(named) or self.poem.id


def unit_length(rows: np.ndarray) -> np.ndarray:
    """Scales rows to unit length.

    Args:
        rows: float `[N, D]`.

    Returns:
        The same; a row of zeros stays.
    """
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(lengths, 1e-9)


def rank_pairs(similarities: np.ndarray) -> np.ndarray:
    """Ranks the right column of each row.

    Args:
        similarities: float `[N, N]`; column i belongs to row i.

    Returns:
        int `[N]`, 1 for the best; equal columns count half of them before,
        those that are not a number all, so that a NaN never gains anything.
    """
    paired = np.diag(similarities)[:, None]
    before = (~(similarities <= paired)).sum(axis=1)
    equal = (similarities == paired).sum(axis=1) - 1
    return 1 + before + equal // 2


def recall_report(similarities: np.ndarray) -> dict[str, float]:
    """Recall and median rank of pairs.

    Args:
        similarities: float `[N, N]`; column i belongs to row i.

    Returns:
        `recall@1`, `recall@5`, `recall@10` in [0, 1] and `median_rank`.
    """
    ranks = rank_pairs(similarities)
    recalls = {f"recall@{k}": float((ranks <= k).mean()) for k in (1, 5, 10)}
    return {**recalls, "median_rank": float(np.median(ranks))}


def nearest(
    queries: np.ndarray, candidates: np.ndarray, count: int
) -> np.ndarray:
    """Finds the candidates nearest to each query.

    Exact. Beside what is given and returned it takes `MAX_BYTES` of memory, or
    what one query needs: 16 bytes a candidate.

    Args:
        queries: float `[Q, K]`, unit length.
        candidates: float `[N, K]`, unit length.
        count: How many to return.

    Returns:
        int `[Q, count]`, nearest first.
    """
    # Similarities, the same with the sign turned, and the order of candidates.
    row = len(candidates) * (2 * candidates.itemsize + np.intp(0).itemsize)
    rows = max(1, MAX_BYTES // max(row, 1))
    number = max(1, len(queries) // 512, math.ceil(len(queries) / rows))
    parts = np.array_split(queries, number)
    return np.concatenate([_nearest(part, candidates, count) for part in parts])


def _nearest(
    queries: np.ndarray, candidates: np.ndarray, count: int
) -> np.ndarray:
    similarities = queries @ candidates.T
    best = np.argpartition(-similarities, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(similarities, best, 1), axis=1)
    return np.take_along_axis(best, order, axis=1)
