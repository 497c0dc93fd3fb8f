"""Photographs in folders and tar archives, read by name."""

import pathlib
import tarfile
from collections.abc import Iterator
from collections.abc import Sequence

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"})


def _is_photograph(name: str) -> bool:
    return pathlib.PurePosixPath(name).suffix.lower() in SUFFIXES


def _read_folder(folder: pathlib.Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and _is_photograph(path.name):
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _read_tar(path: pathlib.Path) -> Iterator[tuple[str, bytes]]:
    # Members are read in memory and never extracted: names with "..", links
    # and devices have nothing to act on.
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isreg() and _is_photograph(member.name):
                stream = archive.extractfile(member)
                yield member.name.removeprefix("./"), stream.read()


def read_photographs(
    sources: Sequence[pathlib.Path],
) -> Iterator[tuple[str, bytes]]:
    """Yields every photograph of some folders and tar archives.

    Args:
        sources: Folders (searched at any depth) or `.tar` files.

    Yields:
        Name (path inside its folder or archive) and encoded bytes.

    Raises:
        FileNotFoundError: If a source does not exist.
    """
    for source in map(pathlib.Path, sources):
        if not source.exists():
            raise FileNotFoundError(
                "expected a folder or tar archive of photographs. "
                f"Received: {source}, which does not exist"
            )
        yield from (_read_folder if source.is_dir() else _read_tar)(source)
