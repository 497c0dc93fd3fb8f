"""The paper's two studies with people: what is asked, and what came of it."""

import dataclasses
import hashlib
import json
import math
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from visualpoet.evaluation import intervals
from visualpoet.evaluation import report
from visualpoet.evaluation.agreement import krippendorff_alpha
from visualpoet.evaluation.memorisation import words_of

SCALES = ("relevance", "coherence", "imaginativeness", "overall")
LOWEST, HIGHEST = 0, 10
HUMAN = "human"


@dataclasses.dataclass(frozen=True)
class Study:
    """A page, and the key that stays beside it.

    Attributes:
        kind: `rating`, `turing_with_photograph` or
            `turing_without_photograph`.
        page: What the page may show: `id`, `kind`, `items`, `photographs`.
        key: What it hides: item to photograph and method.
    """

    kind: str
    page: dict[str, Any]
    key: dict[str, Any]


def plain(poem: str) -> str:
    """Writes a poem in lower case without punctuation.

    Case and punctuation tell human poems of one source from poems that were
    generated after another, whatever they say.

    Args:
        poem: The poem.

    Returns:
        Its lines that have words.
    """
    lines = [" ".join(words_of(line)) for line in poem.split("\n")]
    return "\n".join(line for line in lines if line)


class _Ids:
    """Names that say nothing; the same ones for the same seed."""

    def __init__(self, seed: int, kind: str):
        self._generator = np.random.default_rng([seed, *kind.encode()])
        self._seen: set[str] = set()

    def next(self) -> str:
        name = self._generator.bytes(6).hex()
        if name in self._seen:
            return self.next()
        self._seen.add(name)
        return name


def rating_study(
    poems: Mapping[str, Mapping[str, str]],
    pictures: Mapping[str, str],
    seed: int,
) -> Study:
    """Every poem of some photographs, to be rated on SCALES.

    Args:
        poems: Photograph to method to poem.
        pictures: Photograph to JPEG in base 64.
        seed: Of names and order.

    Returns:
        The study; its items are in an order of their names, not of methods.
    """
    ids = _Ids(seed, "rating")
    items, key, shown = [], {}, {}
    for photograph, by_method in poems.items():
        photo = ids.next()
        shown[photo] = pictures[photograph]
        for method, poem in by_method.items():
            item = ids.next()
            items.append({"id": item, "photograph": photo, "poem": poem})
            key[item] = {"photograph": photograph, "method": method}
    return _study("rating", items, shown, key)


def turing_study(
    poems: Mapping[str, Mapping[str, str]],
    pictures: Mapping[str, str] | None,
    seed: int,
) -> Study:
    """A human poem and a generated one for a photograph: which is human?

    Args:
        poems: Photograph to `human` and the name of a method, to poem.
        pictures: Photograph to JPEG in base 64; None to show none.
        seed: Of names and order.

    Returns:
        The study.
    """
    kind = f"turing_{'without' if pictures is None else 'with'}_photograph"
    ids = _Ids(seed, kind)
    items, key, shown = [], {}, {}
    for photograph, by_method in poems.items():
        item, photo = ids.next(), None
        if pictures is not None:
            photo = ids.next()
            shown[photo] = pictures[photograph]
        pair = [
            {"id": ids.next(), "method": method, "poem": poem}
            for method, poem in by_method.items()
        ]
        key[item] = {
            "photograph": photograph,
            "poems": {one["id"]: one["method"] for one in pair},
        }
        pair = [{"id": one["id"], "poem": one["poem"]} for one in pair]
        pair.sort(key=lambda one: one["id"])
        items.append({"id": item, "photograph": photo, "poems": pair})
    return _study(kind, items, shown, key)


def _study(kind, items, photographs, key) -> Study:
    items = sorted(items, key=lambda item: item["id"])
    photographs = dict(sorted(photographs.items()))
    content = json.dumps([kind, items], sort_keys=True)
    name = hashlib.sha256(content.encode()).hexdigest()[:12]
    page = {
        "id": name,
        "kind": kind,
        "items": items,
        "photographs": photographs,
    }
    return Study(kind, page, {"kind": kind, "items": key})


TITLES = {
    "rating": "Poems for photographs",
    "turing_with_photograph": "Person or machine? With the photograph",
    "turing_without_photograph": "Person or machine? The poems alone",
}
_SCALE_TEXTS = (
    ("relevance", "Relevance", "not at all", "entirely"),
    ("coherence", "Coherence", "falls apart", "of one piece"),
    ("imaginativeness", "Imaginativeness", "none", "very much"),
    ("overall", "Overall impression", "poor", "excellent"),
)


def render_page(study: Study) -> str:
    """Writes the page of a study, which needs nothing from outside.

    Args:
        study: The study.

    Returns:
        HTML.
    """
    return report.template("study.html").render(
        study=study.page, title=TITLES[study.kind], scales=_SCALE_TEXTS
    )


def key_file(studies: Sequence[Study]) -> dict[str, Any]:
    """Joins the keys of some studies.

    Args:
        studies: The studies.

    Returns:
        Id of a study to its key.
    """
    return {study.page["id"]: study.key for study in studies}


# --- answers


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


def _check(path, answer, study) -> None:
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
    result = {
        "raters": len(answers),
        "ratings": sum(map(len, answers.values())),
        "methods": {method: {} for method in methods},
        "alpha": {},
        "anova": {},
    }
    for scale in SCALES:
        units = {
            item: [
                some[item][scale] for some in answers.values() if item in some
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
        binomial test against one half, and `alpha`.
    """
    right = {
        name: [
            float(item["poems"][some[name]["chosen"]] == HUMAN)
            for some in answers.values()
            if name in some
        ]
        for name, item in items.items()
    }
    sums = np.array(
        [[[sum(some), len(some)] for some in right.values()]], float
    )
    count = int(sums[..., 1].sum())
    result = {"raters": len(answers), "choices": count}
    if not count:
        return result
    found = _mean(sums, draws, seed)
    test = stats.binomtest(int(sums[..., 0].sum()), count)
    return result | {
        "human": found["mean"],
        "generated": 1 - found["mean"],
        "interval": found["interval"],
        "p": float(test.pvalue),
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
