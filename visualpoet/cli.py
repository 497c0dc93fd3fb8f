"""`visualpoet write PHOTO...`, `find PHOTO --poems CORPUS` and `serve`."""

import argparse
import contextlib
import os
import pathlib
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from visualpoet import controls
from visualpoet import extras
from visualpoet import model_folders
from visualpoet import output
from visualpoet import pictures
from visualpoet import poet
from visualpoet.serve import options as serving

STANDARD_INPUT = "-"


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
        help="an exported model; the one that comes with the package if none",
    )


def _add_control(
    parser: argparse.ArgumentParser, control: controls.Control
) -> None:
    is_plain = control.default in (None, "")
    parser.add_argument(
        f"--{control.name.replace('_', '-')}",
        type=control.kind,
        nargs="+" if control.is_list else None,
        metavar="WORD" if control.is_list else None,
        choices=control.choices or None,
        help=control.description
        + ("" if is_plain else f" ({control.default})"),
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
    verbs = parser.add_subparsers(dest="verb", required=True)

    write = verbs.add_parser("write", help="write a poem for each photograph")
    _add_photographs(write)
    for control in controls.CONTROLS:
        _add_control(write, control)
    write.add_argument(
        "--format", choices=output.FORMATS, default="text", help="(text)"
    )
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
        help="a folder of .txt, .txt, .csv, .json, .jsonl (.gz) or .parquet",
    )
    find.add_argument(
        "--count", type=int, default=1, help="poems a photograph (1)"
    )
    find.set_defaults(run=_find)

    _add_exporting(verbs)
    serve = verbs.add_parser("serve", help="serve poems by REST and gRPC")
    serving.add_arguments(serve)
    serve.set_defaults(run=_serve)
    return parser


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


def _load(model: pathlib.Path | None) -> poet.Poet:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _silence():
        import tensorflow  # noqa: F401
    return poet.load(model)


def _report(entry: output.Entry) -> None:
    print(f"visualpoet: {entry.error}", file=sys.stderr)


def _write(arguments: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import track

    paths = list(pictures.find_pictures(arguments.photographs))
    writer = _load(arguments.model)
    given = {c.name: getattr(arguments, c.name) for c in controls.CONTROLS}
    failures = []

    def entries() -> Iterator[output.Entry]:
        console = Console(stderr=True)
        quiet = len(paths) == 1 or not console.is_terminal
        for entry in track(
            _read(paths),
            "writing",
            total=len(paths),
            console=console,
            disable=quiet,
        ):
            if not entry.error:
                written = writer.write(
                    pictures.ReadPicture(entry.content), **given
                )
                entry = output.Entry(entry.name, entry.content, written)
            else:
                failures.append(entry)
                _report(entry)
            yield entry

    for piece in output.render(entries(), arguments.format, len(paths) > 1):
        sys.stdout.write(piece)
        sys.stdout.flush()
    return 1 if failures else 0


def _find(arguments: argparse.Namespace) -> int:
    from visualpoet import finding

    writer = _load(arguments.model)
    index = finding.PoemIndex(writer, arguments.poems)
    failed = False
    for entry in _read(pictures.find_pictures(arguments.photographs)):
        if entry.error:
            failed = True
            _report(entry)
            continue
        photograph = pictures.ReadPicture(entry.content)
        for poem in index.nearest(photograph, arguments.count):
            source = ", ".join(filter(None, (poem.title, poem.author)))
            print(f"# {entry.name}: {source or poem.id}\n\n{poem.text}\n")
    return 1 if failed else 0


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


def _serve(arguments: argparse.Namespace) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = serving.from_arguments(arguments, poet.default_model().parent)
    with _silence(), extras.needs("serve"):
        from visualpoet.serve import server
    return server.run(options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: The command line; `sys.argv` by default.

    Returns:
        0, 1 if a photograph could not be used, 2 if the command was wrong, a
        file of it could not be read or written, or an extra is missing.
    """
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.run(parsed)
    except BrokenPipeError:
        return 1
    except (ValueError, OSError, ModuleNotFoundError) as error:
        print(f"visualpoet: {error}", file=sys.stderr)
        return 2
