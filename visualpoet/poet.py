"""Python use: `visualpoet.load().write("photo.jpg", seed=1)`."""

import dataclasses
import importlib.resources
import json
import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import overload

import numpy as np

from visualpoet import controls
from visualpoet import model_folders
from visualpoet import pictures
from visualpoet import unwritten
from visualpoet.features import picture_files
from visualpoet.pictures import PictureSource


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One poem that was written for a photograph.

    Attributes:
        poem: Lines joined by line breaks.
        score: What candidates are ranked by.
        fit: Cosine of poem and photograph in the joint space.
        fluency: Mean log probability of its tokens [nats]; higher is more
            fluent.
        clue_share: Share of the photograph's clues that it has.
        paired: Probability that it goes with the photograph, from a model
            with discriminators.
        poetic: Probability that it is a poem, from such a model.
        copied: Share of its words in runs of six words or more that the model
            learnt by heart, from a model that knows them.
    """

    poem: str
    score: float
    fit: float
    fluency: float
    clue_share: float | None = None
    paired: float | None = None
    poetic: float | None = None
    copied: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns what is known; scores that the model lacks are left out."""
        return dataclasses.asdict(self, dict_factory=_leave_out_none)


@dataclasses.dataclass(frozen=True, kw_only=True)
class WrittenPoem(Candidate):
    """The best poem for a photograph, and how it came about.

    Attributes:
        clues: The words that the photograph calls for.
        seed: Writing again with it gives the same poem.
        candidates: All candidates, best first.
    """

    clues: tuple[str, ...]
    seed: int
    candidates: tuple[Candidate, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the poem."""
        return tuple(self.poem.split("\n"))


def _leave_out_none(items: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in items if value is not None}


def to_written_poem(row: Mapping[str, Any], seed: int) -> WrittenPoem:
    """Makes a poem of what a model returned for one photograph.

    Args:
        row: Outputs of the signature `compose`, without their batch.
        seed: What it was written with.

    Returns:
        The poem and its candidates.
    """
    names = [field.name for field in dataclasses.fields(Candidate)[1:]]
    scores = {
        name: map(float, row[f"candidate_{name}"])
        for name in names
        if f"candidate_{name}" in row
    }
    found = [
        Candidate(_text(poem), **dict(zip(scores, values)))
        for poem, *values in zip(row["candidates"], *scores.values())
        if poem
    ]
    return WrittenPoem(
        **dataclasses.asdict(found[0]),
        clues=tuple(map(_text, row["clues"])),
        seed=seed,
        candidates=tuple(found),
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def default_model() -> pathlib.Path:
    """Returns the folder of the newest model that comes with the package."""
    folder = importlib.resources.files("visualpoet.savedmodels") / "visualpoet"
    return model_folders.newest_version(pathlib.Path(str(folder)))


class Poet:
    """Writes poems for photographs with an exported model.

    Args:
        model: A SavedModel that `visualpoet.export` wrote, or a folder of
            versions of one.
        any_word: Whether `unwritten.WORDS` may be written.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is no poet.
    """

    def __init__(self, model: pathlib.Path, any_word: bool = False):
        self.model = model_folders.newest_version(pathlib.Path(model))
        options = self.model / "assets.extra" / "options.json"
        if not options.exists():
            raise ValueError(
                "expected a SavedModel that `visualpoet.export` wrote. "
                f"Received: {self.model}, which has no assets.extra/"
                "options.json"
            )
        self.options = unwritten.leave_out(
            json.loads(options.read_text()), any_word
        )
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import tensorflow as tf  # seconds; not needed for --help

        try:
            self._loaded = tf.saved_model.load(str(self.model))
        except (OSError, tf.errors.OpError) as error:
            raise ValueError(
                f"expected a whole SavedModel. Received: {self.model}; copy or "
                f"export it again ({error})"
            ) from error
        self._constant = tf.constant
        self._undecodable = tf.errors.InvalidArgumentError

    @overload
    def write(
        self, photographs: PictureSource, **given: Any
    ) -> WrittenPoem: ...

    @overload
    def write(
        self, photographs: Sequence[PictureSource], **given: Any
    ) -> list[WrittenPoem]: ...

    @controls.spell_out
    def write(
        self,
        photographs: PictureSource | Sequence[PictureSource],
        **given: Any,
    ) -> WrittenPoem | list[WrittenPoem]:
        """Writes a poem for each photograph.

        Controls that are not given, or None, are as the model was exported.

        Args:
            photographs: One or many: paths, encoded bytes, PIL images or
                arrays (see `pictures.read_picture`).
            **given: The controls.

        Returns:
            A poem for one photograph, a list for a sequence of them.

        Raises:
            PictureError: If a photograph cannot be used.
            TypeError: If there is no such control.
            ValueError: If a control is not what is expected.

        Example:
            >>> import visualpoet
            >>> poet = visualpoet.load()
            >>> night = np.full([64, 64, 3], (10, 20, 60), np.uint8)
            >>> poem = poet.write(night, seed=3, lines=4, candidates=2)
            >>> len(poem.lines), len(poem.candidates)
            (4, 2)
        """
        values = controls.complete(controls.CONTROLS, given, self.options)
        if isinstance(photographs, Sequence) and not isinstance(
            photographs, str | bytes
        ):
            return [self._write(photo, values) for photo in photographs]
        return self._write(photographs, values)

    def _write(
        self, photograph: PictureSource, values: dict[str, Any]
    ) -> WrittenPoem:
        content = pictures.read_picture(photograph)
        name = controls.choose_signature(values)
        given = {key: [value] for key, value in values.items()}
        outputs = self._run(name, [content], given)
        rows = {name: value.numpy()[0] for name, value in outputs.items()}
        return to_written_poem(rows, values["seed"])

    def _run(
        self, name: str, contents: Sequence[bytes], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Runs a signature; Pillow reads some JPEG that TensorFlow does not."""
        signature = self._loaded.signatures[name]
        specs = signature.structured_input_signature[1]

        def run(contents: Sequence[bytes]) -> dict[str, Any]:
            values = {"image_bytes": contents, **given}
            return signature(
                **{
                    key: self._constant(values[key], spec.dtype)
                    for key, spec in specs.items()
                }
            )

        try:
            return run(contents)
        except self._undecodable:
            return run([picture_files.to_png(content) for content in contents])

    def embed_images(self, photographs: Sequence[PictureSource]) -> np.ndarray:
        """Places photographs in the joint space.

        Args:
            photographs: As for `write`.

        Returns:
            float `[N, K]`, unit length.
        """
        contents = [pictures.read_picture(photo) for photo in photographs]
        return self._run("embed_image", contents, {})["embedding"].numpy()

    def embed_poems(self, texts: Sequence[str]) -> np.ndarray:
        """Places poems in the joint space.

        Args:
            texts: The poems, as people write them.

        Returns:
            float `[N, K]`, unit length.
        """
        signature = self._loaded.signatures["embed_poem"]
        poems = self._constant(texts, "string")
        return signature(poem=poems)["embedding"].numpy()


def load(
    model: str | pathlib.Path | None = None, *, any_word: bool = False
) -> Poet:
    """Loads a poet.

    Args:
        model: An exported SavedModel or a folder of versions; the one that
            comes with the package by default.
        any_word: Whether slurs and crude words may be written.

    Returns:
        The poet.

    Raises:
        FileNotFoundError: If there is no such model.

    Example:
        >>> import visualpoet
        >>> poet = visualpoet.load()
        >>> sea, waves, bread = poet.embed_poems(
        ...     ["The sea at night", "Waves in the dark", "Bread and butter"]
        ... )
        >>> bool(sea @ waves > sea @ bread)
        True
    """
    folder = default_model() if model is None else pathlib.Path(model)
    return Poet(folder, any_word)
