import subprocess
import sys

import pytest

import visualpoet
from visualpoet import pictures
from visualpoet import poet
from visualpoet import written_poem


def test_exported_names():
    assert visualpoet.__all__ == [
        "Candidate",
        "PictureError",
        "Poet",
        "WrittenPoem",
        "__version__",
        "load",
    ]


def test_exported_names_are_those_of_the_modules():
    assert visualpoet.Candidate is written_poem.Candidate
    assert visualpoet.PictureError is pictures.PictureError
    assert visualpoet.Poet is poet.Poet
    assert visualpoet.WrittenPoem is written_poem.WrittenPoem
    assert visualpoet.load is poet.load


@pytest.mark.parametrize("name", ["visualpoet", "visualpoet.cli"])
def test_importing_loads_no_tensorflow(name):
    code = (
        f"import {name}, sys; "
        "print(sorted({'tensorflow', 'keras', 'pandas'} & set(sys.modules)))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert output == "[]\n"
