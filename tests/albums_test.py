import dataclasses
import json
import pathlib
import tarfile

import pytest

from recipes import write_album
from tests import tiny
from visualpoet import albums
from visualpoet import cli
from visualpoet import model_folders
from visualpoet import output

KINDS = ("sea", "forest", "mountain", "meadow")
CONTROLS = ("candidates=2", "seed=3")


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """Four archives of two photographs; the second has a broken one, too."""
    monkeypatch.chdir(tmp_path)
    for number, kind in enumerate(KINDS):
        names = [f"{kind}-a.jpg", f"{kind}-b.png"]
        for name in names:
            file_format = "PNG" if name.endswith("png") else "JPEG"
            pathlib.Path(name).write_bytes(tiny.photograph(kind, file_format))
        if number == 1:
            names.insert(1, "torn.jpg")
            whole = pathlib.Path(names[0]).read_bytes()
            pathlib.Path("torn.jpg").write_bytes(whole[:400])
        with tarfile.open(f"{number}.tar", "w") as archive:
            for name in names:
                archive.add(name)
    return tuple(pathlib.Path(f"{number}.tar") for number in range(4))


def configure(sources, **options):
    return write_album.Config(
        **{
            "sources": sources,
            "model": str(tiny.exported()),
            "controls": CONTROLS,
            "run_dir": pathlib.Path("album"),
            **options,
        }
    )


def files():
    """What an album holds, its poems and dead letters by file."""
    return {
        str(path.relative_to("album")): path.read_bytes()
        for name in (albums.POEMS, albums.DEAD_LETTERS)
        for path in sorted(pathlib.Path("album", name).iterdir())
    }


def stamps():
    """Which files there are, and when each was written."""
    found = {p: p.stat() for p in pathlib.Path("album").glob("*/*")}
    return {path: (s.st_ino, s.st_mtime_ns) for path, s in found.items()}


def rows(content):
    return [json.loads(line) for line in content.splitlines()]


