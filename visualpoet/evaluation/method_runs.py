"""The runs of the compared methods, as they lie in their folders."""

import csv
import dataclasses
import json
import pathlib
from collections.abc import Sequence

import numpy as np

from visualpoet.corpus import row_files

METHODS = {
    "show_and_tell_1cnn": "Show and Tell (1CNN)",
    "show_and_tell_3cnn": "Show and Tell (3CNNs)",
    "seqgan": "SeqGAN",
    "regions_hierarchical": "Regions-Hierarchical",
    "no_discriminator": "I2P-GAN w/o discriminator",
    "with_dm": "I2P-GAN w/ D_m",
    "with_dp": "I2P-GAN w/ D_p",
    "i2p_gan": "I2P-GAN",
}
LAMBDAS = {
    "with_dp": 0.0,
    "lambda_0.2": 0.2,
    "lambda_0.5": 0.5,
    "i2p_gan": 0.8,
    "with_dm": 1.0,
}
# I2P-GAN with other rewards.
VARIANTS = {
    "pairing_apart": "I2P-GAN, two rewards of D_m",
    "lambda_0.2": "I2P-GAN, lambda 0.2",
    "lambda_0.5": "I2P-GAN, lambda 0.5",
}
TITLES = (
    METHODS
    | VARIANTS
    | {
        "human_paired": "human, paired",
        "human_other": "human, another paired",
        "human_shuffled": "human, shuffled pairs",
    }
)


@dataclasses.dataclass(frozen=True)
class MethodRun:
    """One seed of one method.

    Attributes:
        method: Name of its folder.
        seed: Its number.
        folder: `<runs>/<method>/seed<k>`.
        poems: Photograph to poem.
    """

    method: str
    seed: int
    folder: pathlib.Path
    poems: dict[str, str]

    @property
    def name(self) -> str:
        """`<method>/seed<k>`."""
        return f"{self.method}/seed{self.seed}"


def find_runs(folder: pathlib.Path) -> tuple[list[MethodRun], list[str]]:
    """Reads the poems of all runs.

    Args:
        folder: Holds `<method>/seed<k>/poems.jsonl`, each line an object with
            `photograph` and `poem`.

    Returns:
        The runs, methods in the order of the table, and what is missing or
        cannot be read, a sentence each.
    """
    runs, problems = [], []
    for method in METHODS | VARIANTS:
        seeds = sorted(
            pathlib.Path(folder).glob(f"{method}/seed*"),
            key=lambda path: (len(path.name), path.name),
        )
        if not seeds:
            problems.append(f"{method}: no runs")
        for path in seeds:
            try:
                number = int(path.name.removeprefix("seed"))
                poems = read_poems(path / "poems.jsonl")
            except (OSError, ValueError, KeyError, TypeError) as error:
                problems.append(f"{method}/{path.name}: {_reason(error)}")
                continue
            runs.append(MethodRun(method, number, path, poems))
    return runs, problems + _missing_seeds(runs)


def _missing_seeds(runs: Sequence[MethodRun]) -> list[str]:
    seeds = {run.seed for run in runs if run.method in METHODS}
    missing = {
        method: sorted(seeds - {r.seed for r in runs if r.method == method})
        for method in METHODS
        if any(run.method == method for run in runs)
    }
    return [
        f"{method}: no seed {', '.join(map(str, numbers))}, which others have"
        for method, numbers in missing.items()
        if numbers
    ]


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"no {pathlib.Path(error.filename).name}"
    return f"poems.jsonl cannot be read ({error!r})"


def read_poems(path: pathlib.Path) -> dict[str, str]:
    """Reads poems of photographs.

    Args:
        path: JSON lines with `photograph` and `poem`.

    Returns:
        Photograph to poem.
    """
    rows = row_files.read_json_lines(path)
    return {row["photograph"]: str(row["poem"]) for row in rows}


def complete_runs(
    runs: Sequence[MethodRun], names: Sequence[str]
) -> tuple[list[MethodRun], list[str], list[str]]:
    """Selects the runs that wrote for the same photographs.

    Args:
        runs: The runs.
        names: Photographs that can be measured.

    Returns:
        The runs that have a poem for each photograph which at least half of
        the runs wrote for; these photographs, in the order of `names`; and a
        sentence for each run that was left out.

    Raises:
        ValueError: If no photograph of `names` has a poem.
    """
    counts = {name: sum(name in run.poems for run in runs) for name in names}
    common = [n for n in names if counts[n] and 2 * counts[n] >= len(runs)]
    if not common:
        raise ValueError(
            "expected runs with poems for the photographs of the split. "
            f"Received: {len(runs)} runs and {len(names)} photographs, none "
            "in common; see --runs and --split"
        )
    kept, problems = [], []
    for run in runs:
        missing = sum(name not in run.poems for name in common)
        if missing:
            problems.append(
                f"{run.name}: no poem for {missing} of {len(common)} "
                "photographs; left out"
            )
        else:
            kept.append(run)
    return kept, common, problems


# --- training curves and confusion matrices


def read_curves(folder: pathlib.Path) -> dict[str, list[tuple[float, float]]]:
    """Reads the training curves of a run.

    Args:
        folder: The run, with `metrics.csv`, whose first column is the step.

    Returns:
        Column to (step, value); without what is no number. Empty if there is
        no such file.
    """
    path = folder / "metrics.csv"
    if not path.exists():
        return {}
    curves: dict[str, list[tuple[float, float]]] = {}
    with path.open(newline="") as stream:
        rows = csv.DictReader(stream)
        step, *columns = rows.fieldnames or [""]
        for row in rows:
            for column in columns:
                point = _as_point(row[step], row[column])
                if point:
                    curves.setdefault(column, []).append(point)
    return curves


def _as_point(step: str, value: str) -> tuple[float, float] | None:
    try:
        point = float(step), float(value)
    except (TypeError, ValueError):
        return None
    return point if np.isfinite(point).all() else None


def read_confusion(
    folders: Sequence[pathlib.Path],
) -> dict[str, list[list[float]]]:
    """Averages the confusion matrices of some runs.

    Args:
        folders: Runs with `confusion.json`: the name of a discriminator to
            counts, a row for each true class. Others are passed over.

    Returns:
        Discriminator to shares; each row adds up to 1.
    """
    found: dict[str, list[np.ndarray]] = {}
    for folder in folders:
        path = folder / "confusion.json"
        if not path.exists():
            continue
        for name, counts in json.loads(path.read_text()).items():
            counts = np.array(counts, float)
            sums = np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
            found.setdefault(name, []).append(counts / sums)
    return {
        name: np.mean(shares, axis=0).tolist() for name, shares in found.items()
    }
