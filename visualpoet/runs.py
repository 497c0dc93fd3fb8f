"""Run directories, and training in them."""

import csv
import dataclasses
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from rich.progress import Progress

from visualpoet import checkpoints
from visualpoet import distribution
from visualpoet.provenance import describe_environment
from visualpoet.provenance import file_digest

_CHECKPOINTS = "checkpoints"
_NAMED_INPUTS = 5


def _write_json(path: pathlib.Path, value: Any) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, indent=1, default=str) + "\n")
    partial.rename(path)


def _shorten(path: pathlib.PurePath) -> str:
    is_outside = path.is_absolute() or ".." in path.parts
    return "/".join(path.parts[-2:] if is_outside else path.parts)


def check_same_input(made: pathlib.Path, path: pathlib.Path) -> None:
    """Checks that what a run made came of the file that is read now.

    Args:
        made: A file in a run directory; elsewhere nothing is known of it.
        path: Of the file.

    Raises:
        ValueError: If the run read another file of this name.
    """
    record = made.parent / "inputs.json"
    digests = json.loads(record.read_text()) if record.exists() else {}
    read = [d for name, d in digests.items() if _name(name) == path.name]
    if read and file_digest(path) not in read:
        raise ValueError(
            f"expected the {path.name} that {made} was made with. Received: "
            f"{path}, another one; name the folder that {record} names"
        )


def _name(path: str) -> str:
    return pathlib.PurePath(path).name


class RunDirectory:
    """One folder a run: options, lineage, checkpoints, metrics, log.

    Of several workers the chief writes into it; the others write into a folder
    of their own that goes away, and read its checkpoints.

    Args:
        path: The folder.
        config: Frozen dataclass of options; its `resume` field, if any, says
            whether the folder may already hold a run. `processes`, which
            changes nothing of what comes out, may be another one then.
        inputs: Files the run reads; their digests are recorded.

    Raises:
        FileExistsError: If the folder holds a run and `resume` is off.
        ValueError: If it holds a run with other options or other inputs.
    """

    def __init__(
        self,
        path: pathlib.Path,
        config: Any,
        inputs: Sequence[pathlib.Path] = (),
    ):
        self.path = self._shared = pathlib.Path(path)
        if distribution.worker_number():
            self._own = tempfile.TemporaryDirectory()
            self.path = pathlib.Path(self._own.name)
        options = dataclasses.asdict(config)
        resume = options.pop("resume", False)
        options.pop("processes", None)
        options = json.loads(json.dumps(options, default=str))
        self._check(options, resume)
        digests = {str(path): file_digest(path) for path in inputs}
        self._check_inputs(digests)
        environment = describe_environment()
        self.path.mkdir(parents=True, exist_ok=True)
        _write_json(self.path / "config.json", options)
        _write_json(self.path / "environment.json", environment)
        _write_json(self.path / "inputs.json", digests)
        self.given = {"options": options, "inputs": digests}
        self._started = time.monotonic()

    def _check(self, options: dict, resume: bool) -> None:
        path = self.path / "config.json"
        if not path.exists():
            return
        held = json.loads(path.read_text())
        if not resume:
            raise FileExistsError(
                "expected a new run directory. Received: "
                f"{self.path}, which holds a run; add --resume to go on with "
                "it, or name another folder"
            )
        changed = sorted(
            key
            for key in held.keys() | options.keys()
            if held.get(key) != options.get(key)
        )
        if changed:
            received = ", ".join(f"{k}={options.get(k)!r}" for k in changed)
            expected = ", ".join(f"{k}={held.get(k)!r}" for k in changed)
            raise ValueError(
                f"expected the options of the run in {self.path} "
                f"({expected}). Received: {received}; give the same options "
                "or name another folder"
            )

    def _check_inputs(self, digests: dict[str, str]) -> None:
        path = self.path / "inputs.json"
        held = json.loads(path.read_text()) if path.exists() else digests
        changed = sorted(
            name
            for name in held.keys() | digests.keys()
            if held.get(name) != digests.get(name)
        )
        if changed:
            first = ", ".join(changed[:_NAMED_INPUTS])
            more = ", ..." if len(changed) > _NAMED_INPUTS else ""
            raise ValueError(
                f"expected the inputs that the run in {self.path} began with. "
                f"Received: another {first}{more} (changed, added or gone); "
                "name another folder for a run on new inputs"
            )

    def log(self, message: str) -> None:
        """Prints a line with the minutes since the start, and keeps it.

        Args:
            message: The line.
        """
        minutes = (time.monotonic() - self._started) / 60
        line = f"[{minutes:6.1f} min] {message}"
        print(line, flush=True)
        with (self.path / "log.txt").open("a") as stream:
            stream.write(line + "\n")

    def write_metrics(self, row: Mapping[str, float]) -> None:
        """Appends a row to `metrics.csv`; the first row fixes the columns.

        Args:
            row: Column to value.

        Raises:
            ValueError: If the columns differ from the file's.
        """
        path = self.path / "metrics.csv"
        if path.exists():
            with path.open() as stream:
                columns = next(csv.reader(stream))
            if columns != list(row):
                raise ValueError(
                    f"expected the columns {columns}. Received: {list(row)}"
                )
        new = not path.exists()
        with path.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, list(row), lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(row)

    def write_json(self, name: str, value: Any) -> None:
        """Writes a JSON file into the run directory, all or nothing.

        Args:
            name: File name.
            value: What to write.
        """
        _write_json(self.path / name, value)

    def describe_lineage(self) -> dict:
        """Describes what the run came of, in words that hold elsewhere, too.

        Returns:
            `commit` of the code, and `inputs`: SHA-256 by path, of an absolute
            path, or one that goes up, its last two parts.
        """
        environment, inputs = (
            json.loads((self.path / name).read_text())
            for name in ("environment.json", "inputs.json")
        )
        return {
            "commit": environment["commit"],
            "inputs": {
                _shorten(pathlib.PurePath(name)): digest
                for name, digest in inputs.items()
            },
        }

    def forget_metrics_after(self, step: int) -> None:
        """Drops rows of `metrics.csv` that a resumed run will write again.

        Args:
            step: Train steps done.
        """
        path = self.path / "metrics.csv"
        if path.exists():
            head, *rows = path.read_text().splitlines()
            kept = [row for row in rows if int(row.split(",")[0]) <= step]
            path.write_text("\n".join([head, *kept]) + "\n")

    def save_checkpoint(self, step: int, state: Mapping[str, Any]) -> None:
        """Writes a checkpoint; until it is whole, the one before counts.

        Args:
            step: Train steps done.
            state: Group name (`model`, `optimizer`) to a list of Keras
                variables, or to what TensorFlow can track.
        """
        checkpoint, manager = checkpoints.open_checkpoints(
            self.path / _CHECKPOINTS, state
        )
        checkpoint.step.assign(step)
        manager.save(step)

    def restore_checkpoint(self, state: Mapping[str, Any]) -> int:
        """Loads the newest whole checkpoint, if there is one.

        Args:
            state: As for `save_checkpoint`; assigned in place.

        Returns:
            Train steps done, 0 without a checkpoint.

        Raises:
            ValueError: If it holds other variables.
        """
        checkpoint, _ = checkpoints.open_checkpoints(
            self.path / _CHECKPOINTS, state
        )
        return checkpoints.restore_newest(
            checkpoint, self._shared / _CHECKPOINTS
        )


