"""ServerOptions of `visualpoet serve`; cheap to import."""

import argparse
import dataclasses
import os
import pathlib
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from visualpoet import model_folders

_COUNTS = (
    *("threads", "batch_rows", "request_rows", "requests"),
    *("connections", "body_bytes", "picture_pixels"),
)
_SECONDS = (
    *("poll_seconds", "timeout_seconds", "decode_seconds", "stop_seconds"),
    "idle_seconds",
)
_PORTS = ("rest_port", "grpc_port")
_BOUNDS = (
    (_COUNTS, lambda value: value >= 1, "of 1 or more"),
    (_SECONDS, lambda value: value > 0, "of more than 0"),
    (_PORTS, lambda value: 0 <= value <= 65535, "from 0 to 65535"),
)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _option(default: Any, help: str) -> Any:
    return dataclasses.field(default=default, metadata={"help": help})


@dataclasses.dataclass(frozen=True)
class ServerOptions:
    """How to serve.

    Attributes:
        model: A folder of numbered versions, or one version.
        labels: Version of it by label.
        voices: Folders of further models by name.
    """

    model: pathlib.Path
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)
    voices: Mapping[str, pathlib.Path] = dataclasses.field(default_factory=dict)
    name: str = _option(
        "visualpoet", "name of the model in paths; of a --voice its own"
    )
    host: str = _option("127.0.0.1", "address to listen at; 0.0.0.0 for all")
    allowed_hosts: str = _option(
        "", "names, by commas, that pages of other sites or a proxy may have"
    )
    rest_port: int = _option(8501, "of REST and the page; 0 for a free one")
    grpc_port: int = _option(8500, "of gRPC; 0 for a free one")
    poll_seconds: float = _option(1.0, "between looks for new versions")
    timeout_seconds: float = _option(30.0, "that a request may take")
    decode_seconds: float = _option(10.0, "that a photograph may be decoded")
    stop_seconds: float = _option(30.0, "to finish what runs when stopped")
    idle_seconds: float = _option(
        30.0, "until a REST connection that sends nothing or slowly is closed"
    )
    threads: int = _option(min(4, os.cpu_count() or 1), "graphs run at once")
    batch_rows: int = _option(16, "rows merged into one run; 1 for no merging")
    batch_milliseconds: float = _option(2.0, "to wait for rows to merge")
    queue_rows: int = _option(256, "that may wait; more are refused with 429")
    request_rows: int = _option(64, "of one request")
    requests: int = _option(
        512, "at once, of REST and of gRPC each; more are refused with 429"
    )
    connections: int = _option(
        512, "of REST that an address may keep; the oldest are closed"
    )
    body_bytes: int = _option(20 * 2**20, "of one request")
    picture_pixels: int = _option(50_000_000, "of one photograph")
    log_requests: bool = _option(False, "write a line for each request")
    any_word: bool = _option(False, "write slurs and crude words, too")

    def __post_init__(self) -> None:
        for names, fits, expected in _BOUNDS:
            for name in names:
                value = getattr(self, name)
                if not fits(value):
                    raise ValueError(
                        f"expected {_flag(name)} {expected}. Received: {value}"
                    )
        if self.queue_rows < self.request_rows:
            raise ValueError(
                "expected --queue-rows of --request-rows or more. Received: "
                f"{self.queue_rows} < {self.request_rows}"
            )
        if self.name in self.voices:
            raise ValueError(
                "expected --voices of other names than the model's. Received: "
                f"{self.name}. Give the model another --name"
            )


def _label(text: str) -> tuple[str, int]:
    name, _, digits = text.partition("=")
    version = model_folders.parse_version(digits)
    if not name.isidentifier() or version is None:
        raise argparse.ArgumentTypeError(
            f"expected LABEL=VERSION as in stable=1. Received: {text!r}"
        )
    return name, version


def find_voices(given: Iterable[str]) -> dict[str, pathlib.Path]:
    """Finds models to serve beside the main one.

    Args:
        given: Names of models that come with the package, and folders of
            others, which are named as their folders are.

    Returns:
        Folder by name.

    Raises:
        ValueError: If one is neither, or two have the same name.
    """
    shipped = model_folders.list_shipped()
    voices: dict[str, pathlib.Path] = {}
    for text in given:
        if text in shipped:
            folder = model_folders.shipped_model(text).parent
        elif os.path.isdir(text):
            folder = pathlib.Path(os.path.abspath(text))
        else:
            raise ValueError(
                f"expected --voices, each one of {', '.join(shipped)} or a "
                f"folder with a model. Received: {text}"
            )
        name = _name_model(folder)
        if name in voices:
            raise ValueError(
                f"expected --voices of different names. Received: {name}, twice"
            )
        voices[name] = folder
    return voices


def _name_model(folder: pathlib.Path) -> str:
    is_version = (folder / "saved_model.pb").exists()
    return folder.parent.name if is_version else folder.name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds an argument for each option.

    Args:
        parser: Of `visualpoet serve`.
    """
    parser.add_argument(
        "--model",
        type=pathlib.Path,
        help="a folder of numbered versions; the one of the package if none",
    )
    parser.add_argument(
        "--label",
        type=_label,
        action="append",
        default=[],
        metavar="LABEL=VERSION",
        help="serve this version too, under /labels/LABEL",
    )
    parser.add_argument(
        "--voices",
        nargs="+",
        default=[],
        metavar="VOICE",
        help="serve these models too, each under its name: "
        f"{', '.join(model_folders.list_shipped())}, or a folder as of --model",
    )
    for field in dataclasses.fields(ServerOptions)[3:]:
        if field.type is bool:
            parser.add_argument(
                _flag(field.name),
                action="store_true",
                help=field.metadata["help"],
            )
            continue
        parser.add_argument(
            _flag(field.name),
            type=field.type,
            default=field.default,
            help=f"{field.metadata['help']} ({field.default})",
        )
    parser.set_defaults(name=None)  # that of --voice, if there is one


def from_arguments(
    arguments: argparse.Namespace, model: pathlib.Path
) -> ServerOptions:
    """Makes the options of a command line.

    Args:
        arguments: What the parser of `add_arguments` read.
        model: The model to serve if the command line names none.

    Returns:
        The options.

    Raises:
        ValueError: If one is out of bounds, or a voice is not there.
    """
    names = [field.name for field in dataclasses.fields(ServerOptions)[3:]]
    return ServerOptions(
        model=arguments.model or model,
        labels=dict(arguments.label),
        voices=find_voices(arguments.voices),
        **{name: getattr(arguments, name) for name in names},
    )
