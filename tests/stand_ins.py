"""Stand-ins for public sources: what `.ci/stand_ins` fetches and learns from.

    python -m tests.stand_ins FOLDER

Photographs are drawn, verse and prose are put together from the words below,
the weights of both experts are random: nothing comes from elsewhere.
"""

import csv
import pathlib
import sys
import tarfile
import textwrap

import keras
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from recipes import fetch_data
from recipes import render_pictures
from recipes import smoke_data

SIZE = 120  # pixels of height
# Share of each pixel that stays, and what is added to it.
WEATHERS = {
    "in clear air": (1.0, 0),
    "in thick fog": (0.4, 130),
    "in deep shadow": (0.5, 0),
}
CAPTIONED = {"train": 400, "validation": 110, "test": 30}
LABELLED = {"train": 50, "test": 10}
IN_A_FOLDER = 60

# A hundred, so that each is rare enough to be a clue (train_clues.py); all of
# them more than the numbers of a word vector (train_embedding.py).
NOUNS = {
    "sea": "sea sun water wave tide shore sail harbour gull foam island anchor "
    "oar pearl sand evening reef boat shell bay",
    "mountain": "mountain snow peaks clouds ridge eagle glacier stone valley "
    "goat summit cliff pass avalanche rock crag winter slope frost echo",
    "forest": "forest trees wood trunks leaf moss fern root branch owl oak "
    "path brook pine thrush deer acorn mushroom bark twig",
    "night": "night moon stars hills sky lamp dream bat planet comet candle "
    "roof window silence lantern sleep owlet midnight cradle pillow",
    "meadow": "meadow flowers grass blooms bee daisy clover poppy lark hay "
    "butterfly stem seed petal fence lamb noon scent nectar furrow",
}
THINGS = (
    "heart hand song name voice door word year road bell king child mother "
    "sorrow morning garden letter promise story bread sister brother "
    "stranger shepherd city bridge table mirror ring wheel father friend "
    "baker miller poet sailor throne crown purse coin pocket coat glove "
    "shoe needle thread loom plough barrel basket bottle pitcher kettle "
    "oven chimney ladder hammer violin drum flute chapel market tavern "
    "prison palace cottage wedding"
).split()
ADJECTIVES = (
    "snowy tall wide lonely silent weary gentle windy mossy misty narrow "
    "humble faithful sunny sleepy rainy grassy tiny huge shy careless "
    "cheerful clumsy crooked dusty eager famous foolish fragile generous "
    "greedy grateful honest hungry jealous noisy patient proud restless "
    "rusty shallow stubborn"
).split()
VERBS = (
    "followed remembered carried called covered guarded answered loved "
    "watched crossed greeted counted painted gathered promised measured "
    "hushed crowned admired borrowed buried carved chased cheated cherished "
    "claimed comforted consoled copied deceived delayed described deserved "
    "despised dreaded escaped pardoned honoured ignored invited mended "
    "mourned obeyed praised"
).split()
LINES = (
    "the {adjective} {thing} {verb} the {noun}",
    "and still the {noun} {verb} the {thing}",
    "my {thing} has {verb} the {adjective} {noun}",
    "no {adjective} {thing} {verb} the {noun}",
    "the {noun} and the {other} {verb} my {thing}",
    "in my {thing} I {verb} a {adjective} {noun}",
    "under the {other} we {verb} the {noun}",
)
POEMS, STANZAS = 160, 3  # of a book, of a poem
PARAGRAPHS = 100  # of a book
BOOK = """\
Title: {title}

Author: A. Machine

*** START OF THE PROJECT GUTENBERG EBOOK ***

PREFACE

{preface}

{text}

*** END OF THE PROJECT GUTENBERG EBOOK ***
"""
# Where keras.applications looks before it downloads; of this one it checks
# nothing.
WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"


