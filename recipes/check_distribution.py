"""Check that several workers train what one does, all on this machine.

    unshare -n sh -c "ip link set lo up; exec python \
        recipes/check_distribution.py --run-dir out/distribution"

Trains a small generator on drawn poems of uneven lengths, with gradients that
are clipped: alone, by several workers, by several with the mistakes that are
easily made, and by workers of which one is killed. Prints a table and ends
with 1 if a bound is missed. In a network of its own, as above, all bytes that
pass are the workers'.
"""

import csv
import dataclasses
import json
import os
import pathlib
import signal
import socket
import sys
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from visualpoet import distribution
from visualpoet import run_options
from visualpoet import runs
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.teacher_forcing import count_tokens
from visualpoet.generator.teacher_forcing import teacher_forced_loss
from visualpoet.optimization import make_train_step
from visualpoet.optimization import sum_gradients
from visualpoet.run_options import option

MAX_SECONDS = 60  # in which workers end that have lost or lack one
IMAGE_DIM = 8
# The optimizer as it is, which clips before it sums; means of local counts.
MISTAKES = ("stock", "local")


@dataclasses.dataclass(frozen=True)
class Config:
    """Check that several workers train what one does."""

    run_dir: pathlib.Path = option(
        pathlib.Path("out/distribution"), "gets a run of each training"
    )
    workers: tuple[int, ...] = option((2, 4), "numbers of workers to try")
    num_steps: int = option(10, "train steps")
    killed_step: int = option(6, "train steps after which a worker is killed")
    vocabulary_size: int = option(4000, "tokens")
    embedding_dim: int = option(128, "width of the token embedding")
    hidden_dim: int = option(256, "width of the GRU")
    batch_size: int = option(16, "poems a batch, of all workers")
    max_tokens: int = option(24, "tokens of the longest poem")
    clip_norm: float = option(0.1, "largest norm of the gradient")
    seed: int = option(0, "of Python, NumPy and TensorFlow")


@dataclasses.dataclass(frozen=True)
class Training:
    """What the workers of one training do.

    Attributes:
        config: Options of the recipe.
        name: Of its run directory.
        mistake: One of `MISTAKES`, or none.
        dropout: Share of units left out.
        killed: Which worker kills itself, if one does.
        resume: Whether to go on with the run.
    """

    config: Config
    name: str
    mistake: str = ""
    dropout: float = 0.0
    killed: int | None = None
    resume: bool = False

    @property
    def run_dir(self) -> pathlib.Path:
        """Its run directory."""
        return self.config.run_dir / self.name


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a worker ended.

    Attributes:
        code: Exit code, negative for a signal.
        seconds: Since the first of them did.
    """

    code: int
    seconds: float


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.

    Raises:
        SystemExit: If a bound is missed.
    """
    print("| | measured | expected |\n|---|---|---|", flush=True)
    held = [_check_end(Training(config, "alone"), 1)]
    for number in config.workers:
        held += _check_steps(config, number)
    whole = Training(config, "2 workers, dropout", dropout=0.1)
    held += [_check_end(whole, 2)]
    for killed in (1, 0):
        held += _check_killed(whole, killed)
    held += [_check_missing(config)]
    if not all(held):
        raise SystemExit(f"{held.count(False)} of {len(held)} bounds missed")


def run_workers(
    number: int, work: Callable[[], None], log: pathlib.Path, missing: int = 0
) -> list[Ended]:
    """Forks workers on this machine and waits for them.

    TensorFlow must be imported, so that they share it, and have done nothing.

    Args:
        number: Of workers; one alone gets no `TF_CONFIG`.
        work: What each of them does.
        log: Folder of what they print.
        missing: How many of the last ones are not started.

    Returns:
        How each of them ended.
    """
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    workers = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for held in sockets:
        held.close()
    log.mkdir(parents=True, exist_ok=True)
    pids = []
    for index in range(number - missing):
        pids.append(os.fork())
        if not pids[-1]:
            _be_worker(workers, index, work, log / f"worker-{index}.txt")
    return _wait(pids)


