"""How poems of several forms are written side by side in one graph."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf

from visualpoet.controls import CONTROLS
from visualpoet.controls import MAX_LINES
from visualpoet.generator.composer import DecodingOptions
from visualpoet.generator.patterns import skip_lines

_OPTIONS = [field.name for field in dataclasses.fields(DecodingOptions)]
_BOUNDS = {
    c.input: c.bounds for c in CONTROLS if c.bounds and c.input in _OPTIONS
}


def stack_options(options: Sequence[DecodingOptions]) -> dict[str, tf.Tensor]:
    """Stacks decoding options.

    Args:
        options: Of each form.

    Returns:
        Each option of all forms, `[F]`; patterns int32 `[F, MAX_LINES, 2]`.
    """
    stacked = {
        name: tf.constant([getattr(one, name) for one in options])
        for name in vars(options[0])
        if name != "pattern"
    }
    patterns = [one.pattern.encode() for one in options]
    return {**stacked, "pattern": tf.constant(patterns)}


def choose_options(
    stacked: Mapping[str, tf.Tensor],
    rows: Mapping[str, tf.Tensor],
    form: tf.Tensor,
    num_lines: tf.Tensor,
    unread: tf.Tensor,
) -> DecodingOptions:
    """Chooses how poems are written.

    Args:
        stacked: As of `stack_options`.
        rows: The controls, each `[B]`; 0 lines for as many as the form has,
            or one more than there are, and never `MAX_LINES` more.
        form: int32 `[B]`. Place of the form.
        num_lines: int32 `[B]`. Lines of the opening.
        unread: int32 `[B]`. Those of them that stand before what was read.

    Returns:
        Decoding options, each `[B]`, for what comes behind the unread lines.
    """
    default = DecodingOptions(
        **{name: tf.gather(values, form) for name, values in stacked.items()}
    )
    least = tf.where(num_lines > 0, num_lines + 1, 0)
    free = (
        tf.maximum(least, default.min_lines),
        tf.maximum(least, default.max_lines),
    )
    lines = tf.minimum(rows["lines"], num_lines + MAX_LINES)
    min_lines, max_lines = (
        tf.where(lines > 0, lines, bound) - unread for bound in free
    )
    return dataclasses.replace(
        default,
        # Within their bounds, which Python and forms do not leave.
        **{
            name: tf.clip_by_value(rows[name], *bounds)
            for name, bounds in _BOUNDS.items()
        },
        min_lines=min_lines,
        max_lines=max_lines,
        pattern=skip_lines(default.pattern, unread),
    )
