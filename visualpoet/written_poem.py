"""What is written for a photograph: the poem, its scores, its candidates."""

import base64
import dataclasses
import html
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from visualpoet import pictures
from visualpoet.features import picture_files
from visualpoet.pictures import PictureError
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
            learnt by heart, or of its lines of which two stand in one poem of
            people, from a model that knows them.
        common: Share of its lines that many other poems of the model have,
            from a model that knows them.
        novelty: Share of its trigrams that no poem of people has, from a model
            that knows those.
        repetition: Share of its words that came before in it, from a model
            that minds it.
        merit: What readers would grade it beyond what fit, fluency, novelty
            and repetition say, in standard deviations of grades, from a model
            that has learnt it, for its default form.
    """

    poem: str
    score: float
    fit: float
    fluency: float
    clue_share: float | None = None
    paired: float | None = None
    poetic: float | None = None
    copied: float | None = None
    common: float | None = None
    novelty: float | None = None
    repetition: float | None = None
    merit: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns what is known; scores that the model lacks are left out."""
        return dataclasses.asdict(self, dict_factory=_leave_out_none)

    def __str__(self) -> str:
        """Returns the poem."""
        return self.poem


@dataclasses.dataclass(frozen=True, kw_only=True)
class WrittenPoem(Candidate):
    """The best poem for a photograph, and how it came about.

    Attributes:
        clues: The words that the photograph calls for.
        seed: Writing again with it gives the same poem.
        candidates: All candidates, best first.
        photograph: What it was written for, as it was given to `Poet.write`;
            a notebook shows it.
    """

    clues: tuple[str, ...]
    seed: int
    candidates: tuple[Candidate, ...]
    photograph: PictureSource | None = dataclasses.field(
        default=None, compare=False
    )

    def to_dict(self) -> dict[str, Any]:
        """Returns what is known, but for the photograph."""
        return Candidate.to_dict(dataclasses.replace(self, photograph=None))

    def __repr__(self) -> str:
        """Returns the first line and the seed."""
        return f"<WrittenPoem {self.lines[0]!r} ..., seed {self.seed}>"

    def _repr_html_(self) -> str:
        """Returns photograph and poem for a notebook."""
        poem = html.escape(self.poem).replace("\n", "<br>")
        return (
            f"<figure>{self._image()}<figcaption>{poem}</figcaption></figure>"
        )

    def _image(self) -> str:
        if self.photograph is None:
            return ""
        try:
            content = pictures.read_picture(self.photograph)
        except PictureError:  # it was moved, or closed, since
            return ""
        small = base64.b64encode(picture_files.thumbnail(content, 480)).decode()
        return f'<img src="data:image/jpeg;base64,{small}" alt="">'

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the poem."""
        return tuple(self.poem.split("\n"))


def _leave_out_none(items: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in items if value is not None}


def to_written_poem(
    row: Mapping[str, Any],
    seed: int,
    photograph: PictureSource | None = None,
) -> WrittenPoem:
    """Makes a poem of what a model returned for one photograph.

    Args:
        row: Outputs of the signature `compose`, without their batch.
        seed: What it was written with.
        photograph: What it was written for, to be shown beside it.

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
        photograph=photograph,
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
