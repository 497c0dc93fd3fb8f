"""The part of the graph that writes, row by row, and reads what is written."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.export.half_stored import HalfStored
from visualpoet.export.judges import Judges
from visualpoet.export.tokenizer import GraphTokenizer
from visualpoet.generator import composer
from visualpoet.generator.composer import MAX_CANDIDATES
from visualpoet.generator.constraints import TokenKinds
from visualpoet.generator.poem_generator import PoemGenerator

# Of a text that is longer only the last tokens are read; all of it is kept.
MAX_READ = 256


class Writer(tf.Module):
    """Writes for places in the joint space.

    Args:
        generator: The network that writes.
        vocabulary: Its tokens.
        kinds: Sorts of tokens.
        options: How to write if not told otherwise.
        embed_token_ids: Token ids `[N, T]` to places `[N, K]`.
        judges: The discriminators, if any.
    """

    def __init__(
        self,
        generator: PoemGenerator,
        vocabulary: Vocabulary,
        kinds: TokenKinds,
        options: composer.Options,
        embed_token_ids: Callable[[tf.Tensor], tf.Tensor],
        judges: Judges,
    ):
        super().__init__()
        shared: dict[int, tf.Variable] = {}
        self._start = HalfStored(generator.start_view, shared)
        self._step = HalfStored(generator.step_view, shared)
        self._image_dim = generator.image_dim
        self._kinds = kinds
        self._options = options
        self._embed_token_ids = embed_token_ids
        self._judges = judges
        self.scores = ("score", "fit", "fluency", *judges.names)
        self._break = vocabulary.line_break
        self.tokenizer = GraphTokenizer(vocabulary)
        self.tokens = tf.constant(vocabulary.tokens)
        self._pieces = tf.constant(vocabulary.pieces())
        self._forms = tf.constant(vocabulary.forms())

    def write_rows(self, **rows: tf.Tensor) -> dict[str, tf.Tensor]:
        """Writes poems, or one line more of poems.

        Rows are taken one after the other, so that none depends on its
        neighbours.

        Args:
            **rows: `image_embedding` float `[B, K]`; `clue_ids` int `[B, C]`;
                `opening` string `[B]`, whole lines that are kept, empty for
                none; `one_line` bool `[B]`, whether to write one line only;
                `seed` int64 `[B]`; `temperature`, `top_p`, `guidance` float
                `[B]`; `lines` int32 `[B]`, lines of the whole poem, 0 for as
                many as it wants; `num_candidates` int32 `[B]`; `banned` string
                `[B]`, words not to use, with blanks between.

        Returns:
            Best first, filled up with empty ones: `candidates` string
            `[B, MAX_CANDIDATES]`, with the opening; and for each name in
            `scores`, `candidate_<name>` float `[B, MAX_CANDIDATES]`.
            Of the best, `line` string `[B]`, what was written behind the
            opening, and `finished` bool `[B]`, whether the poem has ended.
        """
        networks = self._networks()
        return tf.map_fn(
            lambda row: self._write_row(networks, row),
            rows,
            fn_output_signature=self._row_specs(),
            parallel_iterations=2,
        )

    def _row_specs(self) -> dict[str, tf.TensorSpec]:
        scores = tf.TensorSpec([MAX_CANDIDATES], tf.float32)
        return {
            "candidates": tf.TensorSpec([MAX_CANDIDATES], tf.string),
            **{f"candidate_{name}": scores for name in self.scores},
            "line": tf.TensorSpec([], tf.string),
            "finished": tf.TensorSpec([], tf.bool),
        }

    def measure_fluency(self, poems: tf.Tensor) -> tf.Tensor:
        """Measures poems as candidates are measured.

        Args:
            poems: string `[B]`.

        Returns:
            float `[B]` [nats per token].
        """
        networks = self._networks()
        return tf.map_fn(
            lambda text: composer.measure_fluency(
                networks,
                self._kinds,
                self._image_dim,
                self.tokenizer.encode(text)[-MAX_READ:],
            ),
            poems,
            fn_output_signature=tf.float32,
        )

    def _networks(self) -> composer.Networks:
        step, start = self._step.read(), self._start.read()

        def start_view(image_embedding, clue_ids):
            view = start(
                {"image_embedding": image_embedding, "clue_ids": clue_ids}
            )
            return view["state"], view["condition"]

        def step_view(token_id, state, condition):
            view = step(
                {"token_id": token_id, "state": state, "condition": condition}
            )
            return view["logits"], view["state"]

        return composer.Networks(
            start_view, step_view, self._embed_token_ids, self._judges.judge
        )

    def _write_row(self, networks, row) -> dict[str, tf.Tensor]:
        opening = self._read_opening(row["opening"])
        ranked = self._write_and_rank(networks, row, opening)
        length = tf.size(opening[-MAX_READ:])
        written = ranked["token_ids"][:, length:]
        texts = self.spell(written)
        missing = MAX_CANDIDATES - tf.size(texts)
        poems = _join(row["opening"], texts)
        return {
            "candidates": tf.pad(poems, [[0, missing]]),
            **{
                f"candidate_{name}": tf.pad(ranked[name], [[0, missing]])
                for name in self.scores
            },
            "line": texts[0],
            "finished": ~tf.reduce_any(
                row["one_line"] & (written[0] == self._break)
            ),
        }

    def _read_opening(self, text: tf.Tensor) -> tf.Tensor:
        """Token ids `[L]` of whole lines; none of an empty text."""
        token_ids = self.tokenizer.encode(text)
        is_written = tf.cast(tf.size(token_ids) > 0, tf.int32)
        return tf.concat(
            [token_ids, tf.fill([is_written], self._break)], axis=0
        )

    def _write_and_rank(self, networks, row, opening) -> dict[str, tf.Tensor]:
        num = tf.clip_by_value(row["num_candidates"], 1, MAX_CANDIDATES)
        num_lines = self._count_lines(opening)
        opening = opening[-MAX_READ:]
        unread = num_lines - self._count_lines(opening)
        options = self._choose_options(row, num_lines, unread)
        embedding = row["image_embedding"][None]
        words = tf.strings.split(tf.strings.lower(row["banned"], "utf-8"))
        token_ids, fluency = composer.write_candidates(
            networks,
            self._kinds,
            embedding,
            row["clue_ids"][None],
            composer.draw_uniform(row["seed"], num, num_lines),
            tf.reduce_any(self.tokens[:, None] == words, axis=1),
            options,
            opening,
            row["one_line"],
        )
        return composer.rank_candidates(
            networks,
            embedding,
            token_ids,
            fluency,
            options,
            tf.size(opening),
            [END, tf.where(row["one_line"], self._break, END)],
        )

    def _count_lines(self, token_ids: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.cast(token_ids == self._break, tf.int32))

    def _choose_options(self, row, num_lines, unread) -> composer.Options:
        """How to write; a poem that may go on goes on by a line or more."""
        default, lines = self._options, row["lines"]
        least = tf.where(num_lines > 0, num_lines + 1, 0)
        free = (
            tf.maximum(least, default.min_lines),
            tf.maximum(least, default.max_lines),
        )
        min_lines, max_lines = (
            tf.where(lines > 0, lines, bound) - unread for bound in free
        )
        return dataclasses.replace(
            default,
            temperature=row["temperature"],
            top_p=row["top_p"],
            guidance=row["guidance"],
            min_lines=min_lines,
            max_lines=max_lines,
        )

    def spell(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Writes token ids as text.

        Args:
            token_ids: int `[N, T]`.

        Returns:
            string `[N]`.
        """
        before = tf.pad(token_ids, [[0, 0], [1, 0]], constant_values=START)
        form = tf.gather(self._forms, before[:, :-1])
        pieces = tf.gather_nd(self._pieces, tf.stack([form, token_ids], -1))
        written = (token_ids > UNKNOWN) & (token_ids != END)
        pieces = tf.where(written, pieces, "")
        return tf.strings.strip(tf.strings.reduce_join(pieces, axis=1))


def _join(opening: tf.Tensor, text: tf.Tensor) -> tf.Tensor:
    """Text `[...]` on a new line behind an opening, which stays as it is."""
    is_empty = tf.strings.strip(opening) == ""
    is_open = ~tf.strings.regex_full_match(opening, r"(?s).*\n")
    between = tf.where(is_open & (text != ""), "\n", "")
    return tf.where(is_empty, text, opening + between + text)
