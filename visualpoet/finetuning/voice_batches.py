"""What a voice is trained against: poems of its corpus, and their places."""

import numpy as np
import tensorflow as tf

from visualpoet.corpus import datasets
from visualpoet.corpus.negatives import Disordered
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.discriminators.material import Material
from visualpoet.discriminators.material import PairDraws
from visualpoet.finetuning.base import PoetParts
from visualpoet.finetuning.options import Options
from visualpoet.generator import examples
from visualpoet.generator.examples import ConditioningDropout
from visualpoet.generator.examples import Examples
from visualpoet.generator.generator_inputs import take_rows

SHOWN = 8


class VoiceBatches:
    """Draws poems of a corpus with places that they may be written for.

    A `visualpoet.adversarial.batches.BatchSource`.

    Attributes:
        vocabulary: Of the voice.
        poems: What it learns from.
        max_tokens: Of the longest poem.
        photograph_spec: Inputs of the generator's `start_view`, without batch.
        material: Texts of human hand for the discriminator.
        held_material: Held-out ones.
        held_photographs: Inputs of the generator for held-out poems.
        num_held: How many they are.
        draws: Nothing stands beside a photograph unpaired.
        shown: Names of the held-out places to write for each time.
        shown_photographs: Inputs of the generator for them.

    Args:
        poet: The voice.
        poems: What it learns from.
        held: Held-out poems.
        conditioning: Shows all of their places.
        options: The options.

    Raises:
        ValueError: If no poem has known words alone and its end.
    """

    draws = PairDraws()

    def __init__(
        self,
        poet: PoetParts,
        poems: Examples,
        held: Examples,
        conditioning: ConditioningDropout,
        options: Options,
    ):
        self.vocabulary = poet.vocabulary
        self.max_tokens = max(map(len, poems.token_ids))
        self.poems, self._conditioning = poems, conditioning
        self._inputs = sorted(poet.generator.start_view.input)
        self._size, self._seed = options.batch_size, options.seed
        spec = examples.element_spec(
            poet.generator.image_dim, conditioning.num_clues
        )
        self.photograph_spec = {
            name: tf.TensorSpec(spec[name].shape[1:], spec[name].dtype)
            for name in self._inputs
        }
        self.material = self._gather(poems)
        self.held_material = self._gather(held, any_word=True)
        self.held_photographs, _ = self.place(
            held, np.arange(len(held.token_ids)), np.random.default_rng(0)
        )
        self.num_held = len(held.token_ids)
        count = min(SHOWN, self.num_held)
        self.shown = [f"held_{number}" for number in range(count)]
        self.shown_photographs = take_rows(
            self.held_photographs, np.arange(count)
        )

    def _gather(self, poems: Examples, any_word: bool = False) -> Material:
        """Texts of human hand, but those that would tell of it.

        What is cut has no end. Unknown words are seldom written by a voice, so
        that a policy would be paid for writing them; held-out poems may have
        them, if all of them do.
        """
        whole = [
            ids[1:-1]
            for ids in poems.token_ids
            if ids[-1] == END and len(ids) <= self.max_tokens
        ]
        known = [ids for ids in whole if UNKNOWN not in ids]
        token_ids = known or (whole if any_word else [])
        if not token_ids:
            raise ValueError(
                "expected poems to train against, among those for training "
                "and for validation. Received: none without unknown words and "
                f"with its end within {self.max_tokens} tokens; raise "
                "--max-tokens, or --min-count 1 adds every word of the poems"
            )
        line_break = self.vocabulary.line_break
        return Material(
            image_embeddings=poems.image_embeddings,
            pair_poems=[],
            pair_images=np.zeros([0], int),
            captions={},
            poems=token_ids,
            paragraphs=[],
            disordered=Disordered(token_ids, line_break),
            is_word=self.vocabulary.is_word(),
            line_break=line_break,
            max_tokens=self.max_tokens,
        )

    def place(
        self, poems: Examples, chosen: np.ndarray, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Draws places that some poems may be written for.

        Args:
            poems: The poems.
            chosen: int `[B]`; which of them.
            rng: Where the draws come from.

        Returns:
            Inputs of the generator's `start_view`, and the poems int32
            `[B, max_tokens]`.
        """
        batch = examples.make_batch(poems, chosen, self._conditioning, rng)
        token_ids = datasets.pad_token_ids(
            [poems.token_ids[index] for index in chosen], self.max_tokens
        )
        missing = self.max_tokens - token_ids.shape[1]
        photograph = {name: batch[name] for name in self._inputs}
        return photograph, np.pad(token_ids, [(0, 0), (0, missing)])

    def draw(self, step: int) -> dict[str, dict[str, np.ndarray]]:
        """Draws the batch of a step, as a `BatchSource` does."""
        rng = np.random.default_rng((self._seed, 3, step))
        size = self._size
        chosen = rng.integers(len(self.poems.token_ids), size=size)
        photograph, token_ids = self.place(self.poems, chosen, rng)
        return {
            "photograph": photograph,
            "texts": self.material.style_batch(size, rng),
            "teacher": {**photograph, "token_ids": token_ids},
        }
