"""What came of the studies with people."""

import json
import math
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from visualpoet.evaluation import intervals
from visualpoet.evaluation.agreement import krippendorff_alpha
from visualpoet.evaluation.human_study import HUMAN
from visualpoet.evaluation.human_study import SCALES

LOWEST, HIGHEST = 0, 10


def read_answers(
    paths: Sequence[pathlib.Path], key: Mapping[str, Any]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Reads what raters saved.

    Args:
        paths: Files that the pages wrote. If a rater saved more than once,
            the answers of the later file count.
        key: What `key_file` returned.

    Returns:
        Id of a study to rater to item to the answer.

    Raises:
        ValueError: If a file does not belong to the key or holds what the
            page cannot have written.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in key}
    files = [(path, json.loads(path.read_text())) for path in paths]
    for path, content in sorted(files, key=lambda one: one[1]["saved"]):
        study = key.get(content["study"])
        if study is None:
            raise ValueError(
                f"expected answers to the studies {', '.join(key)} of the "
                f"key. Received: {path}, of the study {content['study']}"
            )
        answers = found[content["study"]].setdefault(content["rater"], {})
        for answer in content["answers"]:
            _check(path, answer, study)
            answers[answer["item"]] = answer
    return found


def _check(
    path: pathlib.Path, answer: Mapping[str, Any], study: Mapping[str, Any]
) -> None:
    item = study["items"].get(answer["item"])
    if item is None:
        valid = False
    elif study["kind"] == "rating":
        values = [answer.get(scale) for scale in SCALES]
        valid = all(
            type(value) is int and LOWEST <= value <= HIGHEST
            for value in values
        )
    else:
        valid = answer.get("chosen") in item["poems"]
    if not valid:
        raise ValueError(
            "expected an item of the study and answers that its page allows. "
            f"Received: {path}, {answer}"
        )


def analyse_ratings(
    answers: Mapping[str, Mapping[str, Mapping[str, Any]]],
    items: Mapping[str, Mapping[str, str]],
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """Means, intervals, agreement and analysis of variance of ratings.

    Args:
        answers: Rater to item to scales.
        items: Item to `photograph` and `method`.
        draws: Resamples of photographs for the intervals.
        seed: Of the draws.

    Returns:
        `raters`, `ratings`, `methods` (method to scale to `mean`,
        `interval`, `ratings`), `alpha` (scale to Krippendorff's alpha,
        interval level) and `anova` (scale to `F`, `p` and degrees of freedom,
        one way over methods, of each poem's mean over raters).
    """
    photographs = sorted({item["photograph"] for item in items.values()})
    methods = list(dict.fromkeys(item["method"] for item in items.values()))
    result: dict[str, Any] = {
        "raters": len(answers),
        "ratings": sum(map(len, answers.values())),
        "methods": {method: {} for method in methods},
        "alpha": {},
        "anova": {},
    }
    for scale in SCALES:
        units = {
            item: [
                rater_answers[item][scale]
                for rater_answers in answers.values()
                if item in rater_answers
            ]
            for item in items
        }
        result["alpha"][scale] = _or_none(krippendorff_alpha(units.values()))
        groups = []
        for method in methods:
            sums = np.zeros([1, len(photographs), 2])
            group = []
            for name, item in items.items():
                if item["method"] == method and units[name]:
                    place = photographs.index(item["photograph"])
                    sums[0, place] += [sum(units[name]), len(units[name])]
                    group.append(np.mean(units[name]))
            if group:
                groups.append(group)
                result["methods"][method][scale] = _mean(sums, draws, seed)
        result["anova"][scale] = _anova(groups)
    return result


def _mean(sums: np.ndarray, draws: int, seed: int) -> dict[str, Any]:
    sums = sums[:, sums[0, :, 1] > 0]
    low, high = intervals.bootstrap_interval(
        sums, lambda row: row[0] / row[1], draws, seed
    )
    total, count = sums.sum(axis=(0, 1))
    return {
        "mean": float(total / count),
        "interval": [low, high],
        "ratings": int(count),
    }


def _anova(groups: Sequence[Sequence[float]]) -> dict[str, Any] | None:
    """None where there is nothing to compare."""
    size = sum(map(len, groups))
    varied = any(len(set(group)) > 1 for group in groups)
    if len(groups) < 2 or size <= len(groups) or not varied:
        return None
    found = stats.f_oneway(*groups)
    return {
        "F": float(found.statistic),
        "p": float(found.pvalue),
        "degrees_of_freedom": [len(groups) - 1, size - len(groups)],
    }


def analyse_choices(
    answers: Mapping[str, Mapping[str, Mapping[str, Any]]],
    items: Mapping[str, Mapping[str, Any]],
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """How often the human poem was taken for the human one.

    Args:
        answers: Rater to item to `chosen`.
        items: Item to `photograph` and `poems` (id to method).
        draws: Resamples of photographs for the interval.
        seed: Of the draws.

    Returns:
        `raters`, `choices`, `human` (share that chose the human poem),
        `generated` (the rest), `interval` of `human`, `p` of a two-sided
        permutation test against one half, and `alpha`. What raters say of one
        photograph goes together in interval and test: they look at the same
        two poems.
    """
    right = {
        name: [
            float(item["poems"][rater_answers[name]["chosen"]] == HUMAN)
            for rater_answers in answers.values()
            if name in rater_answers
        ]
        for name, item in items.items()
    }
    sums = np.array(
        [[[sum(hits), len(hits)] for hits in right.values()]], float
    )
    count = int(sums[..., 1].sum())
    result: dict[str, Any] = {"raters": len(answers), "choices": count}
    if not count:
        return result
    found = _mean(sums, draws, seed)
    wrong = np.stack([sums[..., 1] - sums[..., 0], sums[..., 1]], axis=-1)
    p_value = intervals.paired_p_value(
        sums, wrong, lambda row: row[0] / row[1], draws, seed
    )
    return result | {
        "human": found["mean"],
        "generated": 1 - found["mean"],
        "interval": found["interval"],
        "p": p_value,
        "alpha": _or_none(krippendorff_alpha(right.values(), "nominal")),
    }


def _or_none(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else value


def analyse(
    answers: Mapping[str, Mapping[str, Mapping[str, Any]]],
    key: Mapping[str, Any],
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """Analyses the answers to each study.

    Args:
        answers: What `read_answers` returned.
        key: What `key_file` returned.
        draws: Resamples for the intervals.
        seed: Of the draws.

    Returns:
        Kind of a study to what `analyse_ratings` or `analyse_choices` found.
    """
    found = {}
    for name, study in key.items():
        rating = study["kind"] == "rating"
        function = analyse_ratings if rating else analyse_choices
        found[study["kind"]] = function(
            answers[name], study["items"], draws, seed
        )
    return found
