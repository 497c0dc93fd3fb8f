import numpy as np
import pytest

from visualpoet.evaluation import ranking_weights


def row(*candidates):
    return {"candidates": [{"poem": "x", **one} for one in candidates]}


def test_scores_that_candidates_lack_are_left_out():
    rows = [
        row({"fit": 0.5, "fluency": -2.0}, {"fit": 0.4, "fluency": -1.0}),
        row({"fit": 0.1, "fluency": -3.0}, {"fit": 0.0, "fluency": -2.5}),
    ]
    scores = ranking_weights.read_scores(rows)
    assert list(scores) == ["fit", "fluency"]
    np.testing.assert_array_equal(scores["fit"], [[0.5, 0.4], [0.1, 0.0]])


@pytest.mark.parametrize("counts", [(1, 1), (2, 3)])
def test_refuses_candidates_that_cannot_be_compared(counts):
    rows = [row(*[{"fit": 0.0}] * count) for count in counts]
    with pytest.raises(ValueError, match="as many candidates"):
        ranking_weights.read_scores(rows)


def test_correlation_is_within_photographs():
    # Among all four, the two rise together; within each photograph, one
    # rises where the other falls.
    first = np.array([[0.0, 1.0], [10.0, 11.0]])
    second = np.array([[1.0, 0.0], [11.0, 10.0]])
    assert ranking_weights.correlation_within(first, first) == pytest.approx(1)
    assert ranking_weights.correlation_within(first, second) == pytest.approx(
        -1
    )
    # (-0.5, 0.5, -0.5, 0.5) and (-0.5, 0.5, 0.5, -0.5).
    third = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert ranking_weights.correlation_within(first, third) == pytest.approx(0)


def test_a_score_that_never_differs_goes_with_nothing():
    same, other = np.ones([2, 2]), np.array([[0.0, 1.0], [1.0, 3.0]])
    assert ranking_weights.correlation_within(same, other) == 0.0
