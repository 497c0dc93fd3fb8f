"""Ask people: pages for raters, and the analysis of what they saved.

    python recipes/human_study.py --photographs PHOTOS.tar
    python recipes/human_study.py --key out/human_study/key.json \
        --analyse answers/*.json --run-dir out/human_answers

The pages are files to send or to put on any server; they store answers in the
reader's browser and save them as a file. Keep key.json to yourself.
"""

import dataclasses
import json
import pathlib

import numpy as np

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.evaluation import human_answers
from visualpoet.evaluation import human_poems
from visualpoet.evaluation import human_study
from visualpoet.evaluation import method_runs
from visualpoet.features import photographs
from visualpoet.features import picture_files
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Write the pages of the human studies, or analyse their answers."""

    runs: pathlib.Path = option(
        pathlib.Path("out/liu18"),
        "folder of <method>/seed<k>, as liu18.sh writes it",
    )
    photographs: tuple[pathlib.Path, ...] = option(
        (), "folders and tar archives of photographs"
    )
    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/liu18/corpus"), "output of prepare_corpus.py"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/human_study"), "output")
    split: str = option("validation", "split of the photographs")
    rated: int = option(6, "photographs to rate, all methods each")
    pairs: int = option(20, "pairs of each choice between human and machine")
    machine: str = option("i2p_gan", "method of the choice")
    plain: bool = option(True, "poems in lower case without punctuation")
    analyse: tuple[pathlib.Path, ...] = option((), "answers to analyse")
    key: pathlib.Path = option(
        pathlib.Path("out/human_study/key.json"), "key to the answers"
    )
    seed: int = option(0, "of photographs and names")
    resume: bool = option(False, "write again into --run-dir")

    def __post_init__(self):
        if not self.analyse and not self.photographs:
            raise ValueError(
                "expected --photographs, or --analyse. Received: none"
            )


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    if config.analyse:
        _analyse(config)
    else:
        _write_pages(config)


def _write_pages(config):
    found, problems = method_runs.find_runs(config.runs)
    run = runs.RunDirectory(
        config.run_dir,
        config,
        corpus_files(config.corpus_dir)
        + [one.folder / "poems.jsonl" for one in found],
    )
    for problem in problems:
        run.log(f"missing: {problem}")
    corpus = load_corpus(config.corpus_dir)
    contents = _pictures(config, corpus)
    found, names, left_out = method_runs.complete_runs(found, list(contents))
    for problem in left_out:
        run.log(f"missing: {problem}")
    rated, with_photograph, without = _choose(config, names)
    poems = _poems(config, corpus, found, names)
    pictures_of = {
        name: _thumbnail(contents[name]) for name in [*rated, *with_photograph]
    }
    studies = [
        human_study.rating_study(
            {name: poems[name] for name in rated}, pictures_of, config.seed
        ),
        human_study.turing_study(
            _pairs(config, poems, with_photograph), pictures_of, config.seed
        ),
        human_study.turing_study(
            _pairs(config, poems, without), None, config.seed
        ),
    ]
    for study in studies:
        page = human_study.render_page(study)
        path = config.run_dir / f"{study.kind}.html"
        path.write_text(page, encoding="utf-8")
        run.log(f"{path}: {len(study.page['items'])} items")
    run.write_json("key.json", human_study.key_file(studies))


def _pictures(config, corpus):
    """Photographs of the split that have a paired poem, in its order."""
    paired = {pair.image for pair in corpus.pairs}
    wanted = [n for n in corpus.images(config.split) if n in paired]
    found = dict(photographs.read_photographs(config.photographs))
    return {name: found[name] for name in wanted if name in found}


def _choose(config, names):
    """Different photographs for each study: no poem is met twice."""
    needed = config.rated + 2 * config.pairs
    if needed > len(names):
        raise ValueError(
            f"expected {needed} photographs that all runs wrote for: --rated "
            f"and twice --pairs. Received: {len(names)}"
        )
    order = np.random.default_rng(config.seed).permutation(len(names))
    chosen = [names[place] for place in order[:needed]]
    first, second = config.rated, config.rated + config.pairs
    return chosen[:first], chosen[first:second], chosen[second:]


def _poems(config, corpus, found, names):
    """Photograph to method to poem, of the first seed, and the human one."""
    written = human_study.plain if config.plain else str
    first = {}
    for run in found:
        if run.method in method_runs.METHODS:
            first.setdefault(run.method, run)
    if config.machine not in first:
        raise ValueError(
            f"expected a --machine of {', '.join(first)}. Received: "
            f"{config.machine}"
        )
    human = human_poems.find_paired(corpus.pairs, names)
    return {
        name: {
            method: written(run.poems[name]) for method, run in first.items()
        }
        | {human_study.HUMAN: written(poems[0])}
        for name, poems in zip(names, human)
    }


def _pairs(config, poems, names):
    both = (human_study.HUMAN, config.machine)
    return {name: {one: poems[name][one] for one in both} for name in names}


def _thumbnail(content):
    upright = picture_files.make_upright(content, "photograph")
    return picture_files.spell_thumbnail(upright, 800)


def _analyse(config):
    run = runs.RunDirectory(
        config.run_dir, config, [config.key, *config.analyse]
    )
    key = json.loads(config.key.read_text())
    answers = human_answers.read_answers(config.analyse, key)
    results = human_answers.analyse(answers, key, seed=config.seed)
    run.write_json("results.json", results)
    for kind, found in results.items():
        run.log(f"{kind}: {json.dumps(found, indent=1)}")


if __name__ == "__main__":
    main(run_options.parse_config(Config))
