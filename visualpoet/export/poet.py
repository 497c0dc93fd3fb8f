"""The whole poet in one graph: image bytes to poems, core TensorFlow only."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.embedding.encoders import ImageTower
from visualpoet.embedding.encoders import PoemTower
from visualpoet.features import images
from visualpoet.features.experts import ExpertEnsemble
from visualpoet.features.visual_encoder import ENCODER_SIZE
from visualpoet.features.visual_encoder import VisualEncoder
from visualpoet.generator import composer
from visualpoet.generator.composer import MAX_CANDIDATES
from visualpoet.generator.constraints import TokenKinds
from visualpoet.generator.poem_generator import PoemGenerator

NUM_CLUES = 6


class HalfStored(tf.Module):
    """Weights of a Keras model kept as float16, computed with as float32.

    Vectors (biases, statistics of normalisation) stay float32: they are small
    and may not fit float16.

    Args:
        model: The model.
        shared: Stored weights by Keras variable, so that models that share
            layers share what is stored.
    """

    def __init__(
        self, model: keras.Model, shared: dict[int, tf.Variable] | None = None
    ):
        super().__init__()
        # In a closure: as an attribute, the model and its float32 weights
        # would become part of the SavedModel.
        self._call = lambda *given: model.stateless_call(*given, training=False)
        shared = {} if shared is None else shared
        for variable in model.variables:
            shared.setdefault(id(variable), _store(variable))
        self.trainable = [shared[id(v)] for v in model.trainable_variables]
        self.fixed = [shared[id(v)] for v in model.non_trainable_variables]

    def read(self) -> Callable:
        """Reads the weights once.

        Returns:
            The model as a function of its inputs.
        """
        trainable = [_as_float(v) for v in self.trainable]
        fixed = [_as_float(v) for v in self.fixed]

        def apply(inputs):
            return self._call(trainable, fixed, inputs)[0]

        return apply


def _store(variable: keras.Variable) -> tf.Variable:
    value = tf.convert_to_tensor(variable)
    if value.dtype == tf.float32 and len(value.shape) > 1:
        value = tf.cast(value, tf.float16)
    return tf.Variable(value, trainable=False)


def _as_float(variable: tf.Variable) -> tf.Tensor:
    value = tf.convert_to_tensor(variable)
    return tf.cast(value, tf.float32) if value.dtype == tf.float16 else value


class EncoderFeatures(tf.Module):
    """The small visual encoder as a callable, half stored.

    Args:
        encoder: The encoder.
    """

    size = ENCODER_SIZE

    def __init__(self, encoder: VisualEncoder):
        super().__init__()
        self._encoder = HalfStored(encoder)

    def __call__(self, pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        """Computes the features.

        Args:
            pixels: float `[B, size, size, 3]` in [0, 255].

        Returns:
            `object`, `scene` and `sentiment`, each float `[B, F]`.
        """
        return self._encoder.read()(pixels)


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

    Raises:
        ValueError: If no word can be a clue.
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
    ):
        super().__init__()
        self._seer = seer
        self._image_tower = HalfStored(image_tower)
        self._poem_tower = HalfStored(poem_tower)
        shared: dict[int, tf.Variable] = {}
        self._start = HalfStored(generator.start_view, shared)
        self._step = HalfStored(generator.step_view, shared)
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
        self._clue_bias = tf.constant(clue_bias[usable], tf.float32)
        self._tokens = tf.constant(vocabulary.tokens)
        self._pieces = tf.constant(vocabulary.pieces())
        self._forms = tf.constant(vocabulary.forms())

    # --- photographs and poems into the joint space

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
        features = self._seer(tf.round(pixels))
        return self._image_tower.read()(features)

    def embed_poem(self, token_ids: tf.Tensor) -> tf.Tensor:
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
        number = min(NUM_CLUES, self._word_ids.shape[0])
        best = tf.math.top_k(similarity - self._clue_bias, number).indices
        return tf.gather(self._word_ids, best)

    # --- writing

    def compose(
        self,
        image_bytes: tf.Tensor,
        seed: tf.Tensor,
        temperature: tf.Tensor,
        top_p: tf.Tensor,
        guidance: tf.Tensor,
        lines: tf.Tensor,
        num_candidates: tf.Tensor,
        banned: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Writes poems; every argument has one value a photograph.

        Photographs are written for one after the other, so that no poem
        depends on the other photographs of a batch.

        Args:
            image_bytes: string `[B]`. Encoded pictures.
            seed: int64 `[B]`.
            temperature: float `[B]`.
            top_p: float `[B]`.
            guidance: float `[B]`.
            lines: int32 `[B]`. Lines of the poem; 0 for as many as it wants.
            num_candidates: int32 `[B]`, 1 to MAX_CANDIDATES.
            banned: string `[B]`. Words not to use, with blanks between.

        Returns:
            `poem` string `[B]`; `score`, `fit`, `fluency` float `[B]`;
            `clues` string `[B, NUM_CLUES]`; and of all candidates, best
            first, filled up with empty ones: `candidates` string
            `[B, MAX_CANDIDATES]`, `candidate_score`, `candidate_fit`,
            `candidate_fluency` float `[B, MAX_CANDIDATES]`.
        """
        embeddings = self.embed_image(image_bytes)
        clue_ids = self.choose_clues(embeddings)
        step, start = self._step.read(), self._start.read()
        networks = self._networks(start, step)
        row_spec = {
            "candidates": tf.TensorSpec([MAX_CANDIDATES], tf.string),
            "candidate_score": tf.TensorSpec([MAX_CANDIDATES], tf.float32),
            "candidate_fit": tf.TensorSpec([MAX_CANDIDATES], tf.float32),
            "candidate_fluency": tf.TensorSpec([MAX_CANDIDATES], tf.float32),
        }
        rows = tf.map_fn(
            lambda row: self._compose_row(networks, *row),
            (
                embeddings,
                clue_ids,
                seed,
                temperature,
                top_p,
                guidance,
                lines,
                num_candidates,
                banned,
            ),
            fn_output_signature=row_spec,
            parallel_iterations=2,
        )
        return {
            "poem": rows["candidates"][:, 0],
            "score": rows["candidate_score"][:, 0],
            "fit": rows["candidate_fit"][:, 0],
            "fluency": rows["candidate_fluency"][:, 0],
            "clues": tf.gather(self._tokens, clue_ids),
            **rows,
        }

    def _networks(self, start, step) -> composer.Networks:
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

        return composer.Networks(start_view, step_view, self.embed_poem)

    def _compose_row(
        self,
        networks,
        embedding,
        clue_ids,
        seed,
        temperature,
        top_p,
        guidance,
        lines,
        num_candidates,
        banned,
    ) -> dict[str, tf.Tensor]:
        default = self.options
        options = composer.Options(
            temperature=temperature,
            top_p=top_p,
            guidance=guidance,
            min_lines=tf.where(lines > 0, lines, default.min_lines),
            max_lines=tf.where(lines > 0, lines, default.max_lines),
            min_words=default.min_words,
            max_words=default.max_words,
            penalty=default.penalty,
            fluency_weight=default.fluency_weight,
        )
        num_candidates = tf.clip_by_value(num_candidates, 1, MAX_CANDIDATES)
        words = tf.strings.split(tf.strings.lower(banned, "utf-8"))
        token_ids, fluency = composer.write_candidates(
            networks,
            self._kinds,
            embedding[None],
            clue_ids[None],
            composer.draw_uniform(seed, num_candidates),
            tf.reduce_any(self._tokens[:, None] == words, axis=1),
            options,
        )
        ranked = composer.rank_candidates(
            networks, embedding[None], token_ids, fluency, options
        )
        missing = MAX_CANDIDATES - num_candidates
        poems = self._write(ranked["token_ids"])
        return {
            "candidates": tf.pad(poems, [[0, missing]]),
            "candidate_score": tf.pad(ranked["score"], [[0, missing]]),
            "candidate_fit": tf.pad(ranked["fit"], [[0, missing]]),
            "candidate_fluency": tf.pad(ranked["fluency"], [[0, missing]]),
        }

    def _write(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Token ids `[N, T]` to poems string `[N]`."""
        before = tf.pad(token_ids, [[0, 0], [1, 0]], constant_values=START)
        form = tf.gather(self._forms, before[:, :-1])
        pieces = tf.gather_nd(self._pieces, tf.stack([form, token_ids], -1))
        written = (token_ids > UNKNOWN) & (token_ids != END)
        pieces = tf.where(written, pieces, "")
        return tf.strings.strip(tf.strings.reduce_join(pieces, axis=1))
