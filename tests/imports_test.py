import ast
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
# A sub-package imports from itself and from those to its left.
ORDER = [
    "corpus",
    "features",
    "embedding",
    "generator",
    "discriminators",
    "evaluation",
    "adversarial",
    "export",
    "finetuning",
    "serve",
]
# Serving is Python use over a wire, so it may look at what stands on top; so
# may what ends with a page of poems, which is a run, too.
ABOVE = {
    "adversarial": ("runs",),
    "serve": ("pictures", "written_poem"),
    "finetuning": ("output", "pictures", "poet", "runs", "written_poem"),
}
# Modules that everything may stand on; they, and `runs`, import nothing of the
# package but the lowest of them.
GROUND = (
    "checkpoints",
    "control",
    "controls",
    "distribution",
    "extras",
    "model_folders",
    "optimization",
    "presets",
    "process_memory",
    "provenance",
    "run_options",
    "templating",
    "unwritten",
    "whole_files",
    "workers",
)
LOWEST = (
    "checkpoints",
    "control",
    "distribution",
    "model_folders",
    "provenance",
    "workers",
)
# Needs tf-agents: recipes, tests and the one that asks for it import it.
LEAF, ASKED_FOR = "adversarial", "visualpoet/finetuning/adversarial.py"
BELOW = {f"visualpoet/{name}.py" for name in (*GROUND, "runs")}


