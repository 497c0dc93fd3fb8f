"""What is installed: `setup.cfg` lists packages and data by hand."""

import pathlib

import pytest
from setuptools import Distribution

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.chdir(ROOT)
    distribution = Distribution({"script_name": "setup.py"})
    distribution.parse_config_files()
    command = distribution.get_command_obj("build_py")
    command.ensure_finalized()
    files = command.get_outputs(include_bytecode=False)
    return {str(pathlib.Path(file).relative_to("build/lib")) for file in files}


def test_the_package_is_installed_whole(installed):
    files = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("visualpoet/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "visualpoet/py.typed" in files
    assert files <= installed


def test_models_are_installed_whole(installed):
    files = {
        f"visualpoet/{path.relative_to(ROOT).as_posix()}"
        for path in ROOT.glob("savedmodels/*/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files
    assert files <= installed
