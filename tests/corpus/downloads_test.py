"""A server on this machine has what others have, and their faults."""

import errno
import hashlib
import pathlib
import re

import pytest

from tests import file_server
from visualpoet.corpus import downloads

CONTENT = bytes(range(256)) * 1600
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with file_server.serve({"/poems.txt": CONTENT}) as running:
        yield running


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_once(server, tmp_path):
    path = tmp_path / "new" / "poems.txt"
    for _ in range(2):
        assert downloads.download(server.url + "/poems.txt", path) == DIGEST
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["poems.txt"]
    assert server.asked == [("/poems.txt", "")]


def test_a_broken_connection_goes_on_where_it_was(server, tmp_path):
    server.break_after = [70_000, 140_000]
    path = tmp_path / "poems.txt"
    assert downloads.download(server.url + "/poems.txt", path, DIGEST) == DIGEST
    assert path.read_bytes() == CONTENT
    ranges = [asked for _, asked in server.asked]
    # From the last byte on that came.
    assert ranges == ["", "bytes=65535-", "bytes=196606-"]


def test_the_next_call_goes_on_too(server, tmp_path):
    server.break_after = [70_000] * 4
    path = tmp_path / "poems.txt"
    with pytest.raises(OSError, match=r"Received: 262141 bytes in 4 attempts"):
        downloads.download(server.url + "/poems.txt", path)
    assert not path.exists()
    assert downloads.download(server.url + "/poems.txt", path) == DIGEST
    assert server.asked[-1] == ("/poems.txt", "bytes=262140-")
    assert names(tmp_path) == ["poems.txt"]


def test_a_file_that_came_whole_but_was_not_named_is_asked_for_its_end(
    server, tmp_path, monkeypatch
):
    path = tmp_path / "poems.txt"
    with monkeypatch.context() as patch:
        patch.setattr(downloads, "_check", interrupt)
        with pytest.raises(KeyboardInterrupt):
            downloads.download(server.url + "/poems.txt", path)
    assert downloads.download(server.url + "/poems.txt", path) == DIGEST
    assert server.asked[-1] == ("/poems.txt", f"bytes={len(CONTENT) - 1}-")


def interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_costs_nothing_that_came(server, tmp_path, status):
    server.break_after = [70_000] * 4
    path = tmp_path / "poems.txt"
    with pytest.raises(OSError, match="the next call goes on"):
        downloads.download(server.url + "/poems.txt", path)
    server.statuses = [status]
    with pytest.raises(OSError, match=f"Received: {status} "):
        downloads.download(server.url + "/poems.txt", path)
    assert downloads.download(server.url + "/poems.txt", path) == DIGEST
    assert server.asked[-1] == ("/poems.txt", "bytes=262140-")


def test_a_checksum_is_noted_when_what_came_is_wanted(server, tmp_path):
    noted, path = tmp_path / "checksums.txt", tmp_path / "poems.txt"
    checksums = downloads.Checksums(noted)
    address = server.url + "/poems.txt"
    with (
        pytest.raises(ValueError, match="no poems"),
        checksums.download(address, path),
    ):
        raise ValueError("no poems")
    assert names(tmp_path) == []
    with checksums.download(address, path):
        assert path.read_bytes() == CONTENT
    assert noted.read_text() == f"{DIGEST}  {address}\n"
    with (  # as it was known, the reader is at fault
        pytest.raises(ValueError, match="no poems"),
        checksums.download(address, path),
    ):
        raise ValueError("no poems")
    assert names(tmp_path) == ["checksums.txt", "poems.txt"]


def test_given_checksums_must_be_there_and_stay_as_they_are(server, tmp_path):
    given, own = tmp_path / "given.txt", tmp_path / "own.txt"
    with pytest.raises(FileNotFoundError, match=r"given\.txt"):
        downloads.Checksums(own, given)
    given.write_text("one word\n")
    with pytest.raises(ValueError, match="Received: one word in"):
        downloads.Checksums(own, given)
    given.write_text("")
    with downloads.Checksums(own, given).download(
        server.url + "/poems.txt", tmp_path / "poems.txt"
    ):
        pass
    assert (given.read_text(), own.read_text()[:64]) == ("", DIGEST)


def test_a_file_that_has_changed_begins_anew(server, tmp_path):
    server.break_after = [70_000] * 4
    path = tmp_path / "poems.txt"
    with pytest.raises(OSError, match="expected .* to be sent whole"):
        downloads.download(server.url + "/poems.txt", path)
    server.files["/poems.txt"] = CONTENT[::-1]
    downloads.download(server.url + "/poems.txt", path)
    assert path.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("there", [False, True])
def test_another_file_does_not_stay(server, tmp_path, there):
    path = tmp_path / "poems.txt"
    if there:
        path.write_bytes(b"another")
    with pytest.raises(ValueError, match=f"expected SHA-256 {'0' * 64} of"):
        downloads.download(server.url + "/poems.txt", path, "0" * 64)
    assert names(tmp_path) == []


def test_a_file_is_bounded(server, tmp_path):
    path = tmp_path / "poems.txt"
    with pytest.raises(ValueError, match="expected at most 1000 bytes"):
        downloads.download(server.url + "/poems.txt", path, max_bytes=1000)
    assert names(tmp_path) == []


def test_nothing_is_left_on_a_full_disk(server, tmp_path, monkeypatch):
    def fill(stream, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads.requests.Response, "iter_content", fill)
    with pytest.raises(OSError, match="No space left on device"):
        downloads.download(server.url + "/poems.txt", tmp_path / "poems.txt")
    assert names(tmp_path) == []


def test_a_missing_file_is_named(server, tmp_path):
    with pytest.raises(OSError, match="Received: 404 Not Found"):
        downloads.download(server.url + "/no.txt", tmp_path / "no.txt")
    assert names(tmp_path) == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "/etc/passwd"])
def test_only_the_web_is_asked(tmp_path, address):
    with pytest.raises(ValueError, match="expected an address of http"):
        downloads.download(address, tmp_path / "a")


def test_a_redirect_leads_to_the_web_only(server, tmp_path):
    server.redirects = {
        "/moved.txt": "/poems.txt",
        "/local.txt": pathlib.Path(__file__).as_uri(),
    }
    assert (
        downloads.download(server.url + "/moved.txt", tmp_path / "a") == DIGEST
    )
    with pytest.raises(ValueError, match=re.escape("No connection adapters")):
        downloads.download(server.url + "/local.txt", tmp_path / "b")
    assert names(tmp_path) == ["a"]
