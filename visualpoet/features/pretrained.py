"""Experts on disk: from a TF-Hub handle, an archive, or keras.applications."""

import contextlib
import gzip
import inspect
import lzma
import pathlib
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from visualpoet.features.experts import EXPERT_SIZE

MAX_BYTES = 2_000_000_000  # of a model that is unpacked
MAX_FILES = 10_000
_MARK = "saved_model.pb"
_BROKEN = (
    *(tarfile.TarError, EOFError),
    *(gzip.BadGzipFile, lzma.LZMAError, zlib.error),
)


def unpack_expert(archive: pathlib.Path, folder: pathlib.Path) -> None:
    """Unpacks a SavedModel, all or nothing.

    Args:
        archive: A tar archive, also compressed, as TF-Hub sends one.
        folder: Where its files go; it must not exist.

    Raises:
        ValueError: If it is no such archive, is too large, or names a file
            outside of itself.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        with tarfile.open(archive) as opened:
            _extract(opened, partial)
        found = sorted(partial.rglob(_MARK))
        if len(found) != 1:
            raise ValueError(f"it holds {len(found)} {_MARK}")
        found[0].parent.rename(folder)
    except (*_BROKEN, ValueError) as error:
        raise ValueError(
            "expected a tar archive of one SavedModel, of at most "
            f"{MAX_BYTES} bytes. Received: {archive.name} ({error})"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _extract(archive: tarfile.TarFile, folder: pathlib.Path) -> None:
    """Extracts files and folders alone: no links, devices or ways out."""
    size = 0
    for number, member in enumerate(archive, start=1):
        size += member.size
        if number > MAX_FILES or size > MAX_BYTES:
            raise ValueError(f"more than {MAX_FILES} files or too large")
        if member.issparse() or not (member.isreg() or member.isdir()):
            raise ValueError(f"{member.name} is no plain file")
        path = (folder / member.name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise ValueError(f"{member.name} is outside of it")
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        content: Any = archive.extractfile(member)
        with content, path.open("wb") as stream:
            shutil.copyfileobj(content, stream)


class _Application(tf.Module):
    """A network of keras.applications, called as a TF-Hub expert is."""

    def __init__(self, network: keras.Model, preprocess: Any) -> None:
        super().__init__()
        self.network = network
        self._preprocess = preprocess

    @tf.function(
        input_signature=[tf.TensorSpec([None, EXPERT_SIZE, EXPERT_SIZE, 3])]
    )
    def __call__(self, pixels: tf.Tensor) -> tf.Tensor:
        return self.network(self._preprocess(pixels * 255.0), training=False)


def save_application(
    name: str, folder: pathlib.Path, weights: str | None = "imagenet"
) -> None:
    """Saves a network of keras.applications as an expert, all or nothing.

    Args:
        name: Of its class, such as `MobileNetV2`.
        folder: Where the SavedModel goes; `load_expert` takes it.
        weights: `imagenet`, which Keras downloads and checks, a file, or None
            for random ones.

    Raises:
        ValueError: If there is no such network.
    """
    build: Any = getattr(keras.applications, name, None)
    if not inspect.isfunction(build):
        raise ValueError(
            "expected a network of keras.applications, such as MobileNetV2. "
            f"Received: {name}"
        )
    network = build(
        include_top=False,
        weights=weights,
        pooling="avg",
        input_shape=(EXPERT_SIZE, EXPERT_SIZE, 3),
    )
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        tf.saved_model.save(
            _Application(network, _preprocess(build)), str(partial)
        )
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _preprocess(build: Any) -> Any:
    """How the network wants its pixels, from the module that it is in."""
    module = build.__module__.rpartition(".")[2]
    return getattr(keras.applications, module).preprocess_input


def bring_expert(
    handle: str,
    folder: pathlib.Path,
    fetch: Callable[[str, pathlib.Path], contextlib.AbstractContextManager],
    cache: pathlib.Path,
) -> None:
    """Puts an expert where `load_expert` finds it.

    Args:
        handle: `keras:` and the name of a network of keras.applications, the
            folder of a SavedModel, or a TF-Hub handle or the address of an
            archive, both of `http` or `https`.
        folder: Where the SavedModel goes.
        fetch: Downloads an address to a path, for a block that reads it.
        cache: Where archives go.

    Raises:
        ValueError: If there is no expert.
        OSError: If it cannot be had.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if handle.startswith("keras:"):
        save_application(handle.removeprefix("keras:"), folder)
    elif handle.startswith(("http://", "https://")):
        archive = cache / (re.sub(r"\W+", "-", handle) + ".tar")
        with fetch(_archive_address(handle), archive):
            unpack_expert(archive, folder)
    else:
        _copy(pathlib.Path(handle), folder)


def _archive_address(handle: str) -> str:
    """TF-Hub's protocol: a handle with this query is sent as an archive."""
    is_archive = handle.split("?")[0].endswith((".tar", ".tar.gz", ".tgz"))
    return handle if is_archive else f"{handle}?tf-hub-format=compressed"


def _copy(source: pathlib.Path, folder: pathlib.Path) -> None:
    if not (source / _MARK).exists():
        raise ValueError(
            "expected keras:NAME, a folder with a SavedModel, or an address. "
            f"Received: {source}"
        )
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.copytree(source, partial, dirs_exist_ok=True)
        partial.rename(folder)
    except shutil.Error as error:  # of every file; one reason will do
        raise OSError(error.args[0][0][2]) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
