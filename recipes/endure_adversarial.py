r"""`train_adversarial.py` killed again and again, and its memory.

    bash recipes/smoke.sh .      # and discriminators in out/discriminators
    python recipes/endure_adversarial.py --num-kills 10 --arguments \
        "--paragraphs out/data/paragraphs.jsonl --max-tokens 40 \
        --max-unknown 1 --min-similarity 0 --batch-size 4 --num-steps 2000 \
        --log-interval 50 --min-entropy 0 --min-distinct 0"

Runs it twice in processes of their own: once in one go, while its memory is
read; once with SIGKILL at random moments and `--resume` after each. Both must
end with the same bits: weights, slots of the optimizers, counters of the
random draws, metrics and samples.
"""

import dataclasses
import pathlib
import random
import shlex
import subprocess
import sys
import time

import numpy as np
import tensorflow as tf

from visualpoet import run_options
from visualpoet.process_memory import memory_megabytes
from visualpoet.run_options import option

RECIPE = pathlib.Path(__file__).parent / "train_adversarial.py"


@dataclasses.dataclass(frozen=True)
class Config:
    """Kill `train_adversarial.py` again and again, and read its memory."""

    arguments: str = option("", "of train_adversarial.py, without --run-dir")
    work_dir: pathlib.Path = option(
        pathlib.Path("out/endurance"), "gets the runs whole and killed"
    )
    num_kills: int = option(10, "SIGKILLs")
    seed: int = option(0, "of the moments")


@dataclasses.dataclass(frozen=True)
class Watched:
    """What was seen of a run.

    Attributes:
        seconds: From its start to each row of its metrics.
        megabytes: Resident memory at each row.
    """

    seconds: list[float]
    megabytes: list[float]


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.

    Raises:
        RuntimeError: If a run fails.
        ValueError: If the runs differ.
    """
    whole, killed = config.work_dir / "whole", config.work_dir / "killed"
    watched = _watch(_start(config, whole), whole)
    settled = watched.megabytes[len(watched.megabytes) // 10]
    print("| | measured |\n|---|---|")
    print(f"| memory after a tenth of the steps, MB | {settled:,.0f} |")
    print(f"| memory at the end, MB | {watched.megabytes[-1]:,.0f} |")
    _kill_again_and_again(config, killed, watched)
    compared = compare_runs(whole, killed)
    print(f"| tensors with the same bits | {compared} |")


def _start(config, run_dir):
    resume = ["--resume"] if (run_dir / "config.json").exists() else []
    arguments = shlex.split(config.arguments)
    command = [sys.executable, RECIPE, *arguments, "--run-dir", run_dir]
    return subprocess.Popen([*command, *resume], stdout=subprocess.DEVNULL)


def _rows(run_dir):
    path = run_dir / "metrics.csv"
    return path.read_bytes().count(b"\n") - 1 if path.exists() else 0


def _watch(process, run_dir):
    started, watched = time.monotonic(), Watched([], [])
    while process.poll() is None:
        time.sleep(0.2)
        if _rows(run_dir) > len(watched.seconds):
            watched.seconds.append(time.monotonic() - started)
            watched.megabytes.append(memory_megabytes(process.pid, "VmRSS"))
    _check_end(process)
    return watched


def _check_end(process):
    if process.returncode:
        raise RuntimeError(
            f"expected {RECIPE.name} to end well. Received: exit code "
            f"{process.returncode}"
        )


def _kill_again_and_again(config, run_dir, watched):
    """On average a share of the steps passes between two kills."""
    draw, first = random.Random(config.seed), watched.seconds[0]
    between = 2 * (watched.seconds[-1] - first) / max(config.num_kills, 1)
    lived = []
    for _ in range(config.num_kills):
        process = _start(config, run_dir)
        try:
            process.wait(draw.uniform(0.5 * first, first + between))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            lived.append(_rows(run_dir))
        else:
            _check_end(process)
            break
    process = _start(config, run_dir)
    process.wait()
    _check_end(process)
    print(f"| kills, and rows of metrics at each | {len(lived)}: {lived} |")


def compare_runs(one: pathlib.Path, other: pathlib.Path) -> int:
    """Compares all that two runs have left.

    Args:
        one: A run directory of `train_adversarial.py`.
        other: Another one.

    Returns:
        Number of tensors in the last checkpoint, the same in both.

    Raises:
        ValueError: If a tensor, the metrics or a sample differ.
    """
    tensors = _tensors(one)
    expected = {**tensors, **_files(one)}
    found = {**_tensors(other), **_files(other)}
    different = sorted(found.keys() ^ expected.keys())
    different += [
        name
        for name in sorted(found.keys() & expected.keys())
        if not np.array_equal(found[name], expected[name])
    ]
    if different:
        raise ValueError(
            f"expected runs that end alike. Received: {len(different)} "
            f"differences, such as {different[:5]}"
        )
    return len(tensors)


def _files(run_dir):
    paths = [run_dir / "metrics.csv", *run_dir.glob("samples/*")]
    return {str(p.relative_to(run_dir)): p.read_bytes() for p in paths}


def _tensors(run_dir):
    """Of the last checkpoint, but for the number of times it was saved."""
    path = tf.train.latest_checkpoint(str(run_dir / "checkpoints"))
    reader = tf.train.load_checkpoint(path)
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if "CHECKPOINTABLE" not in name and "save_counter" not in name
    }


if __name__ == "__main__":
    main(run_options.parse_config(Config))
