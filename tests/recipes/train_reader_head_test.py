import json

import keras
import numpy as np
import pytest

from recipes import train_reader_head
from tests import tiny
from visualpoet.corpus import datasets
from visualpoet.finetuning import base
from visualpoet.generator.reader_head import average_states

READERS = {"strict": 1, "mild": 3}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Of two readers, who like what has few words; one grades higher."""
    folder = tmp_path_factory.mktemp("reader_head")
    rng = np.random.default_rng(0)
    words = [token for token in tiny.vocabulary().tokens if token.isalpha()]
    rows = []
    for number in range(300):
        length = int(rng.integers(1, 12))
        reader = list(READERS)[number % 2]
        fluency = rng.random()
        rows.append(
            {
                "poem": " ".join(rng.choice(words, length)),
                "fluency": fluency,
                "repetition": rng.random(),
                "grade": READERS[reader] + (length < 5) + 3 * fluency,
                "reader": reader,
            }
        )
    path = folder / "grades.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = train_reader_head.Config(
        base=tiny.exported(),
        grades=(path,),
        penalty=0.1,
        run_dir=folder / "run",
    )
    train_reader_head.main(config)
    return folder / "run", rows


def measure(run, texts):
    poet = base.read_poet(tiny.exported())
    ids = datasets.frame_poems(poet.vocabulary, texts, 64)
    states = average_states(
        poet.generator, poet.number_form("verse"), datasets.pad_token_ids(ids)
    )
    return keras.saving.load_model(run / "reader_head.keras")(states).numpy()


def test_it_tells_what_readers_like(trained):
    run, rows = trained
    merit = measure(run, [row["poem"] for row in rows])
    is_short = np.array([len(row["poem"].split()) < 5 for row in rows])
    assert merit[is_short].mean() > merit[~is_short].mean() + 0.1
    np.testing.assert_allclose(merit.mean(), 0.0, atol=1e-5)
    # What fluency says is left to it.
    fluency = [row["fluency"] for row in rows]
    assert abs(np.corrcoef(merit, fluency)[0, 1]) < 0.3


def test_it_says_how_well_grades_are_told(trained):
    results = json.loads((trained[0] / "results.json").read_text())
    assert results["number"] == 300
    assert results["both"] > results["scores"] > results["states"] > 0.1


def test_it_says_what_scores_count_for(trained):
    weights = json.loads((trained[0] / "results.json").read_text())["weights"]
    assert list(weights) == ["fluency", "repetition", "merit"]
    assert weights["fluency"] == 1.0
    assert abs(weights["repetition"]) < 0.1 < weights["merit"]


def compare(rows):
    rows = [{"fluency": -2.0, "reader": "a", **row} for row in rows]
    states = np.array([[1.0], [2.0], [4.0], [8.0]])
    return train_reader_head._compare(rows, states)


def test_grades_are_compared_within_a_photograph():
    rows = [
        {"poem": "a", "photograph": "sea", "fit": 0.5, "grade": 5},
        {"poem": "b", "photograph": "sea", "fit": 0.3, "grade": 3},
        {"poem": "a", "photograph": "dog", "fit": 0.1, "grade": 2},
        {"poem": "c", "photograph": "dog", "fit": 0.3, "grade": 0},
    ]
    lessons = compare(rows)
    np.testing.assert_allclose(lessons.grades, [1, -1, 1, -1])
    fit = lessons.scores[:, lessons.names.index("fit")]
    np.testing.assert_allclose(fit, [0.1, -0.1, -0.1, 0.1], atol=1e-12)
    np.testing.assert_allclose(lessons.states[:, 0], [-0.5, 0.5, -2, 2])
    assert lessons.beside.all()


def test_texts_that_were_graded_alone_are_compared_within_a_reader():
    rows = [
        {"poem": "a", "photograph": "sea", "fit": 0.5, "grade": 5},
        {"poem": "b", "photograph": "sea", "fit": 0.3, "grade": 3},
        {"poem": "c", "grade": 1},
        {"poem": "d", "grade": 3},
    ]
    lessons = compare(rows)
    np.testing.assert_allclose(lessons.grades, [1, -1, -1, 1])
    fit = lessons.scores[:, lessons.names.index("fit")]
    np.testing.assert_allclose(fit, [0.1, -0.1, 0, 0], atol=1e-12)
    assert lessons.beside.tolist() == [True, True, False, False]


def test_weights_are_those_of_grades_beside_photographs():
    rng = np.random.default_rng(0)
    fit, fluency = rng.normal(size=[2, 200])
    beside = np.arange(200) < 100
    grades = np.where(beside, fit - 0.5 * fluency, 9 * fluency)
    lessons = train_reader_head._Lessons(
        ["fit", "fluency"],
        np.column_stack([fit, fluency]),
        rng.normal(size=[200, 3]),
        grades,
        np.arange(200).astype(str),
        beside,
        np.zeros(3),
    )
    config = train_reader_head.Config(grades=("grades.jsonl",))
    weights = train_reader_head._weigh_scores(config, lessons)
    np.testing.assert_allclose(weights["fluency"], -0.5, atol=0.05)


def test_grades_are_asked_for():
    with pytest.raises(ValueError, match="expected --grades. Received: none"):
        train_reader_head.Config()
