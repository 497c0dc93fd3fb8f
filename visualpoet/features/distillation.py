"""How far a small encoder is from the experts that it learns from."""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from visualpoet.features.experts import FEATURE_NAMES
from visualpoet.features.views import Views

Features = Mapping[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Distillation:
    """What an encoder loses against the features of the experts.

    Attributes:
        encoder: Learns.
        deviation: Expert name to float `[F]`, what features are divided by.
        tower: Features into the experts' joint space; None for no part in it.
    """

    encoder: keras.Model
    deviation: Mapping[str, np.ndarray]
    tower: Callable[[Features], tf.Tensor] | None = None

    def loss(self, batch: tuple[tf.Tensor, Features]) -> tf.Tensor:
        """Adds up distance and displacement.

        Args:
            batch: Pixels `[B, S, S, 3]`, and the experts' features of them.

        Returns:
            float scalar.
        """
        pixels, features = batch
        answers = self.encoder(tf.cast(pixels, tf.float32), training=True)
        distance = self._distance(answers, features)
        return distance + self._displacement(answers, features)

    def measure(self, views: Views) -> dict[str, float]:
        """Measures the encoder on all of some views.

        Args:
            views: The views.

        Returns:
            `distance` and `displacement`, means.
        """
        means = np.average(
            [self._measure(*block) for block in views.blocks()],
            axis=0,
            weights=[len(pixels) for pixels, _ in views.blocks()],
        )
        return dict(zip(("distance", "displacement"), means))

    def _measure(
        self, pixels: np.ndarray, features: Features
    ) -> tuple[float, float]:
        answers = self.encoder.predict(pixels, batch_size=128, verbose=0)
        return (
            float(self._distance(answers, features)),
            float(self._displacement(answers, features)),
        )

    def _distance(self, answers: Features, features: Features) -> tf.Tensor:
        """Mean squared error of standardised features."""
        errors = [
            tf.reduce_mean(
                ((answers[name] - features[name]) / self.deviation[name]) ** 2
            )
            for name in FEATURE_NAMES
        ]
        return tf.add_n(errors) / len(errors)

    def _displacement(
        self, answers: Features, features: Features
    ) -> tf.Tensor | float:
        """1 less the cosine of the places in the joint space."""
        if self.tower is None:
            return 0.0
        places = self.tower(answers), self.tower(features)
        return tf.reduce_mean(1.0 - tf.reduce_sum(places[0] * places[1], -1))