def _imports(source):
    """Dotted names that a module imports, at any depth of its code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            prefix = f"{module}." if node.module else module
            yield from (prefix + alias.name for alias in node.names)


def _violations(path, source):
    """Imports that a file of the package may not have."""
    package = path.split("/")[1]
    for name in _imports(source):
        parts = name.split(".")
        if name.startswith(".") or parts[0] in ("recipes", "tests"):
            yield name
        elif parts[0] != "visualpoet":
            continue
        elif path in BELOW and parts[1:2] and parts[1] in LOWEST:
            continue
        elif path in BELOW:
            yield name
        elif parts[1:2] and parts[1] in GROUND:
            continue
        elif parts[1:2] == ["runs"] and "runs" not in ABOVE.get(package, ()):
            yield name
        elif parts[1:2] == [LEAF] and path != ASKED_FOR and package != LEAF:
            yield name
        elif package in ORDER:
            left = [*ORDER[: ORDER.index(package) + 1]]
            left += [*GROUND, *ABOVE.get(package, ())]
            if parts[1:2] == [] or parts[1] not in left:
                yield name


@pytest.mark.parametrize(
    ("path", "source", "violations"),
    [
        ("visualpoet/corpus/a.py", "import numpy", []),
        ("visualpoet/corpus/a.py", "from visualpoet.corpus import b", []),
        (
            "visualpoet/corpus/a.py",
            "from visualpoet.features import b",
            ["visualpoet.features.b"],
        ),
        ("visualpoet/export/a.py", "import visualpoet.corpus.b", []),
        (
            "visualpoet/export/a.py",
            "import visualpoet",
            ["visualpoet"],
        ),
        (
            "visualpoet/generator/a.py",
            "def f():\n    from visualpoet.evaluation.b import c",
            ["visualpoet.evaluation.b.c"],
        ),
        (
            "visualpoet/generator/a.py",
            "from visualpoet import export, corpus, poet",
            ["visualpoet.export", "visualpoet.poet"],
        ),
        (
            "visualpoet/features/a.py",
            "from . import b\nfrom ..export.c import d",
            [".b", "..export.c.d"],
        ),
        (
            "visualpoet/adversarial/a.py",
            "from visualpoet.adversarial.b import c\n"
            "from visualpoet.discriminators import d",
            [],
        ),
        (
            "visualpoet/evaluation/a.py",
            "from visualpoet.adversarial import b",
            ["visualpoet.adversarial.b"],
        ),
        (
            "visualpoet/poet.py",
            "import visualpoet.adversarial.b",
            ["visualpoet.adversarial.b"],
        ),
        (
            "visualpoet/finetuning/adversarial.py",
            "from visualpoet.adversarial import a",
            [],
        ),
        (
            "visualpoet/finetuning/a.py",
            "from visualpoet.adversarial import a",
            ["visualpoet.adversarial.a"],
        ),
        ("visualpoet/adversarial/a.py", "from visualpoet import runs", []),
        (
            "visualpoet/discriminators/a.py",
            "from visualpoet import runs",
            ["visualpoet.runs"],
        ),
        ("visualpoet/serve/a.py", "from visualpoet import written_poem", []),
        (
            "visualpoet/serve/a.py",
            "from visualpoet import poet",
            ["visualpoet.poet"],
        ),
        (
            "visualpoet/export/a.py",
            "from visualpoet import poet",
            ["visualpoet.poet"],
        ),
        ("visualpoet/corpus/a.py", "from visualpoet.controls import B", []),
        ("visualpoet/poet.py", "from visualpoet.export import poet", []),
        ("visualpoet/poet.py", "from visualpoet import output", []),
        (
            "visualpoet/poet.py",
            "from visualpoet import runs",
            ["visualpoet.runs"],
        ),
        (
            "visualpoet/poet.py",
            "from visualpoet.runs import option",
            ["visualpoet.runs.option"],
        ),
        (
            "visualpoet/runs.py",
            "from visualpoet.corpus import records",
            ["visualpoet.corpus.records"],
        ),
        ("visualpoet/runs.py", "from visualpoet.distribution import a", []),
        ("visualpoet/finetuning/a.py", "from visualpoet import runs", []),
        ("visualpoet/corpus/a.py", "from visualpoet import extras", []),
        ("visualpoet/poet.py", "from visualpoet.extras import needs", []),
        (
            "visualpoet/extras.py",
            "from visualpoet import pictures",
            ["visualpoet.pictures"],
        ),
        (
            "visualpoet/corpus/a.py",
            "from visualpoet.optimization import b",
            [],
        ),
        (
            "visualpoet/optimization.py",
            "from visualpoet.corpus import b",
            ["visualpoet.corpus.b"],
        ),
        (
            "visualpoet/presets.py",
            "from visualpoet import model_folders, extras",
            ["visualpoet.extras"],
        ),
        (
            "visualpoet/runs.py",
            "from visualpoet import distribution, extras",
            ["visualpoet.extras"],
        ),
        (
            "visualpoet/poet.py",
            "import recipes.export",
            ["recipes.export"],
        ),
    ],
)
def test_the_rule(path, source, violations):
    assert list(_violations(path, source)) == violations


MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "visualpoet").rglob("*.py")
)


@pytest.mark.parametrize("path", MODULES)
def test_imports_point_to_the_left(path):
    assert list(_violations(path, (ROOT / path).read_text())) == []


def _reach(starts):
    """All modules that the modules of some files import, one by another."""
    reached, waiting = set(), list(starts)
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            for name in _imports((ROOT / path).read_text()):
                stems = (name, name.rpartition(".")[0])
                found = [stem.replace(".", "/") + ".py" for stem in stems]
                waiting += [path for path in found if path in MODULES]
    return reached


@pytest.mark.parametrize(
    "starts",
    [
        [path for path in MODULES if path.startswith("visualpoet/serve/")],
        ["visualpoet/export/checking.py", "visualpoet/export/serving_files.py"],
    ],
    ids=["serve", "check and export"],
)
def test_whoever_serves_needs_nothing_of_training(starts):
    reached = _reach(starts)
    assert "visualpoet/export/meta_graph.py" in reached
    training = {
        path
        for path in reached
        if path.split("/")[1] in {*ORDER} - {"export", "serve"}
        and path.count("/") > 1
    }
    assert training <= {
        "visualpoet/corpus/folders.py",
        "visualpoet/features/photographs.py",
        "visualpoet/features/picture_bounds.py",
        "visualpoet/features/picture_files.py",
        "visualpoet/features/png_chunks.py",
    }
    assert "visualpoet/export/poet_module.py" not in reached


def test_the_command_line_needs_no_experts():
    """But to fine-tune, which is a training."""
    text = (ROOT / "visualpoet/verbs.py").read_text()
    names = [f"{name.replace('.', '/')}.py" for name in _imports(text)]
    assert "visualpoet/finetuning/tuning.py" in names
    names.remove("visualpoet/finetuning/tuning.py")
    reached = _reach(name for name in names if name in MODULES)
    assert {"visualpoet/finding.py", "visualpoet/serve/server.py"} <= reached
    assert "visualpoet/features/experts.py" not in reached


def test_tf_agents_stays_in_its_leaf():
    users = {
        path
        for path in MODULES
        for name in _imports((ROOT / path).read_text())
        if name.split(".")[0] in ("tf_agents", "tensorflow_probability")
    }
    assert users
    assert all(path.startswith(f"visualpoet/{LEAF}/") for path in users)


def test_every_sub_package_has_its_place():
    folders = {path.split("/")[1] for path in MODULES if path.count("/") > 1}
    assert folders == set(ORDER)


def test_recipes_do_not_import_each_other():
    recipes = sorted((ROOT / "recipes").glob("*.py"))
    names = {path.stem for path in recipes}
    assert "prepare_corpus" in names
    for path in recipes:
        imported = {name.split(".")[0] for name in _imports(path.read_text())}
        assert imported.isdisjoint(names | {"recipes", ""}), path.name


@pytest.mark.parametrize(
    "module", ["visualpoet", "visualpoet.cli", "visualpoet.albums"]
)
def test_import_is_cheap(module):
    program = (
        f"import sys, {module}\n"
        "print({'tensorflow', 'keras', 'pandas', 'apache_beam', "
        "'visualpoet'} & "
        "sys.modules.keys())"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "{'visualpoet'}\n"
