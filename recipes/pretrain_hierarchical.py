"""Train Regions-Hierarchical on pairs, for the comparison (liu18).

python recipes/pretrain_hierarchical.py --run-dir out/hierarchical
"""

import dataclasses
import pathlib

import keras
import numpy as np
import tensorflow as tf

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import datasets
from visualpoet.corpus.negatives import split_lines
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.generator import hierarchical
from visualpoet.optimization import make_train_step
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Train Regions-Hierarchical on pairs."""

    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    regions: pathlib.Path = option(
        pathlib.Path("out/regions/regions.npz"), "output of extract_regions.py"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/hierarchical"), "output")
    embedding_dim: int = option(192, "width of the token embedding")
    hidden_dim: int = option(256, "width of both GRUs; liu18 512")
    max_lines: int = option(hierarchical.MAX_LINES, "most lines of a poem")
    min_similarity: float = option(0.3, "of a pair, to be learnt from")
    max_unknown: float = option(0.1, "share of unknown words of a poem")
    batch_size: int = option(64, "poems a batch")
    num_steps: int = option(1200, "train steps")
    learning_rate: float = option(2e-3, "Adam, cosine to zero")
    seed: int = option(0, "of Python, NumPy and TensorFlow")
    resume: bool = option(False, "go on with the run in --run-dir")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    keras.utils.set_random_seed(config.seed)
    inputs = [*corpus_files(config.corpus_dir), config.regions]
    run = runs.RunDirectory(config.run_dir, config, inputs)
    corpus = load_corpus(config.corpus_dir)
    with np.load(config.regions, allow_pickle=False) as arrays:
        names, regions = arrays["names"].tolist(), arrays["rows"]
    rows = {name: row for row, name in enumerate(names)}
    train, held_out = (
        _Pairs(regions, *_read_pairs(config, corpus, split, rows))
        for split in ("train", "validation")
    )
    run.log(f"{len(train.images)} pairs")
    model = hierarchical.HierarchicalGenerator(
        len(corpus.vocabulary),
        config.embedding_dim,
        config.hidden_dim,
        regions.shape[-1],
        max_lines=config.max_lines,
    )
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(
            config.learning_rate, config.num_steps
        ),
        global_clipnorm=1.0,
    )
    runs.train(
        run,
        num_steps=config.num_steps,
        batches=lambda start: _batches(config, train, start),
        train_step=make_train_step(
            lambda batch: _compute_loss(model, *batch, training=True),
            model.trainable_variables,
            optimizer,
        ),
        variables={
            "model": model.variables,
            "optimizer": optimizer.variables,
        },
        evaluate=_evaluation(model, held_out),
        evaluation_interval=400,
    )
    model.save(config.run_dir / "hierarchical.keras")


@dataclasses.dataclass(frozen=True)
class _Pairs:
    """Photographs and their poems, of one split.

    Attributes:
        regions: float16 `[N, R, F]`, of all photographs.
        lines: int `[P, L, W]`, poems.
        images: int `[P]`; row of the photograph of each.
    """

    regions: np.ndarray
    lines: np.ndarray
    images: np.ndarray

    def take(self, chosen):
        regions = self.regions[self.images[chosen]]
        return regions.astype(np.float32), self.lines[chosen]


def _compute_loss(model, regions, poems, training):
    given = {"regions": regions, "lines": poems[..., :-1]}
    outputs = model(given, training=training)
    return hierarchical.hierarchical_loss(outputs, poems)


def _batches(config, pairs, start):
    order = datasets.index_batches(
        len(pairs.images), config.batch_size, config.seed, start
    )
    for chosen in order:
        yield pairs.take(chosen)


def _evaluation(model, pairs):
    """What to call for the loss of the first held-out pairs."""
    score = tf.function(
        lambda *batch: _compute_loss(model, *batch, training=False),
        reduce_retracing=True,
    )
    count = min(len(pairs.images), 512)

    def evaluate():
        if not count:
            return {}  # everything is for training
        parts = np.array_split(np.arange(count), min(count, 8))
        losses = [float(score(*pairs.take(chosen))) for chosen in parts]
        return {"validation_loss": float(np.mean(losses))}

    return evaluate


def _read_pairs(config, corpus, split, rows):
    vocabulary = corpus.vocabulary
    pairs = corpus.select_pairs(split, rows, config.min_similarity)
    ids = vocabulary.encode_batch([pair.poem.text for pair in pairs])
    known = datasets.mostly_known(ids, config.max_unknown)
    poems = [split_lines(ids[i], vocabulary.line_break) for i in known]
    images = np.array([rows[pairs[i].image] for i in known], int)
    return hierarchical.to_lines(poems, config.max_lines), images


if __name__ == "__main__":
    main(run_options.parse_config(Config))
