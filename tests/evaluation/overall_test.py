import numpy as np
import pytest

from tests.evaluation.paper_table import TABLE
from visualpoet.evaluation.overall import overall


@pytest.mark.parametrize("method", TABLE)
def test_published_table(method):
    rows = np.array(list(TABLE.values()))
    found = overall(rows[:, :6])[list(TABLE).index(method)]
    assert round(found, 2) == TABLE[method][-1]


def test_a_column_without_differences_counts_nothing():
    np.testing.assert_allclose(overall([[1, 5], [3, 5], [2, 5]]), [0, 50, 25])


def test_refuses_one_method_alone():
    with pytest.raises(ValueError, match="two methods.*shape=\\(1, 6\\)"):
        overall(np.ones([1, 6]))
