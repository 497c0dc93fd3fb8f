"""Words that are left unwritten unless told otherwise: slurs, crude words.

Models are learnt from verse of other times, which has words that hurt today,
and others (jew) that it uses to hurt. Each of these is in the vocabulary of a
model that ships; words that have another, common sense in verse (savage, queer,
cock) are let be.
"""

from collections.abc import Mapping
from typing import Any

WORDS = (
    *("cripple", "dunce", "gipsy", "gypsy", "heathen", "idiot", "jew", "jews"),
    *("mammy", "negro"),
    *("ass", "harlot", "prick", "pussy", "wench"),
)


def leave_out(options: Mapping[str, Any], any_word: bool) -> dict[str, Any]:
    """Adds the words to those that a model does not use by itself.

    Args:
        options: As `model_folders.read_options` returns them.
        any_word: Whether to add none.

    Returns:
        The options.
    """
    words = [options.get("banned", ""), *(() if any_word else WORDS)]
    return {**options, "banned": " ".join(words).strip()}
