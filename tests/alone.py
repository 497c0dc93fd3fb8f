"""Hides all packages but those that one extra brings, and tries the extra.

    python -m tests.alone EXTRA [EXTRA...]

A process for each, forked from one that has imported TensorFlow with what the
first one brings: the import costs as much as all the rest.
"""

import configparser
import importlib.metadata
import json
import os
import pathlib
import sys
import traceback
from importlib.machinery import PathFinder

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = pathlib.Path(__file__).parents[1]
MODEL = "VISUALPOET_MODEL"  # the variable that names a small one to try


def read_requirements(extra: str) -> list[str]:
    """Reads what an extra asks for; `base` is what every install gets."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"]
    if extra != "base":
        lines += setup["options.extras_require"][extra]
    return [line for line in lines.splitlines() if line]


def find_closure(requirements: list[str]) -> set[str]:
    """Names the distributions that requirements bring, at any remove."""
    found, waiting = set(), [Requirement(line) for line in requirements]
    while waiting:
        wanted = waiting.pop()
        if (wanted.name, *wanted.extras) not in found:
            found.add((wanted.name, *wanted.extras))
            waiting += _read_requirements(wanted)
    return {canonicalize_name(name) for name, *_ in found}


def _read_requirements(wanted: Requirement) -> list[Requirement]:
    try:
        lines = importlib.metadata.requires(wanted.name) or []
    except importlib.metadata.PackageNotFoundError:
        return []  # it is not here, and so need not be hidden
    extras = wanted.extras or {""}
    return [
        one
        for one in map(Requirement, lines)
        if not one.marker
        or any(one.marker.evaluate({"extra": extra}) for extra in extras)
    ]


class Hiding(PathFinder):
    """Finds modules, but those of hidden packages."""

    hidden: set[str] = set()

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in cls.hidden:
            return None
        return super().find_spec(name, path, target)


def hide_all_but(extra: str) -> None:
    """Hides the packages of distributions that an extra does not bring."""
    closure = find_closure(read_requirements(extra)) | {"visualpoet"}
    packages = importlib.metadata.packages_distributions()
    Hiding.hidden = {
        package
        for package, names in packages.items()
        if closure.isdisjoint(map(canonicalize_name, names))
    }


def _try(extra: str) -> str:
    """Runs an extra's promises in a fork; returns its error."""
    from tests import promises
    from visualpoet import model_folders

    model_folders.default_model = lambda: pathlib.Path(os.environ[MODEL])
    reading, writing = os.pipe()
    if not os.fork():
        error = ""
        try:
            hide_all_but(extra)
            promises.try_extra(extra)
        except BaseException:
            error = traceback.format_exc()
        os.write(writing, error.encode()[-60_000:])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        error = pipe.read().decode()
    os.wait()
    return error


def main() -> None:
    """Prints the error of each extra as JSON, empty where all is well."""
    sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
    hide_all_but(sys.argv[1])
    import keras  # noqa: F401
    import pandas  # noqa: F401
    import sklearn.feature_extraction.text  # noqa: F401
    import tensorflow as tf

    # As in conftest.py.
    off = {"disable_meta_optimizer": True}
    tf.config.optimizer.set_experimental_options(off)
    print(json.dumps({extra: _try(extra) for extra in sys.argv[1:]}))


if __name__ == "__main__":
    main()
