"""Folders of models as TensorFlow Serving wants them: NAME/VERSION/."""

import importlib.resources
import json
import pathlib
from typing import Any

MAX_VERSION = 2**63 - 1  # an int64 for TensorFlow Serving
OPTIONS_FILE = "assets.extra/options.json"


def parse_version(name: str) -> int | None:
    """Reads the number of a version.

    Args:
        name: Of its folder.

    Returns:
        The number that decimal digits of ASCII spell, up to MAX_VERSION; None
        for a name that is no version.
    """
    digits = name.lstrip("0")
    if not (name.isascii() and name.isdigit()) or len(digits) > 19:
        return None
    number = int(digits or "0")
    return number if number <= MAX_VERSION else None


def find_versions(folder: pathlib.Path) -> dict[int, pathlib.Path]:
    """Finds the SavedModels of a model.

    Args:
        folder: Of numbered versions, or one SavedModel.

    Returns:
        Folder by number; a SavedModel that is named otherwise counts as 1.
    """
    if (folder / "saved_model.pb").exists():
        number = parse_version(folder.name)
        return {1 if number is None else number: folder}
    found = [path.parent for path in folder.glob("*/saved_model.pb")]
    numbers = {path: parse_version(path.name) for path in sorted(found)}
    return {n: path for path, n in numbers.items() if n is not None}


def newest_version(folder: pathlib.Path) -> pathlib.Path:
    """Finds the SavedModel of the highest version.

    Args:
        folder: Of numbered versions, or one SavedModel.

    Returns:
        The SavedModel.

    Raises:
        FileNotFoundError: If there is none.
    """
    versions = find_versions(folder)
    if not versions:
        raise FileNotFoundError(
            "expected a SavedModel, or a folder that holds numbered versions "
            f"of one. Received: {folder}"
        )
    return versions[max(versions)]


def next_version(folder: pathlib.Path) -> int:
    """Returns the number of a new version.

    Args:
        folder: Of numbered versions; need not exist.

    Returns:
        One more than the highest that anything there is named by, from 1.
    """
    numbers = [parse_version(path.name) for path in folder.glob("*")]
    return max((n for n in numbers if n is not None), default=0) + 1


def read_options(folder: pathlib.Path) -> dict[str, Any]:
    """Reads how a model writes if it is not told otherwise.

    Args:
        folder: The SavedModel.

    Returns:
        A value for each input that is a control, and `forms`, the same for
        each form.

    Raises:
        FileNotFoundError: If it has no options.
        ValueError: If they are not an object of JSON.
    """
    options = json.loads((folder / OPTIONS_FILE).read_text(encoding="utf-8"))
    if not isinstance(options, dict):
        raise ValueError(
            f"expected {OPTIONS_FILE} with an object. Received: "
            f"{type(options).__name__}"
        )
    return options


def default_model() -> pathlib.Path:
    """Returns the folder of the newest model that comes with the package."""
    return shipped_model("visualpoet")


def shipped_model(name: str) -> pathlib.Path:
    """Finds one of the models that come with the package: a voice.

    Args:
        name: One of `list_shipped`.

    Returns:
        The folder of its newest version.

    Raises:
        FileNotFoundError: If there is none.
    """
    return newest_version(_shipped_folder() / name)


def list_shipped() -> list[str]:
    """Returns the names of the models that come with the package."""
    folders = [path for path in _shipped_folder().glob("*") if path.is_dir()]
    return sorted(f.name for f in folders if find_versions(f))


def _shipped_folder() -> pathlib.Path:
    return pathlib.Path(
        str(importlib.resources.files("visualpoet.savedmodels"))
    )
