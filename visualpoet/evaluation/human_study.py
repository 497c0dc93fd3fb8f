"""The paper's two studies with people: the pages, and their key."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from visualpoet import templating
from visualpoet.corpus.words import split_words

SCALES = ("relevance", "coherence", "imaginativeness", "overall")
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
    lines = [" ".join(split_words(line)) for line in poem.split("\n")]
    return "\n".join(line for line in lines if line)


class _Ids:
    """Names that say nothing; the same ones for the same seed."""

    def __init__(self, seed: int, kind: str):
        self._rng = np.random.default_rng([seed, *kind.encode()])
        self._seen: set[str] = set()

    def next(self) -> str:
        name = self._rng.bytes(6).hex()
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


def _study(
    kind: str,
    items: list[dict[str, Any]],
    photographs: Mapping[str, str],
    key: Mapping[str, Any],
) -> Study:
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
    return templating.render(
        "study.html",
        study=study.page,
        title=TITLES[study.kind],
        scales=_SCALE_TEXTS,
    )


def key_file(studies: Sequence[Study]) -> dict[str, Any]:
    """Joins the keys of some studies.

    Args:
        studies: The studies.

    Returns:
        Id of a study to its key.
    """
    return {study.page["id"]: study.key for study in studies}
