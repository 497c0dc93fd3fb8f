"""Write the small corpus and the stand-in experts of the smoke test.

    python recipes/smoke_data.py --pictures out/pictures --run-dir out/data

The poems were written for this file; the experts are random CNNs.
"""

import csv
import dataclasses
import json
import pathlib

import numpy as np
import tensorflow as tf

from visualpoet import run_options
from visualpoet.run_options import option

POEMS = {
    "sea": (
        "The sea lies down beside the sun,\nand all its gold is pouring;\n"
        "the day is done, the day is done,\nthe tide goes on exploring.",
        "A wave came home to tell the shore\nwhat it had seen at sea;\n"
        "the shore had heard it all before\nand listened patiently.",
        "Salt on the wind, and far away\none sail against the light;\n"
        "the water keeps a piece of day\nand hides it from the night.",
    ),
    "mountain": (
        "The mountain wears its winter snow\nas old men wear their years;\n"
        "the rivers in the fields below\nare all it knows of tears.",
        "Stone over stone, and over stone\nthe cold blue morning sky;\n"
        "the eagle has it for her own,\nand so, a while, have I.",
        "I asked the hill how high it stood.\nIt never thought to measure.\n"
        "It held the snow, it held the wood,\nand called the silence pleasure.",
    ),
    "forest": (
        "Deep in the wood the green light falls\n"
        "through leaf and leaf and leaf;\n"
        "a hidden bird sits there and calls\nits small and shining grief.",
        "The trees stand close, the moss is deep,\nthe path forgets its way;\n"
        "the roots hold hands beneath their sleep\nand wait for rain all day.",
        "Who walks between the trunks alone\nwill hear the forest breathe:\n"
        "the sap that climbs, the falling cone,\nthe ferns that stir beneath.",
    ),
    "night": (
        "The moon has lit a quiet lamp\nabove the sleeping hill;\n"
        "the stars have pitched their silver camp,\n"
        "the dark is wide and still.",
        "Night lays her hand upon the land\nand closes every door;\n"
        "the moonlight on the window sill\nis all there is, no more.",
        "One star, and then another star,\nand then too many stars;\n"
        "we count the lights that shine so far\nas children count the cars.",
    ),
    "meadow": (
        "The meadow put her flowers on,\nthe red, the white, the gold;\n"
        "she wore them till the sun was gone\nand folded them from cold.",
        "A bee went down the summer grass\nfrom bloom to bloom to bloom;\n"
        "each flower let the traveller pass\nthrough one small yellow room.",
        "Lie down, the daisies say, lie down,\nand let the clouds go by;\n"
        "no king has such a golden crown,\nno roof so blue a sky.",
    ),
}
CAPTIONS = {
    "sea": ("The sun sets over a calm sea .", "Evening light on the water ."),
    "mountain": (
        "A mountain covered with snow .",
        "Snowy peaks under clouds .",
    ),
    "forest": (
        "Tall trees in a green forest .",
        "A dark wood with many trunks .",
    ),
    "night": ("The moon shines over dark hills .", "Stars in the night sky ."),
    "meadow": (
        "Flowers in a green meadow .",
        "Red blooms in the grass .",
    ),
}


PROSE = (
    "The harbour master counted the boats that came in before the storm and "
    "wrote the number of each one down in a long grey book by the window.",
    "We walked over the hill to the village, where the baker had kept two "
    "loaves for us, and the children asked how far it was to the mountain.",
    "In the wood the keeper showed us the trees that were to be cut in the "
    "winter, and told us what each of them had brought in other years.",
)


@dataclasses.dataclass(frozen=True)
class Config:
    """Write the small corpus and the stand-in experts of the smoke test."""

    pictures: pathlib.Path = option(
        pathlib.Path("out/pictures"), "output of render_pictures.py"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/data"), "output")


class StandIn(tf.Module):
    """A CNN of random weights that can be called as an expert.

    Args:
        width: Features.
        seed: Of the weights.
    """

    def __init__(self, width: int, seed: int):
        super().__init__()
        draw = np.random.default_rng(seed).normal
        self.kernel = tf.Variable(
            draw(0, 0.2, [7, 7, 3, width]), dtype="float32"
        )

    @tf.function(input_signature=[tf.TensorSpec([None, 224, 224, 3])])
    def __call__(self, pixels: tf.Tensor) -> tf.Tensor:
        """Computes features.

        Args:
            pixels: float `[B, 224, 224, 3]` in [0, 1].

        Returns:
            float `[B, width]`.
        """
        x = tf.nn.relu(tf.nn.conv2d(pixels - 0.5, self.kernel, 7, "SAME"))
        return tf.reduce_mean(x, axis=[1, 2])


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    folder = config.run_dir
    folder.mkdir(parents=True, exist_ok=True)
    splits = ("train", "train", "validation", "test")
    names = sorted(path.name for path in config.pictures.glob("*.jpg"))
    poems = [
        {"id": f"{kind}-{number}", "text": text, "split": split}
        for kind, texts in POEMS.items()
        for number, (text, split) in enumerate(zip(texts, splits[1:]))
    ]
    _write_jsonl(folder / "poems.jsonl", poems)
    prose = [
        {"id": f"{split}-{number}", "text": text, "split": split}
        for split in sorted(set(splits))
        for number, text in enumerate(PROSE)
    ]
    _write_jsonl(folder / "paragraphs.jsonl", prose)
    photographs, pairs = [], []
    for number, name in enumerate(names):
        kind = name.split("-")[0].removesuffix(".jpg")
        split = splits[number % len(splits)]
        photographs.append(
            {
                "file": name,
                "split": split,
                "label": kind,
                "captions": CAPTIONS[kind],
            }
        )
        pairs += [
            {
                "file": name,
                "poem": text,
                "source": poem["id"],
                "split": split,
                "similarity": 0.5,
            }
            for poem in poems
            if poem["id"].startswith(kind) and poem["split"] == split
            # Two poems of the photographs that are measured on.
            for text in (poem["text"], _turn(poem["text"]))[
                : 1 + (split != "train")
            ]
        ]
    _write_jsonl(folder / "captions.jsonl", photographs)
    with (folder / "pairs.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(pairs[0]))
        writer.writeheader()
        writer.writerows(pairs)
    for seed, name in enumerate(("object", "scene")):
        tf.saved_model.save(StandIn(16 + seed, seed), str(folder / name))


def _turn(text):
    return "\n".join(reversed(text.split("\n")))


def _write_jsonl(path: pathlib.Path, rows: list[dict]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(run_options.parse_config(Config))
