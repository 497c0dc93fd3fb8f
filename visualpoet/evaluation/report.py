"""The comparison of methods as one page that needs nothing from outside."""

import csv
import io
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from visualpoet import templating
from visualpoet.discriminators.tasks import TASKS
from visualpoet.evaluation import charts
from visualpoet.evaluation.columns import MEASURES
from visualpoet.evaluation.columns import MORE
from visualpoet.evaluation.columns import PAPER
from visualpoet.evaluation.columns import Measure
from visualpoet.evaluation.method_runs import LAMBDAS
from visualpoet.evaluation.method_runs import METHODS
from visualpoet.evaluation.method_runs import TITLES

OVERALL = Measure(
    "overall",
    "Overall",
    "high",
    "Mean of the six columns before it, each spread from 0 to 100 over the "
    "methods of this table: it changes when a method joins or leaves.",
    in_paper=True,
)
TESTED = (
    *(measure.name for measure in PAPER),
    "caption_tfidf",
    "caption_sentences",
    "perplexity",
    "copied_run",
)
JUDGED = (
    "caption_tfidf",
    "caption_sentences",
    "perplexity",
    "distinct_1",
    "distinct_2",
    "self_bleu",
    "different_poems",
)
LAMBDA_MEASURES = (
    "relevance",
    "novelty_2",
    "bleu_1",
    "caption_sentences",
    "caption_tfidf",
    "perplexity",
    "distinct_2",
)


def table_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Writes the rows of the table as CSV.

    Args:
        rows: What `comparison.table_rows` returned.

    Returns:
        A line a method: name, number of seeds, and for each measure its mean,
        the ends of its range over seeds (`_low`, `_high`) and of its interval
        over photographs (`_from`, `_to`); empty where it was not measured.
    """
    measures = [*MEASURES, "overall"]
    ends = ("", "_low", "_high", "_from", "_to")
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = [measure + end for measure in measures for end in ends]
    writer.writerow(["method", "seeds", *names])
    for row in rows:
        cells = []
        for measure in measures:
            group = row["columns"].get(measure, {})
            cells += [group.get(key, "") for key in ("mean", "low", "high")]
            cells += group.get("interval", ("", ""))
        writer.writerow([row["name"], len(row["seeds"]), *cells])
    return stream.getvalue()


def render_report(
    results: Mapping[str, Any],
    curves: Mapping[str, Sequence[Mapping[str, charts.Points]]],
    examples: Sequence[Mapping[str, Any]],
) -> str:
    """Writes the page.

    Args:
        results: `photographs`, `split`, `rows`, `tests`, `directions`,
            `confusion`, `problems`, `bleu` as `results.json` has them.
        curves: Method to the training curves of each seed.
        examples: Photographs: `photograph`, `picture` (JPEG in base 64),
            `caption`, `poems` (title and text).

    Returns:
        HTML.
    """
    present = {name for row in results["rows"] for name in row["columns"]}
    paper = [m for m in [*PAPER, OVERALL] if m.name in present]
    more = [m for m in MORE if m.name in present]
    judged = [m for m in more if m.name in JUDGED]
    counted = [m for m in more if m.name not in JUDGED]
    parts = [
        ("The paper's measures", "paper", paper),
        ("What the paper lacks: fit, language, variety", "judged", judged),
        ("What the paper lacks: copying and size", "counted", counted),
    ]
    return templating.render(
        "methods.html",
        results=results,
        tables=[
            (title, anchor, group, best_values(results, group))
            for title, anchor, group in parts
        ],
        tested=[MEASURES[name] for name in TESTED if name in present],
        tests=_tests_by_row(results["tests"]),
        measures={**MEASURES, "overall": OVERALL},
        methods=METHODS,
        titles=TITLES,
        tasks={task.name: task for task in TASKS},
        lambda_panels=_lambda_panels(results["rows"]),
        training_panels=_training_panels(curves),
        examples=examples,
        size=(charts.WIDTH, charts.HEIGHT),
        frame=(charts.LEFT, charts.RIGHT, charts.TOP, charts.BOTTOM),
    )


def best_values(
    results: Mapping[str, Any], measures: Sequence[Measure]
) -> dict[str, float]:
    """Finds the best mean of each measure among the compared methods.

    Args:
        results: With `rows`.
        measures: The measures.

    Returns:
        Measure to value; without those where neither end is better or all
        methods are equal.
    """
    best = {}
    for measure in measures:
        values = [
            row["columns"][measure.name]["mean"]
            for row in results["rows"]
            if row["name"] in METHODS and measure.name in row["columns"]
        ]
        if measure.better and len(set(values)) > 1:
            best[measure.name] = (max if measure.better == "high" else min)(
                values
            )
    return best


def _tests_by_row(
    tests: Sequence[Mapping[str, Any]],
) -> dict[str, dict[str, dict[str, Any]]]:
    """Against what, to method, to measure, to the test."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for test in tests:
        rows = found.setdefault(test["against"], {})
        rows.setdefault(test["row"], {})[test["measure"]] = test
    return found


def _lambda_panels(
    rows: Sequence[Mapping[str, Any]],
) -> list[charts.Panel]:
    columns = {row["name"]: row["columns"] for row in rows}
    places = {name: LAMBDAS[name] for name in LAMBDAS if name in columns}
    if len(places) < 2:
        return []
    panels = []
    for measure in LAMBDA_MEASURES:
        group = {
            n: columns[n][measure] for n in places if measure in columns[n]
        }
        points = [
            (places[n], cell["mean"], cell["low"], cell["high"])
            for n, cell in group.items()
        ]
        before = columns.get("no_discriminator", {}).get(measure)
        panel = charts.panel(
            MEASURES[measure].title,
            {"i2p_gan": np.array(points)},
            before and before["mean"],
        )
        panels += [panel] if panel else []
    return panels


def _training_panels(
    curves: Mapping[str, Sequence[Mapping[str, Any]]],
) -> list[charts.Panel]:
    columns = dict.fromkeys(
        column for seeds in curves.values() for seed in seeds for column in seed
    )
    panels = []
    for column in columns:
        found = {
            method: [seed[column] for seed in seeds if column in seed]
            for method, seeds in curves.items()
        }
        lines = {
            m: charts.over_seeds(group) for m, group in found.items() if group
        }
        panel = charts.panel(column, lines)
        panels += [panel] if panel else []
    return panels
