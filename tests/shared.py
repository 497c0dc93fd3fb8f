"""Folders that one of the test processes makes for all of them."""

import fcntl
import os
import pathlib
import shutil
from collections.abc import Callable

ROOT = "VISUALPOET_TESTS"  # the variable that names where they are


def make_once(name: str, make: Callable[[pathlib.Path], object]):
    """The folder, made by `make` unless another process has made it."""
    folder = pathlib.Path(os.environ[ROOT], name)
    done = folder.with_suffix(".done")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.touch()
    return folder
