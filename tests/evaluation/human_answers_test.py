import json

import pytest
from scipy import stats

from visualpoet.evaluation import human_answers
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


def rate(scale_values, item):
    return {"item": item, **dict(zip(human_study.SCALES, scale_values))}


def saved(path, study, rater, answers, when="2024-01-01"):
    content = {
        "study": study.page["id"],
        "rater": rater,
        "saved": when,
        "answers": answers,
    }
    path.write_text(json.dumps(content))
    return path


def test_the_last_answer_of_a_rater_counts(tmp_path):
    study = human_study.rating_study(POEMS, PICTURES, seed=3)
    key = human_study.key_file([study])
    item, other = list(study.key["items"])[:2]
    paths = [
        saved(
            tmp_path / "late.json",
            study,
            "ann",
            [rate([7] * 4, item)],
            "2024-2",
        ),
        saved(
            tmp_path / "soon.json",
            study,
            "ann",
            [rate([1] * 4, item), rate([2] * 4, other)],
            "2024-1",
        ),
        saved(tmp_path / "bob.json", study, "bob", [rate([3] * 4, item)]),
    ]
    found = human_answers.read_answers(paths, key)[study.page["id"]]
    assert found["ann"][item]["overall"] == 7
    assert found["ann"][other]["overall"] == 2
    assert found["bob"][item]["overall"] == 3


@pytest.mark.parametrize(
    "values",
    [[11, 0, 0, 0], [-1, 0, 0, 0], [0.5, 0, 0, 0], ["3", 0, 0, 0], [1]],
)
def test_ratings_that_no_page_writes_are_refused(tmp_path, values):
    study = human_study.rating_study(POEMS, PICTURES, seed=3)
    item = next(iter(study.key["items"]))
    path = saved(tmp_path / "a.json", study, "ann", [rate(values, item)])
    with pytest.raises(ValueError, match="Received: .*a.json"):
        human_answers.read_answers([path], human_study.key_file([study]))


def test_unknown_items_choices_and_studies_are_refused(tmp_path):
    study = human_study.turing_study(PAIRS, None, seed=3)
    key = human_study.key_file([study])
    item = next(iter(study.key["items"]))
    for answer in ({"item": "x", "chosen": "y"}, {"item": item, "chosen": "y"}):
        path = saved(tmp_path / "a.json", study, "ann", [answer])
        with pytest.raises(ValueError, match="expected an item of the study"):
            human_answers.read_answers([path], key)
    other = human_study.turing_study(PAIRS, None, seed=4)
    path = saved(tmp_path / "a.json", other, "ann", [])
    with pytest.raises(ValueError, match="expected answers to the studies"):
        human_answers.read_answers([path], key)


ITEMS = {
    "a": {"photograph": "1", "method": "x"},
    "b": {"photograph": "2", "method": "x"},
    "c": {"photograph": "1", "method": "y"},
    "d": {"photograph": "2", "method": "y"},
}


def test_ratings_by_hand():
    ann = {"a": 1, "b": 2, "c": 6, "d": 9}
    bob = {"a": 3, "b": 2, "d": 7}
    answers = {
        rater: {item: rate([value] * 4, item) for item, value in some.items()}
        for rater, some in (("ann", ann), ("bob", bob))
    }
    found = human_answers.analyse_ratings(answers, ITEMS)
    assert found["raters"] == 2
    assert found["ratings"] == 7
    x, y = (found["methods"][name]["coherence"] for name in "xy")
    assert (x["mean"], x["ratings"]) == (2.0, 4)
    assert (y["mean"], y["ratings"]) == (pytest.approx(22 / 3), 3)
    # Two photographs: resampled, x is 2 always, y 6 to 8.
    assert x["interval"] == [2.0, 2.0]
    assert y["interval"] == [6.0, 8.0]
    # Units (1, 3), (2, 2), (9, 7): squares within 2 * 4 + 0 + 2 * 4 = 16;
    # of all six values sum 24, sum of squares 148: 2 * (6 * 148 - 576) / 5.
    assert found["alpha"]["coherence"] == pytest.approx(1 - 16 / (624 / 5))
    # Poem means 2, 2 and 6, 8: between 25, within 2, F = 25 / (2 / 2).
    anova = found["anova"]["coherence"]
    assert anova["F"] == pytest.approx(25.0)
    assert anova["degrees_of_freedom"] == [1, 2]
    assert anova["p"] == pytest.approx(stats.f.sf(25, 1, 2))


def test_ratings_that_nothing_can_be_said_of():
    found = human_answers.analyse_ratings({}, ITEMS)
    assert found["methods"] == {"x": {}, "y": {}}
    assert found["alpha"]["overall"] is None
    assert found["anova"]["overall"] is None
    same = {"ann": {item: rate([5] * 4, item) for item in ITEMS}}
    found = human_answers.analyse_ratings(same, ITEMS)
    assert found["methods"]["y"]["overall"]["mean"] == 5.0
    assert found["anova"]["overall"] is None
    json.dumps(found, allow_nan=False)


CHOICES = {
    str(number): {
        "photograph": str(number),
        "poems": {f"h{number}": "human", f"m{number}": "i2p_gan"},
    }
    for number in range(4)
}


def choose(letters):
    return {
        str(number): {"item": str(number), "chosen": f"{letter}{number}"}
        for number, letter in enumerate(letters)
    }


def test_choices_by_hand():
    answers = {"ann": choose("hhmh"), "bob": choose("hmm")}
    found = human_answers.analyse_choices(answers, CHOICES)
    assert found["choices"] == 7
    assert found["human"] == pytest.approx(4 / 7)
    assert found["generated"] == pytest.approx(3 / 7)
    low, high = found["interval"]
    assert 0 <= low < 4 / 7 < high <= 1
    assert found["p"] == pytest.approx(1.0)
    # Units hh, hm, mm: 2 unequal ordered pairs; of six values 3 and 3: 18 / 5.
    assert found["alpha"] == pytest.approx(1 - 2 / (18 / 5))


def test_nobody_is_mistaken():
    answers = {name: choose("hhhh") for name in ("ann", "bob", "eve")}
    found = human_answers.analyse_choices(answers, CHOICES)
    assert found["human"] == 1.0
    assert found["interval"] == [1.0, 1.0]
    # Four photographs, whoever looks at them: 2 of 16 exchanges are as extreme.
    assert found["p"] == pytest.approx(2 / 16, abs=0.03)
    assert found["alpha"] is None


def test_no_choices():
    assert human_answers.analyse_choices({}, CHOICES) == {
        "raters": 0,
        "choices": 0,
    }
