"""What a client wishes of its poem, from a form or from JSON."""

import math
from collections.abc import Mapping
from typing import Any

from visualpoet import poet
from visualpoet.serve import errors

_TEXTS = ("ban", "opening", "poem")
_INPUTS = {"candidates": "num_candidates", "ban": "banned"}
_MAX_TEXT = 2000


def read(
    given: Mapping[str, Any], names: tuple[str, ...], defaults: Mapping
) -> dict[str, Any]:
    """Checks wishes and fills up with what the model does by itself.

    Args:
        given: Texts of a form, or values of JSON; None is not given.
        names: That may be given.
        defaults: `assets.extra/options.json` of the model.

    Returns:
        Values by the names of a signature's inputs.

    Raises:
        ServeError: INVALID_ARGUMENT, naming the wish.
    """
    unknown = sorted(given.keys() - set(names))
    if unknown:
        raise errors.invalid(
            f"expected only {', '.join(names)}. Received: {unknown[0][:100]}"
        )
    wishes = {}
    for name in names:
        key = _INPUTS.get(name, name)
        if given.get(name) is None:
            wishes[key] = defaults.get(key, "")
        elif name in _TEXTS:
            wishes[key] = _read_text(name, given[name])
        else:
            wishes[key] = _read_number(name, given[name])
    return wishes


def _read_text(name: str, value: Any) -> str:
    if name == "ban" and isinstance(value, list):
        value = " ".join(map(str, value[:_MAX_TEXT]))
    if not isinstance(value, str):
        raise errors.invalid(
            f"expected {name}, a text. Received: {type(value).__name__}"
        )
    if len(value) > _MAX_TEXT:
        raise errors.invalid(
            f"expected {name} of at most {_MAX_TEXT} characters. Received: "
            f"{len(value)}"
        )
    # Lone surrogates, which JSON can spell, are no UTF-8.
    value = value.encode("utf-8", "replace").decode()
    return value.replace("\r\n", "\n").replace("\0", "")


def _read_number(name: str, value: Any) -> float:
    low, high = poet.BOUNDS[_INPUTS.get(name, name)]
    kind = type(low)
    try:
        if isinstance(value, bool) or (kind is int and type(value) is float):
            raise ValueError
        number = kind(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high:
        sort = "an integer" if kind is int else "a number"
        raise errors.invalid(
            f"expected {name}, {sort} from {low} to {high}. Received: "
            f"{str(value)[:100]}"
        )
    return number
