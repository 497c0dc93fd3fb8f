import math

import pytest

from visualpoet.evaluation.agreement import krippendorff_alpha

# Krippendorff (2011): four observers, twelve units, some of them not rated by
# all (the data of the paper's sections C and D).
PUBLISHED = [
    [1, 1, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [5, 5, 5],
    [1, 1],
    [3],
]


@pytest.mark.parametrize(
    "level, alpha", [("nominal", 0.743), ("interval", 0.849)]
)
def test_published_example(level, alpha):
    found = krippendorff_alpha(PUBLISHED, level)
    assert found == pytest.approx(alpha, abs=0.0005)


def test_by_hand():
    # Units (1, 2) and (4, 4). Within: 2 * 1 + 0 = 2. Between all of 1, 2, 4,
    # 4: squares 1, 9, 9, 4, 4, 0, twice 27 = 54, over 3 is 18. 1 - 2 / 18.
    assert krippendorff_alpha([[1, 2], [4, 4]]) == pytest.approx(8 / 9)
    # Unequal pairs within: 2; between: 5 of 6, twice 10 over 3.
    found = krippendorff_alpha([[1, 2], [4, 4]], "nominal")
    assert found == pytest.approx(1 - 2 / (10 / 3))


def test_full_agreement_is_one():
    assert krippendorff_alpha([[0, 0, 0], [10, 10]]) == 1.0


@pytest.mark.parametrize("units", [[], [[3]], [[3], [4]], [[5, 5], [5, 5]]])
def test_nothing_to_agree_on(units):
    assert math.isnan(krippendorff_alpha(units))


def test_refuses_an_unknown_level():
    with pytest.raises(ValueError, match="Received: ordinal"):
        krippendorff_alpha([[1, 2]], "ordinal")
