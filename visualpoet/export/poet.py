"""The whole poet in one graph: image bytes to poems, core TensorFlow only.

Every tensor has one row a photograph. Where poems are written, rows are taken
one after the other, so that none depends on its neighbours.
"""

import dataclasses
import functools

import keras
import numpy as np
import tensorflow as tf

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.embedding.clues import NUM_CLUES
from visualpoet.embedding.encoders import ImageTower
from visualpoet.embedding.encoders import PoemTower
from visualpoet.export.half_stored import EncoderFeatures
from visualpoet.export.half_stored import HalfStored
from visualpoet.export.judges import Judges
from visualpoet.export.tokenizer import GraphTokenizer
from visualpoet.features import images
from visualpoet.features.experts import ExpertEnsemble
from visualpoet.generator import composer
from visualpoet.generator.composer import MAX_CANDIDATES
from visualpoet.generator.constraints import TokenKinds
from visualpoet.generator.poem_generator import PoemGenerator

# Of an opening, what comes before its last tokens is kept and not read.
MAX_OPENING = 256
UNREADABLE = (
    "expected a JPEG, PNG, GIF, BMP or WebP picture. Received: bytes that are "
    "none, or a part of one"
)


def _share(method):
    """Traces a method once for all signatures: smaller files, quicker to load.

    As an attribute of the module, a `tf.function` would be stored once more.
    """
    function = tf.function(method, autograph=False)

    @functools.wraps(method)
    def call(self, *arguments, **named):
        return function(self, *arguments, **named)

    return call


