"""Fit the ranking to readers: sheets of candidates, then weights.

    python recipes/fit_ranking.py --photographs PHOTOS.tar --model out/poet/1
    python recipes/fit_ranking.py --analyse picks/*.json \
        --key out/fit_ranking/key.json --run-dir out/fitted

A sheet has five photographs, each with nine candidates in random order: of
each of three settings the best and two more. A reader saves for each
photograph, by its number, the numbers of the candidates:
{"1": {"best": 4, "second": 7, "broken": [1, 2]}, ...}
Weights are factors of the scores; decoding options say how much `novelty` and
`repetition` take off, so that they have the other sign.
"""

import dataclasses
import io
import itertools
import json
import pathlib

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from visualpoet import poet
from visualpoet import run_options
from visualpoet import runs
from visualpoet.evaluation import human_study
from visualpoet.evaluation import picks
from visualpoet.features import photographs
from visualpoet.features import picture_files
from visualpoet.run_options import option

PER_SHEET, PER_SETTING = 5, 3
SCORES = ("fit", "fluency", "clue_share", "repetition", "novelty", "merit")
ROW, COLUMN, SIDE = 330, 400, 300  # pixels


@dataclasses.dataclass(frozen=True)
class Config:
    """Fit the ranking to readers: sheets of candidates, then weights."""

    photographs: tuple[pathlib.Path, ...] = option(
        (), "folders and tar archives of photographs"
    )
    model: pathlib.Path = option(pathlib.Path("out/poet/1"), "exported poet")
    form: str = option("", "of the poems; as exported if empty")
    temperatures: tuple[float, ...] = option((0.5, 0.6, 0.7), "to compare")
    guidances: tuple[float, ...] = option(
        (1.4, 1.2, 1.0), "to compare, one for each temperature"
    )
    num_photographs: int = option(60, "photographs to write for")
    analyse: tuple[pathlib.Path, ...] = option((), "what readers saved")
    key: pathlib.Path = option(
        pathlib.Path("out/fit_ranking/key.json"), "key to it"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/fit_ranking"), "output")
    seed: int = option(0, "of photographs, poems and their order")

    def __post_init__(self):
        if not self.analyse and not self.photographs:
            raise ValueError(
                "expected --photographs, or --analyse. Received: none"
            )
        if len(self.temperatures) != len(self.guidances):
            raise ValueError(
                "expected as many --guidances as --temperatures. Received: "
                f"{len(self.guidances)} and {len(self.temperatures)}"
            )


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    if config.analyse:
        _analyse(config)
    else:
        _write_sheets(config)


def _write_sheets(config):
    run = runs.RunDirectory(config.run_dir, config)
    rng = np.random.default_rng(config.seed)
    contents = _choose(config, rng)
    rows = [
        [candidates[place] for place in rng.permutation(len(candidates))]
        for candidates in _write_candidates(config, contents, rng)
    ]
    run.write_json("key.json", rows)
    numbered = list(zip(itertools.count(1), contents, rows))
    for start in range(0, len(numbered), PER_SHEET):
        path = run.path / f"sheet{start // PER_SHEET + 1:02d}.png"
        _draw_sheet(numbered[start : start + PER_SHEET]).save(path)
    run.log(f"{len(rows)} photographs on sheets in {run.path}")


def _choose(config, rng):
    """Some of the photographs; all at once may be too many to hold."""
    names = [n for n, _ in photographs.read_photographs(config.photographs)]
    chosen = set(rng.permutation(sorted(names))[: config.num_photographs])
    found = photographs.read_photographs(config.photographs)
    return [content for name, content in found if name in chosen]


def _write_candidates(config, contents, rng):
    """For each photograph, some candidates of each setting."""
    writer = poet.load(config.model)
    form = {"form": config.form} if config.form else {}
    rows = [[] for _ in contents]
    settings = zip(config.temperatures, config.guidances)
    for setting, (temperature, guidance) in enumerate(settings):
        for row, written in zip(
            rows,
            writer.write(
                contents,
                temperature=temperature,
                guidance=guidance,
                seed=config.seed,
                **form,
            ),
        ):
            others = 1 + rng.permutation(len(written.candidates) - 1)
            row += [
                written.candidates[rank].to_dict()
                | {"setting": setting, "is_first": not rank}
                for rank in (0, *others[: PER_SETTING - 1])
            ]
    return rows


def _draw_sheet(numbered):
    sheet = Image.new("RGB", (SIDE + 3 * COLUMN, PER_SHEET * ROW), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for place, (number, content, candidates) in enumerate(numbered):
        top = place * ROW
        small = picture_files.thumbnail(
            picture_files.make_upright(content, "photograph"), SIDE - 20
        )
        sheet.paste(Image.open(io.BytesIO(small)), (8, top + 8))
        draw.text((8, top + ROW - 30), f"photograph {number}", "red", font)
        for index, candidate in enumerate(candidates):
            left = SIDE + index % 3 * COLUMN
            above = top + 8 + index // 3 * (ROW // 3)
            draw.text((left, above), str(index + 1), "red", font)
            text = human_study.plain(candidate["poem"])
            draw.multiline_text((left + 24, above), text, "black", font)
    return sheet


def _analyse(config):
    run = runs.RunDirectory(
        config.run_dir, config, [config.key, *config.analyse]
    )
    rows = json.loads(config.key.read_text())
    answers = [
        (int(number) - 1, picks.read_levels(answer, len(rows[int(number) - 1])))
        for path in config.analyse
        for number, answer in json.loads(path.read_text()).items()
    ]
    numbers, levels = zip(*answers)
    levels = np.array(levels)
    names = [name for name in SCORES if name in rows[0][0]]
    scores = np.array(
        [[[c[s] for s in names] for c in rows[n]] for n in numbers]
    )
    weights = picks.fit_weights(scores, levels)
    results = {
        "answers": len(answers),
        "weights": dict(zip(names, map(float, weights / abs(weights[0])))),
        "as it was ranked": picks.judge(
            np.array([[[c["score"]] for c in rows[n]] for n in numbers]),
            levels,
            np.ones(1),
        ),
        "cross-validated": picks.cross_validate(scores, levels, numbers),
        "settings": _compare_settings(rows, numbers, levels),
    }
    run.write_json("results.json", results)
    run.log(json.dumps(results, indent=1))


def _compare_settings(rows, numbers, levels):
    """Shares of the best and of the broken ones, by setting."""
    found = {}
    for number, row in zip(numbers, levels):
        for candidate, level in zip(rows[number], row):
            of = "first" if candidate["is_first"] else "others"
            name = f"{candidate['setting']}, {of}"
            found.setdefault(name, []).append(level)
    return {
        name: {
            "best": float(np.mean(np.array(held) == picks.BEST)),
            "broken": float(np.mean(np.array(held) == picks.BROKEN)),
        }
        for name, held in sorted(found.items())
    }


if __name__ == "__main__":
    main(run_options.parse_config(Config))
