"""What readers would keep beside a photograph, learnt from their grades."""

import pathlib
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
import tokenizers

from visualpoet.corpus.records import Photograph
from visualpoet.evaluation.cross_encoder import CrossEncoder

FILES = MODEL_FILE, TOKENIZER_FILE = "reader.keras", "tokenizer.json"
MAX_TOKENS = 96  # of what is said and the haiku; the former is cut
_BATCH_SIZE = 256


def describe(photograph: Photograph) -> str:
    """Says what a reader is shown of a photograph.

    Args:
        photograph: The photograph.

    Returns:
        Two captions of five, the second longest first and the second
        shortest; without captions its class.
    """
    captions = sorted(photograph.captions, key=len)
    chosen = captions[1::2][1::-1] or captions or [photograph.label]
    return ". ".join(text.rstrip(" .") for text in chosen)


class Reader:
    """Grades haiku beside what is said of their photographs.

    Attributes:
        encoder: What it reads with.
        tokenizer: That of the encoder.
        read: What `pair` prepares to grades, float `[N, num_grades]`.
    """

    def __init__(
        self, encoder: CrossEncoder, tokenizer: tokenizers.Tokenizer
    ) -> None:
        tokenizer.enable_truncation(MAX_TOKENS, strategy="only_first")
        tokenizer.enable_padding()
        self.encoder, self.tokenizer = encoder, tokenizer
        ids = tf.TensorSpec([None, None], tf.int32)
        self.read = tf.function(
            lambda pairs: encoder(pairs, training=False),
            input_signature=[{"token_ids": ids, "segment_ids": ids}],
        )

    def pair(
        self, shown: Sequence[str], poems: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Prepares what the encoder is given.

        Args:
            shown: What is said of each photograph, as of `describe`.
            poems: A haiku for each.

        Returns:
            `token_ids` and `segment_ids`, int32 `[N, T]`.
        """
        texts = [poem.lower().replace("\n", " / ") for poem in poems]
        pairs = self.tokenizer.encode_batch(list(zip(shown, texts)))
        return {
            "token_ids": np.array([pair.ids for pair in pairs], np.int32),
            "segment_ids": np.array([p.type_ids for p in pairs], np.int32),
        }

    def grade(self, shown: Sequence[str], poems: Sequence[str]) -> np.ndarray:
        """Grades haiku.

        Args:
            shown: What is said of each photograph.
            poems: A haiku for each.

        Returns:
            float32 `[N]`, in standard deviations of a reader's grades. Of two
            haiku for one photograph they tell which is kept; what they are
            beside those for another one is not learnt.
        """
        order = np.argsort([len(a) + len(b) for a, b in zip(shown, poems)])
        grades = np.zeros(len(order), np.float32)
        for start in range(0, len(order), _BATCH_SIZE):
            rows = order[start : start + _BATCH_SIZE]
            pairs = self.pair(
                [shown[i] for i in rows], [poems[i] for i in rows]
            )
            grades[rows] = self.read(pairs)[:, 0]
        return grades

    def save(self, folder: pathlib.Path) -> None:
        """Writes the reader.

        Args:
            folder: Where to; it must be there.
        """
        self.encoder.save(folder / MODEL_FILE)
        self.tokenizer.save(str(folder / TOKENIZER_FILE))


def load_reader(folder: pathlib.Path) -> Reader:
    """Loads what `recipes/train_reader.py` saved.

    Args:
        folder: Its run directory.

    Returns:
        The reader.

    Raises:
        FileNotFoundError: If there is none.
    """
    if not (folder / MODEL_FILE).exists():
        raise FileNotFoundError(
            f"expected {MODEL_FILE} in the folder. Received: {folder}; run "
            "recipes/train_reader.py first"
        )
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    return Reader(keras.saving.load_model(folder / MODEL_FILE), tokenizer)
