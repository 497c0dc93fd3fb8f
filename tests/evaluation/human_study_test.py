import json
import re

import numpy as np
import pytest

from visualpoet.evaluation import human_study

POEMS = {
    photograph: {
        method: f"{word} {photograph[:2]}\nline two"
        for method, word in [
            ("i2p_gan", "salt"),
            ("seqgan", "wind"),
            ("human", "lamp"),
        ]
    }
    for photograph in ("sea.jpg", "hill.jpg")
}
PICTURES = {"sea.jpg": "U0VB", "hill.jpg": "SElMTA=="}
PAIRS = {
    photograph: {name: poems[name] for name in ("human", "i2p_gan")}
    for photograph, poems in POEMS.items()
}


def test_plain_tells_nothing_of_the_source():
    assert human_study.plain("The Sea\u2019s salt,\n\n\u2014 O!\n...") == (
        "the sea's salt\no"
    )


def test_rating_study_asks_for_every_poem_once():
    study = human_study.rating_study(POEMS, PICTURES, seed=3)
    items = study.page["items"]
    assert len(items) == 6
    assert sorted(item["poem"] for item in items) == sorted(
        poem for poems in POEMS.values() for poem in poems.values()
    )
    for item in items:
        hidden = study.key["items"][item["id"]]
        assert item["poem"] == POEMS[hidden["photograph"]][hidden["method"]]
        picture = study.page["photographs"][item["photograph"]]
        assert picture == PICTURES[hidden["photograph"]]


def test_turing_study_pairs_human_and_machine():
    study = human_study.turing_study(PAIRS, PICTURES, seed=3)
    assert study.kind == "turing_with_photograph"
    for item in study.page["items"]:
        hidden = study.key["items"][item["id"]]
        for poem in item["poems"]:
            method = hidden["poems"][poem["id"]]
            assert poem["poem"] == PAIRS[hidden["photograph"]][method]
        assert sorted(hidden["poems"].values()) == ["human", "i2p_gan"]
        picture = study.page["photographs"][item["photograph"]]
        assert picture == PICTURES[hidden["photograph"]]


def test_turing_study_without_photographs_shows_none():
    study = human_study.turing_study(PAIRS, None, seed=3)
    assert study.kind == "turing_without_photograph"
    assert study.page["photographs"] == {}
    assert {item["photograph"] for item in study.page["items"]} == {None}


def all_studies(seed=3):
    return [
        human_study.rating_study(POEMS, PICTURES, seed),
        human_study.turing_study(PAIRS, PICTURES, seed),
        human_study.turing_study(PAIRS, None, seed),
    ]


@pytest.mark.parametrize("number", range(3))
def test_pages_hide_methods_and_names(number):
    study = all_studies()[number]
    page = human_study.render_page(study)
    content = json.dumps(study.page)
    for word in ("i2p_gan", "seqgan", "sea.jpg", "hill.jpg"):
        assert word not in page
    # "human" is in the instructions, but with no poem.
    assert '"human"' not in content
    assert '"method"' not in content


def test_pages_need_nothing_from_outside():
    for study in all_studies():
        page = human_study.render_page(study)
        assert not re.search(
            r"https?://|@import|url\(|<link|src=\"(?!data)", page
        )


def test_the_place_of_a_poem_does_not_tell_its_method():
    first = []
    for seed in range(200):
        study = human_study.turing_study(
            {"sea.jpg": PAIRS["sea.jpg"]}, None, seed
        )
        (item,) = study.page["items"]
        hidden = study.key["items"][item["id"]]
        first.append(hidden["poems"][item["poems"][0]["id"]] == "human")
    assert np.mean(first) == pytest.approx(0.5, abs=0.12)


def test_poems_cannot_break_out_of_the_page():
    poems = {"sea.jpg": {"human": "</script><script>alert(1)</script>"}}
    page = human_study.render_page(
        human_study.rating_study(poems, PICTURES, seed=0)
    )
    assert "alert(1)</script>" not in page
    assert page.count("</script>") == 2