def draw(number):
    """A picture, its kind, and its captions."""
    kind = list(smoke_data.CAPTIONS)[number % 5]
    weather = list(WEATHERS)[number // 5 % 3]
    share, light = WEATHERS[weather]
    picture = render_pictures.render(kind, number, SIZE)
    pixels = (share * np.asarray(picture) + light).astype(np.uint8)
    captions = [
        caption.replace(" .", f" {weather} .")
        for caption in smoke_data.CAPTIONS[kind]
    ]
    return Image.fromarray(pixels), kind, captions


def draw_files(folder, numbers):
    """Draws pictures into a folder; their paths, kinds and captions."""
    folder.mkdir(parents=True)
    for number in numbers:
        picture, kind, captions = draw(number)
        path = folder / f"{number}.jpg"
        picture.save(path, quality=88)
        yield path, kind, captions


def store_builder(folder, name, features, splits):
    """Prepares `<folder>/<name>/1.0.0` as tensorflow-datasets does."""
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        features=tfds.features.FeaturesDict(features),
        split_datasets={
            split: list(enumerate(rows)) for split, rows in splits.items()
        },
        data_dir=folder,
        disable_shuffling=True,
    )


def make_photographs(folder):
    """A builder with captions, one with labels, a folder with a table."""
    image = tfds.features.Image(shape=(None, None, 3))
    texts = tfds.features.Sequence({"text": tfds.features.Text()})
    kinds = tfds.features.ClassLabel(names=list(smoke_data.CAPTIONS))
    splits, first = {"captioned": {}, "labelled": {}}, 0
    for name, sizes in (("captioned", CAPTIONED), ("labelled", LABELLED)):
        for split, size in sizes.items():
            numbers = range(first, first + size)
            drawn = draw_files(folder / "drawn" / name / split, numbers)
            splits[name][split] = [
                {"image": str(path), "captions": [{"text": t} for t in own]}
                if name == "captioned"
                else {"image": str(path), "label": kind}
                for path, kind, own in drawn
            ]
            first += size
    features = {"image": image, "captions": texts}
    store_builder(folder, "captioned", features, splits["captioned"])
    features = {"image": image, "label": kinds}
    store_builder(folder, "labelled", features, splits["labelled"])
    numbers = range(first, first + IN_A_FOLDER)
    with (folder / "table.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "caption"])
        for path, _, captions in draw_files(folder / "table", numbers):
            writer.writerow([path.name, captions[0]])


def write_line(rng, kind):
    noun, other = rng.choice(NOUNS[kind].split(), 2, replace=False)
    line = rng.choice(LINES).format(
        noun=noun,
        other=other,
        thing=rng.choice(THINGS),
        adjective=rng.choice(ADJECTIVES),
        verb=rng.choice(VERBS),
    )
    return line[0].upper() + line[1:]


def write_poem(rng):
    kind = rng.choice(list(NOUNS))
    title = f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS[kind].split())}"
    stanzas = [
        "\n".join(write_line(rng, kind) + mark for mark in ",;,.")
        for _ in range(STANZAS)
    ]
    return "\n\n".join([f"THE {title.upper()}", *stanzas])


def write_paragraph(rng):
    kind = rng.choice(list(NOUNS))
    sentences = [write_line(rng, kind) + "." for _ in range(6)]
    return textwrap.fill(" ".join(sentences), 72)


def make_books(folder):
    """A plain text for each book that the recipe lists."""
    for listed, count, write in (
        (fetch_data.BOOKS, POEMS, write_poem),
        (fetch_data.PROSE, PARAGRAPHS, write_paragraph),
    ):
        for number, title in listed.items():
            rng = np.random.default_rng(number)
            text = "\n\n".join(write(rng) for _ in range(count))
            book = BOOK.format(
                title=title, preface=write_paragraph(rng), text=text
            )
            (folder / f"pg{number}.txt").write_text(book)


def make_experts(folder):
    """One in an archive of the server, one where Keras keeps downloads."""
    model = folder / "object"
    tf.saved_model.save(smoke_data.StandIn(64, seed=0), str(model))
    with tarfile.open(folder / "web" / "object.tar.gz", "w:gz") as archive:
        archive.add(model, "object")
    keras.utils.set_random_seed(0)
    network = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(224, 224, 3)
    )
    models = folder / "keras" / "models"
    models.mkdir(parents=True)
    network.save(models / WEIGHTS)


if __name__ == "__main__":
    made = pathlib.Path(sys.argv[1])
    (made / "web").mkdir(parents=True)
    make_photographs(made)
    make_books(made / "web")
    make_experts(made)
