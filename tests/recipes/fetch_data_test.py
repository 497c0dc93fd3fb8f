"""Sources of this machine and of a server on it; nothing else is asked."""

import contextlib
import gzip
import json
import re
import resource

import numpy as np
import pytest
import tensorflow_datasets as tfds

from recipes import fetch_data
from tests import file_server
from tests import stand_ins
from visualpoet.corpus import readers

VERSE = "\n".join(
    f"SONG {n}\n\n  The sea is wide {n},\n  The sky is grey,\n  All is well.\n"
    for n in range(4)
)
BOOK = """Title: {}\nAuthor: A. Nobody\n
*** START OF THE PROJECT GUTENBERG EBOOK ***\n
{}
*** END OF THE PROJECT GUTENBERG EBOOK ***\n"""
PROSE = "It rained upon the harbour and upon the long grey boats there,\n" * 5


@pytest.fixture
def server():
    files = {
        "/pg1322.txt": BOOK.format("Leaves of Grass", VERSE),
        "/pg205.txt": BOOK.format("Walden", PROSE),
        "/pg3021.txt": BOOK.format("Another Book", VERSE),
    }
    encoded = {path: text.encode() for path, text in files.items()}
    with file_server.serve(encoded) as running:
        yield running


def fetch(server, data, *sources, **options):
    address = server.url + "/pg{number}.txt"
    return fetch_data.main(
        fetch_data.Config(
            data=data, sources=sources, book_address=address, **options
        )
    )


FILES_OF_A_BOOK = [
    "SOURCES.md",
    "checksums.txt",
    "downloads/HOST/pg1322.txt",
    "poems/gutenberg-1322.jsonl.gz",
]


def files_of(data):
    return sorted(
        re.sub(r"127\.0\.0\.1-\d+", "HOST", path.relative_to(data).as_posix())
        for path in data.rglob("*")
        if path.is_file()
    )


def test_every_source_leaves_its_files_and_a_line(server, tmp_path, capsys):
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    (photographs / "a.jpg").write_bytes(b"\xff\xd8")
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("a.jpg#0\tA dog .\n")
    data = tmp_path / "data"
    sources = (
        "book:1322",
        "paragraphs:205",
        f"photographs:{photographs}:{tokens}",
    )
    for _ in range(2):
        assert fetch(server, data, *sources) == 0
    assert len(server.asked) == 2
    assert files_of(data) == [
        "SOURCES.md",
        "checksums.txt",
        "downloads/HOST/pg1322.txt",
        "downloads/HOST/pg205.txt",
        "images/tokens.jsonl",
        "images/tokens.tar",
        "poems/gutenberg-1322.jsonl.gz",
        "poems/paragraphs.jsonl.gz",
        "prose/gutenberg-205.jsonl.gz",
    ]
    poems, bad_rows = readers.read_poems(
        data / "poems" / "gutenberg-1322.jsonl.gz"
    )
    assert [poem.title for poem in poems] == [f"SONG {n}" for n in range(4)]
    assert bad_rows == []
    said = (data / "SOURCES.md").read_text().splitlines()[4:]
    assert [line.split(" | ")[1] for line in said] == [
        "4 poems in poems/gutenberg-1322.jsonl.gz",
        "1 paragraphs",
        "1 photographs in images/tokens.tar, 0 bad rows",
    ]
    assert "public domain" in said[0]


def test_a_bad_source_leaves_the_others(server, tmp_path, capsys):
    data = tmp_path / "data"
    bad = ("book:1", "book:205", "book:3021", "nothing:1")
    assert fetch(server, data, *bad, "book:1322") == 4
    assert capsys.readouterr().err.splitlines() == [
        f"book:1: failed: expected {server.url}/pg1.txt to be there. "
        "Received: 404 Not Found",
        "book:205: failed: expected verse. Received: Walden, with 0 of 5 "
        "lines of verse; ask for it as prose",
        "book:3021: failed: expected A Boy's Will as book 3021. Received: "
        "Another Book",
        "nothing:1: failed: expected a kind of photographs, webdataset, tfds, "
        "book, paragraphs, poems, object, scene. Received: nothing",
    ]
    assert [f for f in files_of(data) if f.startswith("poems")] == [
        "poems/gutenberg-1322.jsonl.gz"
    ]
    assert len((data / "SOURCES.md").read_text().splitlines()) == 5


def test_a_builder_without_captions_is_named(server, tmp_path, capsys):
    features = {"number": tfds.features.Scalar(np.int64)}
    rows = [{"number": 1}]
    stand_ins.store_builder(tmp_path, "numbers", features, {"train": rows})
    builder, data = tmp_path / "numbers" / "1.0.0", tmp_path / "data"
    capsys.readouterr()
    assert fetch(server, data, f"tfds:{builder}", "book:1322") == 1
    assert capsys.readouterr().err == (
        f"tfds:{builder}: failed: expected a builder with pictures, and with "
        "captions or a class. Received: numbers, with number\n"
    )
    assert files_of(data) == FILES_OF_A_BOOK


