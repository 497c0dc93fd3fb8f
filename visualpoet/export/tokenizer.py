"""Texts to token ids inside the graph, with core string ops only."""

import sys
import unicodedata

import tensorflow as tf

from visualpoet.corpus.vocabulary import LINE_BREAK
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary

# RE2, which TensorFlow uses, knows no lookaround, and its \s, \w and \b know
# ASCII only: hence the classes, and the rules whose matches may touch and that
# are therefore applied twice.
_BLANK = r"\s\v\x{85}\p{Z}"
_IN_WORD = r"\p{L}\p{M}\p{Nd}\p{Pc}"
_SUFFIX = "d|st|n|er|ry|re|t|ll|ve|m"
_WORD = r"[\p{L}\p{N}]+(?:'[\p{L}\p{N}]+)*|'\p{L}+"
# Stands for the line break where blanks divide tokens; one that a text brings
# along is made another character that is no token.
_BREAK = "\x1e"
_FOREIGN_BREAK = (_BREAK, "\x01", 1)
_STRIP = (rf"^[{_BLANK}]+|[{_BLANK}]+$", "", 1)
_TWICE = 2
_WORD_RULES = (
    _FOREIGN_BREAK,
    _STRIP,
    ("[\u2018\u2019\u02bc`]", "'", 1),
    ('[\u201c\u201d"*_\\[\\]{}<>|~^=+#@/\\\\]', " ", 1),
    ("[\u2013\u2014\u2015]|--+| - ", " \u2014 ", 1),
    (rf"(\p{{L}})' ((?:{_SUFFIX})(?:[^{_IN_WORD}]|$))", r"\1'\2", _TWICE),
    (rf"([{_BLANK}])'+([{_BLANK}])", r"\1\2", _TWICE),
    (rf"'s([^{_IN_WORD}]|$)", r" 's \1", _TWICE),
    (r"[ \t]*\n[ \t\n]*", f" {_BREAK} ", 1),
    (rf"[\p{{M}}\p{{Pc}}{_BLANK}]", " ", 1),
    (rf"({_WORD}|[^\p{{L}}\p{{N}} ])", r" \1 ", 1),
)
_CHARACTER_RULES = (
    _FOREIGN_BREAK,
    _STRIP,
    (r"\n", _BREAK, 1),
    (rf"[{_BLANK}]", " ", 1),
    ("([^ ])", r" \1 ", 1),
)
_MARK_SHIFT = 2**21  # more than there are code points


def _normal_word(text: str) -> str:
    return "".join(map(str.lower, unicodedata.normalize("NFKC", text)))


def _normal_character(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _written_otherwise(normal) -> dict[int, str]:
    """Code points that normalising changes."""
    return {
        code: normal(chr(code))
        for code in range(1, sys.maxunicode + 1)
        if not 0xD800 <= code < 0xE000 and normal(chr(code)) != chr(code)
    }


def _compositions() -> dict[int, int]:
    """Code points that a letter and a mark behind it make, by both."""
    pairs = {}
    for code in range(0xC0, 0x2000):
        decomposed = unicodedata.normalize("NFD", chr(code))
        for end in range(1, len(decomposed)):
            base = unicodedata.normalize("NFC", decomposed[:end])
            both = unicodedata.normalize("NFC", decomposed[: end + 1])
            if len(base) == len(both) == 1:
                pairs[ord(base) * _MARK_SHIFT + ord(decomposed[end])] = ord(
                    both
                )
    return pairs


class GraphTokenizer(tf.Module):
    """`Vocabulary.encode` as a part of the graph.

    Differs: of the marks on a letter at most the first two are composed.

    Args:
        vocabulary: The vocabulary.
    """

    def __init__(self, vocabulary: Vocabulary):
        super().__init__()
        is_word = vocabulary.level == "word"
        normal = _normal_word if is_word else _normal_character
        self._rules = _WORD_RULES if is_word else _CHARACTER_RULES
        self._composed = _table(_compositions(), tf.int64, tf.int64, 0)
        self._normal = _table(
            _written_otherwise(normal), tf.int64, tf.string, ""
        )
        ids = {token: index for index, token in enumerate(vocabulary.tokens)}
        ids[_BREAK] = ids.pop(LINE_BREAK)
        self._ids = _table(ids, tf.string, tf.int64, UNKNOWN)

    def encode(self, text: tf.Tensor) -> tf.Tensor:
        """Returns token ids without start and end.

        Args:
            text: string scalar.

        Returns:
            int32 `[T]`.
        """
        return self.encode_batch(text[None])[0]

    def encode_batch(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns token ids of many texts.

        Args:
            texts: string `[B]`.

        Returns:
            int32 `[B, T]`, padded with 0.
        """
        texts = self._normalise(texts)
        for pattern, content, times in self._rules:
            for _ in range(times):
                texts = tf.strings.regex_replace(texts, pattern, content)
        return self.look_up(texts)

    def look_up(self, words: tf.Tensor) -> tf.Tensor:
        """Returns the ids of tokens.

        Args:
            words: string `[B]`. Blanks divide tokens, which are taken as they
                are.

        Returns:
            int32 `[B, T]`, that of the unknown word for others, padded with 0.
        """
        tokens = tf.strings.split(words)
        ids = tf.cast(self._ids.lookup(tokens.flat_values), tf.int32)
        return tokens.with_flat_values(ids).to_tensor()

    def _normalise(self, texts: tf.Tensor) -> tf.Tensor:
        """Normalises each character, then puts marks on their letters."""
        characters = tf.strings.unicode_split(texts, "UTF-8")
        codes = tf.strings.unicode_decode(texts, "UTF-8").flat_values
        found = self._normal.lookup(tf.cast(codes, tf.int64))
        found = tf.where(found == "", characters.flat_values, found)
        texts = tf.strings.reduce_join(
            characters.with_flat_values(found), axis=1
        )
        codes = tf.cast(tf.strings.unicode_decode(texts, "UTF-8"), tf.int64)
        for _ in range(_TWICE):
            codes = self._compose(codes)
        return tf.strings.unicode_encode(tf.cast(codes, tf.int32), "UTF-8")

    def _compose(self, codes: tf.RaggedTensor) -> tf.RaggedTensor:
        """Makes one of a letter and the mark behind it."""
        # Its end keeps a text from the next one.
        ends = tf.zeros([codes.nrows(), 1], tf.int64)
        rows = tf.concat([codes, ends], axis=1)
        values = rows.flat_values
        following = tf.concat([values, [0]], axis=0)[1:]
        both = self._composed.lookup(values * _MARK_SHIFT + following)
        is_mark = tf.concat([[False], both != 0], axis=0)[:-1]
        composed = tf.where(both != 0, both, values)
        kept = ~is_mark & (values != 0)
        return tf.ragged.boolean_mask(
            rows.with_flat_values(composed), rows.with_flat_values(kept)
        )


def _table(content, key_type, value_type, default):
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            list(content), list(content.values()), key_type, value_type
        ),
        default,
    )