def assert_alike(one, other):
    """Equal but for the last digits of numbers."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list):
        assert len(one) == len(other)
        for part, its in zip(one, other):
            assert_alike(part, its)
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-5, abs=1e-6)
    else:
        assert one == other


def test_a_killed_run_goes_on_where_it_was(sources, monkeypatch, capsys):
    write_poems, calls = output.write_poems, []

    def write_half(load, entries, given):
        calls.append(given)
        written = write_poems(load, entries, given)
        yield next(written)
        if len(calls) == 3:
            raise KeyboardInterrupt
        yield from written

    with monkeypatch.context() as patch:
        patch.setattr(output, "write_poems", write_half)
        with pytest.raises(KeyboardInterrupt):
            write_album.main(configure(sources))
    before = stamps()
    two = {"poems/0.jsonl", "poems/1.jsonl", "dead_letters/1.jsonl"}
    assert files().keys() == two
    # What a kill that nothing can catch leaves behind.
    pathlib.Path("album", "poems", "2.jsonl.0a.partial").write_text("{")
    with pytest.raises(FileExistsError, match="add --resume to go on"):
        write_album.main(configure(sources))
    write_album.main(configure(sources, resume=True))

    assert before.items() < stamps().items()
    held = files()
    assert held.keys() == two | {"poems/2.jsonl", "poems/3.jsonl"}
    printed = capsys.readouterr().out
    assert "1.tar: 2 poems, 1 dead letters" in printed.replace("\n", " ")
    assert "2 of 4 sources to write for" in printed
    assert "album: 4 poems" in printed

    names = [row["photograph"] for file in held.values() for row in rows(file)]
    everything = [n for k in KINDS for n in (f"{k}-a.jpg", f"{k}-b.png")]
    assert sorted(names) == sorted([*everything, "torn.jpg"])
    options = ["--model", str(tiny.exported()), "--format", "jsonl"]
    options += ["--candidates", "2", "--seed", "3", "-o", "written.jsonl"]
    assert cli.main(["write", *everything, "torn.jpg", *options]) == 1
    *poems, dead = pathlib.Path("written.jsonl").read_bytes().splitlines(True)
    album = [row for n in range(4) for row in rows(held[f"poems/{n}.jsonl"])]
    # Eight photographs at once, or two: the last digit of fluency may differ.
    assert_alike(album, rows(b"".join(poems)))
    assert held["dead_letters/1.jsonl"] == dead


def test_other_options_or_another_model_are_refused(sources, monkeypatch):
    monkeypatch.setattr(model_folders, "default_model", tiny.exported)
    config = configure(sources[:1], model="", resume=True)
    write_album.main(config)
    before = stamps()
    for changed, received in [
        ({"controls": ("candidates=3",)}, "Received: controls="),
        ({"any_word": True}, "Received: any_word=True"),
        ({"sources": sources}, "Received: sources="),
    ]:
        with pytest.raises(ValueError, match=received):
            write_album.main(dataclasses.replace(config, **changed))
    monkeypatch.setattr(model_folders, "default_model", tiny.cold)
    with pytest.raises(ValueError, match="Received: another .*cold/3/assets"):
        write_album.main(config)
    assert stamps() == before
    monkeypatch.setattr(model_folders, "default_model", tiny.exported)
    write_album.main(dataclasses.replace(config, processes=2))
    assert stamps() == before


def test_folders_lists_and_sources_that_cannot_be_read(sources):
    folder = pathlib.Path("photos")
    folder.joinpath("inner").mkdir(parents=True)
    folder.joinpath("inner", "sea.jpg").write_bytes(tiny.photograph("sea"))
    folder.joinpath("notes.md").write_text("none")
    pathlib.Path("paths.txt").write_text("sea-b.png\n\nlost.jpg\n")
    torn = sources[3].read_bytes()
    pathlib.Path("torn.tar").write_bytes(torn[: len(torn) // 4])
    names = ("photos", "paths.txt", "torn.tar")
    config = configure(tuple(map(pathlib.Path, names)))
    with pytest.raises(SystemExit, match="see dead_letters/"):
        write_album.main(config)
    held = files()
    assert list(held) == [
        "poems/paths.jsonl",
        "poems/photos.jsonl",
        "dead_letters/paths.jsonl",
        "dead_letters/torn.jsonl",
    ]
    (inner,) = rows(held["poems/photos.jsonl"])
    (listed,) = rows(held["poems/paths.jsonl"])
    assert inner.pop("photograph") == "inner/sea.jpg"
    assert listed.pop("photograph") == "sea-b.png"
    assert rows(held["dead_letters/paths.jsonl"]) == [
        {
            "photograph": "lost.jpg",
            "error": "lost.jpg: No such file or directory",
        }
    ]
    (broken,) = rows(held["dead_letters/torn.jsonl"])
    assert broken["photograph"] == "torn.tar"
    assert "a tar archive that is whole" in broken["error"]

    pathlib.Path("torn.tar").write_bytes(torn)  # it is whole now
    write_album.main(configure(config.sources, resume=True))
    assert "poems/torn.jsonl" in files()
    assert "dead_letters/torn.jsonl" not in files()


def test_parquet_has_the_same_records(sources):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_album.main(configure(sources[:1]))
    expected = rows(files()["poems/0.jsonl"])
    run_dir = pathlib.Path("tables")
    write_album.main(configure(sources[:1], run_dir=run_dir, format="parquet"))
    table = parquet.read_table(run_dir / "poems" / "0.parquet")
    assert table.to_pylist() == expected
    assert len(list(run_dir.glob("*/*"))) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mood=1", "^expected NAME=VALUE with one of form, .* Received: mood"),
        ("candidates", "^expected candidates, an integer .* Received: $"),
        ("seed=-1", "^expected seed, an integer from 0 .* Received: -1$"),
        ("form=sonnet", "^expected form, one of verse, haiku. Received: 'son"),
    ],
)
def test_controls_that_are_none(text, reason):
    with pytest.raises(ValueError, match=reason):
        albums.read_controls([text], tiny.exported())


def test_sources_need_names_of_their_own(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a.tar").touch()
    with pytest.raises(ValueError, match=r"Received: .*/a, .*/a\.tar; rename"):
        albums.check_sources([tmp_path / "a", tmp_path / "a.tar"])
    with pytest.raises(FileNotFoundError, match="b, which does not exist"):
        albums.check_sources([tmp_path / "b"])
