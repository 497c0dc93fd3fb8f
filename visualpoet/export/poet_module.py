"""The whole poet in one graph: image bytes to poems, core TensorFlow only.

Every tensor has one row a photograph.
"""

import functools
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from visualpoet.control import MAX_TEXT_BYTES
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import PAD
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.embedding.clues import ClueHead
from visualpoet.embedding.encoders import ImageTower
from visualpoet.embedding.encoders import PoemTower
from visualpoet.export.candidate_scores import CandidateScores
from visualpoet.export.candidate_writer import CandidateWriter
from visualpoet.export.stored_weights import EncoderFeatures
from visualpoet.export.stored_weights import StoredWeight
from visualpoet.export.stored_weights import StoredWeights
from visualpoet.features import images
from visualpoet.features.experts import ExpertEnsemble
from visualpoet.generator import composer
from visualpoet.generator.common_lines import CommonLines
from visualpoet.generator.known_phrases import KnownPhrases
from visualpoet.generator.known_runs import KnownRuns
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.ranking import measure_clue_share
from visualpoet.generator.reader_head import ReaderHead
from visualpoet.generator.token_kinds import TokenKinds

MAX_JUDGED = 1024  # tokens of a poem that is embedded or scored
UNREADABLE = (
    "expected a JPEG, PNG, GIF, BMP or WebP picture. Received: bytes that are "
    "none, or a part of one"
)


def _share(method: Callable) -> Callable:
    """Traces a method once for all signatures: smaller files, quicker to load.

    As an attribute of the module, a `tf.function` would be stored once more.
    """
    function = tf.function(method, autograph=False)

    @functools.wraps(method)
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        return function(self, *arguments, **named)

    return call


