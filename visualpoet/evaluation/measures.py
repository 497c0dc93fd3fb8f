"""All measures of a set of poems, one poem a photograph."""

from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np

from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.words import split_words
from visualpoet.evaluation import bleu
from visualpoet.evaluation import diversity
from visualpoet.evaluation import human_poems
from visualpoet.evaluation import relevance
from visualpoet.evaluation.columns import COPIED
from visualpoet.evaluation.kneser_ney import KneserNey
from visualpoet.evaluation.kneser_ney import find_known
from visualpoet.evaluation.memorisation import CopiedRuns
from visualpoet.evaluation.novelty import READINGS
from visualpoet.evaluation.novelty import Novelty

_MAX_TOKENS = 400


def _with_count(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, float)
    return np.stack([values, np.ones_like(values)], axis=-1)


class Measurer:
    """Measures poems for the same photographs, one after the other.

    Perplexity is left out where the corpus has no test poems but those that
    are paired with these or with training photographs.

    Args:
        corpus: Poems, pairs, vocabulary.
        names: Photographs, each with captions and a paired poem.
        image_embeddings: float `[N, K]`, unit length.
        poem_tower: Poems into the same space.
        sentences: Whether to measure with the sentence embedding too.
        options: Which BLEU.
        others: Photographs a poem is compared with.
        seed: Of their draw.
    """

    def __init__(
        self,
        corpus: PreparedCorpus,
        names: Sequence[str],
        image_embeddings: np.ndarray,
        poem_tower: keras.Model,
        sentences: bool = True,
        options: bleu.BleuOptions = bleu.DEFAULT,
        others: int = 99,
        seed: int = 0,
    ):
        self._vocabulary = corpus.vocabulary
        self._image_embeddings = image_embeddings
        self._poem_tower = poem_tower
        self._options = options
        self._draw = {"others": others, "seed": seed}
        self._similarities = relevance.make_similarities(
            [corpus.photographs[n].captions for n in names], sentences
        )
        self.paired = human_poems.find_paired(corpus.pairs, names)
        others_of = human_poems.exchange(len(names), seed)
        self._others = [self.paired[other] for other in others_of]
        training = human_poems.find_training(corpus)
        self._novelty = {n: Novelty(training, n) for n in (2, 3)}
        self._copied = CopiedRuns(corpus.texts("train"))
        known = {text for poems in self.paired for text in poems}
        known.update(training)  # no generator saw what is left
        unseen = [text for text in corpus.texts("test") if text not in known]
        self._language_model = None
        if unseen:
            self._language_model = KneserNey(
                self._framed(unseen), len(corpus.vocabulary)
            )

    def _framed(self, texts: Sequence[str]) -> list[list[int]]:
        return datasets.frame_poems(self._vocabulary, texts, _MAX_TOKENS)

    def statistics(
        self, poem_sets: Mapping[str, Sequence[str]]
    ) -> dict[str, dict[str, np.ndarray]]:
        """Computes what can be added up over photographs.

        Args:
            poem_sets: Name to N poems.

        Returns:
            Name of a set to name of a measure to float `[N, S]`.
        """
        flat = [poem for poems in poem_sets.values() for poem in poems]
        # Together: the training poems are hashed once for every length, and
        # the tower is traced once.
        shape = [len(poem_sets), len(self.paired)]
        longest = self._copied.longest(flat).reshape(shape)
        embedded = self._embed(flat).reshape([*shape, -1])
        found = {}
        for (name, poems), copied, embeddings in zip(
            poem_sets.items(), longest, embedded
        ):
            cosines = (embeddings * self._image_embeddings).sum(axis=1)
            found[name] = {
                "relevance": _with_count(cosines),
                **self._judged(poems),
                **self._compared(poems, name in human_poems.SETS),
                **self._counted(poems),
                "copied_run": _with_count(copied),
                "copied": _with_count(copied >= COPIED),
            }
        return found

    def _embed(self, poems: Sequence[str]) -> np.ndarray:
        token_ids = self._vocabulary.encode_batch(poems)
        return self._poem_tower.predict(
            datasets.pad_token_ids(token_ids, _MAX_TOKENS),
            batch_size=256,
            verbose=0,
        )

    def _judged(self, poems: Sequence[str]) -> dict[str, np.ndarray]:
        """By the captions of the photographs."""
        hits = relevance.find_hits(self._similarities, poems, **self._draw)
        return {
            f"caption_{name}": _with_count(values)
            for name, values in hits.items()
        }

    def _compared(
        self, poems: Sequence[str], are_human: bool
    ) -> dict[str, np.ndarray]:
        """With the human poems: BLEU and novelty.

        A human poem is compared with the others of its photograph.
        """
        references = [
            [text for text in texts if not are_human or text != poem] or texts
            for poem, texts in zip(poems, self.paired)
        ]
        rows = bleu.statistics(poems, references, self._options)
        found = {f"bleu_{n}": rows for n in range(1, bleu.ORDER + 1)}
        found["bleu_1_other"] = bleu.statistics(
            poems, self._others, self._options
        )
        if not self._options.corpus:
            for name, rows in found.items():
                n = int(name.split("_")[1])
                scores = [bleu.score(row, n, self._options) for row in rows]
                found[name] = _with_count(np.array(scores))
        for n, novelty in self._novelty.items():
            for reading, end in zip(READINGS, ("", "_any")):
                shares = novelty.shares(poems, reading)
                found[f"novelty_{n}{end}"] = _with_count(shares)
        return found

    def _counted(self, poems: Sequence[str]) -> dict[str, np.ndarray]:
        words = np.array([len(split_words(poem)) for poem in poems])
        lines = np.array(
            [sum(map(bool, map(split_words, p.split("\n")))) for p in poems]
        )
        found = {
            "lines": _with_count(lines),
            "words_a_line": np.stack([words, lines], axis=-1).astype(float),
            "words": _with_count(words),
        }
        if self._language_model:
            found["perplexity"] = self._surprise(self._language_model, poems)
        return found

    def _surprise(self, model: KneserNey, poems: Sequence[str]) -> np.ndarray:
        framed = self._framed(poems)
        # Human poems have words without a token, which nobody else may write.
        known = find_known(framed)
        lengths = np.array([len(ids) - 1 for ids in framed])
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        surprise = -model.log_probs(framed) * known
        return np.stack(
            [np.add.reduceat(values, starts) for values in (surprise, known)],
            axis=-1,
        ).astype(float)


def measure_together(poems: Sequence[str]) -> dict[str, float]:
    """Measures that a set of poems has only as a whole.

    Args:
        poems: Poems; compare only sets of equal size.

    Returns:
        Name of a measure to its value.
    """
    return {
        "distinct_1": diversity.distinct_n(poems, 1),
        "distinct_2": diversity.distinct_n(poems, 2),
        "self_bleu": bleu.self_bleu(poems, 2),
        "different_poems": 100 * len(set(poems)) / len(poems),
    }
