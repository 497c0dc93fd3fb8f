"""What people send for a poem: a form or JSON with controls."""

import re
import zlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from aiohttp import BodyPartReader
from aiohttp import http_exceptions
from aiohttp import web

from visualpoet import controls
from visualpoet.control import Control
from visualpoet.control import Field
from visualpoet.serve import errors
from visualpoet.serve.options import ServerOptions

_MAX_TEXT = 2000
_MAX_PARTS = 32
# What Python's own reading takes besides, as 1_000, is no number of a form.
_NUMBER = re.compile(r"[-+]?(\d+|\d*\.?\d+([eE][-+]?\d+)?|\d+\.)", re.ASCII)
# What aiohttp lets pass of what a form can do wrong.
_BROKEN_FORM = (
    *(ValueError, AssertionError, LookupError, RuntimeError, zlib.error),
    http_exceptions.HttpProcessingError,
)


async def read_form(request: web.Request) -> tuple[bytes, dict[str, Any]]:
    """Reads a form with a photograph.

    Args:
        request: With the form as its body.

    Returns:
        The file named `photograph`, and the other fields.

    Raises:
        ServeError: INVALID_ARGUMENT.
    """
    if request.content_type != "multipart/form-data":
        raise errors.invalid(
            "expected a form (multipart/form-data) with a file named "
            f"photograph. Received: {request.content_type[:100]}"
        )
    try:
        parts = await _read_parts(request)
        photograph = parts.pop("photograph", None)
        given = {name: value.decode() for name, value in parts.items()}
    except _BROKEN_FORM as error:
        raise errors.invalid(
            "expected a form. Received: a broken one"
        ) from error
    if photograph is None:
        raise errors.invalid(
            "expected a file named photograph. Received: "
            f"{', '.join(given)[:100] or 'no field'}"
        )
    return photograph, given


async def _read_parts(request: web.Request) -> dict[str, bytes]:
    """By their names; a file name is left to who sends it (RFC 7578)."""
    parts: dict[str, bytes] = {}
    reader, size = await request.multipart(), 0
    for _ in range(_MAX_PARTS):
        part = await reader.next()
        if part is None:
            return {name: bytes(content) for name, content in parts.items()}
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise ValueError("a part without a name, or of parts")
        parts[part.name] = await part.read(decode=True)
        size += len(parts[part.name])
        if size > request.client_max_size:
            raise web.HTTPRequestEntityTooLarge(request.client_max_size)
    raise ValueError("more parts than there are fields")


def line_controls() -> tuple[Control, ...]:
    """Returns the controls of one line: the lines before are its opening."""
    poem = Control("poem", "poem", "string", "the lines before", default="")
    return (*controls.without_opening(), poem)


def voice_controls(options: ServerOptions) -> tuple[Control, ...]:
    """Returns the choice among the models; nothing if there is only one."""
    voice = Control(
        "voice",
        "voice",
        "string",
        "model that writes",
        choices=(options.name, *options.voices),
        default=options.name,
        field=Field(2, "Voice"),
    )
    return (voice,) if options.voices else ()


def take_voice(given: dict[str, Any], options: ServerOptions) -> str:
    """Takes the voice out of the controls, if there is a choice.

    Args:
        given: The controls.
        options: What is served.

    Returns:
        The name of a model.

    Raises:
        ServeError: INVALID_ARGUMENT.
    """
    if not options.voices:
        return options.name
    (voice,) = voice_controls(options)
    try:
        return str(voice.read(given.pop(voice.name, None) or voice.default))
    except ValueError as error:
        raise errors.invalid(str(error)) from error


def read_controls(
    table: Sequence[Control], given: Mapping[str, Any], options: Mapping
) -> dict[str, Any]:
    """Reads controls, and adds what the model does by itself.

    Args:
        table: The controls that may be given.
        given: Texts of a form, or values of JSON; None is not given.
        options: As `model_folders.read_options` returns them.

    Returns:
        Values by the names of a signature's inputs.

    Raises:
        ServeError: INVALID_ARGUMENT, naming the control.
    """
    numbers = {control.name for control in table if control.kind is not str}
    given = {
        name: _parse(value) if name in numbers else value
        for name, value in given.items()
    }
    try:
        values = controls.complete(table, given, options)
    except (TypeError, ValueError) as error:
        raise errors.invalid(str(error)) from error
    for control in table:
        _check_length(control.name, values.get(control.input))
    return values


def _parse(value: Any) -> Any:
    """The number that a text of a form spells; anything else as it is."""
    is_number = isinstance(value, str) and _NUMBER.fullmatch(value.strip())
    for kind in (int, float) if is_number else ():
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _check_length(name: str, value: Any) -> None:
    if isinstance(value, str) and len(value) > _MAX_TEXT:
        raise errors.invalid(
            f"expected {name} of at most {_MAX_TEXT} characters. Received: "
            f"{len(value)}"
        )
