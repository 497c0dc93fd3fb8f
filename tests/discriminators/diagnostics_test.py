import numpy as np
import pytest

from visualpoet.discriminators import diagnostics


def test_answers_are_taken_apart():
    own = np.log([[0.3, 0.1, 0.6], [0.1, 0.1, 0.8]])
    other = np.log([[0.1, 0.3, 0.6], [0.1, 0.7, 0.2]])
    found = diagnostics.decompose(own, other)
    assert found == pytest.approx(
        {
            "pairing": (0.75 + 0.5) / 2,
            "generated": 0.7,
            "pairing_other": (0.25 + 0.125) / 2,
            "generated_other": 0.4,
        }
    )


def test_a_reward_for_being_human_has_no_variance_of_pairing():
    # Paired and unpaired are as likely, whatever the poem.
    logits = np.log([[[0.25, 0.25, 0.5], [0.05, 0.05, 0.9]]])
    found = diagnostics.variances(logits)
    of_human = np.var(np.log([0.5, 0.1]))
    assert found == pytest.approx(
        {"log_paired": of_human, "log_pairing": 0.0, "log_human": of_human},
        abs=1e-6,
    )


def test_photographs_are_not_compared_with_each_other():
    # Within each photograph they run against each other, over all with.
    first = np.array([[0.0, 1.0], [10.0, 11.0]])
    second = np.array([[1.0, 0.0], [11.0, 10.0]])
    assert diagnostics.correlate(first, second) == pytest.approx(-1.0)
    assert np.isnan(diagnostics.correlate(first, np.ones([2, 2])))
