"""Pieces of work, one after the other here, or by Apache Beam in processes."""

import collections
import functools
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from visualpoet import extras

Work = Callable[[Any], collections.Counter[str]]


def split_options(
    arguments: Sequence[str],
) -> tuple[list[str], list[str]]:
    """Splits a command line where `--` stands.

    Args:
        arguments: The command line.

    Returns:
        What is before it, and Beam's options after it.

    Example:
        >>> split_options(["--resume", "--", "--runner=SparkRunner"])
        (['--resume'], ['--runner=SparkRunner'])
    """
    own = list(arguments)
    if "--" not in own:
        return own, []
    place = own.index("--")
    return own[:place], own[place + 1 :]


def run(
    work: Work,
    pieces: Sequence[Any],
    processes: int = 1,
    beam_options: Sequence[str] = (),
) -> collections.Counter[str]:
    """Does the work on every piece, and says so as each is done.

    Beam is needed for several processes, and where it is given options.

    Args:
        work: Returns counts of a piece. Beam may give a piece to several
            processes, or to one again.
        pieces: Each is done on its own, whichever process has it.
        processes: Of this machine, if there are no `beam_options`.
        beam_options: Where else the work is done, as Beam's command line has
            it: `--runner=FlinkRunner`, ...

    Returns:
        The sums of the counts.

    Raises:
        ModuleNotFoundError: If Beam is needed and not installed.
    """
    do = functools.partial(_do, work)
    if not pieces or processes == 1 and not beam_options:
        return sum(map(do, pieces), collections.Counter())
    return _run_beam(do, pieces, beam_options or _local_options(processes))


def _do(work: Work, piece: Any) -> collections.Counter[str]:
    counts = work(piece)
    said = ", ".join(f"{number} {name}" for name, number in counts.items())
    print(f"{piece}: {said or 'nothing'}", flush=True)
    return counts


def _local_options(processes: int) -> list[str]:
    # By name: DirectRunner would first fetch another runner.
    return [
        "--runner=FnApiRunner",
        f"--direct_num_workers={processes}",
        "--direct_running_mode=multi_processing",
    ]


def _run_beam(
    do: Work, pieces: Sequence[Any], options: Sequence[str]
) -> collections.Counter[str]:
    with extras.needs("batch"):
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions

    def count(counts: collections.Counter[str]) -> None:
        for name, number in counts.items():
            beam.metrics.Metrics.counter("visualpoet", name).inc(number)

    with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
        given = pipeline | beam.Create(pieces) | beam.Reshuffle()
        _ = given | beam.Map(do) | beam.Map(count)
    counters = pipeline.result.metrics().query()["counters"]
    return collections.Counter(
        {c.key.metric.name: c.result for c in counters if c.result}
    )
