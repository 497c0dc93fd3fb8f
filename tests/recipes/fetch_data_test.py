"""Sources of this machine and of a server on it; nothing else is asked."""

import gzip
import json

import pytest

from recipes import fetch_data
from tests import file_server
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


def files_of(data):
    return sorted(
        path.relative_to(data).as_posix()
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
        "downloads/pg1322.txt",
        "downloads/pg205.txt",
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
        "4 poems",
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


def test_a_book_must_be_the_one_it_was(server, tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    assert fetch(server, first, "book:1322") == 0
    server.files["/pg1322.txt"] += b"\n"
    checksums = str(first / "checksums.txt")
    assert fetch(server, second, "book:1322", checksums=checksums) == 1
    assert "failed: expected SHA-256" in capsys.readouterr().err
    assert files_of(second) == []


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
