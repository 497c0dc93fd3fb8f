"""Sentiment words: the adjectives and verbs of texts about photographs.

In other languages than English, whose dictionary is at hand: the commonest
words of the texts, but those that more than half of the photographs have.
"""

import collections
import functools
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from visualpoet import extras
from visualpoet.corpus.scripts import UNSPACED_SCRIPTS
from visualpoet.corpus.scripts import find_script
from visualpoet.corpus.words import list_words

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


def _all_words(text: str) -> set[str]:
    return set(list_words(text, find_script([text]) in UNSPACED_SCRIPTS))


def label_sentiment(
    texts: Mapping[str, Iterable[str]],
    num_words: int,
    images: Sequence[str],
    english: bool = True,
) -> tuple[list[str], np.ndarray]:
    """Labels photographs with the sentiment words of their texts.

    Args:
        texts: Photograph to the texts that go with it.
        num_words: Most words to keep, by number of photographs in `images`.
        images: Photographs that decide which words are kept.
        english: Whether adjectives and verbs of English are; else the words
            that at most half of the photographs have.

    Returns:
        The words, and bool `[len(texts), words]` in the order of `texts`.

    Raises:
        ValueError: If there are none.
    """
    find: Callable[[str], set[str]] = _all_words
    if english:
        find = functools.partial(_lemmas, known={})
    found = {
        image: set().union(*map(find, own_texts))
        for image, own_texts in texts.items()
    }
    counts = collections.Counter(
        lemma for image in images for lemma in sorted(found[image])
    )
    most = len(images) if english else max(1, len(images) / 2)
    common = [word for word, n in counts.most_common() if n <= most]
    words = common[:num_words]
    if not words:
        raise ValueError(
            "expected texts with English adjectives or verbs, or --no-english. "
            f"Received: none in the texts of {len(images)} photographs"
        )
    labels = [[word in found[image] for word in words] for image in texts]
    return words, np.array(labels, bool).reshape(len(texts), len(words))
