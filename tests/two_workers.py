"""Two workers of two recipes, which share one import of TensorFlow.

python -m tests.two_workers STAGES PRETRAINED FOLDER
"""

import pathlib
import sys

import tensorflow as tf

from recipes import check_distribution
from tests.recipes import adversarial_stages
from tests.recipes import stages
from visualpoet import runs

STEPS = {"generator": 10, "adversarial": 3}


def train(paths, pretrained, folder, **options):
    """Yields, by recipe, its training; a row of metrics after each step."""
    yield lambda: _train_generator(paths, folder / "generator", **options)
    yield lambda: adversarial_stages.train(
        paths,
        pretrained,
        folder / "adversarial",
        num_steps=STEPS["adversarial"],
        log_interval=1,
        discriminators_dir=pretrained / "steady",
        discriminators=("multimodal",),
        rewards=("recipes.example_rewards.rhyme=0.2",),
        baseline="value",
        entropy_weight=0.01,
        clip_norm=0.1,
        **options,
    )


def _train_generator(paths, run_dir, **options):
    whole = runs.train

    def train(run, **options):
        options |= {"evaluate": dict, "evaluation_interval": 1}
        whole(run, **options)

    runs.train = train
    try:
        stages.generate(
            paths,
            run_dir,
            num_steps=STEPS["generator"],
            clip_norm=0.1,
            dropout=0.0,
            mixed_precision=False,
            **options,
        )
    finally:
        runs.train = whole


def main(root, pretrained, folder):
    # As for the one worker beside them (`conftest.py`).
    off = {"disable_meta_optimizer": True}
    tf.config.optimizer.set_experimental_options(off)
    trainings = train(stages.locate(root), pretrained, folder)
    for recipe, work in zip(STEPS, trainings, strict=True):
        ended = check_distribution.run_workers(
            2, work, folder / f"{recipe}.log"
        )
        if any(worker.code for worker in ended):
            sys.exit(1)


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
