"""Encode every photograph with the object and scene experts (liu18).

    python recipes/extract_features.py --photographs PHOTOS.tar FOLDER \
        --object HANDLE --scene HANDLE

Each of --photographs is read by one process. A run that was killed goes on
with --resume. What stands after `--` is for Apache Beam, such as
`-- --runner=SparkRunner`: docs/scaling.md.
"""

import dataclasses
import functools
import pathlib
import sys
from collections.abc import Sequence

from visualpoet import pipelines
from visualpoet import run_options
from visualpoet import runs
from visualpoet.features import experts
from visualpoet.features import extraction
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Encode every photograph with the object and scene experts."""

    photographs: tuple[pathlib.Path, ...] = option(
        (), "folders and tar archives of photographs"
    )
    object: str = option("", "TF-Hub handle of the object CNN")
    scene: str = option("", "TF-Hub handle of the scene CNN")
    run_dir: pathlib.Path = option(pathlib.Path("out/features"), "output")
    num_crops: int = option(
        3, "random crops of each photograph, for distill_visual_encoder.py"
    )
    batch_size: int = option(64, "views a batch")
    processes: int = option(1, "processes of this machine")
    resume: bool = option(False, "go on with the run in --run-dir")

    def __post_init__(self):
        if not self.photographs:
            raise ValueError("expected --photographs. Received: none")


def main(config: Config, beam_options: Sequence[str] = ()) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
        beam_options: Those of Apache Beam.
    """
    run = runs.RunDirectory(config.run_dir, config)
    handles = {"object": config.object, "scene": config.scene}
    digests = {name: experts.expert_digest(h) for name, h in handles.items()}
    pipelines.run(
        functools.partial(
            extraction.extract_features,
            folder=config.run_dir,
            handles=handles,
            digests=digests,
            num_crops=config.num_crops,
            batch_size=config.batch_size,
        ),
        extraction.find_missing(config.photographs, config.run_dir),
        config.processes,
        beam_options,
    )
    index, bad = extraction.join_parts(config.photographs, config.run_dir)
    run.write_json("index.json", index)
    run.write_json("experts.json", {"handles": handles, "digests": digests})
    (config.run_dir / "unreadable.txt").write_text("\n".join(bad))
    run.log(f"{len(index)} photographs, {len(bad)} unreadable")


if __name__ == "__main__":
    arguments, beam_options = pipelines.split_options(sys.argv[1:])
    main(run_options.parse_config(Config, arguments), beam_options)
