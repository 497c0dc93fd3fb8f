"""What the verbs of the command line do; each returns the exit code."""

import argparse
import contextlib
import functools
import io
import os
import pathlib
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import TextIO
from typing import TypeVar

from visualpoet import controls
from visualpoet import extras
from visualpoet import model_folders
from visualpoet import output
from visualpoet import pictures
from visualpoet import poet
from visualpoet import process_memory
from visualpoet import run_options
from visualpoet.finetuning.options import Options
from visualpoet.serve import options as serving

STANDARD_INPUT = "-"
T = TypeVar("T")


def _may_be_read(path: pathlib.Path) -> bool:
    return str(path) == STANDARD_INPUT or os.path.isfile(path)


def _read(paths: Iterable[pathlib.Path]) -> Iterator[output.Entry]:
    """Reads photographs one at a time; what cannot be read has an error."""
    for path in paths:
        name = os.fsencode(path).decode("utf-8", "replace")
        source = sys.stdin.buffer.read() if name == STANDARD_INPUT else path
        try:
            content = pictures.read_picture(source)
        except pictures.PictureError as error:
            yield output.Entry(name, error=str(error))
        else:
            yield output.Entry(name, content)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Turns standard error off: TensorFlow greets there, whatever is set."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _quietly(items: Iterator[T]) -> Iterator[T]:
    """Keeps quiet while they are made: decoders grumble at broken pictures."""
    while True:
        with _silence():
            item = next(items, None)
        if item is None:
            return
        yield item


def _find_model(arguments: argparse.Namespace) -> pathlib.Path | None:
    """The model that was named, so that a wrong name is told at once."""
    if arguments.voice:
        return _find_shipped(arguments)
    if arguments.model is None:
        return None
    return model_folders.newest_version(arguments.model)


def _find_shipped(arguments: argparse.Namespace) -> pathlib.Path:
    """The voice that was named, or the model that comes with the package."""
    if arguments.voice is None:
        return model_folders.default_model()
    if arguments.model is not None:
        raise ValueError(
            "expected --model or --voice. Received: both, "
            f"{arguments.model} and {arguments.voice}"
        )
    return model_folders.shipped_model(arguments.voice)


@contextlib.contextmanager
def _status(text: str) -> Iterator[None]:
    """Shows a line on a terminal while something takes its time."""
    from rich.console import Console

    # A console of its own: standard error is silent meanwhile.
    if not sys.stderr.isatty():
        yield
        return
    with os.fdopen(os.dup(sys.stderr.fileno()), "w") as terminal:
        with Console(file=terminal).status(text):
            yield


def _load(model: pathlib.Path | None, any_word: bool = False) -> poet.Poet:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _status("loading TensorFlow"):
        with _silence():
            import tensorflow  # noqa: F401
        return poet.load(model, any_word=any_word)


@contextlib.contextmanager
def _open_output(arguments: argparse.Namespace) -> Iterator[TextIO]:
    """Opens what to write to; a terminal gets ? for what it cannot spell."""
    if arguments.output:
        with arguments.output.open("w", encoding="utf-8") as stream:
            yield stream
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        is_text = arguments.format == "text"
        sys.stdout.reconfigure(
            encoding=None if is_text else "utf-8", errors="replace"
        )
    yield sys.stdout


def _check_controls(model: pathlib.Path, given: Mapping[str, Any]) -> None:
    """Tells at once what the model does not know."""
    if (model / model_folders.OPTIONS_FILE).exists():
        options = model_folders.read_options(model)
        controls.complete(controls.CONTROLS, given, options)


def _report(entry: output.Entry) -> None:
    print(f"visualpoet: {entry.error}", file=sys.stderr)


