import pytest

from visualpoet import model_folders


def put(folder, *names):
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "saved_model.pb").touch()


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("0", 0),
        ("10", 10),
        ("007", 7),
        ("0" * 5000 + "1", 1),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("9" * 5000, None),
        ("²", None),
        ("٣", None),
        ("-1", None),
        ("+1", None),
        (" 1", None),
        ("1_0", None),
        ("1.partial", None),
        ("", None),
    ],
)
def test_what_a_version_is(name, number):
    assert model_folders.parse_version(name) == number


def test_folders_of_numbered_versions(tmp_path):
    put(tmp_path, "1", "10", "9", "007", "11.partial", "latest", "²")
    put(tmp_path, "9223372036854775808")
    (tmp_path / "12").mkdir()  # holds no model
    (tmp_path / "13").touch()
    assert model_folders.find_versions(tmp_path) == {
        number: tmp_path / name
        for number, name in [(1, "1"), (10, "10"), (9, "9"), (7, "007")]
    }
    assert model_folders.newest_version(tmp_path) == tmp_path / "10"


@pytest.mark.parametrize(
    ("name", "number"), [("9", 9), ("0", 0), ("latest", 1), ("²", 1)]
)
def test_a_saved_model_is_its_own_version(tmp_path, name, number):
    put(tmp_path, name, f"{name}/20")
    folder = tmp_path / name
    assert model_folders.find_versions(folder) == {number: folder}
    assert model_folders.newest_version(folder) == folder


def test_partial_versions_are_none(tmp_path):
    put(tmp_path, "1.partial")
    assert model_folders.find_versions(tmp_path) == {}
    with pytest.raises(FileNotFoundError, match=f"versions .*: {tmp_path}$"):
        model_folders.newest_version(tmp_path)


def test_a_new_version_has_a_number_that_nothing_has(tmp_path):
    assert model_folders.next_version(tmp_path / "nothing") == 1
    for name in ("9", "10.partial", "²"):
        (tmp_path / name).mkdir()
    assert model_folders.next_version(tmp_path) == 10
    (tmp_path / "11").touch()
    assert model_folders.next_version(tmp_path) == 12
