"""Tokens and their ids: words or characters, the line break among them."""

import functools
import itertools
import json
import pathlib
import re
from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np
import tokenizers
from tokenizers import models
from tokenizers import trainers

from visualpoet import model_folders
from visualpoet.corpus.tokenization import make_tokenizer

PAD, START, END, UNKNOWN = range(4)
SPECIAL_TOKENS = ("<pad>", "<start>", "<end>", "<unknown>")
LINE_BREAK = "\n"
BLANK = " "

_LEFT = frozenset(".,;:!?)'s").union({"'s"}) - {"s"}
_RIGHT = frozenset("(")
_BOTH = frozenset("-")
_SENTENCE_END = frozenset(".!?")
# Counted once more, so that single lines have it, too; a mark without a letter
# is no token.
_ONE_BREAK = f"\u0301{LINE_BREAK}\u0301"
LEVELS = ("word", "character")


class Vocabulary:
    """Tokens <-> ids, on the `tokenizers` library.

    Ids 0 to 3 are padding, start, end and unknown. The line break is an
    ordinary token. At word level text is lower-cased, the genitive `'s` and
    every punctuation mark are tokens of their own, quotation marks are
    dropped; at character level every character is a token, the blank among
    them where the script has it. Accents and vowel signs belong to their
    letter, what cannot be seen is no token, and an apostrophe or hyphen is
    one whatever its code.

    Args:
        tokenizer: A trained tokenizer.
        level: `word` or `character`.

    Example:
        >>> vocabulary = Vocabulary.train(["The sea sleeps."], size=20)
        >>> vocabulary.encode("The sea!")
        [8, 6, 3]
        >>> vocabulary.decode([8, 6, 5])
        'The sea.'
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer, level: str):
        self._tokenizer = tokenizer
        self.level = level
        ids = tokenizer.get_vocab()
        self.tokens = sorted(ids, key=ids.__getitem__)
        self.line_break = ids[LINE_BREAK]

    @classmethod
    def train(
        cls, texts: Iterable[str], size: int, level: str = "word"
    ) -> "Vocabulary":
        """Counts tokens and keeps the most frequent.

        Args:
            texts: The corpus.
            size: Most tokens to keep, special ones included.
            level: `word` or `character`.

        Returns:
            The vocabulary.

        Raises:
            ValueError: If `level` is unknown or the corpus is empty.
        """
        if level not in LEVELS:
            raise ValueError(f"expected a level of {LEVELS}. Received: {level}")
        tokenizer = make_tokenizer(level, SPECIAL_TOKENS[UNKNOWN])
        trainer = trainers.WordLevelTrainer(
            vocab_size=size,
            special_tokens=list(SPECIAL_TOKENS),
            show_progress=False,
        )
        tokenizer.train_from_iterator(
            itertools.chain(texts, [_ONE_BREAK]), trainer
        )
        if tokenizer.get_vocab_size() <= len(SPECIAL_TOKENS) + 1:
            raise ValueError(
                "expected a corpus of texts and room for their tokens. "
                f"Received: no token but the special ones, size={size}; see "
                "the rows that were reported as bad"
            )
        if tokenizer.token_to_id(LINE_BREAK) is None:
            raise ValueError(
                "expected poems of several lines. Received: texts in which "
                f"the line break is none of the {size} most frequent tokens"
            )
        return cls(tokenizer, level)

    @classmethod
    def train_balanced(
        cls,
        poems: Sequence[Sequence[str]],
        others: Sequence[str],
        size: int,
        level: str = "word",
    ) -> "Vocabulary":
        """Counts tokens source by source, so that a small one is heard.

        A source is one of the lists of poems, or the other texts; a token of
        which there are `n_s` among the `N_s` of source `s` is kept by

        `score = sum_s n_s / sqrt(N_s)`

        Args:
            poems: The poems of each form.
            others: What poems are to speak of, captions say: their tokens
                count, but those that no poem has are not kept.
            size: Most tokens to keep, special ones included.
            level: `word` or `character`.

        Returns:
            The vocabulary, tokens in order of their scores.

        Raises:
            ValueError: As for `train`.
        """
        every = cls.train(itertools.chain(*poems), 2**31 - 1, level)
        scores = np.sum([every._score(texts) for texts in (*poems, others)], 0)
        scores[: len(SPECIAL_TOKENS)] = np.inf
        scores[every.line_break] = np.inf
        best = np.argsort(-scores, kind="stable")[:size]
        every._tokenizer.model = models.WordLevel(
            {every.tokens[index]: rank for rank, index in enumerate(best)},
            unk_token=SPECIAL_TOKENS[UNKNOWN],
        )
        return cls(every._tokenizer, level)

    def extend(
        self, texts: Sequence[str], min_count: int, most: int
    ) -> "Vocabulary":
        """Adds the tokens of more texts; those there are keep their ids.

        Args:
            texts: The texts.
            min_count: Of a token in them, to be added.
            most: Tokens to add, the most frequent ones.

        Returns:
            The vocabulary, with today's rules of tokenization.
        """
        every = type(self).train(texts, 2**31 - 1, self.level)
        token_ids = itertools.chain(*every.encode_batch(texts))
        counts = np.bincount(np.fromiter(token_ids, np.int64))
        known = set(self.tokens)
        new = [
            token
            for index, token in enumerate(every.tokens[: len(counts)])
            if counts[index] >= min_count and token not in known
        ]
        return self._replace([*self.tokens, *new[:most]], every._tokenizer)

    def keep(self, token_ids: Sequence[int]) -> "Vocabulary":
        """Leaves out tokens; the others move up.

        Args:
            token_ids: What stays, in order of their ids: the special ones and
                the line break among them.

        Returns:
            The vocabulary.
        """
        kept = [self.tokens[index] for index in token_ids]
        copied = tokenizers.Tokenizer.from_str(self._tokenizer.to_str())
        return self._replace(kept, copied)

    def renew(self) -> "Vocabulary":
        """Returns the same tokens, with today's rules of tokenization."""
        tokenizer = make_tokenizer(self.level, SPECIAL_TOKENS[UNKNOWN])
        return self._replace(self.tokens, tokenizer)

    def _replace(
        self, tokens: Sequence[str], tokenizer: tokenizers.Tokenizer
    ) -> "Vocabulary":
        """Gives a tokenizer other tokens."""
        tokenizer.model = models.WordLevel(
            {token: index for index, token in enumerate(tokens)},
            unk_token=SPECIAL_TOKENS[UNKNOWN],
        )
        return type(self)(tokenizer, self.level)

    def _score(self, texts: Sequence[str]) -> np.ndarray:
        token_ids = itertools.chain(*self.encode_batch(texts))
        counts = np.bincount(
            np.fromiter(token_ids, np.int64), minlength=len(self)
        )
        return counts / max(counts.sum(), 1) ** 0.5

    @classmethod
    def load(cls, path: pathlib.Path) -> "Vocabulary":
        """Reads what `save` wrote.

        Args:
            path: The file.

        Returns:
            The vocabulary.
        """
        content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        tokenizer = tokenizers.Tokenizer.from_str(
            json.dumps(content["tokenizer"])
        )
        return cls(tokenizer, content["level"])

    @classmethod
    def from_preset(cls, folder: pathlib.Path | str) -> "Vocabulary":
        """Reads the vocabulary of an export.

        Args:
            folder: The version folder, or one of numbered versions, of which
                the newest is taken.

        Returns:
            The vocabulary.

        Raises:
            FileNotFoundError: If the folder holds no export, or one without
                vocabulary.
        """
        folder = model_folders.newest_version(pathlib.Path(folder))
        return cls.load(folder / "assets.extra" / "vocabulary.json")

    def save(self, path: pathlib.Path) -> None:
        """Writes one JSON file.

        Args:
            path: The file.
        """
        content = {
            "level": self.level,
            "tokenizer": json.loads(self._tokenizer.to_str()),
        }
        pathlib.Path(path).write_text(
            json.dumps(content, ensure_ascii=False), encoding="utf-8"
        )

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """Returns token ids without start and end.

        Args:
            text: One text.

        Returns:
            Token ids.
        """
        return self._tokenizer.encode(text.strip()).ids

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns token ids of many texts, in parallel.

        Args:
            texts: The texts.

        Returns:
            Token ids of each, without start and end.
        """
        stripped = [text.strip() for text in texts]
        return [e.ids for e in self._tokenizer.encode_batch_fast(stripped)]

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Measures how much of what texts say has no token.

        Args:
            texts: The texts.

        Returns:
            Unknown tokens among words and unknown tokens; NaN without any.
        """
        token_ids = itertools.chain(*self.encode_batch(texts))
        counts = np.bincount(
            np.fromiter(token_ids, np.int64), minlength=len(self)
        )
        unknown = int(counts[UNKNOWN])
        total = unknown + int(counts[self.is_word()].sum())
        return unknown / total if total else float("nan")

    def decode(self, token_ids: Sequence[int]) -> str:
        """Writes token ids as text, up to the end token.

        Args:
            token_ids: Token ids; start, padding and unknown are left out.

        Returns:
            The text; at word level each line begins with a capital.
        """
        pieces, table = [], self._pieces
        previous = START
        for token_id in map(int, token_ids):
            if token_id == END:
                break
            if token_id in (PAD, START, UNKNOWN):
                continue
            pieces.append(table[self._form(previous), token_id])
            previous = token_id
        return "".join(pieces).strip()

    def _form(self, previous: int) -> int:
        if previous in (START, self.line_break):
            return 0
        if self.tokens[previous] in _SENTENCE_END:
            return 3
        return 2 if self.tokens[previous] in _RIGHT | _BOTH else 1

    def pieces(self) -> np.ndarray:
        """How each token is written, so that text is a plain concatenation.

        Returns:
            str `[4, V]`: at the start of a line (capital, no blank), after
            another token (blank before a word), after a token that binds to
            its right (no blank), and after the end of a sentence (blank and
            capital).
        """
        return self._pieces

    @functools.cached_property
    def _pieces(self) -> np.ndarray:
        rows = [
            ("", "", "", "") if i < 4 else self._write(t)
            for i, t in enumerate(self.tokens)
        ]
        return np.array(rows).T

    def _write(self, token: str) -> tuple[str, str, str, str]:
        if self.level == "character" or token == LINE_BREAK:
            return token, token, token, token
        written = _capital_i(token)
        capital = written[:1].upper() + written[1:]
        blank = "" if token in _LEFT | _BOTH else " "
        return capital, blank + written, written, blank + capital

    def is_word(self) -> np.ndarray:
        """Returns which tokens count as words of a line.

        Returns:
            bool `[V]`; not special tokens, marks, the line break or `'s`. At
            character level the blank is one.
        """
        return np.array(
            [
                index > UNKNOWN
                and token != "'s"
                and (_has_letters(token) or token == BLANK)
                for index, token in enumerate(self.tokens)
            ]
        )

    def mark_ids(self) -> list[int]:
        """Lists the punctuation marks.

        Returns:
            Their ids.
        """
        return [
            index
            for index, token in enumerate(self.tokens)
            if index > UNKNOWN
            and token not in (LINE_BREAK, BLANK)
            and not _has_letters(token)
        ]

    def forms(self) -> np.ndarray:
        """Which row of `pieces` a token takes after each token.

        Returns:
            int32 `[V]`.
        """
        return np.array(
            [self._form(index) for index in range(len(self))], np.int32
        )


def _has_letters(token: str) -> bool:
    return any(map(str.isalnum, token))


def _capital_i(token: str) -> str:
    return re.sub(r"^i(?=$|')", "I", token)
