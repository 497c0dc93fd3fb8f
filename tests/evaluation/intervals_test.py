import itertools

import numpy as np
import pytest

from visualpoet.evaluation import intervals


def mean(sums):
    return sums[0] / sums[1]


def with_count(values):
    return np.stack([values, np.ones_like(values)], axis=-1)


def test_evaluate_rows():
    sums = np.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 10.0], [0.0, 1.0]]])
    np.testing.assert_array_equal(
        intervals.evaluate_rows(sums, mean), [[0.5, 0.75], [0.5, 0.0]]
    )


def test_interval_of_a_mean_is_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    low, high = intervals.bootstrap_interval(
        with_count(values)[None], mean, draws=4000
    )
    half = 1.96 * values.std() / np.sqrt(400)
    assert low == pytest.approx(values.mean() - half, abs=0.02)
    assert high == pytest.approx(values.mean() + half, abs=0.02)


def test_interval_of_constant_values_is_a_point():
    found = intervals.bootstrap_interval(with_count(np.full([2, 9], 0.5)), mean)
    assert found == (0.5, 0.5)


def test_the_same_photographs_are_drawn_for_every_seed():
    # What one seed gains on a photograph the other loses: the mean is fixed.
    values = np.random.default_rng(0).normal(size=50)
    low, high = intervals.bootstrap_interval(
        with_count(np.stack([1 + values, 1 - values])), mean
    )
    assert low == pytest.approx(1.0)
    assert high == pytest.approx(1.0)


def test_p_value_is_the_share_of_all_exchanges():
    first = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    second = np.array([2.0, 2.0, 1.0, 1.0, 2.0])
    difference = first - second
    exact = np.mean(
        [
            abs(np.dot(signs, difference)) >= difference.sum()
            for signs in itertools.product([-1, 1], repeat=5)
        ]
    )
    found = intervals.paired_p_value(
        with_count(first)[None], with_count(second)[None], mean, draws=20000
    )
    assert found == pytest.approx(exact, abs=0.01)


def test_p_value_of_equal_methods_is_one():
    values = with_count(np.random.default_rng(0).normal(size=[2, 30]))
    assert intervals.paired_p_value(values, values, mean, draws=99) == 1.0


def test_p_value_of_a_constant_gain_is_the_smallest():
    values = np.random.default_rng(0).normal(size=[1, 60])
    found = intervals.paired_p_value(
        with_count(values + 1), with_count(values), mean, draws=99
    )
    assert found == 1 / 100


def test_p_values_without_a_difference_are_even():
    draw = np.random.default_rng(0).normal
    found = [
        intervals.paired_p_value(
            with_count(draw(size=[2, 20])),
            with_count(draw(size=[2, 20])),
            mean,
            199,
            number,
        )
        for number in range(200)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.05)


def test_what_is_tested_is_the_mean_of_the_seeds_values():
    # The square of a mean is not the mean of squares: pooled, both are 0.
    def square(sums):
        return mean(sums) ** 2

    first = with_count(np.stack([np.ones(30), -np.ones(30)]))
    second = with_count(np.zeros([2, 30]))
    assert intervals.paired_p_value(first, second, square, draws=99) == 1 / 100
