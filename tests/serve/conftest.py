"""Servers with the tiny poet for all tests that only ask them."""

import contextlib
import json
import os
import shutil

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


@pytest.fixture(scope="session")
def voices(tmp_path_factory):
    """The tiny poet, and beside it its double, told to write haiku alone."""
    folder = tmp_path_factory.mktemp("voices") / "haiku"
    shutil.copytree(tiny.cold(), folder / "1", copy_function=os.symlink)
    file = folder / "1" / "assets.extra" / "options.json"
    options = json.loads(file.read_text())
    file.unlink()
    haiku = options["forms"]["haiku"]
    alone = {"form": "haiku", "forms": {"haiku": haiku}}
    file.write_text(json.dumps(options | haiku | alone))
    model = tiny.cold().parent
    with running.serve(model, voices={"haiku": folder}) as server:
        yield server
