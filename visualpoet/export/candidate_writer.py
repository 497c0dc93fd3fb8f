"""The part of the graph that writes, and reads what is written."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from visualpoet.controls import MAX_CANDIDATES
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.export import form_options
from visualpoet.export import openings
from visualpoet.export.candidate_scores import CandidateScores
from visualpoet.export.normalizer import keep_end
from visualpoet.export.stored_weights import StoredWeight
from visualpoet.export.stored_weights import StoredWeights
from visualpoet.export.tokenizer import GraphTokenizer
from visualpoet.generator import composer
from visualpoet.generator import ranking
from visualpoet.generator.forms import number_form
from visualpoet.generator.networks import Networks
from visualpoet.generator.networks import wrap_networks
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.token_kinds import TokenKinds


class CandidateWriter(tf.Module):
    """Writes for places in the joint space.

    Args:
        generator: The network that writes.
        vocabulary: Its tokens.
        kinds: Sorts of tokens.
        options: How to write poems of each form, the default one first.
        poem_tower: Poems into the joint space.
        candidate_scores: The discriminators, if any.
        shared: Stored weights by Keras variable, the generator's among them.
        reader_head: What readers would grade; None for no such score.
    """

    def __init__(
        self,
        generator: PoemGenerator,
        vocabulary: Vocabulary,
        kinds: TokenKinds,
        options: Mapping[str, composer.DecodingOptions],
        poem_tower: StoredWeights,
        candidate_scores: CandidateScores,
        shared: dict[int, StoredWeight],
        reader_head: StoredWeights | None = None,
    ):
        super().__init__()
        self._start = StoredWeights(generator.start_view, shared)
        self._start_inputs = list(generator.start_view.input)
        self._step = StoredWeights(generator.step_view, shared)
        tokens = generator.get_layer("token_embedding").embeddings
        self._token_embedding = shared[id(tokens)]
        self._image_dim = generator.image_dim
        self._kinds = kinds
        self._form_names = tf.constant(list(options))
        self._form_ids = [number_form(generator, form) for form in options]
        self._options = form_options.stack_options(list(options.values()))
        self._poem_tower = poem_tower
        self._candidate_scores = candidate_scores
        self._reader_head = reader_head
        self.scores = (
            "score",
            "fit",
            "fluency",
            *(["merit"] if reader_head else []),
            "clue_share",
            *candidate_scores.names,
        )
        self._break = vocabulary.line_break
        self.tokenizer = GraphTokenizer(vocabulary)
        is_word_level = vocabulary.level == "word"
        self._read_banned = (
            self.tokenizer.encode_ragged
            if is_word_level
            else self.tokenizer.encode_characters
        )
        self.tokens = tf.constant(vocabulary.tokens)
        self._pieces = tf.constant(vocabulary.pieces())
        self._forms = tf.constant(vocabulary.forms())

    def write_rows(self, **rows: tf.Tensor) -> dict[str, tf.Tensor]:
        """Writes poems, or one line more of poems.

        All rows are written and scored side by side, and ranked one after the
        other; none depends on its neighbours.

        Args:
            **rows: `image_embedding` float `[B, K]`; `clue_ids` int `[B, C]`;
                `opening` string `[B]`, whole lines that are kept (the end of a
                long text), empty for none; `one_line` bool `[B]`, whether to
                write one line only; `seed` int64 `[B]`; `temperature`,
                `top_p`, `guidance` float `[B]`; `lines` int32 `[B]`, lines of
                the whole poem, 0 for as many as it wants; `num_candidates`
                int32 `[B]`; `banned` string `[B]`, words not to use, with
                blanks between; `form` string `[B]`, the default one if the
                generator has not learnt it.

        Returns:
            Best first, filled up with empty ones: `candidates` string
            `[B, MAX_CANDIDATES]`, with the opening; and for each name in
            `scores`, `candidate_<name>` float `[B, MAX_CANDIDATES]`.
            Of the best, `line` string `[B]`, what was written behind the
            opening, and `finished` bool `[B]`, whether the poem has ended.
        """
        networks = self._networks()
        # With each candidate there is a copy.
        rows["opening"] = keep_end(rows["opening"])
        number = tf.clip_by_value(rows["num_candidates"], 1, MAX_CANDIDATES)
        opening, lines, unread = openings.read_openings(
            self.tokenizer, self._break, rows["opening"]
        )
        form = self._find_forms(rows["form"])
        options = form_options.choose_options(
            self._options, rows, form, lines, unread
        )
        owner = tf.repeat(tf.range(tf.size(number)), number)
        first = tf.cumsum(number, exclusive=True)
        token_ids, gains = composer.write_candidates(
            networks,
            self._kinds,
            rows["image_embedding"],
            rows["clue_ids"],
            tf.gather(self._form_ids, form),
            owner,
            _draw(rows["seed"], rows["clue_ids"], lines, owner, first),
            self._ban(rows["banned"]),
            options,
            opening,
            rows["one_line"],
        )

        length = tf.math.count_nonzero(opening, axis=1, dtype=tf.int32)
        scores = self._candidate_scores.read()(
            token_ids,
            tf.gather(rows["image_embedding"], owner),
            tf.gather(length, owner),
        )
        named = ("image_embedding", "clue_ids", "opening", "one_line")
        return self._rank_rows(
            networks,
            {
                **{name: rows[name] for name in named},
                "first": first,
                "number": number,
                "length": length,
                "options": dict(vars(options)),
            },
            {"token_ids": token_ids, "gains": gains, "scores": scores},
        )

    def _rank_rows(
        self,
        networks: Networks,
        rows: dict[str, Any],
        candidates: dict[str, Any],
    ) -> dict[str, tf.Tensor]:
        """Ranks `number` candidates of each row, from the `first` on."""

        def rank(row: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            mine = slice(row["first"], row["first"] + row["number"])
            own = tf.nest.map_structure(lambda x: x[mine], candidates)
            return self._rank_row(networks, row, **own)

        return tf.map_fn(
            rank,
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

    def measure_gains(self, poems: tf.Tensor) -> dict[str, tf.Tensor]:
        """Measures poems as candidates are measured.

        Args:
            poems: string `[B]`.

        Returns:
            float `[B]`, as of `ranking.measure_gains`.
        """
        networks = self._networks()
        return tf.map_fn(
            lambda text: ranking.measure_gains(
                networks,
                self._kinds,
                self._image_dim,
                self._form_ids[0],
                self.tokenizer.encode(text)[-openings.MAX_READ :],
            ),
            poems,
            fn_output_signature=dict.fromkeys(networks.gain_names, tf.float32),
        )

    def _networks(self) -> Networks:
        return wrap_networks(
            self._start.read(),
            self._step.read(),
            self._token_embedding.read(),
            self._poem_tower.read(),
            self._start_inputs,
            self._reader_head and self._reader_head.read(),
        )

    def _find_forms(self, names: tf.Tensor) -> tf.Tensor:
        """Places of forms `[B]` among those there are, 0 if not there."""
        is_it = names[:, None] == self._form_names
        return tf.argmax(tf.cast(is_it, tf.int32), 1, tf.int32)

    def _ban(self, words: tf.Tensor) -> tf.Tensor:
        """Tokens not to use, bool `[B, V]`, of words `[B]`."""
        read = self._read_banned(words)
        ids, rows = read.flat_values, tf.cast(read.value_rowids(), tf.int32)
        shape = [tf.size(words), len(self._kinds.is_word)]
        places = tf.stack([rows, ids], axis=-1)
        banned = tf.scatter_nd(places, tf.ones_like(ids), shape) > 0
        return banned & tf.constant(self._kinds.is_word)

    def _rank_row(
        self,
        networks: Networks,
        row: dict[str, tf.Tensor],
        token_ids: tf.Tensor,
        gains: dict[str, tf.Tensor],
        scores: dict[str, tf.Tensor],
    ) -> dict[str, tf.Tensor]:
        length = row["length"]
        width = length + composer.MAX_TOKENS
        ranked = ranking.rank_candidates(
            networks,
            row["image_embedding"][None],
            row["clue_ids"],
            token_ids[:, :width],
            {name: gain[:, :width] for name, gain in gains.items()},
            scores,
            composer.DecodingOptions(**row["options"]),
            length,
            [END, tf.where(row["one_line"], self._break, END)],
        )
        written = ranked["token_ids"][:, length:]
        texts = self.spell(written)
        missing = MAX_CANDIDATES - tf.size(texts)
        poems = openings.join_opening(row["opening"], texts)
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


def _draw(
    seeds: tf.Tensor,
    clue_ids: tf.Tensor,
    lines: tf.Tensor,
    owner: tf.Tensor,
    first: tf.Tensor,
) -> tf.Tensor:
    """The numbers `[N, MAX_TOKENS]` that decide each candidate."""
    draws = tf.map_fn(
        lambda row: composer.draw_uniform(*row),
        (seeds, clue_ids, lines),
        fn_output_signature=tf.TensorSpec(
            [MAX_CANDIDATES, composer.MAX_TOKENS], tf.float32
        ),
    )  # [B, MAX_CANDIDATES, MAX_TOKENS]
    place = tf.range(tf.size(owner)) - tf.gather(first, owner)
    return tf.gather_nd(draws, tf.stack([owner, place], axis=1))
