import tracemalloc

import numpy as np
import pytest

from visualpoet.embedding import retrieval


def test_ranks_of_pairs():
    similarities = np.array(
        [
            [0.9, 0.1, 0.2, 0.3],  # the best
            [0.5, 0.4, 0.3, 0.2],  # one before it
            [0.1, 0.2, 0.3, 0.4],  # one before it
            [0.5, 0.4, 0.3, 0.2],  # all before it
        ]
    )
    np.testing.assert_array_equal(
        retrieval.rank_pairs(similarities), [1, 2, 2, 4]
    )


def test_half_of_the_equal_columns_count_before():
    similarities = np.array(
        [
            [0.7, 0.1, 0.7, 0.2, 0.0],  # half of 1, rounded down
            [0.7, 0.7, 0.7, 0.2, 0.0],  # half of 2
            [0.8, 0.7, 0.7, 0.7, 0.7],  # one better, half of 3 rounded down
            [0.7, 0.7, 0.7, 0.7, 0.7],  # half of 4
            [0.8, 0.8, 0.8, 0.8, 0.7],  # four better
        ]
    )
    np.testing.assert_array_equal(
        retrieval.rank_pairs(similarities), [1, 2, 3, 3, 5]
    )


def test_what_is_not_a_number_counts_before():
    nan = np.nan
    similarities = np.array([[0.9, nan, 0.1], [0.1, nan, 0.2], [nan] * 3])
    np.testing.assert_array_equal(retrieval.rank_pairs(similarities), [2, 3, 3])
    report = retrieval.recall_report(np.full([20, 20], nan))
    assert report["recall@10"] == 0.0
    assert report["median_rank"] == 20


def test_recall_report():
    ranks = [1, 1, 1, 2, 5, 6, 10, 11, 12, 3, 4, 12]
    similarities = np.full([12, 12], -1.0)
    for row, rank in enumerate(ranks):
        others = [column for column in range(12) if column != row]
        similarities[row, others[: rank - 1]] = 1.0
        similarities[row, row] = 0.0
    report = retrieval.recall_report(similarities)
    assert report == pytest.approx(
        {
            "recall@1": 3 / 12,
            "recall@5": 7 / 12,
            "recall@10": 9 / 12,
            "median_rank": 4.5,
        }
    )


@pytest.mark.parametrize(
    "count, expected",
    [
        (1, [[1], [0]]),
        (3, [[1, 3, 0], [0, 3, 1]]),
        (4, [[1, 3, 0, 2], [0, 3, 1, 2]]),
    ],
)
def test_nearest_comes_first(count, expected):
    queries = np.array([[1.0, 0.0], [0.0, 1.0]])
    candidates = np.array([[0.6, 0.8], [1.0, 0.0], [0.0, -1.0], [0.8, 0.6]])
    found = retrieval.nearest(queries, candidates, count)
    np.testing.assert_array_equal(found, expected)


def test_many_queries_have_the_neighbours_that_each_has_alone():
    draw = np.random.default_rng(0).normal
    queries, candidates = draw(size=[1100, 3]), draw(size=[20, 3])
    found = retrieval.nearest(queries, candidates, 4)
    assert found.shape == (1100, 4)
    for row in (0, 511, 512, 1099):
        np.testing.assert_array_equal(
            found[row], retrieval.nearest(queries[[row]], candidates, 4)[0]
        )


def test_neighbours_take_bounded_memory(monkeypatch):
    rng = np.random.default_rng(0)
    candidates = rng.normal(size=[20_000, 3]).astype(np.float32)
    queries = rng.normal(size=[300, 3]).astype(np.float32)
    monkeypatch.setattr(retrieval, "MAX_BYTES", 2**23)  # all at once take 2**27
    tracemalloc.start()
    found = retrieval.nearest(queries, candidates, 2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.1 * 2**23
    for query, rows in zip(queries, found):
        expected = np.argsort(-(candidates @ query))[:2]
        np.testing.assert_array_equal(rows, expected)
