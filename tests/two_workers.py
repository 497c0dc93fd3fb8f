"""Two workers of a recipe, which share one import of TensorFlow.

python -m tests.two_workers STAGES RUN_DIR
"""

import pathlib
import sys

from recipes import check_distribution
from tests.recipes import stages
from visualpoet import runs

STEPS = 10


def train(paths, run_dir, **options):
    """Ten steps of the generator, a row of metrics after each."""
    whole = runs.train

    def train(run, **options):
        options |= {"evaluate": dict, "evaluation_interval": 1}
        whole(run, **options)

    runs.train = train
    try:
        stages.generate(
            paths,
            run_dir,
            num_steps=STEPS,
            clip_norm=0.1,
            dropout=0.0,
            mixed_precision=False,
            **options,
        )
    finally:
        runs.train = whole


def main(root, run_dir):
    paths = stages.locate(root)
    ended = check_distribution.run_workers(
        2, lambda: train(paths, run_dir), run_dir.with_suffix(".log")
    )
    sys.exit(max(worker.code for worker in ended))


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
