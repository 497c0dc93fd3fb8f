"""Write poems for many photographs: a file for each archive, folder or list.

    python recipes/write_album.py --sources PHOTOS.tar FOLDER PATHS.txt \
        --controls candidates=4 seed=1 --processes 2

A list has a path a line. `poems/` gets the records of `visualpoet write
--format jsonl`, `dead_letters/` those of photographs that cannot be used. A
run that was killed goes on with --resume: files that are there are whole.
What stands after `--` is for Apache Beam, such as `-- --runner=SparkRunner`:
docs/scaling.md.
"""

import dataclasses
import functools
import pathlib
import sys
from collections.abc import Sequence

from visualpoet import albums
from visualpoet import model_folders
from visualpoet import pipelines
from visualpoet import run_options
from visualpoet import runs
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Write poems for many photographs: a file for each source."""

    sources: tuple[pathlib.Path, ...] = option(
        (), "tar archives and folders of photographs, lists of paths (.txt)"
    )
    model: str = option(
        "", "an exported model; the one that comes with the package if none"
    )
    controls: tuple[str, ...] = option(
        (), "as candidates=4: those of `visualpoet write`"
    )
    any_word: bool = option(False, "write slurs and crude words, too")
    format: str = option("jsonl", "jsonl or parquet")
    run_dir: pathlib.Path = option(pathlib.Path("out/album"), "output")
    processes: int = option(1, "processes of this machine; each holds a model")
    resume: bool = option(False, "go on with the run in --run-dir")

    def __post_init__(self):
        if not self.sources:
            raise ValueError("expected --sources. Received: none")
        if self.format not in albums.FORMATS:
            raise ValueError(
                f"expected --format, one of {', '.join(albums.FORMATS)}. "
                f"Received: {self.format}"
            )


def main(config: Config, beam_options: Sequence[str] = ()) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
        beam_options: Those of Apache Beam.

    Raises:
        SystemExit: If a source could not be read to its end.
    """
    model = model_folders.newest_version(
        pathlib.Path(config.model or model_folders.default_model())
    )
    given = albums.read_controls(config.controls, model)
    albums.check_sources(config.sources)
    run = runs.RunDirectory(config.run_dir, config, _inputs(config, model))
    unwritten = albums.find_unwritten(
        config.sources, config.run_dir, config.format
    )
    run.log(f"{len(unwritten)} of {len(config.sources)} sources to write for")
    counts = pipelines.run(
        functools.partial(
            albums.write_poems,
            folder=config.run_dir,
            output_format=config.format,
            model=model,
            any_word=config.any_word,
            given=given,
        ),
        unwritten,
        config.processes,
        beam_options,
    )
    said = [f"{n} {name}" for name, n in sorted(counts.items())]
    run.log(f"{config.run_dir}: {', '.join(said) or 'nothing to do'}")
    if counts["unreadable sources"]:
        raise SystemExit("not all sources could be read: see dead_letters/")


def _inputs(config: Config, model: pathlib.Path) -> list[pathlib.Path]:
    """The model and the lists; archives may be too large to be read twice."""
    files = [path for path in sorted(model.rglob("*")) if path.is_file()]
    return files + [s for s in config.sources if s.suffix == albums.LIST_SUFFIX]


if __name__ == "__main__":
    arguments, beam_options = pipelines.split_options(sys.argv[1:])
    main(run_options.parse_config(Config, arguments), beam_options)