class Poet(tf.Module):
    """Photograph to poem.

    Args:
        seer: Computes the features of pixels: the small encoder, or the
            experts.
        image_tower: Its features into the joint space.
        poem_tower: Poems into the joint space.
        generator: Writes.
        vocabulary: Of poem tower and generator.
        clue_bias: float `[V]`; what is taken off a word's similarity before
            clues are chosen: its mean over many photographs, say; infinity
            where a word is no clue.
        kinds: Sorts of tokens.
        options: How the poet writes if not told otherwise.
        discriminators: `paired`, the multi-modal one, and `poetic`, the
            poem-style one, whose probabilities of these classes help to rank;
            or none.

    Raises:
        ValueError: If no word can be a clue, or a discriminator reads with
            other word vectors than the poem tower's.
    """

    def __init__(
        self,
        seer: EncoderFeatures | ExpertEnsemble,
        image_tower: ImageTower,
        poem_tower: PoemTower,
        generator: PoemGenerator,
        vocabulary: Vocabulary,
        clue_bias: np.ndarray,
        kinds: TokenKinds,
        options: composer.Options,
        discriminators: dict[str, keras.Model] | None = None,
    ):
        super().__init__()
        self._seer = seer
        self._image_tower = HalfStored(image_tower)
        shared: dict[int, tf.Variable] = {}
        self._poem_tower = HalfStored(poem_tower, shared)
        self._judges = Judges(discriminators or {}, poem_tower, shared)
        self.scores = ("score", "fit", "fluency", *self._judges.names)
        self._start = HalfStored(generator.start_view, shared)
        self._step = HalfStored(generator.step_view, shared)
        self._break = vocabulary.line_break
        self.embedding_dim = poem_tower.embedding_dim
        self._tokenizer = GraphTokenizer(vocabulary)
        self._kinds = kinds
        self.options = options
        usable = np.flatnonzero(np.isfinite(clue_bias)).astype(np.int32)
        if not len(usable):
            raise ValueError(
                "expected words that can be clues. Received: a clue_bias that "
                "is infinite everywhere"
            )
        words = poem_tower.predict(usable[:, None], batch_size=1024, verbose=0)
        self._words = tf.Variable(tf.cast(words, tf.float16), trainable=False)
        self._word_ids = tf.constant(usable)
        self.num_clues = min(NUM_CLUES, len(usable))
        self._clue_bias = tf.constant(clue_bias[usable], tf.float32)
        self._tokens = tf.constant(vocabulary.tokens)
        self._pieces = tf.constant(vocabulary.pieces())
        self._forms = tf.constant(vocabulary.forms())

    # --- photographs and poems into the joint space

    @_share
    def embed_image(self, image_bytes: tf.Tensor) -> tf.Tensor:
        """Embeds photographs.

        Args:
            image_bytes: string `[B]`. Encoded pictures.

        Returns:
            float `[B, K]`, unit length.
        """
        size = self._seer.size
        pixels = tf.map_fn(
            lambda content: images.load_view(content, size, 0),
            image_bytes,
            fn_output_signature=tf.TensorSpec([size, size, 3], tf.float32),
        )
        return self._embed_pixels(pixels)

    def embed_readable(
        self, image_bytes: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Embeds those photographs that can be decoded.

        Args:
            image_bytes: string `[B]`. Encoded pictures, some of them broken.

        Returns:
            Their rows, int64 `[R]`, and embeddings, float `[R, K]`.
        """
        is_read, pixels = images.load_readable(image_bytes, self._seer.size)
        rows = tf.where(is_read)[:, 0]
        # Of all rows: some kernels of the networks refuse an empty batch.
        return rows, tf.gather(self._embed_pixels(pixels), rows)

    def _embed_pixels(self, pixels: tf.Tensor) -> tf.Tensor:
        return self._image_tower.read()(self._seer(tf.round(pixels)))

    def embed_poem(self, poem: tf.Tensor) -> tf.Tensor:
        """Embeds poems.

        Args:
            poem: string `[B]`.

        Returns:
            float `[B, K]`, unit length.
        """
        return self.embed_token_ids(self._tokenizer.encode_batch(poem))

    def embed_token_ids(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Embeds poems.

        Args:
            token_ids: int `[B, T]`, padded with 0.

        Returns:
            float `[B, K]`, unit length.
        """
        return self._poem_tower.read()(token_ids)

    def choose_clues(self, image_embedding: tf.Tensor) -> tf.Tensor:
        """Finds the poetic clues: the words nearest to photographs.

        Args:
            image_embedding: float `[B, K]`.

        Returns:
            int `[B, NUM_CLUES]`, nearest first; fewer if there are not as
            many words that can be clues.
        """
        words = tf.cast(self._words, tf.float32)
        similarity = tf.matmul(image_embedding, words, transpose_b=True)
        similarity -= self._clue_bias
        best = tf.math.top_k(similarity, self.num_clues).indices
        return tf.gather(self._word_ids, best)

    def match(
        self, image_bytes: tf.Tensor, poem: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Judges poems as candidates are judged.

        Args:
            image_bytes: string `[B]`. Encoded pictures.
            poem: string `[B]`. Anybody's poems.

        Returns:
            `fit` and `fluency`, float `[B]`, and `paired` and `poetic` where
            there are discriminators. A word that the poet does not know counts
            for fluency as an unknown one, for fit not at all.
        """
        embedding = self.embed_image(image_bytes)
        networks = self._networks()
        fluency = tf.map_fn(
            lambda text: composer.measure_fluency(
                networks,
                self._kinds,
                self.embedding_dim,
                self._tokenizer.encode(text)[:MAX_OPENING],
            ),
            poem,
            fn_output_signature=tf.float32,
        )
        token_ids = self._tokenizer.encode_batch(poem)
        embedded = self.embed_token_ids(token_ids)
        fit = tf.reduce_sum(embedding * embedded, axis=1)
        judged = self._judges.judge(token_ids, embedding)
        return {"fit": fit, "fluency": fluency, **judged}

    # --- writing

    def compose(
        self, image_bytes: tf.Tensor, **controls: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Writes poems.

        Args:
            image_bytes: string `[B]`. Encoded pictures.
            **controls: As for `continue_at`, all but `opening`.

        Returns:
            As of `continue_at`.
        """
        opening = tf.fill(tf.shape(image_bytes), "")
        return self.continue_poem(image_bytes, opening=opening, **controls)

    def compose_or_error(
        self, image_bytes: tf.Tensor, **controls: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Writes poems for those photographs that can be decoded.

        Args:
            image_bytes: string `[B]`. Encoded pictures, some of them broken.
            **controls: As for `continue_at`, all but `opening`.

        Returns:
            As of `continue_at`, nothing (0, empty texts) in the rows of
            broken photographs, and `error` string `[B]`, empty in the others.
        """
        size = tf.size(image_bytes, out_type=tf.int64)
        rows, embedding = self.embed_readable(image_bytes)
        written = self.continue_at(
            embedding,
            opening=tf.fill(tf.shape(rows), ""),
            **{
                name: tf.gather(value, rows) for name, value in controls.items()
            },
        )
        outputs = {
            name: _spread(value, rows, size) for name, value in written.items()
        }
        is_written = _spread(tf.ones_like(rows, tf.bool), rows, size)
        return {**outputs, "error": tf.where(is_written, "", UNREADABLE)}

    def continue_poem(
        self, image_bytes: tf.Tensor, **controls: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Goes on from the first lines of poems.

        Args:
            image_bytes: string `[B]`. Encoded pictures.
            **controls: As for `continue_at`.

        Returns:
            As of `continue_at`.
        """
        return self.continue_at(self.embed_image(image_bytes), **controls)

    def continue_at(
        self, image_embedding: tf.Tensor, **controls: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Writes poems, or the rest of poems, for places in the joint space.

        Args:
            image_embedding: float `[B, K]`.
            **controls: `opening` string `[B]`, whole lines that the poem
                begins with, empty for none; `seed` int64 `[B]`;
                `temperature`, `top_p`, `guidance` float `[B]`; `lines` int32
                `[B]`, lines of the whole poem, 0 for as many as it wants;
                `num_candidates` int32 `[B]`, 1 to MAX_CANDIDATES; `banned`
                string `[B]`, words not to use, with blanks between.

        Returns:
            `poem` string `[B]`; `score`, `fit`, `fluency` float `[B]`, and
            `paired` and `poetic` where there are discriminators; `clues`
            string `[B, NUM_CLUES]`; and of all candidates, best first, filled
            up with empty ones: `candidates` string `[B, MAX_CANDIDATES]`,
            `candidate_score` and so on, float `[B, MAX_CANDIDATES]`. Fluency
            is that of what was written.
        """
        clue_ids = self.choose_clues(image_embedding)
        rows = self._write_rows(
            image_embedding=image_embedding,
            clue_ids=clue_ids,
            one_line=tf.zeros_like(controls["lines"], tf.bool),
            **controls,
        )
        candidates = {name: rows[name] for name in rows if "cand" in name}
        return {
            "poem": rows["candidates"][:, 0],
            **{name: rows[f"candidate_{name}"][:, 0] for name in self.scores},
            "clues": self.name_clues(clue_ids),
            **candidates,
        }

    def name_clues(self, clue_ids: tf.Tensor) -> tf.Tensor:
        """Gives the words of clues.

        Args:
            clue_ids: int `[B, NUM_CLUES]`.

        Returns:
            string `[B, NUM_CLUES]`.
        """
        return tf.gather(self._tokens, clue_ids)

    def next_line(
        self, poem: tf.Tensor, **controls: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Writes one line more; the poem so far is all that is remembered.

        Args:
            poem: string `[B]`. The lines so far, empty at first.
            **controls: `image_embedding` float `[B, K]` and `clue_ids` int
                `[B, C]` of the photographs; the others as for `continue_at`,
                all but `opening`. The same seed does for all lines of a poem.

        Returns:
            `line` string `[B]`, empty if `poem` has all its lines; `poem`
            string `[B]` with it; `finished` bool `[B]`, whether it is the
            last one; `score` float `[B]` of the poem with this line.
        """
        rows = self._write_rows(
            opening=poem, one_line=tf.fill(tf.shape(poem), True), **controls
        )
        return {
            "line": rows["line"],
            "poem": rows["candidates"][:, 0],
            "finished": rows["finished"],
            "score": rows["candidate_score"][:, 0],
        }

    @_share
    def _write_rows(self, **rows: tf.Tensor) -> dict[str, tf.Tensor]:
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
            start_view, step_view, self.embed_token_ids, self._judges.judge
        )

    def _write_row(self, networks, row) -> dict[str, tf.Tensor]:
        opening = self._read_opening(row["opening"])
        ranked = self._write_and_rank(networks, row, opening)
        written = ranked["token_ids"][:, tf.size(opening) :]
        texts = self._spell(written)
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
        token_ids = self._tokenizer.encode(text)
        is_written = tf.cast(tf.size(token_ids) > 0, tf.int32)
        return tf.concat(
            [token_ids, tf.fill([is_written], self._break)], axis=0
        )

    def _write_and_rank(self, networks, row, opening) -> dict[str, tf.Tensor]:
        num = tf.clip_by_value(row["num_candidates"], 1, MAX_CANDIDATES)
        breaks = tf.cast(opening == self._break, tf.int32)
        num_lines = tf.reduce_sum(breaks)
        options = self._options(row, num_lines)
        embedding = row["image_embedding"][None]
        words = tf.strings.split(tf.strings.lower(row["banned"], "utf-8"))
        token_ids, fluency = composer.write_candidates(
            networks,
            self._kinds,
            embedding,
            row["clue_ids"][None],
            composer.draw_uniform(row["seed"], num, num_lines),
            tf.reduce_any(self._tokens[:, None] == words, axis=1),
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

    def _options(self, row, num_lines) -> composer.Options:
        """How to write; a poem that may go on goes on by a line or more."""
        default, lines = self.options, row["lines"]
        least = tf.where(num_lines > 0, num_lines + 1, 0)
        min_lines = tf.maximum(least, default.min_lines)
        max_lines = tf.maximum(least, default.max_lines)
        return dataclasses.replace(
            default,
            temperature=row["temperature"],
            top_p=row["top_p"],
            guidance=row["guidance"],
            min_lines=tf.where(lines > 0, lines, min_lines),
            max_lines=tf.where(lines > 0, lines, max_lines),
        )

    def _spell(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Token ids `[N, T]` to poems string `[N]`."""
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


def _spread(value: tf.Tensor, rows: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Puts rows `[R, ...]` in their places among `size`, nothing elsewhere."""
    shape = tf.concat([[size], tf.shape(value, tf.int64)[1:]], axis=0)
    spread = tf.scatter_nd(rows[:, None], value, shape)
    return tf.ensure_shape(spread, [None, *value.shape[1:]])
