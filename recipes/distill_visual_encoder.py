"""Distil the three experts into one small CNN with three heads.

    python recipes/distill_visual_encoder.py --photographs PHOTOS.tar FOLDER \
        --features-dir out/features --run-dir out/encoder \
        --image-tower out/embedding/image_tower.keras

With --image-tower the encoder is also to take every photograph to its place
in the experts' joint space, so that it spends its few parameters on what
poems can speak of. Photographs of the validation and test splits are left
out, so that what is measured on them holds for photographs that nobody has
seen. Views lie on the disk of the run directory while it learns, 57 kB each
at 128 pixels.
"""

import dataclasses
import itertools
import pathlib
import shutil

import keras
import numpy as np
import tensorflow as tf

from visualpoet import distribution
from visualpoet import run_options
from visualpoet import runs
from visualpoet import whole_files
from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.embedding.encoders import ImageTower  # noqa: F401
from visualpoet.features import photographs
from visualpoet.features import probes
from visualpoet.features import store
from visualpoet.features import views
from visualpoet.features.distillation import Distillation
from visualpoet.features.experts import FEATURE_NAMES
from visualpoet.features.visual_encoder import VisualEncoder
from visualpoet.optimization import make_train_step
from visualpoet.optimization import warm_up_and_decay
from visualpoet.provenance import file_digest
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Distil the three experts into one small CNN with three heads."""

    photographs: tuple[pathlib.Path, ...] = option(
        (), "folders and tar archives of photographs"
    )
    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    features_dir: pathlib.Path = option(
        pathlib.Path("out/features"), "output of extract_features.py"
    )
    image_tower: str = option(
        "", "image_tower.keras of the experts; empty to distil features alone"
    )
    start_from: str = option(
        "", "encoder.keras, what both have is learnt further; or empty"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/encoder"), "output")
    image_size: int = option(128, "side of the pictures in pixels")
    depths: tuple[int, ...] = option((1, 1, 1, 1), "blocks of each stage")
    num_crops: int = option(3, "crops of each photograph with features")
    batch_size: int = option(64, "views a batch")
    num_steps: int = option(9000, "train steps")
    learning_rate: float = option(2e-3, "AdamW, warmed up, cosine to zero")
    warmup_steps: int = option(300, "train steps of warming up")
    weight_decay: float = option(0.02, "of AdamW")
    mixed_precision: bool = option(True, "bfloat16 products")
    seed: int = option(0, "of Python, NumPy and TensorFlow")
    resume: bool = option(False, "go on with the run in --run-dir")

    def __post_init__(self):
        if not self.photographs:
            raise ValueError("expected --photographs. Received: none")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    distribution.connect()
    run = runs.RunDirectory(config.run_dir, config, _inputs(config))
    corpus = load_corpus(config.corpus_dir)
    readable = _find_readable(config)
    learnt, checked = _write_views(config, run, corpus, readable)
    tower = config.image_tower and keras.saving.load_model(config.image_tower)
    run.log(f"{len(learnt.pixels)} views to learn from")

    if config.mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")
    # Here, whatever was drawn, or not, to write the views.
    keras.utils.set_random_seed(config.seed)
    with distribution.scope():
        encoder = VisualEncoder(
            {name: learnt.features[name].shape[1] for name in FEATURE_NAMES},
            depths=config.depths,
            image_size=config.image_size,
        )
        if config.start_from:
            added = _start_from(encoder, config.start_from)
            run.log(f"begins with {config.start_from}, and as new: {added}")
        optimizer = _build_optimizer(config)
    distribution.normalize_over_all(encoder)
    deviation = {
        name: views.standard_deviation(rows) + 1e-2
        for name, rows in learnt.features.items()
    }
    distillation = Distillation(encoder, deviation, tower or None)
    runs.train(
        run,
        num_steps=config.num_steps,
        batches=lambda start: _batches(config, learnt, start),
        train_step=make_train_step(
            distillation.loss, encoder.trainable_variables, optimizer
        ),
        variables={
            "encoder": encoder.variables,
            "optimizer": optimizer.variables,
        },
        # Nothing is measured where everything is for training.
        evaluate=lambda: distillation.measure(checked) if checked else {},
        evaluation_interval=1000,
    )
    encoder.save(run.path / "encoder.keras")
    run.log(f"{encoder.count_params()} parameters")
    _store_features(config, run, readable)
    results = probes.probe_folders(
        {"experts": config.features_dir, "encoder": run.path},
        corpus.photographs.values(),
    )
    run.write_json("results.json", results)
    run.log(f"linear probes, test photographs: {results}")
    shutil.rmtree(run.path / "views")


def _inputs(config):
    inputs = corpus_files(config.corpus_dir)
    inputs += store.feature_files(config.features_dir)
    given = (config.image_tower, config.start_from)
    inputs += [pathlib.Path(path) for path in given if path]
    return inputs


# --- what is learnt


def _find_readable(config):
    """Photographs with features, by name."""
    return store.load_index(config.features_dir).keys() & {
        name for name, _ in photographs.read_photographs(config.photographs)
    }


def _write_views(config, run, corpus, readable):
    """Views of training photographs, and of validation ones, if any."""
    names = {
        split: [name for name in corpus.images(split) if name in readable]
        for split in ("train", "validation")
    }
    if not names["train"]:
        raise ValueError(
            "expected training photographs of --corpus-dir, in --photographs "
            f"and with features in --features-dir. Received: {len(readable)} "
            f"that are in both, {len(names['validation'])} of them for "
            "validation; run extract_features.py on the photographs of the "
            "corpus, and name the same ones here"
        )
    numbers = {"train": range(1 + config.num_crops), "validation": [0]}
    return [
        group
        and views.write_views(
            run.path / "views" / split,
            config.photographs,
            config.features_dir,
            names=group,
            views=numbers[split],
            size=config.image_size,
        )
        for split, group in names.items()
    ]


def _start_from(encoder, path) -> list[str]:
    """Takes over the weights of all layers that another encoder has, too.

    Returns:
        The names of the layers that it lacks.
    """
    other = keras.saving.load_model(path)
    layers = {layer.name: layer for layer in other.layers}
    learnt = [layer for layer in encoder.layers if layer.weights]
    shared = [layer for layer in learnt if layer.name in layers]
    if not shared:
        raise ValueError(
            "expected --start-from with an encoder.keras. Received: "
            f"{path}, without one layer of it"
        )
    for layer in shared:
        _take_over(layer, layers[layer.name], path)
    return [layer.name for layer in learnt if layer not in shared]


def _take_over(layer, other, path) -> None:
    wanted, given = (
        [tuple(weight.shape) for weight in one.weights]
        for one in (layer, other)
    )
    if wanted != given:
        raise ValueError(
            f"expected --start-from with weights {wanted} of its layer "
            f"{layer.name!r}. Received: {path} with {given}; its features or "
            "filters are others, so this encoder has to begin anew"
        )
    layer.set_weights(other.get_weights())


def _build_optimizer(config):
    return keras.optimizers.AdamW(
        warm_up_and_decay(
            config.learning_rate, config.num_steps, config.warmup_steps
        ),
        weight_decay=config.weight_decay,
    )


def _batches(config, learnt, start):
    order = datasets.index_batches(
        len(learnt.pixels), config.batch_size, config.seed, start
    )
    for step, chosen in enumerate(order, start):
        rng = np.random.default_rng((config.seed, step))
        flip = rng.random(len(chosen)) < 0.5
        batch_pixels, features = learnt.read(chosen)
        batch_pixels[flip] = batch_pixels[flip, :, ::-1]
        yield batch_pixels, features


# --- what comes of it


def _store_features(config, run, readable) -> None:
    """Writes the encoder's features of all photographs, as the experts'."""
    keras.config.set_dtype_policy("float32")
    whole_files.remove_partial(run.path)
    path = run.path / "encoder.keras"
    encoder = keras.saving.load_model(path)
    digest = file_digest(path)[:16]
    digests = {name: f"{digest}-{name}" for name in FEATURE_NAMES}
    run.write_json("experts.json", {"digests": digests})
    index = {}
    reading = views.read_upright(config.photographs, readable)
    while shard := list(itertools.islice(reading, views.BLOCK)):
        names, contents = zip(*shard)
        keys = list(map(store.image_digest, contents))
        pixels = _pixels(contents, config.image_size)
        answers = encoder.predict(pixels, batch_size=128, verbose=0)
        for name, held in store.open_stores(run.path).items():
            held.add(keys, answers[name])
        index |= zip(names, keys)
    run.write_json("index.json", index)


def _pixels(contents, size):
    dataset = tf.data.Dataset.from_tensor_slices(list(contents)).map(
        lambda content: views.load_pixels(content, size, 0),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return np.stack(list(dataset.as_numpy_iterator()))


if __name__ == "__main__":
    main(run_options.parse_config(Config))
