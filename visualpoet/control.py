"""A control: what it is called, and what its values may be."""

import dataclasses
import inspect
import numbers
import reprlib
from collections.abc import Mapping
from collections.abc import Sequence
from collections.abc import Set
from typing import Any

MAX_TEXT_BYTES = 2**14  # of a longer one the graph reads the end
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
            kinds = "a text or a list of words" if self.is_list else "a text"
            return f"{kinds} of at most {MAX_TEXT_BYTES:,} bytes"
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
            ValueError: If it is of another type, out of bounds, not finite or
                too long.
        """
        words = value if self.is_list and _is_list(value) else [value]
        if not all(map(self._allows, words)):
            raise ValueError(
                f"expected {self.name}, {self.expected}. Received: "
                f"{reprlib.repr(value)}"
            )
        if self.kind is str:
            return self._clean(" ".join(words))
        return self.kind(value)

    def _clean(self, text: str) -> str:
        # Lone surrogates, which JSON and Python can spell, are no UTF-8.
        encoded = text.encode("utf-8", "replace")
        if len(encoded) > MAX_TEXT_BYTES:
            raise ValueError(
                f"expected {self.name}, {self.expected}. Received: "
                f"{len(encoded):,} bytes"
            )
        return encoded.decode().replace("\r\n", "\n").replace("\0", "")

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