def write(arguments: argparse.Namespace) -> int:
    """Writes a poem for each photograph.

    Args:
        arguments: Those of the verb.

    Returns:
        0, or 1 if a photograph could not be used.
    """
    from rich.console import Console
    from rich.progress import track

    paths = list(pictures.find_pictures(arguments.photographs))
    model = _find_model(arguments)
    load = functools.cache(lambda: _load(model, arguments.any_word))
    given = {c.name: getattr(arguments, c.name) for c in controls.CONTROLS}
    _check_controls(model or model_folders.default_model(), given)
    failures = []

    def entries() -> Iterator[output.Entry]:
        console = Console(stderr=True)
        quiet = len(paths) == 1 or not console.is_terminal
        for entry in track(
            output.write_poems(load, _read(paths), given),
            "writing",
            total=len(paths),
            console=console,
            disable=quiet,
        ):
            if entry.error:
                failures.append(entry)
                _report(entry)
            yield entry

    with _open_output(arguments) as stream:
        if any(map(_may_be_read, paths)):
            load()  # before the progress is shown
        _print(
            output.render(entries(), arguments.format, len(paths) > 1), stream
        )
    return 1 if failures else 0


def _print(pieces: Iterable[str], stream: TextIO) -> None:
    for piece in pieces:
        stream.write(piece)
        stream.flush()


def find(arguments: argparse.Namespace) -> int:
    """Finds the human poems nearest to each photograph.

    Args:
        arguments: Those of the verb.

    Returns:
        0, or 1 if a photograph could not be used.
    """
    from visualpoet import finding

    model = _find_model(arguments)
    excerpts = finding.read_excerpts(arguments.poems)
    failures = []

    @functools.cache
    def index() -> finding.PoemIndex:
        return finding.PoemIndex(_load(model), excerpts)

    def entries() -> Iterator[output.Entry]:
        for entry in _read(pictures.find_pictures(arguments.photographs)):
            if not entry.error:
                found = index().nearest(
                    pictures.ReadPicture(entry.content), arguments.count
                )
                entry = output.Entry(entry.name, entry.content, found=found)
            else:
                failures.append(entry)
                _report(entry)
            yield entry

    with _open_output(arguments) as stream:
        _print(output.render(entries(), arguments.format, True), stream)
    return 1 if failures else 0


def _import_exporting() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _silence():
        import tensorflow as tf

        import visualpoet.export.checking  # noqa: F401
    tf.get_logger().setLevel("ERROR")


def export(arguments: argparse.Namespace) -> int:
    """Copies a model to where TensorFlow Serving takes it from.

    Args:
        arguments: Those of the verb.

    Returns:
        0.
    """
    _import_exporting()
    from visualpoet.export import serving_files
    from visualpoet.export import warmup

    folder = serving_files.copy_version(
        _find_model(arguments) or model_folders.default_model(),
        arguments.target,
        arguments.name or arguments.voice or "visualpoet",
        arguments.version,
        arguments.base_path,
    )
    if not (folder / warmup.WARMUP_FILE).exists():
        print(
            "visualpoet: no warm-up requests without tensorflow-serving-api: "
            'pip install "visualpoet[serve]"',
            file=sys.stderr,
        )
    print(folder)
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Checks a model against what TensorFlow Serving wants.

    Args:
        arguments: Those of the verb.

    Returns:
        0, or 1 if it fails in a point.
    """
    _import_exporting()
    from visualpoet.export import checking

    failed = False
    results = checking.check_export(
        model_folders.newest_version(arguments.model)
    )
    for result in _quietly(results):
        failed |= bool(result.reason)
        print(f"{'FAILED' if result.reason else 'passed'}  {result.point}")
        if result.reason:
            print(f"        {result.reason}")
    return int(failed)


def fine_tune(arguments: argparse.Namespace) -> int:
    """Teaches the voice of a corpus to a model.

    Args:
        arguments: Those of the verb.

    Returns:
        0.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = run_options.make_config(Options, arguments)
    options.prepare_environment()
    with _status("loading TensorFlow"), _silence(), extras.needs("train"):
        import tensorboard  # noqa: F401

        from visualpoet.finetuning import tuning
    tuning.fine_tune(options)
    return 0


def serve(arguments: argparse.Namespace) -> int:
    """Serves poems by REST and gRPC.

    Args:
        arguments: Those of the verb.

    Returns:
        The exit code of the server.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    process_memory.keep_little()  # before there are threads
    model = _find_shipped(arguments).parent
    default = arguments.voice or serving.ServerOptions.name
    arguments.name = arguments.name or default
    options = serving.from_arguments(arguments, model)
    with (
        _status("loading TensorFlow"),
        _silence(),
        extras.needs("serve"),
    ):
        from visualpoet.serve import server
    return server.run(options)
