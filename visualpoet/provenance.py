"""What is written down of where results come from."""

import functools
import hashlib
import importlib.metadata
import pathlib
import platform
import shutil
import subprocess
import sys


def file_digest(path: pathlib.Path) -> str:
    """Hashes a file.

    Args:
        path: The file.

    Returns:
        SHA-256 in hexadecimal.
    """
    with pathlib.Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def describe_environment() -> dict:
    """Describes the code that runs, and what it runs on.

    Returns:
        `recipe`, `commit`, `python`, `machine`, and `packages`: versions of
        those that are installed.
    """
    packages = ("tensorflow", "keras", "tensorflow-hub", "numpy", "tokenizers")
    versions = {name: _find_version(name) for name in packages}
    return {
        "recipe": pathlib.Path(sys.argv[0]).name,
        "commit": _commit() or "unknown",
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": {name: v for name, v in versions.items() if v},
    }


def _find_version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""  # not every extra brings it


def _commit() -> str:
    git = shutil.which("git")
    return _describe_code(git) if git else ""


@functools.cache
def _describe_code(git: str) -> str:
    described = subprocess.run(
        [git, "describe", "--always", "--dirty"],
        cwd=pathlib.Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip()
