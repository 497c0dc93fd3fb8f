"""What the discriminators learn from: texts of every class, batch by batch."""

import bisect
import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus import datasets
from visualpoet.corpus.negatives import Disordered
from visualpoet.corpus.negatives import paragraphic


@dataclasses.dataclass(frozen=True)
class PairDraws:
    """How pairs are drawn, and what stands beside a photograph unpaired.

    Attributes:
        caption_share: Of pairs, captions in place of poems.
        hard_negatives: Others that are drawn for each photograph; the one
            whose own photograph is nearest to it is taken. 1: any.
    """

    caption_share: float = 0.0
    hard_negatives: int = 1


@dataclasses.dataclass(frozen=True)
class Material:
    """Texts of human hand; token ids without START and END.

    Attributes:
        image_embeddings: float `[N, K]`, unit length, of all photographs.
        pair_poems: Poems that are paired with a photograph.
        pair_images: int `[P]`; row of the photograph of each.
        captions: Captions by row of the photograph.
        poems: Poems of any subject.
        paragraphs: Prose, the shortest first.
        disordered: Makes poems of lines out of order.
        is_word: bool `[V]`; tokens that count as words of a line.
        line_break: Id of the line break.
        max_tokens: Longest text, START and END included.
    """

    image_embeddings: np.ndarray
    pair_poems: Sequence[Sequence[int]]
    pair_images: np.ndarray
    captions: dict[int, Sequence[Sequence[int]]]
    poems: Sequence[Sequence[int]]
    paragraphs: Sequence[Sequence[int]]
    disordered: Disordered
    is_word: np.ndarray
    line_break: int
    max_tokens: int

    def pair_batch(
        self, chosen: np.ndarray, draws: PairDraws, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Takes pairs, and for each photograph a poem of another one.

        Args:
            chosen: int `[B]`; which pairs.
            draws: What is unpaired.
            rng: Where the draws come from.

        Returns:
            `paired` and `unpaired`, each int32 `[B, max_tokens]`.
        """
        rows = self.pair_images[chosen, None]
        size = len(self.pair_images)
        others = rng.integers(size, size=[len(chosen), draws.hard_negatives])
        same = self._are_paired(rows, others)
        for _ in range(8):  # a poem of the same photograph is not unpaired
            if not same.any():
                break
            others[same] = rng.integers(size, size=same.sum())
            same = self._are_paired(rows, others)
        nearest = self._find_nearest(rows, self.pair_images[others], same)
        return {
            "paired": self.take_poems(chosen),
            "unpaired": self.take_poems(others[np.arange(len(rows)), nearest]),
        }

    @functools.cached_property
    def _pair_texts(self) -> np.ndarray:
        """The same number for pairs with the same words."""
        numbers: dict[tuple[int, ...], int] = {}
        return np.array(
            [
                numbers.setdefault(tuple(poem), len(numbers))
                for poem in self.pair_poems
            ]
        )

    @functools.cached_property
    def _paired(self) -> np.ndarray:
        pairs = np.arange(len(self.pair_images))
        return np.unique(self._name_pairs(self.pair_images, pairs))

    def _are_paired(self, rows: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """Whether photographs are paired with the poems of some pairs."""
        return np.isin(self._name_pairs(rows, pairs), self._paired)

    def _name_pairs(self, rows: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """A number for each photograph beside the poem of a pair."""
        return rows * len(self.pair_images) + self._pair_texts[pairs]

    def _find_nearest(
        self, rows: np.ndarray, others: np.ndarray, barred: np.ndarray
    ) -> np.ndarray:
        """Of photographs int `[B, N]` the place of the one nearest to each."""
        own, found = self.image_embeddings[rows], self.image_embeddings[others]
        nearness = (own * found).sum(axis=-1)
        return np.where(barred, -np.inf, nearness).argmax(axis=-1)

    def take_poems(self, chosen: np.ndarray) -> np.ndarray:
        """Takes the poems of pairs.

        Args:
            chosen: int `[B]`; which pairs.

        Returns:
            int32 `[B, max_tokens]`.
        """
        return self._pad([self.pair_poems[pair] for pair in chosen])

    def take_captions(
        self,
        chosen: np.ndarray,
        texts: dict[str, np.ndarray],
        draws: PairDraws,
        rng: np.random.Generator,
    ) -> dict[str, np.ndarray]:
        """Replaces a share of the pairs by captions, unpaired ones too.

        Captions say what is to be seen more surely than poems that were paired
        by similarity. They are cut into the lines of the poem they replace.

        Args:
            chosen: int `[B]`; which pairs.
            texts: As of `pair_batch` for them.
            draws: Their share, of photographs that have some.
            rng: Where the draws come from.

        Returns:
            `paired` and `unpaired`, each int32 `[B, max_tokens]`.
        """
        if not draws.caption_share:  # and nothing is drawn
            return texts
        taken = {kind: values.copy() for kind, values in texts.items()}
        captioned = np.array(list(self.captions))
        for place, pair in enumerate(chosen):
            row = self.pair_images[pair]
            if row not in self.captions or rng.random() >= draws.caption_share:
                continue
            other = self._draw_captioned(row, captioned, draws, rng)
            for kind, image in (("paired", row), ("unpaired", other)):
                cut = self._cut_captions(image, pair, rng)
                taken[kind][place] = self._pad([cut])[0]
        return taken

    def _draw_captioned(
        self,
        row: int,
        captioned: np.ndarray,
        draws: PairDraws,
        rng: np.random.Generator,
    ) -> int:
        """Another photograph with captions; the same if there is none."""
        candidates = captioned[captioned != row]
        if not len(candidates):
            return row
        others = rng.choice(candidates, [1, draws.hard_negatives])
        barred = np.zeros(others.shape, bool)
        nearest = self._find_nearest(np.array([[row]]), others, barred)[0]
        return int(others[0, nearest])

    def _cut_captions(
        self, image: int, pair: int, rng: np.random.Generator
    ) -> list[int]:
        captions = self.captions[image]
        order = rng.permutation(len(captions))
        return paragraphic(
            [token for index in order for token in captions[index]],
            self.pair_poems[pair],
            self.line_break,
            self.is_word.__getitem__,
        )

    def style_batch(
        self, size: int, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Draws poems, and makes disordered and paragraphic ones of like shape.

        Args:
            size: Texts of each class.
            rng: Where the draws come from.

        Returns:
            `poetic`, `disordered` and, if there is prose, `paragraphic`, each
            int32 `[size, max_tokens]`.
        """
        poems, shapes, others = (
            [self.poems[i] for i in rng.integers(len(self.poems), size=size)]
            for _ in range(3)
        )
        disordered = [self.disordered.make(s, rng) for s in shapes]
        batch = {
            "poetic": self._pad(poems),
            "disordered": self._pad(disordered),
        }
        if self.paragraphs:
            cut = [self._cut_paragraph(shape, rng) for shape in others]
            batch["paragraphic"] = self._pad(cut)
        return batch

    def _cut_paragraph(
        self, shape: Sequence[int], rng: np.random.Generator
    ) -> list[int]:
        return paragraphic(
            self._long_enough(shape, rng),
            shape,
            self.line_break,
            self.is_word.__getitem__,
        )

    def _long_enough(
        self, shape: Sequence[int], rng: np.random.Generator
    ) -> Sequence[int]:
        """Draws prose that fills the shape, or else the longest."""
        wanted = self.is_word[np.array(shape[: self.max_tokens])].sum()
        first = bisect.bisect_left(self.paragraphs, wanted, key=self._words)
        first = min(first, len(self.paragraphs) - 1)
        return self.paragraphs[int(rng.integers(first, len(self.paragraphs)))]

    def _words(self, text: Sequence[int]) -> int:
        return int(self.is_word[np.array(text)].sum())

    def _pad(self, texts: Sequence[Sequence[int]]) -> np.ndarray:
        framed = [datasets.frame(text, self.max_tokens) for text in texts]
        padded = datasets.pad_token_ids(framed, self.max_tokens)
        missing = self.max_tokens - padded.shape[1]
        return np.pad(padded, [(0, 0), (0, missing)])
