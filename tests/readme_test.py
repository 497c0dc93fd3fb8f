import pathlib
import re
import shlex

import pytest
import sklearn

from visualpoet import cli

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```\w*\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    part.split("|")[-1].split(">")[0].strip()
    for block in BLOCKS
    for line in block.splitlines()
    if re.match(r"(cat .* \| )?visualpoet ", line)
    for part in line.split("#")[0].split("&&")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command):
    arguments = cli._parser().parse_args(shlex.split(command)[1:])
    assert callable(arguments.run)


def test_there_are_commands():
    assert len(COMMANDS) >= 4


def test_the_first_command_has_its_photograph():
    first = BLOCKS[0].split()[-1]
    inside = first.split("site-packages/")[1]
    installed = pathlib.Path(sklearn.__file__).parents[1]
    assert (installed / inside).is_file()


def test_linked_files_exist():
    links = re.findall(r"(?:\]\(|src=\")([^)\"#]+)", README)
    assert links
    for link in links:
        assert link.startswith("http") or (ROOT / link).exists(), link


def test_the_file_tree_is_the_tree():
    tree = BLOCKS[-1].split("\n")
    folders = [line.split("/")[0].strip() for line in tree if "/  " in line]
    assert "corpus" in folders
    for folder in folders:
        found = (ROOT / folder).is_dir() or (
            ROOT / "visualpoet" / folder
        ).is_dir()
        assert found, folder