def test_the_next_call_goes_on_where_a_connection_broke(
    server, tmp_path, capsys
):
    long = "\n".join([VERSE] * 2000)
    server.files["/pg1322.txt"] = BOOK.format("Leaves of Grass", long).encode()
    server.break_after = [70_000] * 4
    assert fetch(server, tmp_path, "book:1322", "paragraphs:205") == 1
    assert capsys.readouterr().err == (
        f"book:1322: failed: expected {server.url}/pg1322.txt to be sent "
        "whole. Received: 262141 bytes in 4 attempts (ChunkedEncodingError); "
        "the next call goes on from there\n"
    )
    poems = [file for file in files_of(tmp_path) if file.startswith("poems")]
    assert poems == ["poems/paragraphs.jsonl.gz"]
    assert fetch(server, tmp_path, "book:1322") == 0
    assert server.asked[-1] == ("/pg1322.txt", "bytes=262140-")
    assert set(FILES_OF_A_BOOK) < set(files_of(tmp_path))
    assert not list(tmp_path.rglob("*.partial*"))


@contextlib.contextmanager
def full_disk(size):
    """No file of this process can have more bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_nothing_half_written_is_left_on_a_full_disk(server, tmp_path, capsys):
    noise = np.random.default_rng(0).bytes(50_000)
    server.files["/pg3021.txt"] += noise
    expert = tmp_path / "expert"
    expert.mkdir()
    (expert / "saved_model.pb").write_bytes(noise)
    (tmp_path / "a.jpg").write_bytes(noise)
    (tmp_path / "rows.csv").write_text("file,caption\na.jpg,A dog .\n")
    (tmp_path / "own.txt").write_text(f"the sea\n{noise.hex()}\nis wide\n")
    sources = (
        "book:3021",
        f"photographs:{tmp_path}:{tmp_path / 'rows.csv'}",
        f"poems:{tmp_path / 'own.txt'}",
        f"object:{expert}",
    )
    data = tmp_path / "data"
    with full_disk(20_000):
        assert fetch(server, data, *sources, "book:1322") == 4
    said = capsys.readouterr().err.splitlines()
    for source, line in zip(sources, said, strict=True):
        assert line.startswith(f"{source}: failed: [Errno 27] File too large")
    assert files_of(data) == FILES_OF_A_BOOK


def test_a_book_must_be_the_one_it_was(server, tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    assert fetch(server, first, "book:1322") == 0
    server.files["/pg1322.txt"] += b"\n"
    checksums = str(first / "checksums.txt")
    sources = ("book:1322", "paragraphs:205")
    assert fetch(server, second, *sources, checksums=checksums) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("book:1322: failed: expected SHA-256 ")
    assert files_of(second) == [
        "SOURCES.md",
        "checksums.txt",
        "downloads/HOST/pg205.txt",
        "poems/paragraphs.jsonl.gz",
        "prose/gutenberg-205.jsonl.gz",
    ]


def test_what_is_no_book_is_not_kept_and_not_noted(server, tmp_path, capsys):
    book = server.files["/pg1322.txt"]
    server.files["/pg1322.txt"] = b"<html>Log in</html>"
    assert fetch(server, tmp_path, "book:1322") == 1
    assert "expected a plain text" in capsys.readouterr().err
    assert files_of(tmp_path) == []
    server.files["/pg1322.txt"] = book
    assert fetch(server, tmp_path, "book:1322") == 0


def test_another_source_of_a_name_is_refused(server, tmp_path, capsys):
    data = tmp_path / "data"
    sources = []
    for name in "ab":
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.jpg").write_bytes(b"\xff\xd8")
        (folder / "captions.csv").write_text("file,caption\na.jpg,A dog .\n")
        (folder / "own.csv").write_text('text\n"the\nsea\nsleeps"\n')
        sources += [
            f"photographs:{folder}:{folder / 'captions.csv'}",
            f"poems:{folder / 'own.csv'}",
        ]
    assert fetch(server, data, *sources) == 2
    one, two = capsys.readouterr().err.splitlines()
    assert "expected images/captions.tar to be of photographs:" in one
    assert f"Received: it is of {sources[1]}; delete it" in two
    assert fetch(server, data, *sources[:2]) == 0
    poems, _ = readers.read_poems(data / "poems" / "own.jsonl.gz")
    assert [poem.id for poem in poems] == ["a-own-1"]
    prose = tmp_path / "paragraphs.txt"
    prose.write_text("the\nsea\nsleeps")
    assert fetch(server, data, f"poems:{prose}") == 1
    assert "poems of another name" in capsys.readouterr().err


def test_some_poems_of_this_machine_are_held_out(server, tmp_path):
    rows = ["text", *(f'"sea {n}\nsky\nmoon"' for n in range(100))]
    given = tmp_path / "own|1.csv"
    given.write_text("\n".join(rows))
    fetch(server, tmp_path / "data", f"poems:{given}")
    path = tmp_path / "data" / "poems" / "own|1.jsonl.gz"
    poems, _ = readers.read_poems(path)
    assert fetch(server, tmp_path / "data", f"poems:{given}") == 0
    splits = {poem.split for poem in poems}
    assert splits == {"train", "validation", "test"}


def test_prose_of_several_books_is_one_file(server, tmp_path):
    server.files["/pg45.txt"] = BOOK.format(
        "Anne of Green Gables", PROSE.replace("rained", "snowed")
    ).encode()
    fetch(server, tmp_path, "paragraphs:205", "paragraphs:45")
    content = gzip.decompress(
        (tmp_path / "poems" / "paragraphs.jsonl.gz").read_bytes()
    )
    rows = [json.loads(line) for line in content.splitlines()]
    assert [row["id"] for row in rows] == ["gutenberg-205-1", "gutenberg-45-1"]


def test_nothing_is_fetched_that_is_not_asked_for(tmp_path):
    with pytest.raises(ValueError, match="expected --sources"):
        fetch_data.Config(data=tmp_path)
