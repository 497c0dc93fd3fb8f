"""Files that are there as a whole or not at all, whoever is killed."""

import contextlib
import pathlib
import uuid
from collections.abc import Iterator

_PARTIAL = ".partial"


@contextlib.contextmanager
def write_whole(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives another name to write under, and renames what was written.

    Args:
        path: Of the file; replaced if it is there.

    Yields:
        A name beside it that nobody else has: several processes may write the
        same file.
    """
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}{_PARTIAL}")
    try:
        yield partial
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


def remove_partial(folder: pathlib.Path) -> None:
    """Removes what killed processes left half written.

    Args:
        folder: Searched at any depth; nobody may be writing in it.
    """
    for partial in sorted(folder.rglob(f"*{_PARTIAL}")):
        partial.unlink()
