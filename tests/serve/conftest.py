"""One server with the tiny poet for all tests that only ask it."""

import contextlib

import pytest

from tests import tiny
from tests.serve import conformance
from tests.serve import running


@contextlib.contextmanager
def _serve():
    labels = {conformance.LABEL: conformance.VERSION}
    with running.serve(tiny.exported().parent, labels=labels) as server:
        yield server


@pytest.fixture(scope="session")
def server():
    with _serve() as running_server:
        yield running_server
