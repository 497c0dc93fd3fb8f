"""One seed for every test."""

import os
import random

# Read by TensorFlow when it is imported, so before everything else.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# One for each of the two processes that the tests run in.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # for tf-agents; Keras 3 stays

import numpy as np  # noqa: E402
import pytest  # noqa: E402


@pytest.fixture(autouse=True)
def _seed():
    """Keras draws its seeds from Python's.

    TensorFlow's own seed stays: to set it throws all compiled graphs away,
    which costs every test that calls an export two seconds.
    """
    random.seed(0)
    np.random.seed(0)
