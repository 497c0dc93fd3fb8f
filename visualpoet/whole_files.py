"""Files that are there as a whole or not at all, whoever is killed."""

import contextlib
import glob
import pathlib
import uuid
from collections.abc import Iterator

_PARTIAL = ".partial"


@contextlib.contextmanager
def write_whole(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives another name to write under, and renames what was written.

    What a process that is killed has written stays, until `remove_partial`.

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


def remove_partial(path: pathlib.Path) -> None:
    """Removes what killed processes left half written.

    Args:
        path: Of a file, or a folder that is searched at any depth; nobody may
            be writing there.
    """
    partials = (
        path.rglob(f"*{_PARTIAL}")
        if path.is_dir()
        else path.parent.glob(f"{glob.escape(path.name)}.*{_PARTIAL}")
    )
    for partial in sorted(partials):
        partial.unlink()
