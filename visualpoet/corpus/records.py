"""What the corpus is made of."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Poem:
    """A poem or an excerpt of one.

    Attributes:
        text: Lines joined by line breaks; a blank line between stanzas.
        id: Name of the poem in its source.
        split: `train`, `validation`, `test`, or `none` of them.
        title: Its title, if known.
        author: Its author, if known.
        form: `haiku`, `verse` or another name for what it is like, if known.
    """

    text: str
    id: str = ""
    split: str = "train"
    title: str = ""
    author: str = ""
    form: str = ""


@dataclasses.dataclass(frozen=True)
class ImagePoemPair:
    """A photograph and a poem that goes with it.

    Attributes:
        image: Name of the photograph inside its folder or archive.
        poem: The poem.
        similarity: How well they fit, 1.0 if a person paired them.
    """

    image: str
    poem: Poem
    similarity: float = 1.0


@dataclasses.dataclass(frozen=True)
class Photograph:
    """What is known of a photograph besides its pixels.

    Attributes:
        image: Name of the photograph inside its folder or archive.
        split: `train`, `validation`, `test`, or `none` of them.
        label: Its class, if known.
        captions: Sentences that describe it.
        moods: Sentences written about it with feeling.
        collection: Name of the file that says so; labels are compared within
            a collection.
    """

    image: str
    split: str = "train"
    label: str = ""
    captions: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    collection: str = ""


@dataclasses.dataclass(frozen=True)
class BadRow:
    """A row that could not be read.

    Attributes:
        file: The file.
        row: 1-based line or row number; 0 if the whole file is meant.
        reason: What was expected and received.
    """

    file: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.row}: {self.reason}"
