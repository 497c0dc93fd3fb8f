"""`visualpoet write PHOTO...`, `find PHOTO --poems CORPUS` and `serve`."""

import argparse
import contextlib
import functools
import io
import json
import os
import pathlib
import sys
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import TextIO

from visualpoet import controls
from visualpoet import extras
from visualpoet import model_folders
from visualpoet import output
from visualpoet import pictures
from visualpoet import poet
from visualpoet import run_options
from visualpoet.finetuning.options import Options
from visualpoet.serve import options as serving
from visualpoet.version import __version__

STANDARD_INPUT = "-"
INTERRUPTED = 130  # what a shell says of a command that Ctrl-C ended


def _add_photographs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "photographs",
        nargs="+",
        metavar="PHOTO",
        help="a file, a folder, a glob, or - for a picture on standard input",
    )
    parser.add_argument(
        "--model",
        type=pathlib.Path,
        help="an exported model, whose defaults may differ from those named "
        "here; the one that comes with the package if none",
    )
    _add_voice(parser)


def _add_voice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--voice",
        choices=poet.list_shipped(),
        help="in place of --model, a model that comes with the package",
    )


def _read_count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"expected an integer of 1 or more. Received: {text}"
        )
    return int(text)


def _reader(control: controls.Control) -> Callable[[str], Any]:
    """Reads a text as a value; the parser names the option in errors."""

    def read(text: str) -> Any:
        try:
            return control.read(control.kind(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(
                f"expected {control.expected}. Received: {text}"
            ) from error

    return read


def _shipped_options() -> dict[str, Any]:
    """How the model that comes with the package writes, for the help."""
    try:
        model = poet.default_model()
    except FileNotFoundError:
        return {}
    path = model / "assets.extra" / "options.json"
    return json.loads(path.read_text())


def _add_control(
    parser: argparse.ArgumentParser, control: controls.Control, default: Any
) -> None:
    parser.add_argument(
        f"--{control.name.replace('_', '-')}",
        type=_reader(control),
        action="append" if control.is_list else "store",
        metavar="WORDS" if control.is_list else None,
        choices=control.choices or None,
        help=control.description
        + ("" if default in (None, "") else f" ({default})"),
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=output.FORMATS, default="text", help="(text)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=pathlib.Path,
        metavar="FILE",
        help="what to write to, in UTF-8; standard output if none",
    )


def _add_exporting(verbs: argparse._SubParsersAction) -> None:
    export = verbs.add_parser(
        "export", help="copy a model to where TensorFlow Serving takes it from"
    )
    export.add_argument(
        "target", type=pathlib.Path, help="folder of models, made if need be"
    )
    export.add_argument(
        "--model",
        type=pathlib.Path,
        help="an exported model; the one that comes with the package if none",
    )
    export.add_argument(
        "--name", default="visualpoet", help="of the model (visualpoet)"
    )
    export.add_argument(
        "--version", type=int, help="of the copy; the next number if none"
    )
    export.add_argument(
        "--base-path",
        help="where the server sees TARGET, as /models in a container; its "
        "absolute path if none",
    )
    export.set_defaults(run=_export)
    check = verbs.add_parser(
        "check", help="check a model against what TensorFlow Serving wants"
    )
    check.add_argument(
        "model", type=pathlib.Path, help="a version folder, or one of versions"
    )
    check.set_defaults(run=_check)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="visualpoet", description="Poems from photographs."
    )
    parser.add_argument(
        "--version", action="version", version=f"visualpoet {__version__}"
    )
    verbs = parser.add_subparsers(dest="verb")

    write = verbs.add_parser("write", help="write a poem for each photograph")
    _add_photographs(write)
    shipped = _shipped_options()
    for control in controls.CONTROLS:
        default = shipped.get(control.input, control.default)
        _add_control(write, control, default)
    write.add_argument(
        "--any-word",
        action="store_true",
        help="write slurs and crude words, too",
    )
    _add_output(write)
    write.set_defaults(run=_write)

    find = verbs.add_parser(
        "find", help="find the human poems nearest to each photograph"
    )
    _add_photographs(find)
    find.add_argument(
        "--poems",
        type=pathlib.Path,
        required=True,
        metavar="CORPUS",
        help="a folder of .txt, or a file: .txt, .csv, .json, .jsonl (.gz) or "
        ".parquet",
    )
    find.add_argument(
        "--count", type=_read_count, default=1, help="poems a photograph (1)"
    )
    _add_output(find)
    find.set_defaults(run=_find)

    _add_exporting(verbs)
    tune = verbs.add_parser(
        "fine-tune", help="teach the voice of your own poems to a model"
    )
    run_options.add_arguments(tune, Options)
    tune.set_defaults(run=_fine_tune)
    serve = verbs.add_parser("serve", help="serve poems by REST and gRPC")
    serving.add_arguments(serve)
    _add_voice(serve)
    serve.set_defaults(run=_serve)
    return parser


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
        return poet.default_model()
    if arguments.model is not None:
        raise ValueError(
            "expected --model or --voice. Received: both, "
            f"{arguments.model} and {arguments.voice}"
        )
    return poet.shipped_model(arguments.voice)


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


def _report(entry: output.Entry) -> None:
    print(f"visualpoet: {entry.error}", file=sys.stderr)


def _write(arguments: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import track

    paths = list(pictures.find_pictures(arguments.photographs))
    model = _find_model(arguments)
    load = functools.cache(lambda: _load(model, arguments.any_word))
    given = {c.name: getattr(arguments, c.name) for c in controls.CONTROLS}
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


def _find(arguments: argparse.Namespace) -> int:
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


def _export(arguments: argparse.Namespace) -> int:
    _import_exporting()
    from visualpoet.export import serving_files
    from visualpoet.export import warmup

    source = arguments.model or poet.default_model()
    folder = serving_files.copy_version(
        model_folders.newest_version(source),
        arguments.target,
        arguments.name,
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


def _check(arguments: argparse.Namespace) -> int:
    _import_exporting()
    from visualpoet.export import checking

    failed = False
    for result in checking.check_export(
        model_folders.newest_version(arguments.model)
    ):
        failed |= bool(result.reason)
        print(f"{'FAILED' if result.reason else 'passed'}  {result.point}")
        if result.reason:
            print(f"        {result.reason}")
    return int(failed)


def _fine_tune(arguments: argparse.Namespace) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = run_options.make_config(Options, arguments)
    with _status("loading TensorFlow"), _silence(), extras.needs("train"):
        import tensorboard  # noqa: F401

        from visualpoet.finetuning import tuning
    tuning.fine_tune(options)
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    model = _find_shipped(arguments).parent
    options = serving.from_arguments(arguments, model)
    with _silence(), extras.needs("serve"):
        from visualpoet.serve import server
    return server.run(options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: The command line; `sys.argv` by default.

    Returns:
        0, 1 if a photograph could not be used, 2 if the command was wrong, a
        file of it could not be read or written, or an extra is missing, 130
        if it was interrupted.
    """
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if not parsed.verb:
        parser.print_help()
        return 0
    try:
        return parsed.run(parsed)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return 1
    except (ValueError, OSError, ModuleNotFoundError) as error:
        print(f"visualpoet: {error}", file=sys.stderr)
        return 2
