"""`visualpoet write PHOTO...`, `find PHOTO --poems CORPUS` and `serve`."""

import argparse
import os
import pathlib
import sys
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from visualpoet import controls
from visualpoet import model_folders
from visualpoet import output
from visualpoet import run_options
from visualpoet import verbs
from visualpoet.control import Control
from visualpoet.finetuning.options import Options
from visualpoet.serve import options as serving
from visualpoet.version import __version__

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
        choices=model_folders.list_shipped(),
        help="in place of --model, a model that comes with the package",
    )


def _read_count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"expected an integer of 1 or more. Received: {text}"
        )
    return int(text)


def _reader(control: Control) -> Callable[[str], Any]:
    """Reads a text as a value; the parser names the option in errors."""

    def read(text: str) -> Any:
        try:
            return control.read(control.kind(text))
        except ValueError as error:
            raise argparse.ArgumentTypeError(
                f"expected {control.expected}. Received: {text[:100]}"
            ) from error

    return read


def _shipped_options() -> dict[str, Any]:
    """How the model that comes with the package writes, for the help."""
    try:
        model = model_folders.default_model()
    except FileNotFoundError:
        return {}
    return model_folders.read_options(model)


def _add_control(
    parser: argparse.ArgumentParser, control: Control, default: Any
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


def _add_writing(commands: argparse._SubParsersAction) -> None:
    write = commands.add_parser(
        "write", help="write a poem for each photograph"
    )
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
    write.set_defaults(run=verbs.write)


def _add_finding(commands: argparse._SubParsersAction) -> None:
    find = commands.add_parser(
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
    find.set_defaults(run=verbs.find)


def _add_exporting(commands: argparse._SubParsersAction) -> None:
    export = commands.add_parser(
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
    _add_voice(export)
    export.add_argument(
        "--name", help="of the model; the voice's if none (visualpoet)"
    )
    export.add_argument(
        "--version", type=int, help="of the copy; the next number if none"
    )
    export.add_argument(
        "--base-path",
        help="where the server sees TARGET, as /models in a container; its "
        "absolute path if none",
    )
    export.set_defaults(run=verbs.export)


def _add_checking(commands: argparse._SubParsersAction) -> None:
    check = commands.add_parser(
        "check", help="check a model against what TensorFlow Serving wants"
    )
    check.add_argument(
        "model", type=pathlib.Path, help="a version folder, or one of versions"
    )
    check.set_defaults(run=verbs.check)


def _add_fine_tuning(commands: argparse._SubParsersAction) -> None:
    tune = commands.add_parser(
        "fine-tune", help="teach the voice of your own poems to a model"
    )
    run_options.add_arguments(tune, Options)
    tune.set_defaults(run=verbs.fine_tune)


def _add_serving(commands: argparse._SubParsersAction) -> None:
    serve = commands.add_parser("serve", help="serve poems by REST and gRPC")
    serving.add_arguments(serve)
    _add_voice(serve)
    serve.set_defaults(run=verbs.serve)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="visualpoet", description="Poems from photographs."
    )
    parser.add_argument(
        "--version", action="version", version=f"visualpoet {__version__}"
    )
    commands = parser.add_subparsers(dest="verb")
    _add_writing(commands)
    _add_finding(commands)
    _add_exporting(commands)
    _add_checking(commands)
    _add_fine_tuning(commands)
    _add_serving(commands)
    return parser


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
        # What is left in the buffer is written when Python ends, to nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, ModuleNotFoundError) as error:
        print(f"visualpoet: {error}", file=sys.stderr)
        return 2
