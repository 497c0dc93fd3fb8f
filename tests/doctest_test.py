"""The examples in docstrings are true."""

import doctest
import importlib
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): text
    for path in sorted(ROOT.glob("visualpoet/**/*.py"))
    if ">>> " in (text := path.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("name", SOURCES)
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    failed, attempted = doctest.testmod(importlib.import_module(name))
    assert attempted == SOURCES[name].count(">>> ")
    assert failed == 0