def _be_worker(workers, index, work, log):
    with log.open("a") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    if len(workers) > 1:
        os.environ["TF_CONFIG"] = json.dumps(
            {
                "cluster": {"worker": workers},
                "task": {"type": "worker", "index": index},
            }
        )
    work()
    sys.exit()


def _wait(pids):
    first, ended = None, {}
    for _ in pids:
        pid, status = os.wait()
        now = time.monotonic()
        first = first or now
        ended[pid] = Ended(os.waitstatus_to_exitcode(status), now - first)
    return [ended[pid] for pid in pids]


# --- what a worker does


def _train(training: Training) -> None:
    config = training.config
    distribution.connect()
    keras.utils.set_random_seed(config.seed)
    run = runs.RunDirectory(
        training.run_dir, dataclasses.replace(training, killed=None)
    )
    with distribution.scope():
        generator = PoemGenerator(
            config.vocabulary_size,
            config.embedding_dim,
            config.hidden_dim,
            IMAGE_DIM,
            "every_step",
            training.dropout,
        )
        optimizer = keras.optimizers.Adam(
            1e-2, global_clipnorm=config.clip_norm
        )

    def loss(batch):
        token_ids = batch["token_ids"]
        inputs = {**batch, "token_ids": token_ids[:, :-1]}
        return teacher_forced_loss(generator(inputs, training=True), token_ids)

    make_step = (
        _make_stock_step if training.mistake == "stock" else (make_train_step)
    )
    runs.train(
        run,
        num_steps=config.num_steps,
        batches=lambda start: _batches(training, start),
        train_step=make_step(
            loss,
            generator.trainable_variables,
            optimizer,
            weight=_count_alike if training.mistake == "local" else _count,
        ),
        variables={
            "generator": generator.variables,
            "optimizer": optimizer.variables,
        },
        evaluate=lambda: {"bytes": _bytes_passed()},
        evaluation_interval=1,
        checkpoint_minutes=0.0,
    )
    run.write_json(
        "results.json",
        {"parameters": sum(map(np.size, generator.trainable_variables))},
    )


def _count(batch):
    return count_tokens(batch["token_ids"])


def _count_alike(batch):
    return tf.constant(1.0)


def _make_stock_step(loss, variables, optimizer, weight):
    """As Keras does it: what each worker found is clipped, then summed."""
    strategy = distribution.connect()
    with strategy.scope():
        optimizer.build(variables)

    def replica_step(rows, share):
        with tf.GradientTape() as tape:
            value = loss(rows)
        gradients = tape.gradient(value, variables, output_gradients=share)
        optimizer.apply(sum_gradients(gradients), variables)
        return share * value

    return tf.function(
        lambda batch: distribution.run_on_rows(
            strategy, replica_step, batch, weight
        )
    )


def _batches(training, start):
    config = training.config
    for step in range(start, config.num_steps + 1):
        worker = distribution.worker_number()
        if (step, worker) == (config.killed_step, training.killed):
            os.kill(os.getpid(), signal.SIGKILL)
        rng = np.random.default_rng((config.seed, step))
        shape = config.batch_size, config.max_tokens
        token_ids = rng.integers(4, config.vocabulary_size, shape, np.int32)
        lengths = rng.integers(3, config.max_tokens, config.batch_size)
        token_ids[np.arange(config.max_tokens) > lengths[:, None]] = 0
        places = rng.normal(size=[config.batch_size, IMAGE_DIM])
        yield {
            "token_ids": token_ids,
            "image_embedding": places.astype(np.float32),
        }


def _bytes_passed() -> int:
    """Of the loopback device, since it is up."""
    for line in pathlib.Path("/proc/self/net/dev").read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == "lo":
            return int(numbers.split()[0])
    raise ValueError("expected a loopback device. Received: none")


# --- what is checked


def _run(training: Training, number: int) -> list[Ended]:
    log = training.run_dir.with_name(f"{training.name}.log")
    return run_workers(number, lambda: _train(training), log)