@distribution.expect_all_workers()
def train(
    run: RunDirectory,
    *,
    num_steps: int,
    batches: Callable[[int], Iterable],
    train_step: Callable[[Any], tf.Tensor],
    variables: Mapping[str, Sequence],
    evaluate: Callable[[], Mapping[str, float]],
    evaluation_interval: int,
    checkpoint_minutes: float = 3.0,
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    """Trains, resuming from the newest checkpoint of the run.

    A batch may depend on nothing but the number of its step, and an update on
    nothing but the batch and the variables, so that a resumed run reaches the
    same weights as one that was never stopped.

    Args:
        run: Where checkpoints, metrics and summaries go.
        num_steps: Train steps in all.
        batches: Maps the number of a step to the batches from there on.
        train_step: Maps a batch to its loss, and updates.
        variables: What a checkpoint holds.
        evaluate: Returns validation metrics.
        evaluation_interval: Train steps between evaluations.
        checkpoint_minutes: Minutes between checkpoints.
        is_over: Whether to stop before the last step, for all that is in
            `variables`.
    """
    writer = tf.summary.create_file_writer(str(run.path / "tensorboard"))
    step = run.restore_checkpoint(variables)
    run.forget_metrics_after(step)
    distribution.check_same({"step": step, **run.given})
    for group in variables.values():
        distribution.draw_apart(group)
    saved = time.monotonic()
    losses: list[tf.Tensor] = []
    with Progress(disable=not sys.stdout.isatty()) as progress:
        task = progress.add_task("training", total=num_steps, completed=step)
        for batch in batches(step):
            if step >= num_steps or is_over():
                break
            losses.append(train_step(batch))
            step += 1
            progress.advance(task)
            if step % evaluation_interval == 0 or step == num_steps:
                loss = float(np.mean([float(value) for value in losses]))
                losses.clear()
                row = {"step": step, "loss": loss, **evaluate()}
                _report(run, writer, row, num_steps)
            last = step == num_steps or is_over()
            if last or time.monotonic() - saved > 60 * checkpoint_minutes:
                run.save_checkpoint(step, variables)
                saved = time.monotonic()


def _report(
    run: RunDirectory,
    writer: tf.summary.SummaryWriter,
    row: Mapping[str, float],
    num_steps: int,
) -> None:
    run.write_metrics(row)
    with writer.as_default(step=row["step"]):
        for name, value in row.items():
            tf.summary.scalar(name, value)
    written = ", ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "step")
    run.log(f"step {row['step']}/{num_steps}: {written}")
