"""Texts to token ids inside the graph, with core string ops only."""

import tensorflow as tf

from visualpoet.corpus.characters import ATTACHED
from visualpoet.corpus.characters import IN_WORD
from visualpoet.corpus.characters import JOINABLE
from visualpoet.corpus.characters import JOINER
from visualpoet.corpus.characters import PICTOGRAPH
from visualpoet.corpus.characters import SUFFIXES
from visualpoet.corpus.characters import UNSPACED
from visualpoet.corpus.characters import UNSPOKEN
from visualpoet.corpus.characters import WORD
from visualpoet.corpus.characters import as_class
from visualpoet.corpus.quotations import APOSTROPHES
from visualpoet.corpus.quotations import BEGINS
from visualpoet.corpus.quotations import PERHAPS
from visualpoet.corpus.quotations import QUOTATIONS
from visualpoet.corpus.quotations import SURELY
from visualpoet.corpus.vocabulary import BLANK
from visualpoet.corpus.vocabulary import LINE_BREAK
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.export.normalizer import Normalizer
from visualpoet.export.normalizer import table

# RE2, which TensorFlow uses, knows no lookaround: hence what is matched beside
# what is replaced, and the rules whose matches may touch and that are therefore
# applied twice.
# Stand for the line break and the blank where blanks divide tokens; folding
# leaves no text with one.
_BREAK = "\x1e"
_BLANK = "\x1f"
_TWICE = 2
_JOINER_RULES = (
    (rf"^{JOINER}+", "", 1),
    (rf"([^{JOINABLE}]){JOINER}+", r"\1", 1),
    (rf"([\p{{L}}\p{{So}}]){JOINER}([^{JOINABLE}]|$)", r"\1\2", 1),
)
_STRIP = (r"^[ \n]+|[ \n]+$", "", 1)
_BLANK_RULES = (
    (" +", " ", 1),
    (r" ?\n[ \n]*", "\n", 1),
    _STRIP,
)
_QUOTATION_RULES = (
    *(
        (f"({before})'({after})", rf"\1{sign}\2", _TWICE)
        for before, after, sign in APOSTROPHES
    ),
    *(
        (f"({BEGINS})'({quoted}){end}({after})", r"\1\2\3", _TWICE)
        for quoted, end, after in QUOTATIONS
    ),
    (f"[{SURELY}{PERHAPS}]", "'", 1),
)
_RULES = {
    "word": (
        _STRIP,
        *_JOINER_RULES,
        (as_class(UNSPOKEN), " ", 1),
        ("''+", " ", 1),
        ("\u2014+|--+| - ", " \u2014 ", 1),
        (
            rf"(\p{{L}})' ((?:{SUFFIXES})(?:[^{IN_WORD}]|$))",
            r"\1'\2",
            _TWICE,
        ),
        (r"([ \n])'+([ \n])", r"\1\2", _TWICE),
        *_QUOTATION_RULES,
        *_BLANK_RULES,
        (rf"'s([^{IN_WORD}]|$)", r" 's \1", _TWICE),
        (r"\n", f" {_BREAK} ", 1),
        (r"\p{Pc}", " ", 1),
        (rf"(^| )[{ATTACHED}]+", r"\1", 1),
        (
            rf"({WORD}(?:'{WORD})*|'\p{{L}}[\p{{L}}{ATTACHED}]*|{PICTOGRAPH}"
            rf"|[^\p{{L}}\p{{N}} ])[{ATTACHED}]*",
            r" \1 ",
            1,
        ),
    ),
    "character": (
        _STRIP,
        *_JOINER_RULES,
        (rf"([{UNSPACED}]) +([{UNSPACED}])", r"\1\2", _TWICE),
        *_BLANK_RULES,
        (rf"(^|[ \n])[{ATTACHED}]+", r"\1", 1),
        (" ", _BLANK, 1),
        (r"\n", _BREAK, 1),
        (
            rf"({PICTOGRAPH}|[^{ATTACHED}][{ATTACHED}]*)[{ATTACHED}]*",
            r" \1 ",
            1,
        ),
    ),
}


class GraphTokenizer(tf.Module):
    """`Vocabulary.encode` as a part of the graph.

    Of a long text it reads the end: see `normalizer.keep_end`.

    Args:
        vocabulary: The vocabulary.
    """

    def __init__(self, vocabulary: Vocabulary):
        super().__init__()
        self._normalizer = Normalizer(vocabulary.level)
        self._rules = _RULES[vocabulary.level]
        ids = {token: index for index, token in enumerate(vocabulary.tokens)}
        ids[_BREAK] = ids.pop(LINE_BREAK)
        if BLANK in ids:
            ids[_BLANK] = ids.pop(BLANK)
        self._ids = table(ids, tf.string, tf.int64, UNKNOWN)

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
        return self.encode_ragged(texts).to_tensor()

    def encode_ragged(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns token ids of many texts.

        Args:
            texts: string `[B]`.

        Returns:
            int32 `[B, T]`.
        """
        texts = self._normalizer.normalize(texts)
        for pattern, content, times in self._rules:
            for _ in range(times):
                texts = tf.strings.regex_replace(texts, pattern, content)
        return self._look_up(texts)

    def encode_characters(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of the characters of scripts without blanks.

        Args:
            texts: string `[B]`. Marks and blanks make no difference; what is
                written with blanks is a token.

        Returns:
            As `encode_ragged`.
        """
        texts = self._normalizer.normalize(texts)
        for pattern, content in ((r"\pP", " "), (f"([{UNSPACED}])", r" \1 ")):
            texts = tf.strings.regex_replace(texts, pattern, content)
        return self._look_up(texts)

    def _look_up(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Blanks divide tokens; others have the id of the unknown word."""
        tokens = tf.strings.split(texts)
        ids = tf.cast(self._ids.lookup(tokens.flat_values), tf.int32)
        return tokens.with_flat_values(ids)
