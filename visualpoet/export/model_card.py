"""The card of an exported model, from numbers that were measured."""

import pathlib
from collections.abc import Sequence

import keras

from visualpoet import controls
from visualpoet import model_folders
from visualpoet import templating


def measure_size(folder: pathlib.Path) -> int:
    """Adds up the files of a folder.

    Args:
        folder: The folder.

    Returns:
        Bytes.
    """
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def count_parameters(**models: keras.Model) -> dict[str, int]:
    """Counts the parameters of a poet.

    Args:
        **models: Its parts, as `visual_encoder`.

    Returns:
        Those of each part, as `visual encoder`.
    """
    return {
        name.replace("_", " "): model.count_params()
        for name, model in models.items()
    }


def write_model_card(
    folder: pathlib.Path,
    parameters: dict[str, int],
    measured: Sequence[dict],
    notes: str = "",
) -> pathlib.Path:
    """Writes `MODEL_CARD.md` beside a version folder.

    Args:
        folder: The version folder.
        parameters: Parameters of each part.
        measured: What `recipes/evaluate.py` measured, of each form.
        notes: Further sections in Markdown.

    Returns:
        The card.
    """
    text = templating.render(
        "model_card.md",
        model=folder.parent.name,
        version=folder.name,
        megabytes=measure_size(folder) / 1e6,
        controls=", ".join(c.input for c in controls.without_opening()),
        parameters=parameters,
        notes=notes.strip(),
        forms=_list_forms(folder),
        # Measures that one may leave out.
        measured=[
            {
                "form": "",
                "perplexity": None,
                "uncaptioned": None,
                "others": 99,
                **results,
            }
            for results in measured
        ],
    )
    card = folder.parent / "MODEL_CARD.md"
    card.write_text(text, encoding="utf-8")
    return card


def _list_forms(folder: pathlib.Path) -> list[str]:
    return [
        form for form in model_folders.read_options(folder)["forms"] if form
    ]
