"""The controls: what a user may set when a poem is written.

Python, the command line, the exported signatures, the server, its client and
the page all read this table; a new control stands here and in the graph.
"""

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

from visualpoet.control import Control
from visualpoet.control import Field

F = TypeVar("F", bound=Callable)

MAX_CANDIDATES = 64
MAX_LINES = 10


def _number(
    kind: str, low: float, high: float, step: float, value: float
) -> dict[str, Any]:
    return {"type": kind, "min": low, "max": high, "step": step, "value": value}


_TEXT = {"type": "text", "maxlength": 200, "autocomplete": "off"}

CONTROLS = (
    Control(
        "form",
        "form",
        "string",
        "form of the poem, one that the model has learnt",
        default="",
        field=Field(2, "Form"),
    ),
    Control(
        "seed",
        "seed",
        "int64",
        "the same seed gives the same poem",
        bounds=(0, 2**63 - 1),
        default=0,
        field=Field(
            6,
            "Seed",
            "The same seed gives the same poem.",
            # JavaScript counts no further than 2**53 without a gap.
            _number("number", 0, 2**31 - 1, 1, 0),
        ),
    ),
    Control(
        "temperature",
        "temperature",
        "float32",
        "towards 0 the likeliest words, above 1 wilder ones",
        bounds=(0.0, 10.0),
        field=Field(
            3,
            "Temperature",
            "Low is calm and likely, high is wild.",
            _number("range", 0.1, 1.5, 0.1, 0.6),
        ),
    ),
    Control(
        "top_p",
        "top_p",
        "float32",
        "share of the probability to draw words from",
        bounds=(0.0, 1.0),
    ),
    Control(
        "guidance",
        "guidance",
        "float32",
        "weight of the photograph while writing: 0 none, 1 as trained, more "
        "insists; it chooses among the candidates in any case",
        bounds=(0.0, 10.0),
        field=Field(
            5,
            "Attention",
            "How much the poem listens to the photograph.",
            _number("range", 0, 3, 0.1, 1.2),
        ),
    ),
    Control(
        "lines",
        "lines",
        "int32",
        "lines of the poem, 0 for as many as it wants",
        bounds=(0, MAX_LINES),
        default=0,
        field=Field(
            4,
            "Lines",
            "At the left end, as many as the poem wants.",
            _number("range", 0, MAX_LINES, 1, 0),
        ),
    ),
    Control(
        "candidates",
        "num_candidates",
        "int32",
        "poems to choose the best from",
        bounds=(1, MAX_CANDIDATES),
        default=16,
    ),
    Control(
        "opening",
        "opening",
        "string",
        "first lines, which the poem keeps and goes on from",
        default="",
        field=Field(
            1,
            "Opening line",
            attributes=_TEXT | {"placeholder": "Begin with words of your own"},
        ),
    ),
    Control(
        "ban",
        "banned",
        "string",
        "words not to use; one text may hold many, and is read as a poem is: "
        "case, marks and genitives make no difference",
        is_list=True,
        default="",
        field=Field(
            7,
            "Words to avoid",
            attributes=_TEXT
            | {"autocapitalize": "off", "placeholder": "love heart"},
        ),
    ),
)


def without_opening() -> tuple[Control, ...]:
    """Returns the inputs of all signatures that write; see also `opening`."""
    return tuple(c for c in CONTROLS if c.name != "opening")


def complete(
    table: Sequence[Control],
    given: Mapping[str, Any],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Checks what a user gave, and adds what the model does by itself.

    Words of a list are added to those of the model. What a form is written
    with otherwise is that form's.

    Args:
        table: The controls that may be given.
        given: Values by the controls' names; None or "" is not given.
        options: As `model_folders.read_options` returns them.

    Returns:
        A value for each input.

    Raises:
        TypeError: If a name is not known.
        ValueError: If a value is not what its control expects, or the model
            has no forms.
    """
    table = fit_to_model(table, options)
    names = [control.name for control in table]
    given = {name: value for name, value in given.items() if _is_set(value)}
    unknown = sorted(given.keys() - set(names))
    if unknown == ["form"]:
        raise ValueError(
            "expected no form, since the model has learnt none. Received: "
            f"{str(given['form'])[:100]}"
        )
    if unknown:
        raise TypeError(
            f"expected only {', '.join(names)}. Received: {unknown[0][:100]}"
        )
    forms = options.get("forms", {}).items()
    own = [chosen for form, chosen in forms if form == given.get("form")]
    options = {**options, **dict(*own)}
    # An export without forms has the input all the same.
    untold = {"form": ""} if "form" in options else {}
    return untold | {
        control.input: _choose(control, given.get(control.name), options)
        for control in table
    }


def fit_to_model(
    table: Sequence[Control], options: Mapping[str, Any]
) -> tuple[Control, ...]:
    """Fills in what the model alone knows: the forms that it has learnt.

    Args:
        table: Controls.
        options: As `model_folders.read_options` returns them.

    Returns:
        The controls, without the form if it has learnt none.
    """
    forms = tuple(form for form in options.get("forms", {}) if form)
    return tuple(
        dataclasses.replace(control, choices=forms, default=forms[0])
        if control.name == "form"
        else control
        for control in table
        if forms or control.name != "form"
    )


def _is_set(value: Any) -> bool:
    return value is not None and not (isinstance(value, str) and value == "")


def _choose(control: Control, value: Any, options: Mapping[str, Any]) -> Any:
    default = options.get(control.input, control.default)
    if value is None:
        return default
    value = control.read(value)
    if control.is_list:  # once more, since both together may be too long
        value = control.read(f"{default} {value}".strip())
    return value


def choose_signature(values: Mapping[str, Any]) -> str:
    """Names the signature that writes a whole poem with these controls.

    Args:
        values: By input, as `complete` returns them.

    Returns:
        `continue_poem` if there is an opening, else `compose`, which has no
        such input.
    """
    return "continue_poem" if values["opening"].strip() else "compose"


def spell_out(function: F) -> F:
    """Lists the controls in signature and documentation of a function.

    Args:
        function: Takes them as `**given`, the last of its documented `Args`.

    Returns:
        The function itself.
    """
    signature = inspect.signature(function)
    others = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
    spelt_out = signature.replace(
        parameters=others + [control.parameter for control in CONTROLS]
    )
    # `inspect` looks for it; functions do not declare it.
    function.__signature__ = spelt_out  # type: ignore[attr-defined]
    if function.__doc__:  # python -OO leaves none
        function.__doc__ = re.sub(
            r"^( *)\*\*given: .*$", _list, function.__doc__, flags=re.MULTILINE
        )
    return function


def _list(place: re.Match) -> str:
    indent = place[1]
    return "\n".join(
        textwrap.fill(
            f"{c.name}: {c.description[0].upper()}{c.description[1:]}.",
            initial_indent=indent,
            subsequent_indent=indent + 4 * " ",
            width=80,
        )
        for c in CONTROLS
    )
