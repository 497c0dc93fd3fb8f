"""Linear probes: what can be read off features with one linear layer."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def linear_probe(
    train_features: np.ndarray,
    train_labels: Sequence[str],
    test_features: np.ndarray,
    test_labels: Sequence[str],
) -> float:
    """Trains a logistic regression on fixed features.

    Args:
        train_features: float `[N, F]`.
        train_labels: N classes.
        test_features: float `[M, F]`.
        test_labels: M classes.

    Returns:
        Share of test photographs that are classified right.
    """
    probe = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, max_iter=500)
    )
    probe.fit(train_features, train_labels)
    return float(probe.score(test_features, test_labels))
