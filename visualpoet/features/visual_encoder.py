"""One small CNN with three heads, distilled from the three experts."""

from typing import Any

import keras

from visualpoet.features.experts import FEATURE_NAMES
from visualpoet.presets import PresetModel


def _convolve(
    x: keras.KerasTensor,
    name: str,
    filters: int,
    kernel_size: int = 3,
    strides: int = 1,
    activation: str = "relu",
    gamma: str = "ones",
) -> keras.KerasTensor:
    x = keras.layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same",
        use_bias=False,
        name=name,
    )(x)
    x = keras.layers.BatchNormalization(
        gamma_initializer=gamma, name=f"normalize_{name}"
    )(x)
    return keras.layers.Activation(activation)(x)


def _residual(
    x: keras.KerasTensor,
    name: str,
    filters: int,
    strides: int = 1,
    gamma: str = "ones",
) -> keras.KerasTensor:
    y = _convolve(x, f"{name}_first", filters, strides=strides)
    y = _convolve(
        y, f"{name}_second", filters, activation="linear", gamma=gamma
    )
    if strides > 1:
        x = keras.layers.AveragePooling2D(strides)(x)
    if x.shape[-1] != filters:
        x = _convolve(x, f"{name}_shortcut", filters, 1, activation="linear")
    return keras.layers.Activation("relu")(keras.layers.Add()([x, y]))


@keras.saving.register_keras_serializable("visualpoet")
class VisualEncoder(PresetModel):
    """A residual CNN that answers as the three experts do.

    Plain 3 x 3 convolutions: on a CPU they train and run faster than the
    depthwise ones of mobile networks with as many parameters.

    Args:
        feature_dims: Width of the `object`, `scene` and `sentiment` features.
        filters: Filters of each stage; every stage but the last halves the
            picture.
        depths: Residual blocks of each stage; one of each by default.
        trunk_dim: Width of the pooled trunk.
        image_size: Side of the pictures in pixels.

    Call arguments: float `[B, image_size, image_size, 3]` in [0, 255]; returns
    dict of `object`, `scene`, `sentiment`, each float `[B, F]`.

    Raises:
        ValueError: If depths are not one or more of each stage, or the side
            cannot be halved that often.

    Example:
        >>> encoder = VisualEncoder(
        ...     {"object": 8, "scene": 6, "sentiment": 4},
        ...     filters=(4, 8), depths=(1, 1), image_size=64,
        ... )
        >>> encoder(keras.ops.zeros([1, 64, 64, 3]))["scene"].shape
        TensorShape([1, 6])
    """

    def __init__(
        self,
        feature_dims: dict[str, int],
        filters: tuple[int, ...] = (48, 96, 176, 256),
        depths: tuple[int, ...] | None = None,
        trunk_dim: int = 512,
        image_size: int = 128,
        **kwargs: Any,
    ) -> None:
        if depths is None:
            depths = (1,) * len(filters)
        if len(depths) != len(filters) or min(depths) < 1:
            raise ValueError(
                f"expected {len(filters)} depths of 1 or more, as many as "
                f"there are filters. Received: {tuple(depths)}"
            )
        if image_size < 1 or image_size % 2 ** len(filters):
            raise ValueError(
                "expected an image_size that is a multiple of "
                f"{2 ** len(filters)}. Received: {image_size}"
            )

        # === Functional model ===
        pixels = keras.Input([image_size, image_size, 3], name="pixels")
        x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
        x = _convolve(x, "stem", 32, strides=2)
        for stage, (number, depth) in enumerate(zip(filters, depths)):
            strides = 1 if stage == len(filters) - 1 else 2
            x = _residual(x, f"stage{stage}", number, strides)
            for block in range(1, depth):
                # It changes nothing before it is trained (Goyal et al. 2017).
                name = f"stage{stage}_block{block}"
                x = _residual(x, name, number, gamma="zeros")
        x = _convolve(x, "widen", trunk_dim, 1)
        x = keras.layers.GlobalAveragePooling2D(dtype="float32", name="trunk")(
            x
        )
        heads = {
            name: keras.layers.Dense(
                feature_dims[name], dtype="float32", name=name
            )(x)
            for name in FEATURE_NAMES
        }
        super().__init__(inputs=pixels, outputs=heads, **kwargs)

        # === Config ===
        self.feature_dims = feature_dims
        self.filters = filters
        self.depths = depths
        self.trunk_dim = trunk_dim
        self.image_size = image_size

    def get_config(self) -> dict:
        return {
            "feature_dims": self.feature_dims,
            "filters": self.filters,
            "depths": self.depths,
            "trunk_dim": self.trunk_dim,
            "image_size": self.image_size,
        }
