"""Write the model card of an export, beside its version folder.

python recipes/write_model_card.py --export-dir out/export \
        --evaluation out/evaluation/results.json
"""

import dataclasses
import json
import pathlib

from visualpoet import run_options
from visualpoet.export import model_card
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Write the model card of an export, beside its version folder."""

    export_dir: pathlib.Path = option(
        pathlib.Path("out/export"), "output of export.py"
    )
    evaluation: tuple[pathlib.Path, ...] = option(
        (pathlib.Path("out/evaluation/results.json"),),
        "outputs of evaluate.py, one for each form",
    )
    notes: str = option("", "a Markdown file with further sections")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    options = json.loads((config.export_dir / "config.json").read_text())
    card = model_card.write_model_card(
        pathlib.Path(options["model"]),
        json.loads((config.export_dir / "parameters.json").read_text()),
        [json.loads(path.read_text()) for path in config.evaluation],
        pathlib.Path(config.notes).read_text() if config.notes else "",
    )
    print(card)


if __name__ == "__main__":
    main(run_options.parse_config(Config))
