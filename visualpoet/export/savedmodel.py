"""Writes a poet as a SavedModel that TensorFlow Serving takes as it is."""

import dataclasses
import json
import pathlib
import shutil

import tensorflow as tf

from visualpoet import model_folders
from visualpoet import presets
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.export import serving_files
from visualpoet.export import signatures
from visualpoet.export.poet_module import PoetModule


def export_poet(
    poet: PoetModule,
    vocabulary: Vocabulary,
    folder: pathlib.Path,
    lineage: dict,
) -> None:
    """Writes a version folder, under a temporary name first.

    Args:
        poet: The poet.
        vocabulary: Kept in `assets.extra/`.
        folder: `<name>/<integer version>`.
        lineage: What the poet came of, kept in `assets.extra/` too.

    Raises:
        ValueError: If the folder's name is no integer.
        FileExistsError: If the folder exists.
    """
    folder = pathlib.Path(folder)
    if model_folders.parse_version(folder.name) is None:
        raise ValueError(
            "expected a folder named by its version, an integer from 0 to "
            f"{model_folders.MAX_VERSION}. Received: {folder.name!r}"
        )
    serving_files.refuse_existing(folder)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    tf.saved_model.save(
        poet, str(partial), signatures=signatures.make_signatures(poet)
    )
    extra = partial / "assets.extra"
    extra.mkdir()
    vocabulary.save(extra / "vocabulary.json")
    forms = {
        form: dataclasses.asdict(options)
        for form, options in poet.options.items()
    }
    (partial / model_folders.OPTIONS_FILE).write_text(
        json.dumps({**signatures.defaults(poet), "forms": forms})
    )
    configs = {name: m.get_config() for name, m in poet.models.items()}
    (partial / presets.MODELS_FILE).write_text(json.dumps(configs))
    (partial / serving_files.LINEAGE_FILE).write_text(
        json.dumps(lineage, indent=1)
    )
    serving_files.complete_version(partial, folder.resolve().parent.name)
    partial.rename(folder)
