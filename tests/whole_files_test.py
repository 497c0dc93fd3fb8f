import pytest

from visualpoet import whole_files
from visualpoet.corpus import row_files


def test_a_file_is_there_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "poems.jsonl"
    with pytest.raises(KeyError), whole_files.write_whole(path) as partial:
        partial.write_text("{")
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with whole_files.write_whole(path) as partial:
        partial.write_text("{}")
        assert not path.exists()
    assert [one.name for one in tmp_path.iterdir()] == ["poems.jsonl"]


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("", ["a.txt"]),
        ("a.txt", ["a.txt", "b.a.txt.0.partial", "a.txt.partial"]),
    ],
)
def test_what_killed_processes_left_is_removed(tmp_path, name, left):
    for one in ("a.txt", "a.txt.0.partial", "b.a.txt.0.partial"):
        (tmp_path / one).touch()
    (tmp_path / "a.txt.partial").touch()  # of a download, which goes on
    whole_files.remove_partial(tmp_path / name)
    assert {one.name for one in tmp_path.iterdir()} == set(left)


def test_a_file_that_is_replaced_takes_the_place_of_what_was_left(tmp_path):
    (tmp_path / "a.txt.0.partial").touch()
    row_files.replace_file(tmp_path / "a.txt", b"whole")
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == b"whole"
