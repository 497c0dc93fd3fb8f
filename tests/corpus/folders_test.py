import pathlib

import pytest

from visualpoet.corpus.folders import count_skipped
from visualpoet.corpus.folders import is_hidden


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        (".a.txt", True),
        ("._a.jpg", True),
        ("a/.b/c.txt", True),
        ("__MACOSX/a.jpg", True),
        ("a.txt", False),
        ("../a.jpg", False),
        ("/a/b.jpg", False),
        ("./a.jpg", False),
    ],
)
def test_hidden_files(name, hidden):
    assert is_hidden(pathlib.PurePosixPath(name)) == hidden


def test_many_kinds_are_cut_short():
    files = [pathlib.Path(f"a.{kind}") for kind in "qrstuvQ"]
    assert count_skipped(files, "no .txt") == (
        "files left out that are no .txt: 7 (.q 2, .r 1, .s 1, .t 1, .u 1, ...)"
    )
