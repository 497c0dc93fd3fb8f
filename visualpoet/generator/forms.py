"""Forms: those that a generator has learnt, and those that are patterns."""

import json
import pathlib
from collections.abc import Sequence

from visualpoet.generator.composer import DecodingOptions
from visualpoet.generator.generator_inputs import find_form
from visualpoet.generator.patterns import Pattern
from visualpoet.generator.poem_generator import PoemGenerator

# What readers keep of candidates decides temperature, guidance and ranking
# (docs/results.md).
OPTIONS = {
    "haiku": DecodingOptions(
        temperature=0.8,
        guidance=0.9,
        min_lines=3,
        max_lines=3,
        min_words=2,
        max_words=6,
        penalty=4.0,
        num_candidates=64,
        fluency_weight=0.15,
        common_weight=1.0,
        novelty_weight=0.8,
        repetition_weight=0.8,
        merit_weight=0.3,
    ),
}


def _pattern(syllables: Sequence[int], rhyme: str = "") -> DecodingOptions:
    return DecodingOptions(
        min_lines=len(syllables),
        max_lines=len(syllables),
        min_words=1,
        max_words=max(syllables),
        penalty=4.0,
        pattern=Pattern(syllables, rhyme),
    )


PATTERNS = {
    "haiku-5-7-5": _pattern((5, 7, 5)),
    "limerick": _pattern((8, 8, 5, 5, 8), "aabba"),
    "quatrain-abab": _pattern((8, 8, 8, 8), "abab"),
    "quatrain-aabb": _pattern((8, 8, 8, 8), "aabb"),
    "jueju-5": _pattern((5, 5, 5, 5)),
    "jueju-7": _pattern((7, 7, 7, 7)),
}
PLAIN = "plain"  # the form of a generator that has learnt none, beside patterns


def find_learnt(form: str, learnt: Sequence[str]) -> str:
    """Finds the learnt form that poems of a form are written in.

    Args:
        form: The form.
        learnt: Those that the generator has learnt.

    Returns:
        The form itself, or for a pattern the form that its name begins with,
        or verse, or the first one; "" if the generator has learnt none.

    Example:
        >>> [find_learnt(f, ["haiku", "verse"]) for f in ("haiku-5-7-5",
        ...  "limerick", "haiku")]
        ['haiku', 'verse', 'haiku']
    """
    choices = (form, form.partition("-")[0], "verse", *learnt, "")
    return next(one for one in choices if one in (*learnt, ""))


def number_form(generator: PoemGenerator, form: str) -> int:
    """Numbers a form, learnt or a pattern, as the generator is given it.

    Args:
        generator: The generator.
        form: The form.

    Returns:
        Its number, or that of the learnt one it is written in; 0 for none.
    """
    return find_form(generator, find_learnt(form, generator.forms))


def choose_options(
    forms: Sequence[str], default: str, patterns: Sequence[str] = ()
) -> dict[str, DecodingOptions]:
    """Chooses how poems of each form are written.

    Args:
        forms: Those that the generator has learnt; none is the form "", or
            `PLAIN` beside patterns.
        default: The one that comes first.
        patterns: Of `PATTERNS`, forms besides.

    Returns:
        Decoding options by form, those of `DecodingOptions` for a form that
        `OPTIONS` does not have.

    Raises:
        ValueError: If the default is none of the forms, or there is no such
            pattern.

    Example:
        >>> options = choose_options(["free", "haiku"], "haiku")
        >>> [(form, one.max_lines) for form, one in options.items()]
        [('haiku', 3), ('free', 4)]
    """
    unknown = [name for name in patterns if name not in PATTERNS]
    if unknown:
        raise ValueError(
            f"expected patterns of {list(PATTERNS)}. Received: {unknown[0]!r}"
        )
    plain = [PLAIN if patterns else ""]
    forms = [*(list(forms) or plain), *patterns]
    default = default or (forms[0] if patterns else "")
    if default not in forms:
        raise ValueError(
            f"expected a form among {forms}. Received: {default!r}"
        )
    ordered = [default, *(form for form in forms if form != default)]
    known = OPTIONS | PATTERNS
    return {form: known.get(form, DecodingOptions()) for form in ordered}


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
    return {form: _read(given) for form, given in content.items()}


def _read(given: dict) -> DecodingOptions:
    pattern = Pattern(**given.get("pattern", {}))
    return DecodingOptions(**{**given, "pattern": pattern})
