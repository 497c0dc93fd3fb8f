"""Forms that a generator has learnt: how poems of each are written."""

import json
import pathlib
from collections.abc import Sequence

from visualpoet.generator.composer import DecodingOptions

OPTIONS = {
    "haiku": DecodingOptions(
        temperature=1.0,
        guidance=1.3,
        min_lines=3,
        max_lines=3,
        min_words=2,
        max_words=6,
        penalty=4.0,
        fluency_weight=0.15,
        clue_weight=0.5,
    ),
    "verse": DecodingOptions(),
    "free": DecodingOptions(),
}


def choose_options(
    forms: Sequence[str], default: str
) -> dict[str, DecodingOptions]:
    """Chooses how poems of each form are written.

    Args:
        forms: Those that the generator has learnt; none is the form "".
        default: The one that comes first.

    Returns:
        Decoding options by form, those of `DecodingOptions` for a form that
        `OPTIONS` does not have.

    Raises:
        ValueError: If the default is none of the forms.

    Example:
        >>> options = choose_options(["free", "haiku"], "haiku")
        >>> [(form, one.max_lines) for form, one in options.items()]
        [('haiku', 3), ('free', 5)]
    """
    forms = list(forms) or [""]
    if default not in forms:
        raise ValueError(
            f"expected a form among {forms}. Received: {default!r}"
        )
    ordered = [default, *(form for form in forms if form != default)]
    return {form: OPTIONS.get(form, DecodingOptions()) for form in ordered}


def read_options(path: pathlib.Path) -> dict[str, DecodingOptions]:
    """Reads how poems of each form are written.

    Args:
        path: JSON: names and values of decoding options, by form.

    Returns:
        Decoding options by form.

    Raises:
        TypeError: If there is no such option.
    """
    content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    return {form: DecodingOptions(**given) for form, given in content.items()}