class PoetModule(tf.Module):
    """Photograph to poem.

    Args:
        visual_encoder: Computes the features of pixels: the small encoder, or
            the experts.
        image_tower: Its features into the joint space.
        poem_tower: Poems into the joint space.
        generator: Writes.
        vocabulary: Of poem tower and generator.
        clue_head: Finds the poetic clues.
        kinds: Sorts of tokens.
        options: How it writes poems of each form, the default one first; the
            form "" of a generator that has learnt none.
        discriminators: `paired`, the multi-modal one, and `poetic`, the
            poem-style one, whose probabilities of these classes help to rank;
            or none.
        known_runs: What poems should not recite; None to let them.
        common_lines: What too many poems have; None to let them.
        known_phrases: What people have said; None to let poems say anything.
        reader_head: What readers would grade; None not to ask.
    """

    def __init__(
        self,
        visual_encoder: EncoderFeatures | ExpertEnsemble,
        image_tower: ImageTower,
        poem_tower: PoemTower,
        generator: PoemGenerator,
        vocabulary: Vocabulary,
        clue_head: ClueHead,
        kinds: TokenKinds,
        options: Mapping[str, composer.DecodingOptions],
        discriminators: dict[str, keras.Model] | None = None,
        known_runs: KnownRuns | None = None,
        common_lines: CommonLines | None = None,
        known_phrases: KnownPhrases | None = None,
        reader_head: ReaderHead | None = None,
    ):
        super().__init__()
        self._visual_encoder = visual_encoder
        self._image_tower = StoredWeights(image_tower)
        shared: dict[int, StoredWeight] = {}
        self._poem_tower = StoredWeights(poem_tower, shared)
        minds_repetition = any(o.repetition_weight for o in options.values())
        self._candidate_scores = CandidateScores(
            discriminators or {},
            poem_tower,
            shared,
            known_runs,
            common_lines,
            known_phrases,
            kinds if minds_repetition else None,
        )
        stored_generator = StoredWeights(generator, shared)
        stored_head = reader_head and StoredWeights(reader_head)
        self._writer = CandidateWriter(
            generator,
            vocabulary,
            kinds,
            options,
            self._poem_tower,
            self._candidate_scores,
            shared,
            stored_head,
        )
        self.scores = self._writer.scores
        self.embedding_dim = poem_tower.embedding_dim
        self.options = options
        self._clue_head = StoredWeights(clue_head)
        stored = (
            self._visual_encoder,
            self._image_tower,
            self._poem_tower,
            self._clue_head,
            stored_generator,
            stored_head,
            *self._candidate_scores.models,
        )
        # As `presets` reads them back; experts are not ours to train.
        self.models = {
            model.name: model
            for model in stored
            if isinstance(model, StoredWeights)
        }
        self._choose_by = clue_head.choose_by
        self.num_clues = clue_head.num_clues

    # --- photographs and poems into the joint space

    @_share
    def embed_image(self, image_bytes: tf.Tensor) -> tf.Tensor:
        """Embeds photographs.

        Args:
            image_bytes: string `[B]`. Encoded pictures.

        Returns:
            float `[B, K]`, unit length.
        """
        size = self._visual_encoder.size
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
        is_read, pixels = images.load_readable(
            image_bytes, self._visual_encoder.size
        )
        rows = tf.where(is_read)[:, 0]
        # Of all rows: some kernels of the networks refuse an empty batch.
        return rows, tf.gather(self._embed_pixels(pixels), rows)

    def _embed_pixels(self, pixels: tf.Tensor) -> tf.Tensor:
        """Row by row: products of several rows may round in another way."""
        encode, tower = self._visual_encoder.read(), self._image_tower.read()
        return tf.map_fn(
            lambda one: tower(encode(tf.round(one[None])))[0],
            pixels,
            fn_output_signature=tf.TensorSpec([self.embedding_dim]),
        )

    def embed_poem(self, poem: tf.Tensor) -> tf.Tensor:
        """Embeds poems.

        Args:
            poem: string `[B]`. The first `MAX_JUDGED` tokens of each count.

        Returns:
            float `[B, K]`, unit length.
        """
        return self.embed_token_ids(self._encode(poem))

    def _encode(self, poem: tf.Tensor) -> tf.Tensor:
        """The first token ids `[B, T]`: each takes a vector of memory."""
        length = tf.fill(tf.shape(poem), MAX_TEXT_BYTES)
        begin = tf.strings.substr(poem, tf.zeros_like(length), length)
        return self._writer.tokenizer.encode_batch(begin)[:, :MAX_JUDGED]

    def embed_token_ids(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Embeds poems.

        Args:
            token_ids: int `[B, T]`, padded with 0.

        Returns:
            float `[B, K]`, unit length.
        """
        return self._poem_tower.read()(token_ids)

    def choose_clues(self, image_embedding: tf.Tensor) -> tf.Tensor:
        """Finds the poetic clues: the words that photographs call for.

        Args:
            image_embedding: float `[B, K]`.

        Returns:
            int `[B, NUM_CLUES]`, the best first; fewer if there are not as
            many words that can be clues.
        """
        # A row more: the product of a single one may round in another way.
        places = tf.pad(image_embedding, [[0, 1], [0, 0]])
        scores = self._clue_head.read()(places)[:-1]
        return self._choose_by(scores)

    def match(
        self, image_bytes: tf.Tensor, poem: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Scores poems as candidates are scored.

        Args:
            image_bytes: string `[B]`. Encoded pictures.
            poem: string `[B]`. Anybody's poems; the first `MAX_JUDGED` tokens
                of each count, for fluency and merit, which are of the default
                form, the last `MAX_READ`.

        Returns:
            `fit`, `fluency`, `clue_share`, float `[B]`, `merit` where there is
            a reader head, `paired` and `poetic` where discriminators, `copied`
            where known runs or phrases, `common` where common lines, `novelty`
            where known phrases, `repetition` where a form minds it. A word
            that the poet does not know counts for fluency and merit as an
            unknown one, for fit not at all.
        """
        place = self.embed_image(image_bytes)
        token_ids = self._encode(poem)
        return {
            "fit": tf.reduce_sum(place * self.embed_token_ids(token_ids), 1),
            **self._writer.measure_gains(poem),
            "clue_share": measure_clue_share(
                token_ids, self.choose_clues(place)
            ),
            **self._candidate_scores.read()(
                _end_poems(token_ids),
                place,
                tf.zeros(tf.shape(token_ids)[:1], tf.int32),
            ),
        }

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
        """Continues poems from their first lines.

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
            **controls: As for `CandidateWriter.write_rows`, all but `clue_ids`
                and `one_line`.

        Returns:
            `poem` string `[B]`; `score`, `fit`, `fluency`, `clue_share` float
            `[B]`, and the other scores as `match` has them;
            `clues` string `[B, NUM_CLUES]`; and of all candidates, best first,
            filled up with empty ones: `candidates` string
            `[B, MAX_CANDIDATES]`, `candidate_score` and so on, float
            `[B, MAX_CANDIDATES]`. Fluency and what is behind `clue_share` are
            of what was written.
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
        """Returns the words of clues.

        Args:
            clue_ids: int `[B, NUM_CLUES]`.

        Returns:
            string `[B, NUM_CLUES]`.
        """
        return tf.gather(self._writer.tokens, clue_ids)

    def next_line(
        self, poem: tf.Tensor, clue_ids: tf.Tensor, **controls: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Writes one line more; the poem so far is all that is remembered.

        Args:
            poem: string `[B]`. The lines so far, empty at first.
            clue_ids: int `[B, C]`. Of the photographs; those that no token
                has count nothing, as 0.
            **controls: `image_embedding` float `[B, K]` of the photographs;
                the others as for `continue_at`, all but `opening`. The same
                seed does for all lines of a poem.

        Returns:
            `line` string `[B]`, empty if `poem` has all its lines; `poem`
            string `[B]` with it; `finished` bool `[B]`, whether it is the
            last one; `score` float `[B]` of the poem with this line.
        """
        is_token = (clue_ids > 0) & (clue_ids < tf.size(self._writer.tokens))
        rows = self._write_rows(
            opening=poem,
            clue_ids=tf.where(is_token, clue_ids, 0),
            one_line=tf.fill(tf.shape(poem), True),
            **controls,
        )
        return {
            "line": rows["line"],
            "poem": rows["candidates"][:, 0],
            "finished": rows["finished"],
            "score": rows["candidate_score"][:, 0],
        }

    @_share
    def _write_rows(self, **rows: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._writer.write_rows(**rows)


def _spread(value: tf.Tensor, rows: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Puts rows `[R, ...]` in their places among `size`, nothing elsewhere."""
    shape = tf.concat([[size], tf.shape(value, tf.int64)[1:]], axis=0)
    spread = tf.scatter_nd(rows[:, None], value, shape)
    return tf.ensure_shape(spread, [None, *value.shape[1:]])


def _end_poems(token_ids: tf.Tensor) -> tf.Tensor:
    """END behind each poem `[B, T]`, as candidates have it, but cut ones."""
    length = tf.math.count_nonzero(token_ids, axis=1, dtype=tf.int32)
    end = tf.where(length < MAX_JUDGED, END, PAD)
    place = tf.range(tf.shape(token_ids)[1] + 1) == length[:, None]
    padded = tf.pad(token_ids, [[0, 0], [0, 1]])
    return tf.where(place, tf.cast(end, padded.dtype)[:, None], padded)
