"""Texts in the one normal form of Unicode, inside the graph."""

import functools
import itertools
import unicodedata
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from visualpoet.control import MAX_TEXT_BYTES
from visualpoet.corpus.characters import FOLDED

_SHIFT = 2**21  # more than there are code points
_LONGEST = 3  # marks that one letter is composed with
_AS_IT_IS = "\0"  # no text has it after folding
_HANGUL = range(0xAC00, 0xD7A4)  # which composes what is left whole
_FOLD = {ord(c): one for one, folded in FOLDED.items() for c in folded}


def _code_points() -> Iterator[int]:
    """All but planes 4 to 13, which are empty, and those of private use."""
    return itertools.chain(range(0x40000), range(0xE0000, 0xF0000))


def _spell(code: int, level: str) -> str:
    """Folds, decomposes and, at word level, lowers a character."""
    character = _FOLD.get(code, chr(code))
    if level == "character":
        return unicodedata.normalize("NFD", character)
    whole = unicodedata.normalize("NFKC", character)
    return unicodedata.normalize("NFD", "".join(map(str.lower, whole)))


@functools.cache
def _spellings(level: str) -> dict[int, str]:
    """Code points that are written otherwise."""
    codes = (
        code
        for code in _code_points()
        if not 0xD800 <= code < 0xE000 and code not in _HANGUL
    )
    spelt = {code: _spell(code, level) for code in codes}
    return {code: text for code, text in spelt.items() if text != chr(code)}


@functools.cache
def _compositions() -> dict[int, int]:
    """Code points that a character and the one behind it make, by both."""
    pairs = {}
    for code in _code_points():
        parts = unicodedata.normalize("NFD", chr(code))
        for end in range(1, len(parts)):
            first = unicodedata.normalize("NFC", parts[:end])
            both = unicodedata.normalize("NFC", parts[: end + 1])
            if len(first) == len(both) == 1:
                pairs[ord(first) * _SHIFT + ord(parts[end])] = ord(both)
    return pairs


@functools.cache
def _classes() -> dict[int, int]:
    """Where marks stand in the order of several on a letter."""
    return {
        code: unicodedata.combining(chr(code))
        for code in _code_points()
        if unicodedata.combining(chr(code))
    }


class Normalizer(tf.Module):
    """The characters of `Vocabulary` as a part of the graph.

    Source: Unicode Standard, section 3.11 (canonical ordering and
    composition).

    Args:
        level: `word` or `character`.
    """

    def __init__(self, level: str):
        super().__init__()
        spellings = _spellings(level)
        self._spelt = table(spellings, tf.int64, tf.string, _AS_IT_IS)
        self._composed = table(_compositions(), tf.int64, tf.int64, 0)
        self._classes = table(_classes(), tf.int64, tf.int64, 0)

    def normalize(self, texts: tf.Tensor) -> tf.Tensor:
        """Writes each text in normal form.

        Args:
            texts: string `[B]`; of a long one `keep_end` stays, also where one
                character is written as many.

        Returns:
            string `[B]`.
        """
        texts = keep_end(texts)
        characters = tf.strings.unicode_split(texts, "UTF-8")
        found = self._spelt.lookup(_decode(texts).flat_values)
        found = tf.where(found == _AS_IT_IS, characters.flat_values, found)
        texts = tf.strings.reduce_join(
            characters.with_flat_values(found), axis=1
        )
        codes = _decode(keep_end(texts))
        # Its end keeps a text from the next one.
        ends = tf.zeros([codes.nrows(), 1], tf.int64)
        codes = self._order(tf.concat([codes, ends], axis=1))
        for _ in range(_LONGEST):
            codes = self._compose(codes)
        codes = tf.ragged.boolean_mask(codes, codes != 0)
        return tf.strings.unicode_encode(tf.cast(codes, tf.int32), "UTF-8")

    def _order(self, codes: tf.RaggedTensor) -> tf.RaggedTensor:
        """Puts the marks of each letter in order."""
        values = codes.flat_values
        classes = self._classes.lookup(values)
        letters = tf.cumsum(tf.cast(classes == 0, tf.int64))
        order = tf.argsort(letters * 256 + classes, stable=True)
        return codes.with_flat_values(tf.gather(values, order))

    def _compose(self, codes: tf.RaggedTensor) -> tf.RaggedTensor:
        """Makes one of each letter and the first mark that goes with it."""
        values = codes.flat_values
        classes = self._classes.lookup(values)
        letter = _letter_before(classes == 0)
        both = self._composed.lookup(
            tf.gather(values, letter) * _SHIFT + values
        )
        before = tf.roll(classes, 1, axis=0)
        is_next = (before == 0) | (before < classes)
        found = tf.cast((both != 0) & is_next, tf.int32)
        count = tf.cumsum(found)
        is_first = (found == 1) & (count - tf.gather(count, letter) == 1)
        values = tf.tensor_scatter_nd_update(
            values,
            tf.boolean_mask(letter, is_first)[:, None],
            tf.boolean_mask(both, is_first),
        )
        return tf.ragged.boolean_mask(
            codes.with_flat_values(values), codes.with_flat_values(~is_first)
        )


def keep_end(texts: tf.Tensor) -> tf.Tensor:
    """Leaves the beginning of long texts out: what one may cost is bounded.

    Args:
        texts: string `[B]`.

    Returns:
        string `[B]`, the last `MAX_TEXT_BYTES` of each.
    """
    begin = tf.maximum(tf.strings.length(texts) - MAX_TEXT_BYTES, 0)
    length = tf.fill(tf.shape(texts), MAX_TEXT_BYTES)
    return tf.strings.substr(texts, begin, length)


def _decode(texts: tf.Tensor) -> tf.RaggedTensor:
    return tf.cast(tf.strings.unicode_decode(texts, "UTF-8"), tf.int64)


def _letter_before(is_letter: tf.Tensor) -> tf.Tensor:
    """The place of the last letter before each place; 0 where there is none."""
    places = tf.cast(tf.where(is_letter)[:, 0], tf.int32)
    count = tf.cumsum(tf.cast(is_letter, tf.int32), exclusive=True)
    return tf.gather(tf.concat([[0], places], axis=0), count)


def table(
    content: Mapping[Any, Any],
    key_type: tf.DType,
    value_type: tf.DType,
    default: Any,
) -> tf.lookup.StaticHashTable:
    """Makes a dictionary a part of the graph.

    Args:
        content: Keys and values.
        key_type: Type of the keys.
        value_type: Type of the values.
        default: The value of every other key.

    Returns:
        The table.
    """
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            list(content), list(content.values()), key_type, value_type
        ),
        default,
    )
