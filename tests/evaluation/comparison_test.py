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
            run("no_discriminator", 1, 70.0),
            run("no_discriminator", 2, 0.2),
            run("i2p_gan", 0, 1.1),
            run("i2p_gan", 2, 1.1),
            run("seqgan", 3, 5.0),
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
