"""The controls: what a user may set when a poem is written.

Python, the command line, the exported signatures, the server, its client and
the page all read this table; a new control stands here and in the graph.
"""

import dataclasses
import inspect
import numbers
import re
import reprlib
import textwrap
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from collections.abc import Set
from typing import Any
from typing import TypeVar

F = TypeVar("F", bound=Callable)

MAX_CANDIDATES = 64
MAX_LINES = 10
_KINDS = {"int32": int, "int64": int, "float32": float, "string": str}


@dataclasses.dataclass(frozen=True)
class Field:
    """How the page shows a control.

    Attributes:
        place: Among the fields, from the top.
        label: Its name for people.
        hint: A sentence beneath it.
        attributes: Of the HTML element, as it begins.
    """

    place: int
    label: str
    hint: str = ""
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Control:
    """One thing that a user may set.

    Attributes:
        name: In Python, on the command line, in forms and in JSON.
        input: Of the exported signatures.
        dtype: Of that input.
        help: What it does.
        bounds: Least and most of a number.
        choices: The texts it may be; any if empty.
        is_list: Whether it may be a list of words, joined by blanks.
        default: What a model is exported with; None if its decoding options
            say.
        field: On the page; None if it is not there.
    """

    name: str
    input: str
    dtype: str
    help: str
    bounds: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    is_list: bool = False
    default: float | int | str | None = None
    field: Field | None = None

    @property
    def kind(self) -> type:
        """Its type in Python: `int`, `float` or `str`."""
        return _KINDS[self.dtype]

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.bounds is None:
            return "a text or a list of words" if self.is_list else "a text"
        noun = "an integer" if self.kind is int else "a number"
        return f"{noun} from {self.bounds[0]} to {self.bounds[1]}"

    @property
    def description(self) -> str:
        """What it does, and what a value must be."""
        is_free = self.kind is str and not self.choices
        return self.help if is_free else f"{self.help}; {self.expected}"

    def read(self, value: Any) -> float | int | str:
        """Checks a value.

        Args:
            value: Of any type.

        Returns:
            What the input takes; texts in valid UTF-8, with plain line breaks.

        Raises:
            ValueError: If it is of another type, out of bounds or not finite.
        """
        words = value if self.is_list and _is_list(value) else [value]
        if not all(map(self._allows, words)):
            raise ValueError(
                f"expected {self.name}, {self.expected}. Received: "
                f"{reprlib.repr(value)}"
            )
        if self.kind is str:
            return _clean(" ".join(words))
        return self.kind(value)

    def _allows(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        if self.bounds is None:
            return isinstance(value, str)
        noun = numbers.Integral if self.kind is int else numbers.Real
        is_number = isinstance(value, noun) and not isinstance(value, bool)
        return is_number and self.bounds[0] <= value <= self.bounds[1]

    @property
    def parameter(self) -> inspect.Parameter:
        """Itself as an argument of a function, by keyword only."""
        annotation = str | Sequence[str] if self.is_list else self.kind
        return inspect.Parameter(
            self.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=self.default,
            annotation=annotation | None,
        )


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence | Set) and not isinstance(
        value, str | bytes | bytearray
    )


def _clean(text: str) -> str:
    # Lone surrogates, which JSON and Python can spell, are no UTF-8.
    text = text.encode("utf-8", "replace").decode()
    return text.replace("\r\n", "\n").replace("\0", "")


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
        options: `assets.extra/options.json` of the model.

    Returns:
        A value for each input.

    Raises:
        TypeError: If a name is not known.
        ValueError: If a value is not what its control expects.
    """
    table = fit_to_model(table, options)
    names = [control.name for control in table]
    given = {name: value for name, value in given.items() if _is_set(value)}
    unknown = sorted(given.keys() - set(names))
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
        options: `assets.extra/options.json` of the model.

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
    return f"{default} {value}".strip() if control.is_list else value


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
