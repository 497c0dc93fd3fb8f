import numpy as np
import pytest

from visualpoet.evaluation import comparison
from visualpoet.evaluation.comparison import Measured
from visualpoet.evaluation.overall import PAPER_COLUMNS

VALUES = {name: lambda row: row[0] / row[1] for name in PAPER_COLUMNS}


def measured(row, seed, value, photographs=4):
    """A run whose every measure is `value` on each photograph."""
    values = np.full(photographs, float(value))
    some = np.stack([values, np.ones_like(values)], axis=-1)
    return Measured(
        row, seed, dict.fromkeys(PAPER_COLUMNS, some), {"distinct_2": value / 9}
    )


def test_a_row_is_mean_and_range_over_seeds():
    (row,) = comparison.table_rows(
        [measured("seqgan", 0, 3), measured("seqgan", 2, 6)], VALUES, draws=9
    )
    assert row["title"] == "SeqGAN"
    assert row["seeds"] == [0, 2]
    assert row["columns"]["bleu_1"] == {
        "mean": 4.5,
        "low": 3.0,
        "high": 6.0,
        "seeds": [3.0, 6.0],
        "interval": (4.5, 4.5),
    }
    # Distinct-n of all poems together has no interval over photographs.
    assert row["columns"]["distinct_2"] == {
        "mean": 0.5,
        "low": 3 / 9,
        "high": 6 / 9,
        "seeds": [3 / 9, 6 / 9],
    }
    assert "overall" not in row["columns"]


def test_overall_is_of_methods_and_of_seeds_that_all_have():
    rows = comparison.table_rows(
        [
            measured("seqgan", 0, 0),
            measured("with_dm", 0, 1),
            measured("with_dm", 1, 7),
            measured("i2p_gan", 0, 2),
            measured("i2p_gan", 1, 14),
            measured("human_paired", 0, 100),
        ],
        VALUES,
        draws=9,
    )
    found = {row["name"]: row["columns"].get("overall") for row in rows}
    # Means 0, 4, 8; of seed 0, which all have: 0, 1, 2.
    assert found["with_dm"] == {
        "mean": 50.0,
        "low": 50.0,
        "high": 50.0,
        "seeds": [50.0],
    }
    assert found["seqgan"]["mean"] == 0.0
    assert found["i2p_gan"]["mean"] == 100.0
    assert found["human_paired"] is None


def test_paired_tests_go_against_two_methods():
    draw = np.random.default_rng(0).normal(size=50)

    def run(row, seed, gain):
        some = np.stack([draw + gain, np.ones(50)], axis=-1)
        return Measured(row, seed, {"relevance": some}, {})

    tests = comparison.paired_tests(
        [
            run("no_discriminator", 0, 0.0),
            run("no_discriminator", 1, 0.2),
            run("no_discriminator", 2, 70.0),
            run("i2p_gan", 0, 1.1),
            run("i2p_gan", 1, 1.1),
            run("lambda_0.5", 0, 9.0),
            run("human_paired", 0, 9.0),
        ],
        VALUES,
        draws=199,
    )
    assert [(test["row"], test["against"]) for test in tests] == [
        ("i2p_gan", "no_discriminator"),
        ("no_discriminator", "i2p_gan"),
    ]
    # Of the two seeds that both have.
    assert tests[0]["difference"] == pytest.approx(1.0)
    assert tests[1]["difference"] == pytest.approx(-1.0)
    assert tests[0]["p"] == 1 / 200


def row(name, **values):
    columns = {key: {"mean": value} for key, value in values.items()}
    return {"name": name, "columns": columns}


# liu18, table 3: the paper's own numbers hold in all directions.
PAPER = {
    "seqgan": (2.03, 47.52, 82.32, 13.40, 3.72, 0.76, 44.95),
    "no_discriminator": (1.94, 45.25, 80.13, 13.35, 3.69, 0.88, 41.86),
    "with_dm": (2.07, 43.37, 78.98, 15.15, 4.13, 1.02, 63.00),
    "with_dp": (1.90, 60.66, 89.74, 12.91, 3.05, 0.72, 51.35),
    "i2p_gan": (2.25, 54.32, 85.37, 14.25, 3.84, 0.94, 77.23),
}


def paper_rows(**changes):
    names = (*PAPER_COLUMNS, "overall")
    return [
        row(method, **(dict(zip(names, values)) | changes.get(method, {})))
        for method, values in PAPER.items()
    ]


def verdicts(rows, tests=()):
    found = comparison.directions(rows, tests)
    return {claim["claim"]: claim["verdict"] for claim in found}


def test_directions_hold_in_the_paper():
    assert set(verdicts(paper_rows()).values()) == {"held"}


def test_directions_that_do_not_hold():
    found = verdicts(
        paper_rows(
            with_dm={"bleu_2": 3.0, "relevance": 1.94},
            with_dp={"novelty_2": 40.0, "novelty_3": 70.0},
            seqgan={"overall": 80.0},
        )
    )
    assert found["D_m raises BLEU over no discriminator"] == "partly held"
    assert found["D_m raises relevance over no discriminator"] == "not held"
    assert found["D_p raises novelty over no discriminator"] == "not held"
    assert found["The full model has the best Overall"] == "not held"
    assert found["D_p lowers BLEU below no discriminator"] == "held"


def test_directions_come_with_numbers():
    tests = [
        {
            "row": "with_dm",
            "against": "no_discriminator",
            "measure": "relevance",
            "p": 0.01,
        },
        {
            "row": "with_dm",
            "against": "i2p_gan",
            "measure": "relevance",
            "p": 1,
        },
    ]
    found = comparison.directions(paper_rows(), tests)
    assert found[1]["numbers"] == [
        {
            "measure": "relevance",
            "before": 1.94,
            "after": 2.07,
            "held": True,
            "p": 0.01,
        }
    ]
    assert found[-1]["numbers"][0]["other"] == "I2P-GAN w/ D_m"
    assert found[-1]["numbers"][0]["before"] == 63.0


def test_directions_without_the_runs():
    found = verdicts([row("seqgan", overall=1.0), row("with_dm", bleu_1=1.0)])
    assert set(found.values()) == {"not measured"}
