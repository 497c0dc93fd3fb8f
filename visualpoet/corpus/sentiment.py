"""Sentiment words: the adjectives and verbs of texts about photographs."""

import collections
import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from visualpoet import extras

_WORD = re.compile(r"[a-z]+")
_COMMON = frozenset(
    "be have do go get let make say come like top own same several".split()
)


def sentiment_lemma(word: str) -> str | None:
    """Returns the lemma of a word that is an adjective or a verb only.

    Words that a dictionary also lists as nouns are left out: `dog` is a verb
    as well.

    Source: liu18, footnote on sentiment (adjectives and verbs).

    Args:
        word: A lower-case word.

    Returns:
        Its lemma, or None.
    """
    with extras.needs("train"):
        import lemminflect

    lemmas = lemminflect.getAllLemmas(word)
    if not lemmas or not set(lemmas) <= {"ADJ", "VERB"}:
        return None
    lemma = lemmas.get("ADJ", lemmas.get("VERB"))[0]
    return None if lemma in _COMMON else lemma


def _lemmas(text: str, known: dict[str, str | None]) -> set[str]:
    words = set(_WORD.findall(text.lower()))
    for word in words - known.keys():
        known[word] = sentiment_lemma(word)
    lemmas = (known[word] for word in words)
    return {lemma for lemma in lemmas if lemma is not None}


def label_sentiment(
    texts: Mapping[str, Iterable[str]], num_words: int, images: Sequence[str]
) -> tuple[list[str], np.ndarray]:
    """Labels photographs with the sentiment words of their texts.

    Args:
        texts: Photograph to the texts that go with it.
        num_words: Most words to keep, by number of photographs in `images`.
        images: Photographs that decide which words are kept.

    Returns:
        The words, and bool `[len(texts), words]` in the order of `texts`.
    """
    known: dict[str, str | None] = {}
    found = {
        image: set().union(*(_lemmas(text, known) for text in own_texts))
        for image, own_texts in texts.items()
    }
    counts = collections.Counter(
        lemma for image in images for lemma in sorted(found[image])
    )
    words = [word for word, _ in counts.most_common(num_words)]
    labels = [[word in found[image] for word in words] for image in texts]
    return words, np.array(labels, bool).reshape(len(texts), len(words))
