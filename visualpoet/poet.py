"""Python use: `visualpoet.load().write("photo.jpg", seed=1)`."""

import itertools
import os
import pathlib
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Literal
from typing import overload

import numpy as np

from visualpoet import controls
from visualpoet import model_folders
from visualpoet import pictures
from visualpoet import unwritten
from visualpoet.features import picture_files
from visualpoet.pictures import PictureError
from visualpoet.pictures import PictureSource
from visualpoet.written_poem import WrittenPoem
from visualpoet.written_poem import to_written_poem

BATCH = 8  # photographs written for at once
_ON_ERROR = ("raise", "return")


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
        if not (self.model / model_folders.OPTIONS_FILE).exists():
            raise ValueError(
                "expected a SavedModel that `visualpoet.export` wrote. "
                f"Received: {self.model}, which has no "
                f"{model_folders.OPTIONS_FILE}"
            )
        self.options = unwritten.leave_out(
            model_folders.read_options(self.model), any_word
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
        self,
        photographs: PictureSource,
        *,
        on_error: Literal["raise"] = ...,
        **given: Any,
    ) -> WrittenPoem: ...

    @overload
    def write(
        self,
        photographs: Iterable[PictureSource],
        *,
        on_error: Literal["raise"] = ...,
        **given: Any,
    ) -> list[WrittenPoem]: ...

    @overload
    def write(
        self, photographs: PictureSource, *, on_error: str, **given: Any
    ) -> WrittenPoem | PictureError: ...

    @overload
    def write(
        self,
        photographs: Iterable[PictureSource],
        *,
        on_error: str,
        **given: Any,
    ) -> list[WrittenPoem | PictureError]: ...

    @controls.spell_out
    def write(
        self,
        photographs: PictureSource | Iterable[PictureSource],
        *,
        on_error: str = "raise",
        **given: Any,
    ) -> Any:
        """Writes a poem for each photograph.

        Many are written for in batches of `BATCH`, which takes a fraction of
        the time; each poem is the one that is written alone. Controls that are
        not given, or None, are as the model was exported.

        Args:
            photographs: One, or an iterable of them: paths, encoded bytes, open
                files, PIL images, arrays or tensors (see
                `pictures.read_picture`).
            on_error: What becomes of a photograph that cannot be used: "raise"
                raises its error, "return" puts it in the place of its poem.
            **given: The controls.

        Returns:
            A poem for one photograph, a list for an iterable of them.

        Raises:
            PictureError: If a photograph cannot be used.
            TypeError: If there is no such control.
            ValueError: If a control or `on_error` is not what is expected.

        Example:
            >>> import visualpoet
            >>> poet = visualpoet.load()
            >>> night = np.full([64, 64, 3], (10, 20, 60), np.uint8)
            >>> poem = poet.write(night, seed=3, lines=4, candidates=2)
            >>> len(poem.lines), len(poem.candidates)
            (4, 2)
        """
        values = controls.complete(controls.CONTROLS, given, self.options)
        if on_error not in _ON_ERROR:
            raise ValueError(
                f"expected on_error, one of {', '.join(_ON_ERROR)}. Received: "
                f"{on_error!r}"
            )
        is_one = pictures.is_picture(photographs)
        sources: Any = [photographs] if is_one else photographs
        rest = iter(sources)
        written: list[WrittenPoem | PictureError] = []
        while batch := list(itertools.islice(rest, BATCH)):
            written += self._write_batch(batch, values, on_error)
        return written[0] if is_one else written

    def _write_batch(
        self,
        photographs: Sequence[PictureSource],
        values: Mapping[str, Any],
        on_error: str,
    ) -> list[WrittenPoem | PictureError]:
        read = [_read(photograph, on_error) for photograph in photographs]
        contents = [one for one in read if isinstance(one, bytes)]
        rows = iter(self._compose(contents, values) if contents else [])
        return [
            to_written_poem(next(rows), values["seed"], photograph)
            if isinstance(one, bytes)
            else one
            for one, photograph in zip(read, photographs)
        ]

    def _compose(
        self, contents: Sequence[bytes], values: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        name = controls.choose_signature(values)
        outputs = self._run(name, contents, values)
        return [dict(zip(outputs, row)) for row in zip(*outputs.values())]

    def _run(
        self, name: str, contents: Sequence[bytes], values: Mapping[str, Any]
    ) -> dict[str, np.ndarray]:
        """Runs a signature; Pillow reads some JPEG that TensorFlow does not."""
        try:
            return self._run_signature(name, contents, values)
        except self._undecodable:
            if len(contents) == 1:
                png = picture_files.to_png(contents[0])
                return self._run_signature(name, [png], values)
        rows = [self._run(name, [content], values) for content in contents]
        return {key: np.concatenate([r[key] for r in rows]) for key in rows[0]}

    def _run_signature(
        self, name: str, contents: Sequence[bytes], values: Mapping[str, Any]
    ) -> dict[str, np.ndarray]:
        signature = self._loaded.signatures[name]
        specs = signature.structured_input_signature[1]
        inputs = {
            "image_bytes": contents,
            **{key: [value] * len(contents) for key, value in values.items()},
        }
        outputs = signature(
            **{
                key: self._constant(inputs[key], spec.dtype)
                for key, spec in specs.items()
            }
        )
        return {key: value.numpy() for key, value in outputs.items()}

    def embed_images(
        self, photographs: PictureSource | Iterable[PictureSource]
    ) -> np.ndarray:
        """Places photographs in the joint space.

        Args:
            photographs: As for `write`.

        Returns:
            float `[N, K]`, unit length; `[K]` for one photograph.

        Raises:
            PictureError: If a photograph cannot be used.
        """
        is_one = pictures.is_picture(photographs)
        sources: Any = [photographs] if is_one else photographs
        contents = [pictures.read_picture(source) for source in sources]
        places = self._run("embed_image", contents, {})["embedding"]
        return places[0] if is_one else places

    def embed_poems(self, texts: str | Sequence[str]) -> np.ndarray:
        """Places poems in the joint space.

        Args:
            texts: The poems, as people write them.

        Returns:
            float `[N, K]`, unit length; `[K]` for one poem.
        """
        signature = self._loaded.signatures["embed_poem"]
        is_one = isinstance(texts, str)
        poems = self._constant([texts] if is_one else list(texts), "string")
        places = signature(poem=poems)["embedding"].numpy()
        return places[0] if is_one else places


def _read(photograph: PictureSource, on_error: str) -> bytes | PictureError:
    try:
        return pictures.read_picture(photograph)
    except PictureError as error:
        if on_error == "raise":
            raise
        return error


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
    if model is None:
        model = model_folders.default_model()
    return Poet(pathlib.Path(model), any_word)
