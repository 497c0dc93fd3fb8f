"""The experts: CNNs named by TF-Hub handles, and the sentiment expert.

Source: liu18, "Image features" (object, scene and sentiment CNNs, the
activations before the last layer). The object and scene networks come from
handles; the sentiment network is trained by `recipes/train_expert.py` on top
of them.
"""

import hashlib
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visualpoet import extras

EXPERT_SIZE = 224
FEATURE_NAMES = ("object", "scene", "sentiment")
SENTIMENT_FILE = "sentiment/sentiment.keras"


def _load(handle: str) -> Any:
    with extras.needs("train"):
        import tensorflow_hub as hub  # for handles alone
    return hub.load(handle)


def load_expert(handle: str) -> tf.types.experimental.GenericFunction:
    """Loads a CNN from a TF-Hub handle.

    Args:
        handle: A SavedModel folder, or the `https://` URL of one in a
            compressed archive. Calling what it holds must map float
            `[batch, 224, 224, 3]` in [0, 1] to features `[batch, F]`.

    Returns:
        A callable from pictures to features.

    Raises:
        ValueError: If nothing can be loaded from the handle.
        ModuleNotFoundError: If tensorflow-hub is not installed.
    """
    try:
        module = _load(handle)
    except ModuleNotFoundError:
        raise
    except Exception as error:
        raise ValueError(
            "expected an expert handle that tensorflow_hub can load (a "
            "SavedModel folder, or the https URL of one in an archive). "
            f"Received: {handle!r} ({type(error).__name__}: {error})"
        ) from error
    return tf.function(module, reduce_retracing=True)


def expert_digest(handle: str) -> str:
    """Names an expert by content where it is local, by handle elsewhere.

    Args:
        handle: As for `load_expert`.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    folder = pathlib.Path(handle)
    if not folder.exists():
        digest.update(handle.encode())
    for path in sorted(p for p in [folder, *folder.rglob("*")] if p.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@keras.saving.register_keras_serializable("visualpoet")
class SentimentExpert(keras.Model):
    """Sentiment words of a photograph from its object and scene features.

    The paper fine-tunes a whole CNN; here the convolutions of the object and
    scene experts are shared and only these layers are trained, so that a third
    network costs nothing at run time.

    Args:
        object_dim: Width of the object features.
        scene_dim: Width of the scene features.
        hidden_dim: Width of the penultimate layer, the sentiment features.
        num_words: Sentiment words to recognise.

    Call arguments: dict of `object` `[B, object_dim]` and `scene`
    `[B, scene_dim]`; returns dict of `sentiment` `[B, hidden_dim]` (after
    ReLU) and `logits` `[B, num_words]`.

    Example:
        >>> expert = SentimentExpert(
        ...     object_dim=8, scene_dim=6, hidden_dim=4, num_words=3
        ... )
        >>> features = {"object": np.ones([2, 8]), "scene": np.ones([2, 6])}
        >>> outputs = expert(features)
        >>> outputs["sentiment"].shape, outputs["logits"].shape
        (TensorShape([2, 4]), TensorShape([2, 3]))
    """

    def __init__(
        self,
        object_dim: int,
        scene_dim: int,
        hidden_dim: int,
        num_words: int,
        **kwargs: Any,
    ) -> None:
        # === Layers ===
        normalize = keras.layers.BatchNormalization(name="normalize")
        drop_input = keras.layers.Dropout(0.3, name="drop_input")
        hidden = keras.layers.Dense(
            hidden_dim, activation="relu", name="sentiment"
        )
        drop_hidden = keras.layers.Dropout(0.3, name="drop_hidden")
        words = keras.layers.Dense(num_words, name="words")

        # === Functional model ===
        inputs = {
            "object": keras.Input([object_dim], name="object"),
            "scene": keras.Input([scene_dim], name="scene"),
        }
        x = keras.ops.concatenate([inputs["object"], inputs["scene"]], axis=-1)
        features = hidden(drop_input(normalize(x)))
        logits = words(drop_hidden(features))
        super().__init__(
            inputs=inputs,
            outputs={"sentiment": features, "logits": logits},
            **kwargs,
        )

        # === Config ===
        self.object_dim = object_dim
        self.scene_dim = scene_dim
        self.hidden_dim = hidden_dim
        self.num_words = num_words

    def get_config(self) -> dict:
        return {
            "object_dim": self.object_dim,
            "scene_dim": self.scene_dim,
            "hidden_dim": self.hidden_dim,
            "num_words": self.num_words,
        }


def concatenate_features(features: dict[str, np.ndarray]) -> np.ndarray:
    """Joins the features in the order of the paper's equation.

    Args:
        features: `object`, `scene` and `sentiment`, each `[B, F]`.

    Returns:
        float `[B, sum of F]`.
    """
    return np.concatenate([features[name] for name in FEATURE_NAMES], axis=-1)


class ExpertEnsemble(tf.Module):
    """The three experts as one callable, in place of the small encoder.

    Args:
        handles: TF-Hub handles of `object` and `scene`.
        sentiment_expert: The sentiment expert.
    """

    size = EXPERT_SIZE

    def __init__(
        self, handles: dict[str, str], sentiment_expert: SentimentExpert
    ):
        super().__init__()
        self._cnns = {name: _load(h) for name, h in handles.items()}
        self._sentiment_expert = sentiment_expert

    def read(self) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
        """Returns itself, as a small encoder returns its weights read."""
        return self

    def __call__(self, pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        """Computes the features.

        Args:
            pixels: float `[B, 224, 224, 3]` in [0, 255].

        Returns:
            `object`, `scene` and `sentiment`, each float `[B, F]`.
        """
        features = {
            name: cnn(pixels / 255.0) for name, cnn in self._cnns.items()
        }
        outputs = self._sentiment_expert(features)
        return {**features, "sentiment": outputs["sentiment"]}
