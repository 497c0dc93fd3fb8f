"""Stages that several tests of recipes begin with."""

import keras
import pytest

from tests import shared
from tests.recipes import stages


@pytest.fixture(autouse=True)
def _float32():
    """The recipes set the policy of their process."""
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="session")
def paths():
    return stages.locate(shared.make_once("stages", stages.build))


@pytest.fixture(scope="session")
def pretrained(paths):
    # Here, so that other tests need not import tf-agents.
    from tests.recipes import adversarial_stages

    def make(root):
        adversarial_stages.pretrain(paths, root)

    return shared.make_once("adversarial", make)
