"""What `recipes/prepare_corpus.py` wrote, read back."""

import dataclasses
import json
import pathlib
from collections.abc import Container
from collections.abc import Iterator

from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem
from visualpoet.corpus.vocabulary import Vocabulary


@dataclasses.dataclass(frozen=True)
class PreparedCorpus:
    """Excerpts, pairs and photographs with one vocabulary.

    Attributes:
        excerpts: Poems of 3 to 10 lines.
        pairs: Image-poem pairs.
        photographs: What is known of each photograph, by name.
        vocabulary: Tokens and ids.
    """

    excerpts: list[Poem]
    pairs: list[ImagePoemPair]
    photographs: dict[str, Photograph]
    vocabulary: Vocabulary

    def texts(self, split: str, form: str | None = None) -> list[str]:
        """Returns the excerpts of a split.

        Args:
            split: `train`, `validation` or `test`.
            form: Of the excerpts, empty for those of none; any by default.

        Returns:
            Their texts.
        """
        return [
            poem.text
            for poem in self.excerpts
            if poem.split == split and form in (None, poem.form)
        ]

    def forms(self) -> list[str]:
        """Returns the forms that poems have.

        Returns:
            Their names, in alphabetical order.
        """
        return sorted({poem.form for poem in self.excerpts if poem.form})

    def images(self, split: str) -> list[str]:
        """Returns the photographs of a split.

        Args:
            split: `train`, `validation` or `test`.

        Returns:
            Their names.
        """
        photographs = self.photographs.values()
        return [photo.image for photo in photographs if photo.split == split]

    def folds(self, count: int) -> list[list[str]]:
        """Deals out the training photographs.

        Args:
            count: Number of folds.

        Returns:
            The names of each fold.
        """
        images = self.images("train")
        return [images[fold::count] for fold in range(count)]

    def paired_poems(self) -> dict[str, list[str]]:
        """Returns the poems of each photograph, from all splits.

        Returns:
            Their texts by the name of the photograph; those without a poem
            are left out.
        """
        paired: dict[str, list[str]] = {}
        for pair in self.pairs:
            paired.setdefault(pair.image, []).append(pair.poem.text)
        return paired

    def descriptions(self) -> dict[str, list[str]]:
        """Returns what is known of each photograph.

        Returns:
            Captions and label by the name of the photograph; where there are
            no captions, the paired poems, too.
        """
        paired = self.paired_poems()
        return {
            name: [
                *(photo.captions or paired.get(name, [])),
                *([photo.label] if photo.label else []),
            ]
            for name, photo in self.photographs.items()
        }

    def select_pairs(
        self, split: str, images: Container[str], min_similarity: float
    ) -> list[ImagePoemPair]:
        """Returns the pairs of a split that fit well enough.

        Args:
            split: `train`, `validation` or `test`.
            images: Photographs to take into account.
            min_similarity: Of a pair.

        Returns:
            The pairs.
        """
        return [
            pair
            for pair in self.pairs
            if pair.image in images
            and self.photographs[pair.image].split == split
            and pair.similarity >= min_similarity
        ]


VOCABULARY_FILE = "vocabulary.json"
FILES = (
    VOCABULARY_FILE,
    "excerpts.jsonl",
    "pairs.jsonl",
    "photographs.jsonl",
)


def corpus_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """Names the files of a prepared corpus, for the lineage of a run.

    Args:
        folder: The run directory of `recipes/prepare_corpus.py`.

    Returns:
        Those that exist.
    """
    paths = [pathlib.Path(folder) / name for name in FILES]
    return [path for path in paths if path.exists()]


def _rows(path: pathlib.Path) -> Iterator[dict]:
    if not path.exists():
        raise FileNotFoundError(
            "expected the folder of a prepared corpus. Received: "
            f"{path.parent}, which has no {path.name}; run "
            "recipes/prepare_corpus.py first"
        )
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def load_corpus(folder: pathlib.Path) -> PreparedCorpus:
    """Reads a prepared corpus.

    Args:
        folder: The run directory of `recipes/prepare_corpus.py`.

    Returns:
        The corpus.

    Raises:
        FileNotFoundError: If the folder holds none.
    """
    folder = pathlib.Path(folder)
    excerpts = [Poem(**row) for row in _rows(folder / "excerpts.jsonl")]
    pairs = [
        ImagePoemPair(row["image"], Poem(**row["poem"]), row["similarity"])
        for row in _rows(folder / "pairs.jsonl")
    ]
    photographs = {
        row["image"]: Photograph(
            **{
                **row,
                "captions": tuple(row["captions"]),
                "moods": tuple(row["moods"]),
            }
        )
        for row in _rows(folder / "photographs.jsonl")
    }
    vocabulary = Vocabulary.load(folder / VOCABULARY_FILE)
    return PreparedCorpus(excerpts, pairs, photographs, vocabulary)