def _say(name, measured, expected, holds):
    mark = "" if holds else " **missed**"
    print(f"| {name} | {measured}{mark} | {expected} |", flush=True)
    return holds


def _check_end(training, number):
    codes = [ended.code for ended in _run(training, number)]
    good = [0] * number
    return _say(f"{training.name}: exit codes", codes, good, codes == good)


def _check_steps(config, number):
    """Losses, rows and bytes of some workers beside those of one."""
    training = Training(config, f"{number} workers")
    yield _check_end(training, number)
    steps = _column(training, "step").tolist()
    yield _say(
        f"{number} workers: rows of metrics.csv",
        len(steps),
        config.num_steps,
        steps == list(range(1, config.num_steps + 1)),
    )
    yield _check_losses(training, "<= 1e-5", lambda most: most <= 1e-5)
    yield _check_bytes(training, number)
    for mistake in MISTAKES:
        training = Training(config, f"{number} workers, {mistake}", mistake)
        yield _check_end(training, number)
        yield _check_losses(training, "> 1e-3", lambda most: most > 1e-3)


def _column(training, name):
    with (training.run_dir / "metrics.csv").open() as stream:
        return np.array([float(row[name]) for row in csv.DictReader(stream)])


def _check_losses(training, expected, holds):
    alone = _column(Training(training.config, "alone"), "loss")
    most = float(np.abs(_column(training, "loss") - alone).max())
    name = f"{training.name}: largest difference of a loss from one worker's"
    return _say(name, f"{most:.2g}", expected, holds(most))


def _check_bytes(training, number):
    results = json.loads((training.run_dir / "results.json").read_text())
    ring = 2 * (number - 1) * 4 * results["parameters"]
    passed = _column(training, "bytes")[1:]  # the first step connects
    measured = (passed[-1] - passed[0]) / (len(passed) - 1)
    share = measured / ring
    return _say(
        f"{number} workers: MB a step, of a ring's",
        f"{measured / 1e6:.2f}, {share:.1%}",
        f"{ring / 1e6:.2f}, within 5 %",
        abs(share - 1) <= 0.05,
    )


def _check_killed(whole, killed):
    """Two workers, one killed; then both again, beside those of no kill."""
    who = "the chief" if killed == 0 else f"worker {killed}"
    training = dataclasses.replace(whole, name=f"killed {who}", killed=killed)
    ended = _run(training, 2)
    survivor = ended[1 - killed]
    yield _say(
        f"kill -9 of {who}: exit codes, seconds until the other ends",
        f"{[e.code for e in ended]}, {survivor.seconds:.0f}",
        f"-9 and 1, <= {MAX_SECONDS}",
        survivor.code == 1 and survivor.seconds <= MAX_SECONDS,
    )
    again = dataclasses.replace(training, killed=None, resume=True)
    yield _check_end(again, 2)
    found, expected = _tensors(again), _tensors(whole)
    same = [n for n in expected if np.array_equal(found.get(n), expected[n])]
    yield _say(
        f"kill -9 of {who}, start again: tensors with the same bits",
        len(same),
        len(expected),
        len(same) == len(expected) and found.keys() == expected.keys(),
    )


def _tensors(training):
    """Of the last checkpoint, but for the number of times it was saved."""
    path = tf.train.latest_checkpoint(str(training.run_dir / "checkpoints"))
    reader = tf.train.load_checkpoint(path)
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if "CHECKPOINTABLE" not in name and "save_counter" not in name
    }


def _check_missing(config):
    started = time.monotonic()
    log = config.run_dir / "missing.log"
    codes = [e.code for e in run_workers(3, distribution.connect, log, 1)]
    seconds = time.monotonic() - started
    return _say(
        "one of 3 workers missing: exit codes, seconds",
        f"{codes}, {seconds:.0f}",
        f"1, <= {MAX_SECONDS}",
        codes == [1, 1] and seconds <= MAX_SECONDS,
    )


if __name__ == "__main__":
    main(run_options.parse_config(Config))
