import numpy as np
import pytest

from visualpoet.evaluation.overall import overall

# liu18, table 3: relevance, novelty-2, novelty-3, BLEU-1, BLEU-2, BLEU-3, and
# the Overall that was published.
TABLE = {
    "Show and Tell (1CNN)": (1.79, 43.66, 76.76, 11.88, 3.35, 0.76, 14.40),
    "Show and Tell (3CNNs)": (1.91, 48.09, 81.37, 12.64, 3.34, 0.80, 34.34),
    "SeqGAN": (2.03, 47.52, 82.32, 13.40, 3.72, 0.76, 44.95),
    "Regions-Hierarchical": (1.81, 46.75, 79.90, 11.64, 2.50, 0.67, 8.01),
    "without discriminator": (1.94, 45.25, 80.13, 13.35, 3.69, 0.88, 41.86),
    "with D_m": (2.07, 43.37, 78.98, 15.15, 4.13, 1.02, 63.00),
    "with D_p": (1.90, 60.66, 89.74, 12.91, 3.05, 0.72, 51.35),
    "I2P-GAN": (2.25, 54.32, 85.37, 14.25, 3.84, 0.94, 77.23),
}


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
