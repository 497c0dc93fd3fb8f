import configparser
import importlib.metadata
import json
import os
import subprocess
import sys

import pytest

from tests import alone
from tests import promises
from tests import tiny
from visualpoet import extras

TOOLS = {"test", "dev"}
NEEDS_TOOLS = {"photograph_page"}


# Those that can go on from an import of TensorFlow with what the first brings.
# For tf-agents it must be imported beside Keras 2.
TOGETHER = [
    ["base", "serve", "train", "evaluate", "data", "batch"],
    ["adversarial"],
]


def try_extras(names):
    legacy = str(int("adversarial" in names))
    result = subprocess.run(
        [sys.executable, "-m", "tests.alone", *names],
        cwd=alone.ROOT,
        env={
            **os.environ,
            "TF_USE_LEGACY_KERAS": legacy,
            alone.MODEL: str(tiny.exported()),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def errors():
    return {k: v for names in TOGETHER for k, v in try_extras(names).items()}


@pytest.mark.slow
@pytest.mark.parametrize("extra", promises.RECIPES)
def test_an_extra_alone_brings_all_that_is_promised_of_it(errors, extra):
    assert errors[extra] == ""


def test_every_extra_and_every_recipe_is_tried():
    setup = configparser.ConfigParser()
    setup.read(alone.ROOT / "setup.cfg")
    declared = set(setup["options.extras_require"]) - TOOLS
    assert promises.RECIPES.keys() == declared | {"base"}
    recipes = {path.stem for path in (alone.ROOT / "recipes").glob("*.py")}
    tried = [name for names in promises.RECIPES.values() for name in names]
    assert sorted(recipes - NEEDS_TOOLS) == sorted(tried)


def test_a_closure_holds_what_is_brought_and_nothing_else(monkeypatch):
    brought = {
        "a": ["b[x]>1", 'c; extra == "y"', 'd; python_version < "3"'],
        "b": ["a", 'e_f; extra == "x"', 'g; extra == "y"'],
        "e_f": None,
    }

    def requires(name):
        if name not in brought:
            raise importlib.metadata.PackageNotFoundError(name)
        return brought[name]

    monkeypatch.setattr(alone.importlib.metadata, "requires", requires)
    assert alone.find_closure(["a<9"]) == {"a", "b", "e-f"}
    assert alone.find_closure(["a[y]", "h"]) == {"a", "b", "c", "e-f", "h"}


def test_a_hidden_package_is_as_one_that_is_not_there(monkeypatch):
    monkeypatch.setattr(alone.Hiding, "hidden", {"packaging"})
    assert alone.Hiding.find_spec("packaging") is None
    assert alone.Hiding.find_spec("sysconfig").name == "sysconfig"


def test_what_is_missing_is_named_with_its_extra():
    with (
        pytest.raises(
            ModuleNotFoundError,
            match=r"^expected no_such_package, which is not installed\. Try: "
            r'pip install "visualpoet\[train\]"$',
        ) as caught,
        extras.needs("train"),
    ):
        import no_such_package  # noqa: F401
    assert caught.value.name == "no_such_package"
