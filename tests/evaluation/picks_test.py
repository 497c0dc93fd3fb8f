import numpy as np
import pytest

from visualpoet.evaluation import picks


def test_levels_of_an_answer():
    answer = {"best": 2, "second": 4, "broken": [1, 2]}
    assert picks.read_levels(answer, 4).tolist() == [0, 3, 1, 2]
    assert picks.read_levels({"best": 1, "second": 2}, 3).tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    "answer",
    [{"best": 0, "second": 1}, {"best": 1, "second": 2, "broken": [5]}],
)
def test_numbers_that_are_none_of_a_candidate(answer):
    with pytest.raises(ValueError, match="numbers from 1 to 4"):
        picks.read_levels(answer, 4)


@pytest.fixture
def kept():
    """Candidates by two scores; a reader looks at twice one less the other."""
    scores = np.random.default_rng(0).normal(size=(40, 6, 2))
    liked = 2 * scores[..., 0] - scores[..., 1]
    order = np.argsort(liked, axis=1)
    levels = np.full((40, 6), picks.OTHER)
    for place, level in ((-1, picks.BEST), (-2, picks.SECOND), (0, 0), (1, 0)):
        np.put_along_axis(levels, order[:, [place]], level, axis=1)
    return scores, levels


def test_weights_are_those_of_the_reader(kept):
    weights = picks.fit_weights(*kept)
    assert weights[0] > 0
    assert weights[1] / weights[0] == pytest.approx(-0.5, abs=0.05)


def test_the_right_ranking_has_the_best_first_and_the_wrong_one_the_broken(
    kept,
):
    assert picks.judge(*kept, np.array([2.0, -1.0])) == {
        "best": 1.0,
        "broken": 0.0,
    }
    assert picks.judge(*kept, np.array([-2.0, 1.0])) == {
        "best": 0.0,
        "broken": 1.0,
    }


def test_a_photograph_is_judged_by_weights_of_others(kept):
    scores, levels = kept
    photographs = np.repeat(np.arange(20), 2)
    right = picks.cross_validate(scores, levels, photographs)
    assert right["best"] > 0.9
    # Readers of one photograph alone say nothing that holds for others.
    scores, levels = scores.copy(), levels.copy()
    scores[::2] *= -1
    wrong = picks.cross_validate(scores, levels, np.arange(40) % 2, 2)
    assert wrong == {"best": 0.0, "broken": 1.0}
