"""The part of the graph that writes, and reads what is written."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from visualpoet.controls import CONTROLS
from visualpoet.controls import MAX_CANDIDATES
from visualpoet.controls import MAX_LINES
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.export.candidate_scores import CandidateScores
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

# Of a text that is longer only the last tokens are read; all of it is kept.
MAX_READ = 256
_BOUNDS = {c.input: c.bounds for c in CONTROLS if c.bounds}


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
        self._options = _stack(list(options.values()))
        self._poem_tower = poem_tower
        self._candidate_scores = candidate_scores
        self.scores = (
            "score",
            "fit",
            "fluency",
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
                `opening` string `[B]`, whole lines that are kept, empty for
                none; `one_line` bool `[B]`, whether to write one line only;
                `seed` int64 `[B]`; `temperature`, `top_p`, `guidance` float
                `[B]`; `lines` int32 `[B]`, lines of the whole poem, 0 for as
                many as it wants; `num_candidates` int32 `[B]`; `banned` string
                `[B]`, words not to use, with blanks between; `form` string
                `[B]`, the default one if the generator has not learnt it.

        Returns:
            Best first, filled up with empty ones: `candidates` string
            `[B, MAX_CANDIDATES]`, with the opening; and for each name in
            `scores`, `candidate_<name>` float `[B, MAX_CANDIDATES]`.
            Of the best, `line` string `[B]`, what was written behind the
            opening, and `finished` bool `[B]`, whether the poem has ended.
        """
        networks = self._networks()
        number = tf.clip_by_value(rows["num_candidates"], 1, MAX_CANDIDATES)
        opening, lines, unread = self._read_openings(rows["opening"])
        form = self._find_forms(rows["form"])
        options = self._choose_options(rows, form, lines, unread)
        owner = tf.repeat(tf.range(tf.size(number)), number)
        first = tf.cumsum(number, exclusive=True)
        token_ids, fluency = composer.write_candidates(
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
            {"token_ids": token_ids, "fluency": fluency, **scores},
        )

    def _rank_rows(
        self,
        networks: Networks,
        rows: dict[str, Any],
        candidates: dict[str, tf.Tensor],
    ) -> dict[str, tf.Tensor]:
        """Ranks `number` candidates of each row, from the `first` on."""

        def rank(row: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            mine = slice(row["first"], row["first"] + row["number"])
            own = {name: values[mine] for name, values in candidates.items()}
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

    def measure_fluency(self, poems: tf.Tensor) -> tf.Tensor:
        """Measures poems as candidates are measured.

        Args:
            poems: string `[B]`.

        Returns:
            float `[B]` [nats per token].
        """
        networks = self._networks()
        return tf.map_fn(
            lambda text: ranking.measure_fluency(
                networks,
                self._kinds,
                self._image_dim,
                self._form_ids[0],
                self.tokenizer.encode(text)[-MAX_READ:],
            ),
            poems,
            fn_output_signature=tf.float32,
        )

    def _networks(self) -> Networks:
        return wrap_networks(
            self._start.read(),
            self._step.read(),
            self._token_embedding.read(),
            self._poem_tower.read(),
            self._start_inputs,
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

    def _read_openings(
        self, texts: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Reads openings as whole lines.

        Returns:
            The last tokens of each, int32 `[B, L]`, padded with 0; its lines,
            int32 `[B]`, and how many of them stand before those tokens. What
            has marks alone of which none is read is a line, too.
        """
        ids = tf.pad(self.tokenizer.encode_batch(texts), [[0, 0], [0, 1]])
        length = tf.math.count_nonzero(ids, axis=1, dtype=tf.int32)
        places = tf.range(tf.shape(ids)[1])[None]  # [1, L + 1]
        is_end = (places == length[:, None]) & (length > 0)[:, None]
        ids = tf.where(is_end, self._break, ids)
        length += tf.cast(length > 0, tf.int32)
        width = tf.reduce_max(tf.pad(tf.minimum(length, MAX_READ), [[0, 1]]))
        places = tf.range(width) + tf.maximum(length - MAX_READ, 0)[:, None]
        inside = tf.minimum(places, tf.shape(ids)[1] - 1)
        read = tf.gather(ids, inside, batch_dims=1)
        read = tf.where(places < length[:, None], read, 0)
        is_line = tf.cast(~_is_blank(texts), tf.int32)
        lines = tf.maximum(self._count_lines(ids), is_line)
        return read, lines, lines - self._count_lines(read)

    def _rank_row(
        self,
        networks: Networks,
        row: dict[str, tf.Tensor],
        token_ids: tf.Tensor,
        fluency: tf.Tensor,
        **scores: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        length = row["length"]
        width = length + composer.MAX_TOKENS
        ranked = ranking.rank_candidates(
            networks,
            row["image_embedding"][None],
            row["clue_ids"],
            token_ids[:, :width],
            fluency[:, :width],
            scores,
            composer.DecodingOptions(**row["options"]),
            length,
            [END, tf.where(row["one_line"], self._break, END)],
        )
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

    def _count_lines(self, token_ids: tf.Tensor) -> tf.Tensor:
        return tf.math.count_nonzero(
            token_ids == self._break, axis=1, dtype=tf.int32
        )

    def _choose_options(
        self,
        rows: dict[str, tf.Tensor],
        form: tf.Tensor,
        num_lines: tf.Tensor,
        unread: tf.Tensor,
    ) -> composer.DecodingOptions:
        """How to write; a poem that may go on goes on by a line or more."""
        default, lines = _take(self._options, form), rows["lines"]
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
            temperature=_clip("temperature", rows),
            top_p=_clip("top_p", rows),
            guidance=_clip("guidance", rows),
            min_lines=min_lines,
            max_lines=max_lines,
            pattern=_skip_lines(default.pattern, unread),
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


def _stack(options: Sequence[composer.DecodingOptions]) -> dict[str, tf.Tensor]:
    """Each decoding option of all forms `[F]`."""
    stacked = {
        name: tf.constant([getattr(one, name) for one in options])
        for name in vars(options[0])
        if name != "pattern"
    }
    patterns = [one.pattern.encode() for one in options]
    return {**stacked, "pattern": tf.constant(patterns)}


def _clip(name: str, rows: dict[str, tf.Tensor]) -> tf.Tensor:
    """A control within its bounds, as every other way to it has it."""
    return tf.clip_by_value(rows[name], *_BOUNDS[name])


def _skip_lines(pattern: tf.Tensor, unread: tf.Tensor) -> tf.Tensor:
    """Patterns `[B, MAX_LINES, 2]` without their first lines `[B]`."""
    places = tf.range(MAX_LINES) + unread[:, None]
    padded = tf.pad(pattern, [[0, 0], [0, 1], [0, 0]])
    return tf.gather(padded, tf.minimum(places, MAX_LINES), batch_dims=1)


def _take(
    options: dict[str, tf.Tensor], form: tf.Tensor
) -> composer.DecodingOptions:
    return composer.DecodingOptions(
        **{name: tf.gather(values, form) for name, values in options.items()}
    )


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


def _join(opening: tf.Tensor, text: tf.Tensor) -> tf.Tensor:
    """Text `[...]` on a new line behind an opening, which stays as it is."""
    is_open = ~tf.strings.regex_full_match(opening, r"(?s).*\n")
    between = tf.where(is_open & (text != ""), "\n", "")
    return tf.where(_is_blank(opening), text, opening + between + text)


def _is_blank(texts: tf.Tensor) -> tf.Tensor:
    """Whether there is nothing but blanks, as `str.strip` has them."""
    return tf.strings.regex_full_match(texts, r"[\s\pZ\x0b\x1c-\x1f\x85]*")
