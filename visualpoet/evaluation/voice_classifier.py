"""Whose poems sound like a corpus, told by a classifier of words.

It learns from human poems alone: those of the corpus against those of others.
Only words are to tell them apart. So every text, of people, of a voice or of
its base, is read alike: human poems are cut into excerpts of as many lines as
the written ones have, and of each text the same number of words is left, in
lower case, without marks and line breaks.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.pipeline import make_pipeline

from visualpoet.corpus.excerpts import cut_excerpts
from visualpoet.corpus.words import list_words
from visualpoet.evaluation.memorisation import CopiedRuns

QUOTED = 6  # words in a row that make a text of others the corpus's own
_SPARE = 3  # poems for each text: some have too few lines
_SHORT = 10  # percentile of the words of written poems that is left of a text


@dataclasses.dataclass(frozen=True)
class Reading:
    """How every text is read, whoever wrote it.

    Attributes:
        min_lines: Fewest lines of an excerpt of a human poem.
        max_lines: Most lines of one.
        words: Most words that are left of a text, the first ones.
        is_unspaced: Whether each character is a word.
    """

    min_lines: int
    max_lines: int
    words: int
    is_unspaced: bool

    def cut(self, poems: Sequence[str]) -> list[str]:
        """Cuts human poems into excerpts like the written ones.

        Args:
            poems: The poems.

        Returns:
            Their excerpts, read.
        """
        return self.read(
            [
                excerpt
                for poem in poems
                for excerpt in cut_excerpts(
                    poem, self.min_lines, self.max_lines
                )
            ]
        )

    def read(self, texts: Sequence[str]) -> list[str]:
        r"""Leaves nothing of texts but some words.

        Args:
            texts: The texts.

        Returns:
            Of each its first words in lower case, with blanks between them.

        Example:
            >>> Reading(2, 4, 3, False).read(["The Sea,\nthe sky"])
            ['the sea the']
            >>> Reading(2, 4, 3, True).read(["明月,\n光也"])
            ['明 月 光']
        """
        words = [list_words(text, self.is_unspaced) for text in texts]
        return [" ".join(some[: self.words]) for some in words]


def find_reading(written: Sequence[str], is_unspaced: bool) -> Reading:
    """Finds how texts are read so that they are like the written ones.

    Args:
        written: Poems of voice and base.
        is_unspaced: Whether each character is a word.

    Returns:
        Lines as of the written poems; as many words as all but the shortest
        tenth of them have.
    """
    lines = [len(poem.split("\n")) for poem in written]
    words = [len(list_words(poem, is_unspaced)) for poem in written]
    most = max(1, int(np.percentile(words, _SHORT)))
    return Reading(min(lines), max(lines), most, is_unspaced)


def draw_others(
    poems: Sequence[str],
    most: int,
    reading: Reading,
    own: CopiedRuns,
    rng: np.random.Generator,
) -> list[str]:
    """Draws texts of others, and leaves out those that the corpus has too.

    Args:
        poems: Human poems of others.
        most: Texts to draw, at most; one a poem.
        reading: How they are read.
        own: Runs of words of the corpus.
        rng: Draws them.

    Returns:
        Texts, read, that share no run of `QUOTED` words with the corpus.
    """
    order = rng.permutation(len(poems))[: _SPARE * most]
    drawn = [text for i in order for text in reading.cut([poems[i]])[:1]]
    longest = own.longest(drawn, most=QUOTED)
    return [text for text, run in zip(drawn, longest) if run < QUOTED][:most]


def train_classifier(own: Sequence[str], others: Sequence[str]) -> Pipeline:
    """Trains a classifier: TF-IDF of words and pairs, logistic regression.

    Args:
        own: Texts of the corpus, read.
        others: About as many of others, read; both sides weigh the same.

    Returns:
        The classifier; `predict` of texts says which are the corpus's own.
    """
    classifier = make_pipeline(
        TfidfVectorizer(
            tokenizer=str.split,
            token_pattern=None,
            ngram_range=(1, 2),
            min_df=2,
            sublinear_tf=True,
        ),
        LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000),
    )
    is_own = [True] * len(own) + [False] * len(others)
    return classifier.fit([*own, *others], is_own)


def share_own(classifier: Pipeline, texts: Sequence[str]) -> float:
    """Asks a classifier whose some texts are.

    Args:
        classifier: What `train_classifier` returned.
        texts: Texts, read, one or more.

    Returns:
        Share that it calls the corpus's own.
    """
    return float(classifier.predict(list(texts)).mean())
