import gzip
import io
import os
import tarfile

import pytest

from visualpoet.features import photographs
from visualpoet.features.photographs import read_photographs

FILES = {
    "b.JPG": b"one",
    "sea/a.png": b"two",
    "sea/deep/c.webp": b"three",
    "sea/d.jpeg": b"four",
    "e.gif": b"five",
    "f.bmp": b"six",
    "g.jfif": b"seven",
    "h.JPE": b"eight",
    "._b.JPG": b"fork of a file",
    ".thumbnails/a.png": b"small",
    "__MACOSX/sea/._a.png": b"fork of a file",
    "notes.txt": b"not a picture",
    "jpg": b"no suffix",
}
PHOTOGRAPHS = {
    name: content
    for name, content in FILES.items()
    if name not in ("notes.txt", "jpg")
    and not name.startswith((".", "__MACOSX"))
}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "photographs"
    for name, content in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    (path / "folder.jpg").mkdir()
    return path


def _archive(path, members):
    """Members: name to bytes, or to (type, target)."""
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, tuple):
                member.type, member.linkname = content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path


def test_folder_is_read_in_order(folder):
    assert list(read_photographs([folder])) == [
        ("b.JPG", b"one"),
        ("e.gif", b"five"),
        ("f.bmp", b"six"),
        ("g.jfif", b"seven"),
        ("h.JPE", b"eight"),
        ("sea/a.png", b"two"),
        ("sea/d.jpeg", b"four"),
        ("sea/deep/c.webp", b"three"),
    ]


@pytest.mark.parametrize("prefix", ["", "./"])
def test_tar_gives_the_same_names_and_bytes(folder, tmp_path, prefix):
    members = {prefix + name: content for name, content in FILES.items()}
    path = _archive(tmp_path / "photographs.tar", members)
    assert dict(read_photographs([path])) == PHOTOGRAPHS
    assert dict(read_photographs([folder])) == PHOTOGRAPHS


def test_sources_follow_each_other_and_may_be_strings(folder, tmp_path):
    path = _archive(tmp_path / "more.tar", {"z.png": b"nine"})
    names = [name for name, _ in read_photographs([str(path), str(folder)])]
    assert names[:2] == ["z.png", "b.JPG"]
    assert len(names) == 9


def test_what_is_no_photograph_is_counted_and_said(folder, tmp_path, caplog):
    path = _archive(tmp_path / "some.tar", {"a.jpg": b"a", "b.MP4": b"b"})
    list(read_photographs([folder, path]))
    assert caplog.messages == [
        f"{folder}: files left out that are no photographs by their suffix: 2 "
        "(jpg 1, .txt 1)",
        f"{path}: files left out that are no photographs by their suffix: 1 "
        "(.mp4 1)",
    ]


def test_tar_is_never_extracted(tmp_path, monkeypatch):
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    path = _archive(
        tmp_path / "evil.tar",
        {
            "../up.jpg": b"up",
            f"{tmp_path}/absolute.jpg": b"absolute",
            "link.jpg": (tarfile.SYMTYPE, "../secret.jpg"),
            "hard.jpg": (tarfile.LNKTYPE, "secret.jpg"),
            "device.jpg": (tarfile.CHRTYPE, ""),
            "folder.jpg": (tarfile.DIRTYPE, ""),
            "pipe.jpg": (tarfile.FIFOTYPE, ""),
            "good.jpg": b"good",
        },
    )
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    before = sorted(tmp_path.rglob("*"))
    photographs = dict(read_photographs([path]))
    # Links, folders and devices have no bytes of their own; names with ".."
    # are names and nothing else.
    assert photographs == {
        "../up.jpg": b"up",
        f"{tmp_path}/absolute.jpg": b"absolute",
        "good.jpg": b"good",
    }
    assert sorted(tmp_path.rglob("*")) == before
    assert os.listdir(work) == []


def test_missing_source(folder, tmp_path):
    photographs = read_photographs([folder, tmp_path / "nowhere"])
    for _ in range(len(PHOTOGRAPHS)):
        next(photographs)
    with pytest.raises(FileNotFoundError, match="nowhere, which does not"):
        next(photographs)


# --- archives that are none, or that ask for much


def _sparse(path, size):
    """A tar of a few bytes with a photograph of `size`, all of it a hole."""
    member = tarfile.TarInfo("hole.jpg")
    member.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,0",
        "GNU.sparse.size": str(size),
    }
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member)
    return path


def test_sparse_photograph_is_refused_by_name(tmp_path):
    path = _sparse(tmp_path / "small.tar", 1000)
    with pytest.raises(
        ValueError, match="hole.jpg of .*small.tar, sparse, of 1000 bytes"
    ):
        list(read_photographs([path]))


def test_large_photograph_is_refused_by_name(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(photographs, "MAX_BYTES", 4)
    path = _archive(
        tmp_path / "some.tar", {"a.jpg": b"four", "b.jpg": b"fives"}
    )
    found = read_photographs([path])
    assert next(found) == ("a.jpg", b"four")
    with pytest.raises(
        ValueError,
        match="at most 4 bytes.* Received: b.jpg of .*some.tar, whole, of 5",
    ):
        next(found)


@pytest.mark.parametrize("name", ["photo.jpg", "empty.tar", "packed.tar"])
def test_what_is_no_archive_is_named(tmp_path, name):
    whole = _archive(tmp_path / "whole.tar", {"a.jpg": b"a"}).read_bytes()
    contents = {
        "photo.jpg": b"\xff\xd8\xff" + bytes(range(256)) * 4,
        "empty.tar": b"",
        "packed.tar": gzip.compress(whole),
    }
    (tmp_path / name).write_bytes(contents[name])
    with pytest.raises(ValueError, match=f"expected a folder, .*{name} "):
        list(read_photographs([tmp_path / name]))


def test_archive_that_ends_early_is_named(tmp_path):
    members = {"a.jpg": b"a" * 3000, "b.jpg": b"b" * 3000}
    path = _archive(tmp_path / "torn.tar", members)
    path.write_bytes(path.read_bytes()[:5000])
    found = read_photographs([path])
    assert next(found) == ("a.jpg", b"a" * 3000)
    with pytest.raises(ValueError, match="torn.tar .*unexpected end of data"):
        next(found)
