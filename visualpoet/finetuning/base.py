"""The exported poet that a voice begins from."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import keras

from visualpoet import model_folders
from visualpoet import presets
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.embedding.clues import ClueHead
from visualpoet.embedding.encoders import ImageTower
from visualpoet.embedding.encoders import PoemTower
from visualpoet.export.graph_constants import GraphConstants
from visualpoet.features.visual_encoder import VisualEncoder
from visualpoet.generator.common_lines import CommonLines
from visualpoet.generator.composer import DecodingOptions
from visualpoet.generator.forms import number_form
from visualpoet.generator.known_phrases import KnownPhrases
from visualpoet.generator.known_runs import KnownRuns
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.reader_head import ReaderHead
from visualpoet.generator.token_kinds import TokenKinds


@dataclasses.dataclass(frozen=True)
class PoetParts:
    """All that an export is made of, but its discriminators.

    They know the words of the base and little about a voice: the shipped ones
    hardly help to rank (CONTRIBUTING.md).

    Attributes:
        visual_encoder: Computes the features of pixels.
        image_tower: Features into the joint space.
        poem_tower: Poems into the joint space.
        clue_head: Finds the words that a photograph calls for.
        generator: Writes.
        vocabulary: Its tokens.
        kinds: Sorts of tokens.
        known_runs: What its poems should not recite, if anything.
        common_lines: What too many of them have, if it was counted.
        known_phrases: What people have said, if it minds that.
        reader_head: What readers would grade, if they were asked.
        options: How it writes poems of each form, the default one first.
    """

    visual_encoder: VisualEncoder
    image_tower: ImageTower
    poem_tower: PoemTower
    clue_head: ClueHead
    generator: PoemGenerator
    vocabulary: Vocabulary
    kinds: TokenKinds
    known_runs: KnownRuns | None
    common_lines: CommonLines | None
    known_phrases: KnownPhrases | None
    reader_head: ReaderHead | None
    options: dict[str, DecodingOptions]

    @property
    def models(self) -> dict[str, keras.Model]:
        """The parts that have parameters, by name."""
        parts = vars(self).items()
        return {n: part for n, part in parts if isinstance(part, keras.Model)}

    def number_form(self, form: str) -> int:
        """Numbers a form as the generator is given it, 0 for none."""
        return number_form(self.generator, form)


def default_folder() -> pathlib.Path:
    """Returns the version that a voice begins from if none is named.

    It writes verse, as most corpora are.
    """
    return model_folders.shipped_model("verse")


def read_poet(folder: pathlib.Path) -> PoetParts:
    """Reads an export.

    Args:
        folder: The version folder.

    Returns:
        Its parts; texts are read as an export of today reads them.

    Raises:
        FileNotFoundError: If it is none of VisualPoet's, or not whole.
        ValueError: If a part is broken or missing.
    """
    vocabulary = Vocabulary.from_preset(folder).renew()
    constants = GraphConstants(folder)
    kinds = constants.read_kinds(vocabulary)
    return PoetParts(
        visual_encoder=VisualEncoder.from_preset(folder),
        image_tower=ImageTower.from_preset(folder),
        poem_tower=PoemTower.from_preset(folder),
        clue_head=ClueHead.from_preset(folder),
        generator=PoemGenerator.from_preset(folder),
        vocabulary=vocabulary,
        kinds=kinds,
        known_runs=constants.read_known_runs(kinds),
        common_lines=constants.read_common_lines(kinds),
        known_phrases=constants.read_known_phrases(kinds),
        reader_head=(
            ReaderHead.from_preset(folder)
            if presets.has_model(folder, ReaderHead.__name__)
            else None
        ),
        options=read_options(folder),
    )


def read_options(folder: pathlib.Path) -> dict[str, DecodingOptions]:
    """Reads how an export writes.

    Args:
        folder: The version folder.

    Returns:
        Decoding options of each form, the default one first, without those
        that are patterns; of the form "" if it has learnt none.
    """
    said = model_folders.read_options(folder)
    # An export without forms says how it writes beside its defaults.
    given: dict[str, Any] = said.get("forms", {"": said})
    fields = [field.name for field in dataclasses.fields(DecodingOptions)]
    names = [name for name in fields if name != "pattern"]
    return {
        form: DecodingOptions(**{n: one[n] for n in names if n in one})
        for form, one in given.items()
        if not one.get("pattern", {}).get("syllables")
    }


def list_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """Names the files of an export that a voice comes of, for its lineage.

    Args:
        folder: The version folder.

    Returns:
        Those that exist.
    """
    names = (
        "saved_model.pb",
        "variables/variables.data-00000-of-00001",
        "assets.extra/vocabulary.json",
        presets.MODELS_FILE,
    )
    return [folder / name for name in names if (folder / name).exists()]


def choose_form(options: Mapping[str, DecodingOptions], form: str) -> str:
    """Chooses the form that a corpus is learnt under.

    Args:
        options: Of the base, as of `read_options`.
        form: Its name, or empty for the default one.

    Returns:
        Its name; empty for a base that has learnt none.

    Raises:
        ValueError: If the base has not learnt it.
    """
    forms = list(options)
    if form and form not in forms:
        learnt = ", ".join(filter(None, forms)) or "none"
        raise ValueError(
            "expected a --form that the base has learnt, of "
            f"{learnt}. Received: {form}"
        )
    return form or forms[0]
