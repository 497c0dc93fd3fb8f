"""Photographs in folders and tar archives, read by name."""

import logging
import pathlib
import tarfile
from collections.abc import Iterator
from collections.abc import Sequence

from visualpoet.corpus.folders import count_skipped
from visualpoet.corpus.folders import is_hidden

MAX_BYTES = 200_000_000  # of one photograph in an archive
SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp"),
        *(".tif", ".tiff", ".avif", ".heic", ".heif"),
    )
)
_log = logging.getLogger(__name__)


def _is_photograph(name: str) -> bool:
    return pathlib.PurePosixPath(name).suffix.lower() in SUFFIXES


def _read_folder(
    folder: pathlib.Path, skipped: list[pathlib.PurePath]
) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if is_hidden(name) or not path.is_file():
            continue
        if _is_photograph(path.name):
            yield name.as_posix(), path.read_bytes()
        else:
            skipped.append(name)


def _read_tar(
    path: pathlib.Path, skipped: list[pathlib.PurePath]
) -> Iterator[tuple[str, bytes]]:
    return read_archive(path, (), skipped)


def read_archive(
    path: pathlib.Path,
    suffixes: Sequence[str] = (),
    skipped: list[pathlib.PurePath] | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Yields the photographs of a tar archive, and files of other kinds.

    Args:
        path: A `.tar` file, not compressed.
        suffixes: Of files that are wanted beside photographs, such as `.txt`.
        skipped: Gets the names of those that are left out.

    Yields:
        Name and content, in the order of the archive.

    Raises:
        ValueError: If it cannot be read, or holds a file that is sparse or
            larger than `MAX_BYTES`.
    """
    # Members are read in memory and never extracted: names with "..", links
    # and devices have nothing to act on. An archive of a few bytes can ask for
    # many: nothing is unpacked, and no hole of a sparse file filled.
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                name = pathlib.PurePosixPath(member.name)
                stream = archive.extractfile(member) if member.isreg() else None
                if is_hidden(name) or stream is None:
                    continue
                wanted = name.suffix.lower() in suffixes
                if not wanted and not _is_photograph(member.name):
                    if skipped is not None:
                        skipped.append(name)
                    continue
                _check_size(path, member)
                yield member.name.removeprefix("./"), stream.read()
    except tarfile.ReadError as error:
        raise ValueError(
            "expected a folder, or a tar archive that is whole and not "
            f"compressed, of photographs. Received: {path} ({error}); name "
            "the folder of a photograph, and unpack a compressed archive"
        ) from error


def _check_size(path: pathlib.Path, member: tarfile.TarInfo) -> None:
    if member.issparse() or member.size > MAX_BYTES:
        kind = "sparse" if member.issparse() else "whole"
        raise ValueError(
            f"expected photographs of at most {MAX_BYTES} bytes, none of them "
            f"sparse. Received: {member.name} of {path}, {kind}, of "
            f"{member.size} bytes; leave it out of the archive"
        )


def read_photographs(
    sources: Sequence[pathlib.Path],
) -> Iterator[tuple[str, bytes]]:
    """Yields every photograph of some folders and tar archives.

    Hidden files are left out; others that are no photographs by their suffix
    are counted in the log.

    Args:
        sources: Folders (searched at any depth) or `.tar` files, not
            compressed.

    Yields:
        Name (path inside its folder or archive) and encoded bytes.

    Raises:
        FileNotFoundError: If a source does not exist.
        ValueError: If an archive cannot be read, or holds a photograph that
            is sparse or larger than `MAX_BYTES`.
    """
    for source in map(pathlib.Path, sources):
        if not source.exists():
            raise FileNotFoundError(
                "expected a folder or tar archive of photographs. "
                f"Received: {source}, which does not exist"
            )
        skipped: list[pathlib.PurePath] = []
        read = _read_folder if source.is_dir() else _read_tar
        yield from read(source, skipped)
        if skipped:
            said = count_skipped(skipped, "no photographs by their suffix")
            _log.warning("%s: %s", source, said)
