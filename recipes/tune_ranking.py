"""Compare weights of the ranking on candidates that were written once.

    python recipes/evaluate.py --photographs PHOTOS.tar --split test \
        --model out/poet/1 --no-perplexity --run-dir out/evaluation_test
    python recipes/tune_ranking.py --poems out/evaluation_test/poems.jsonl

Prints how each score goes with the captions among the candidates of a
photograph, and what the best candidates are like with each weight. Tune on
other photographs than those that the card is measured on. Needs the extra
`evaluate`.
"""

import dataclasses
import itertools
import pathlib

import numpy as np
import pandas as pd

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import row_files
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.evaluation import diversity
from visualpoet.evaluation import ranking_weights
from visualpoet.evaluation import relevance
from visualpoet.generator import ranking
from visualpoet.generator.composer import DecodingOptions
from visualpoet.run_options import option

# Score to its weight in `DecodingOptions`.
WEIGHTS = {
    "fluency": "fluency_weight",
    "clue_share": "clue_weight",
    "paired": "paired_weight",
    "poetic": "poetic_weight",
    "copied": "copied_weight",
    "common": "common_weight",
    "novelty": "novelty_weight",
    "repetition": "repetition_weight",
    "merit": "merit_weight",
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Compare weights of the ranking on candidates that were written once."""

    poems: pathlib.Path = option(
        pathlib.Path("out/evaluation_test/poems.jsonl"),
        "poems.jsonl of evaluate.py, with candidates",
    )
    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/ranking"), "output")
    fluency_weights: tuple[float, ...] = option(
        (0.2, DecodingOptions.fluency_weight, 0.4), "to compare"
    )
    clue_weights: tuple[float, ...] = option(
        (0.0, 0.3, DecodingOptions.clue_weight, 1.0), "to compare"
    )
    paired_weights: tuple[float, ...] = option(
        (DecodingOptions.paired_weight,), "to compare"
    )
    poetic_weights: tuple[float, ...] = option(
        (DecodingOptions.poetic_weight,), "to compare"
    )
    copied_weights: tuple[float, ...] = option(
        (0.0, DecodingOptions.copied_weight), "to compare"
    )
    common_weights: tuple[float, ...] = option(
        (0.0, DecodingOptions.common_weight), "to compare"
    )
    novelty_weights: tuple[float, ...] = option(
        (DecodingOptions.novelty_weight,), "to compare"
    )
    repetition_weights: tuple[float, ...] = option(
        (DecodingOptions.repetition_weight,), "to compare"
    )
    merit_weights: tuple[float, ...] = option(
        (DecodingOptions.merit_weight,), "to compare"
    )
    sentences: bool = option(True, "measure with the sentence embedding too")
    others: int = option(
        99, "photographs a poem is compared with; the first tenth are hits"
    )
    seed: int = option(0, "of the draws")
    resume: bool = option(False, "write again into --run-dir")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    inputs = [*corpus_files(config.corpus_dir), config.poems]
    run = runs.RunDirectory(config.run_dir, config, inputs)
    photographs = load_corpus(config.corpus_dir).photographs
    rows = row_files.read_json_lines(config.poems)
    captions = [photographs[row["photograph"]].captions for row in rows]
    poems = [[c["poem"] for c in row["candidates"]] for row in rows]
    scores = ranking_weights.read_scores(rows)
    similarities = _similarities(config, poems, captions)
    correlations = _correlate(scores, similarities)
    run.log(f"correlation among candidates\n{correlations.to_string()}")
    table = _compare(config, poems, scores, similarities)
    run.log(f"best candidates\n{table.to_string(index=False)}")
    table.to_csv(config.run_dir / "weights.csv", index=False)
    run.write_json("correlations.json", correlations.to_dict())


def _similarities(config, poems, captions):
    """Measure to float `[N, C, N]`: candidates to photographs."""
    flat = [poem for candidates in poems for poem in candidates]
    similarities = relevance.make_similarities(captions, config.sentences)
    shape = [len(poems), len(poems[0]), len(captions)]
    return {
        name: measure(flat).reshape(shape)
        for name, measure in similarities.items()
    }


def _correlate(scores, similarities):
    """Scores against the similarity to the own captions, less that to all."""
    place = np.arange(len(next(iter(scores.values()))))
    own = {
        measure: values[place, :, place] - values.mean(axis=2)
        for measure, values in similarities.items()
    }
    return pd.DataFrame(
        {
            measure: {
                name: ranking_weights.correlation_within(candidates, values)
                for name, candidates in scores.items()
            }
            for measure, values in own.items()
        }
    ).round(3)


def _compare(config, poems, scores, similarities):
    grid = {
        name: getattr(config, f"{field}s")
        for name, field in WEIGHTS.items()
        if name in scores
    }
    place = np.arange(len(poems))
    rows = []
    for point in itertools.product(*grid.values()):
        weights = dict(zip(grid, point))
        options = DecodingOptions(
            **{WEIGHTS[name]: value for name, value in weights.items()}
        )
        score = ranking.score_candidates(scores, options)
        best = np.argmax(score, axis=1)
        chosen = [candidates[index] for candidates, index in zip(poems, best)]
        shares = {
            measure: relevance.is_among_first(
                values[place, best], others=config.others, seed=config.seed
            ).mean()
            for measure, values in similarities.items()
        }
        means = {
            f"mean {name}": values[place, best].mean()
            for name, values in scores.items()
        }
        distinct = diversity.distinct_n(chosen, 2)
        rows.append({**weights, **shares, "distinct_2": distinct, **means})
    return pd.DataFrame(rows).round(3)


if __name__ == "__main__":
    main(run_options.parse_config(Config))
