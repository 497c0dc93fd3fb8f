import ast
import pathlib
import re

import pytest

from visualpoet.discriminators import tasks

ROOT = pathlib.Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WAYS = [
    re.findall(r"^(\S+\.py): (\w+)", block, re.MULTILINE)
    for block in re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)
]
# Tables leave `visualpoet/` out where it is plain.
NAMED = re.findall(r"`([\w/]+\.py)(?:: (\w+))?[^`]*`", TEXT)


def find(path):
    folders = ("", "visualpoet", "recipes", "tests")
    found = [ROOT / folder / path for folder in folders]
    return next((file for file in found if file.is_file()), None)


def tree(path):
    return ast.parse(find(path).read_text(encoding="utf-8"))


def names(path):
    """What a file defines, on its own level."""
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (t.id for t in node.targets if isinstance(t, ast.Name))


def imported(path):
    """Files of ours that a file imports, at any depth of its code."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                for dotted in (node.module, f"{node.module}.{alias.name}"):
                    file = dotted.replace(".", "/") + ".py"
                    if (ROOT / file).is_file():
                        yield file


def reach(path):
    reached, waiting = set(), [path]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += imported(path)
    return reached


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_what_is_named_is_there(path, name):
    assert find(path), path
    assert not name or name in names(path)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way[0][0])
def test_a_way_can_be_gone(way):
    """Each file is imported, one by another, by the first."""
    assert len(way) >= 4
    assert all(name in names(path) for path, name in way)
    reached = reach(way[0][0])
    assert [path for path, _ in way if path not in reached] == []


def test_the_ways_begin_where_work_begins():
    assert [way[0][0] for way in WAYS] == [
        "visualpoet/cli.py",
        "recipes/write_album.py",
        "visualpoet/serve/server.py",
        "visualpoet/export/signatures.py",
        "recipes/prepare_corpus.py",
        "recipes/pretrain_generator.py",
        "recipes/train_adversarial.py",
        "recipes/fine_tune.py",
    ]


def mentions(word):
    """Files of the package that hold a text, in their code."""
    files = sorted((ROOT / "visualpoet").rglob("*.py"))
    return [
        str(file.relative_to(ROOT))
        for file in files
        if re.search(rf"[\"']{word}[\"']", file.read_text(encoding="utf-8"))
    ]


def test_a_discriminator_is_named_where_the_table_says():
    for task in tasks.TASKS:
        assert mentions(task.name) == ["visualpoet/discriminators/tasks.py"]
