"""Commands that documents and scripts give have options that recipes take."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "recipes"
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "docs" / "scaling.md",
    ROOT / "docs" / "fine-tuning.md",
    *sorted(FOLDER.glob("*.md")),
    *sorted(FOLDER.glob("*.sh")),
    *sorted(FOLDER.glob("*.py")),
]
# As a command, in backquotes, or as a step of a script.
COMMAND = re.compile(
    r"(?:recipes/|`|\b(?:step|run) )(\w+)(?:\.py)?\b([^`|\n]*)"
)


def commands_of(document):
    text = document.read_text(encoding="utf-8").replace("\\\n", " ")
    for recipe, rest in COMMAND.findall(text):
        own = re.sub(r'"[^"]*"', "", rest)  # what is quoted is for another one
        own = own.partition(" -- ")[0]  # the rest is for Apache Beam
        options = re.findall(r"--([a-z][a-z-]+)", own)
        if options and (FOLDER / f"{recipe}.py").exists():
            yield document.name, recipe, options


PACKAGE = ROOT / "visualpoet"
# Where options of a recipe stand that are a command's, too, or a loop's.
OPTIONS = {
    "fine_tune": [PACKAGE / "finetuning" / "options.py"],
    "train_adversarial": [
        FOLDER / "train_adversarial.py",
        PACKAGE / "adversarial" / "settings.py",
    ],
}
COMMANDS = [command for d in DOCUMENTS for command in commands_of(d)]


def options_of(recipe):
    """Fields of a recipe's Config, without the import of what it needs."""
    paths = OPTIONS.get(recipe, [FOLDER / f"{recipe}.py"])
    return {
        node.target.id.replace("_", "-")
        for path in paths
        for config in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(config, ast.ClassDef)
        and config.name in ("Config", "Options", "Settings")
        for node in config.body
        if isinstance(node, ast.AnnAssign)
    }


@pytest.mark.parametrize(("document", "recipe", "options"), COMMANDS)
def test_options_exist(document, recipe, options):
    known = options_of(recipe) | {"help"}
    assert {option.removeprefix("no-") for option in options} <= known


def test_commands_are_found():
    found = {(document, recipe) for document, recipe, _ in COMMANDS}
    assert {
        ("README.md", "train_adversarial"),
        ("all.sh", "export"),
        ("liu18.sh", "pretrain_generator"),
        ("smoke.sh", "evaluate"),
        ("export.py", "export"),
    } <= found
