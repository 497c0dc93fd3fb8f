"""Options as frozen dataclasses, read from the command line."""

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any
from typing import get_args


def option(default: Any, help_text: str) -> Any:
    """Declares one option of a recipe.

    Args:
        default: Its value when not given.
        help_text: One sentence, with unit and source where there is one.

    Returns:
        A dataclass field.
    """
    return dataclasses.field(default=default, metadata={"help": help_text})


def argument(help_text: str) -> Any:
    """Declares what a recipe must be given, by its place and without a name.

    Args:
        help_text: One sentence.

    Returns:
        A dataclass field.
    """
    return dataclasses.field(metadata={"help": help_text})


def expect(holds: object, expected: str, received: Any) -> None:
    """Refuses options that do not hold.

    Args:
        holds: True, or what is not empty, if they do.
        expected: What would.
        received: What was given.

    Raises:
        ValueError: If they do not.
    """
    if not holds:
        raise ValueError(f"expected {expected}. Received: {received}")


def _add_argument(
    parser: argparse.ArgumentParser, field: dataclasses.Field
) -> None:
    name = "--" + field.name.replace("_", "-")
    help_text = field.metadata["help"].replace("%", "%%")
    if field.default is dataclasses.MISSING:
        parser.add_argument(field.name, type=field.type, help=help_text)
        return
    if field.type is bool:
        parser.add_argument(
            name,
            action=argparse.BooleanOptionalAction,
            default=field.default,
            help=help_text,
        )
        return
    many = isinstance(field.default, tuple)
    parser.add_argument(
        name,
        type=get_args(field.type)[0] if many else field.type,
        nargs="*" if many else None,
        default=field.default,
        help=f"{help_text} (default: %(default)s)",
    )


def add_arguments(parser: argparse.ArgumentParser, config_type: type) -> None:
    """Adds an argument for each option.

    Args:
        parser: Reads the command line.
        config_type: The dataclass; every field made by `option` or `argument`.
    """
    for field in dataclasses.fields(config_type):
        _add_argument(parser, field)


def make_config(config_type: type, arguments: argparse.Namespace) -> Any:
    """Makes an instance of what the parser read.

    Args:
        config_type: The dataclass.
        arguments: Values of its fields, among others.

    Returns:
        An instance of `config_type`.

    Raises:
        ValueError: If its options do not go together.
    """
    values = {
        field.name: getattr(arguments, field.name)
        for field in dataclasses.fields(config_type)
    }
    return config_type(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
    )


def parse_config(
    config_type: type, arguments: Sequence[str] | None = None
) -> Any:
    """Reads a frozen dataclass of options from the command line.

    Args:
        config_type: The dataclass; every field made by `option` or `argument`.
        arguments: The command line; `sys.argv` by default.

    Returns:
        An instance of `config_type`.
    """
    parser = argparse.ArgumentParser(description=config_type.__doc__)
    add_arguments(parser, config_type)
    try:
        return make_config(config_type, parser.parse_args(arguments))
    except ValueError as error:
        parser.error(str(error))
