"""Which files of a folder or archive are meant."""

import collections
import pathlib
from collections.abc import Sequence

_OF_A_SYSTEM = "__MACOSX"  # what an archive of macOS holds beside the files


def is_hidden(path: pathlib.PurePath) -> bool:
    """Returns whether a file is there for a program and not for people.

    Args:
        path: Its name inside a folder or archive.

    Returns:
        Whether it, or a folder it is in, is hidden.
    """
    return any(
        part == _OF_A_SYSTEM or part.startswith(".") and part != ".."
        for part in path.parts
    )


def is_there(path: pathlib.Path) -> bool:
    """Returns whether a name of a folder is to be read.

    Args:
        path: The path.

    Returns:
        Whether it is a file, or a link to nothing, which is then reported.
    """
    return path.is_file() or path.is_symlink() and not path.exists()


def count_skipped(files: Sequence[pathlib.PurePath], why: str) -> str:
    """Counts the files that are left out, for people.

    Args:
        files: Those that are left out.
        why: What they are.

    Returns:
        Such as "files left out that are no .txt: 3 (.jpg 2, .md 1)".
    """
    counts = collections.Counter(f.suffix.lower() or f.name for f in files)
    kinds = ", ".join(f"{k} {n}" for k, n in counts.most_common(5))
    more = ", ..." if len(counts) > 5 else ""
    return f"files left out that are {why}: {len(files)} ({kinds}{more})"
