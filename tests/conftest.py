"""One seed for every test, one place for what the test processes share."""

import functools
import os
import random
import tempfile

# Read by TensorFlow when it is imported, so before everything else.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# One for each of the two processes that the tests run in.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # for tf-agents; Keras 3 stays

import numpy as np  # noqa: E402
import pytest  # noqa: E402

from tests import shared  # noqa: E402

# Half of the time of all tests.
LONGEST = (
    *("adversarial_test.py", "lifecycle_test.py", "smoke_test.py"),
    *("page_test.py", "extras_test.py", "checking_test.py"),
    *("resume_test.py", "distribution_test.py", "attack_serving_test.py"),
)


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # the process that starts the others
        folder = tempfile.TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
        os.environ[shared.ROOT] = folder.name


def pytest_collection_modifyitems(items):
    """The longest files first, so that both processes end together."""

    def place(item):
        name = item.path.name
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=place)


@pytest.fixture(autouse=True, scope="session")
def _graphs_as_they_are():
    """Graphs are run as they were traced.

    Grappler's passes cost more than all that the tiny poet computes, and the
    scores are the same to the bit. What tests start as a command has them on.
    """
    import tensorflow as tf  # here, for the process that starts the others

    off = {"disable_meta_optimizer": True}
    tf.config.optimizer.set_experimental_options(off)


@pytest.fixture(autouse=True, scope="session")
def _loaded_once():
    """Models that no test changes are loaded once in each process, and stay.

    The first call of a signature prepares its graph, which costs a hundred
    times the second one. Copies that tests make are loaded as ever, links to
    a graph as what they lead to.
    """
    import tensorflow as tf

    from visualpoet import model_folders

    load, destroy = tf.saved_model.load, tf.raw_ops.DestroyResourceOp
    load_once = functools.cache(load)
    models = []  # that were loaded once
    folders = os.environ[shared.ROOT], model_folders.default_model()
    kept = tuple(map(os.path.realpath, folders))

    def load_or_reuse(path):
        graph = os.path.realpath(os.path.join(path, "saved_model.pb"))
        if graph.startswith(kept):
            models.append(load_once(os.path.dirname(graph)))
            return models[-1]
        return load(path)

    def destroy_or_keep(resource, **options):
        functions = [f for m in models for f in m.signatures.values()]
        held = (t for f in functions for t in f.captured_inputs)
        if not any(tensor is resource for tensor in held):
            destroy(resource=resource, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.saved_model, "load", load_or_reuse)
        patch.setattr(tf.raw_ops, "DestroyResourceOp", destroy_or_keep)
        yield


@pytest.fixture(autouse=True)
def _seed():
    """Keras draws its seeds from Python's.

    TensorFlow's own seed stays: to set it throws all compiled graphs away,
    which costs every test that calls an export two seconds.
    """
    random.seed(0)
    np.random.seed(0)
