"""The paper's one number for a method among others."""

import numpy as np
from numpy.typing import ArrayLike

PAPER_COLUMNS = (
    "relevance",
    "novelty_2",
    "novelty_3",
    "bleu_1",
    "bleu_2",
    "bleu_3",
)


def overall(columns: ArrayLike) -> np.ndarray:
    """Mean of the columns of a table, each spread from 0 to 100.

    `mean over columns of (a - min) / (max - min)`, over the methods compared:
    a method's number changes when another joins the table.

    Source: liu18, table 3. Differs from its caption, an average of three
    metrics; the published numbers are the plain mean of six columns.

    Args:
        columns: float `[methods, columns]`.

    Returns:
        float `[methods]` [%]; a column in which all are equal counts 0.

    Raises:
        ValueError: If there are fewer than two methods.
    """
    columns = np.asarray(columns, float)
    if len(columns) < 2:
        raise ValueError(
            "expected at least two methods to compare. Received: "
            f"columns.shape={columns.shape}"
        )
    low, high = columns.min(axis=0), columns.max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    return 100 * ((columns - low) / spread).mean(axis=1)
