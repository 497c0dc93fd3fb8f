"""Render the pictures that the README and the smoke test use.

    python recipes/render_pictures.py --run-dir out/pictures

Everything is drawn here from random numbers; no photograph is involved. With
`--size 300` it draws those that the page offers to try (visualpoet/serve/web).
"""

import dataclasses
import pathlib

import numpy as np
from PIL import Image
from PIL import ImageFilter

from visualpoet import run_options
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Render the pictures that the README and the smoke test use."""

    run_dir: pathlib.Path = option(pathlib.Path("out/pictures"), "output")
    size: int = option(480, "height in pixels; the width is 4/3 of it")
    count: int = option(1, "pictures of each kind")
    seed: int = option(0, "of what is drawn")


def _blend(top, bottom, height: int, width: int) -> np.ndarray:
    share = np.linspace(0, 1, height)[:, None, None]
    rows = (1 - share) * np.array(top) + share * np.array(bottom)
    return np.repeat(rows, width, axis=1)


def _ridge(rng, width: int, base: float, rough: float) -> np.ndarray:
    """Heights of a skyline, by adding waves of halving length."""
    x = np.linspace(0, 2 * np.pi, width)
    line = np.full(width, base)
    for octave in range(1, 8):
        phase = rng.uniform(0, 2 * np.pi)
        line += rough / octave**1.3 * np.sin(octave * 1.7 * x + phase)
    return line


def _clouds(rng, height: int, width: int) -> np.ndarray:
    total = np.zeros([height, width])
    for scale in (4, 8, 16, 32, 64):
        noise = rng.random([scale, scale * 2]) * 255
        layer = Image.fromarray(noise.astype(np.uint8))
        layer = layer.resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(layer) / 255 / scale**0.6
    total -= total.min()
    return (total / total.max())[..., None]


def _disc(picture, centre, radius, colour, glow) -> None:
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - centre[0], x - centre[1])[..., None]
    light = np.exp(-np.maximum(distance - radius, 0) / (radius * glow))
    picture += (np.array(colour) - picture) * np.clip(light, 0, 1)


def _fill_below(picture, line, colour) -> None:
    rows = np.arange(len(picture))[:, None]
    mask = (rows > line[None, :])[..., None]
    depth = np.clip((rows - line[None, :]) / len(picture), 0, 1)[..., None]
    shaded = np.array(colour) * (1 - 0.5 * depth)
    picture[:] = np.where(mask, shaded, picture)


def _sea(rng, height, width) -> np.ndarray:
    picture = _blend((60, 70, 130), (250, 160, 90), height, width)
    clouds = _clouds(rng, height, width)
    picture += 60 * (clouds - 0.5)
    horizon = int(height * 0.55)
    sun = width * rng.uniform(0.3, 0.7)
    _disc(
        picture,
        (horizon - height * 0.1, sun),
        height / 16,
        (255, 240, 190),
        1.5,
    )
    water = picture[:horizon][::-1][: height - horizon] * (0.55, 0.6, 0.75)
    waves = _clouds(rng, height * 6, width)[::6][: len(water)]
    picture[horizon : horizon + len(water)] = water + 50 * (waves - 0.5)
    picture[horizon + len(water) :] = (50, 50, 80)
    return picture


def _mountain(rng, height, width) -> np.ndarray:
    picture = _blend((90, 140, 210), (220, 230, 240), height, width)
    picture += 50 * (_clouds(rng, height, width) - 0.4)
    ridge = _ridge(rng, width, height * 0.42, height * 0.13)
    ridge += rng.normal(0, 1.5, width).cumsum() * 0.4
    _fill_below(picture, ridge, (95, 100, 120))
    snow = _ridge(rng, width, height * 0.1, height * 0.05)
    rows = np.arange(height)[:, None]
    rough = rng.normal(0, height * 0.015, [height, width])
    is_snow = (rows > ridge) & (rows < ridge + snow + rough)
    picture[is_snow] = (240, 244, 250)
    _fill_below(picture, _ridge(rng, width, height * 0.8, 12), (40, 70, 50))
    return picture


def _forest(rng, height, width) -> np.ndarray:
    picture = _blend((190, 210, 170), (60, 90, 50), height, width)
    picture += 60 * (_clouds(rng, height, width) - 0.5)
    for layer in range(4):
        shade = 1.1 - 0.22 * layer
        foot = height * (0.7 + 0.08 * layer)
        for _ in range(16):
            x = int(rng.uniform(0, width))
            half = int(rng.uniform(2, 3 + 3 * layer))
            trunk = np.array((85, 65, 45)) * shade
            picture[: int(foot), max(x - half, 0) : x + half] = trunk
        leaves = _clouds(rng, height, width)[..., 0]
        rows = np.linspace(0, 1, height)[:, None]
        is_leaf = leaves > 0.5 + 0.35 * rows
        picture[is_leaf] = np.array((60, 115, 45)) * shade
        line = _ridge(rng, width, foot, 6)
        _fill_below(picture, line, np.array((75, 95, 40)) * shade)
    return picture


def _night(rng, height, width) -> np.ndarray:
    picture = _blend((8, 10, 30), (40, 45, 90), height, width)
    stars = rng.random([height, width]) > 0.9985
    picture[stars] = (255, 255, 240)
    place = (height * 0.25, width * rng.uniform(0.25, 0.75))
    _disc(picture, place, height / 14, (250, 248, 225), 0.5)
    _fill_below(picture, _ridge(rng, width, height * 0.75, 20), (6, 8, 14))
    return picture


def _meadow(rng, height, width) -> np.ndarray:
    picture = _blend((110, 170, 240), (210, 230, 250), height, width)
    picture += 60 * (_clouds(rng, height, width) - 0.4)
    _fill_below(picture, _ridge(rng, width, height * 0.5, 14), (85, 150, 60))
    for _ in range(260):
        depth = rng.uniform(0.05, 1) ** 1.5
        y = height * (0.55 + 0.43 * depth)
        x = rng.uniform(0, width)
        radius = 1.5 + 9 * depth
        colour = ((235, 60, 60), (250, 210, 60), (250, 250, 250))
        box = np.s_[
            int(max(y - radius, 0)) : int(y + radius),
            int(max(x - radius, 0)) : int(x + radius),
        ]
        patch = picture[box]
        if patch.size:
            rows, columns = np.mgrid[: patch.shape[0], : patch.shape[1]]
            centre = np.hypot(rows - radius, columns - radius)
            patch[centre < radius] = colour[rng.integers(3)]
    return picture


KINDS = {
    "sea": _sea,
    "mountain": _mountain,
    "forest": _forest,
    "night": _night,
    "meadow": _meadow,
}


def render(kind: str, seed: int, height: int) -> Image.Image:
    """Draws a picture.

    Args:
        kind: One of KINDS.
        seed: Of what is drawn.
        height: In pixels; the width is 4/3 of it.

    Returns:
        The picture.
    """
    rng = np.random.default_rng((seed, sorted(KINDS).index(kind)))
    pixels = KINDS[kind](rng, height, height * 4 // 3)
    pixels += rng.normal(0, 3, pixels.shape)
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return picture.filter(ImageFilter.GaussianBlur(height / 700))


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    config.run_dir.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        for number in range(config.count):
            name = kind if config.count == 1 else f"{kind}-{number}"
            picture = render(kind, config.seed + number, config.size)
            picture.save(config.run_dir / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main(run_options.parse_config(Config))
