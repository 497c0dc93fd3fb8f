"""What poems are worded like: copied, varied, long."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from visualpoet.evaluation import diversity
from visualpoet.evaluation.memorisation import CopiedRuns


def measure_wording(poems: Sequence[str], copied: CopiedRuns) -> dict[str, Any]:
    """Measures poems without a look at their photographs.

    Args:
        poems: The poems, one or more.
        copied: The training poems.

    Returns:
        `copied_run`, the longest run of words that also stands in a training
        poem: its median, 95th percentile and the share of poems in which it
        has 8 words or more; `distinct_2`; `commonest_line` and the share of
        poems that have it; the share of `different_poems`; mean `lines`.
    """
    longest = copied.longest(poems)
    line, share = diversity.commonest_line_share(poems)
    return {
        "copied_run": {
            "median": float(np.median(longest)),
            "95th percentile": float(np.percentile(longest, 95)),
            "share of 8 words or more": float((longest >= 8).mean()),
        },
        "distinct_2": diversity.distinct_n(poems, 2),
        "commonest_line": {"line": line, "share": share},
        "different_poems": len(set(poems)) / len(poems),
        "lines": float(np.mean([len(poem.split("\n")) for poem in poems])),
    }
