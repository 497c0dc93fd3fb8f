import numpy as np
import pytest

from tests.evaluation.paper_table import COLUMNS
from tests.evaluation.paper_table import TABLE
from visualpoet.evaluation import directions
from visualpoet.evaluation.comparison import Measured
from visualpoet.evaluation.method_runs import METHODS
from visualpoet.evaluation.overall import PAPER_COLUMNS

RELEVANCE = "D_m raises relevance over no discriminator"


def row(name, **values):
    columns = {key: {"mean": value} for key, value in values.items()}
    return {"name": name, "columns": columns}


def paper_rows(**changes):
    """The paper's own numbers, which hold in all directions."""
    return [
        row(method, **(dict(zip(COLUMNS, values)) | changes.get(method, {})))
        for method, values in TABLE.items()
    ]


def verdicts(rows, tests=(), not_best=None):
    found = directions.compare_directions(rows, tests, not_best)
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
    found = directions.compare_directions(paper_rows(), tests)
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


def test_what_chance_would_do_is_not_shown():
    def tested(p, difference=0.13):
        test = {"row": "with_dm", "against": "no_discriminator"}
        test |= {"measure": "relevance", "difference": difference, "p": p}
        return verdicts(paper_rows(), [test])[RELEVANCE]

    assert tested(0.04) == "held"
    assert tested(0.06) == "not shown"
    assert tested(0.04, -0.1) == "not held"  # of the seeds that both have
    assert tested(0.06, -0.1) == "not shown"


@pytest.mark.parametrize(
    ("overall", "not_best", "verdict"),
    [
        (63.0, 0.04, "held"),
        (63.0, 0.3, "not shown"),
        (80.0, 0.97, "not held"),
        (80.0, 0.6, "not shown"),
    ],
)
def test_the_best_overall_is_resampled(overall, not_best, verdict):
    rows = paper_rows(with_dm={"overall": overall})
    assert verdicts(rows, (), not_best)[directions.BEST] == verdict


def test_a_missing_method_leaves_the_best_unknown():
    rows = [one for one in paper_rows() if one["name"] != "seqgan"]
    assert verdicts(rows)[directions.BEST] == "not measured"
    assert directions.share_not_best([], {}) is None


def test_share_of_resamples_in_which_another_is_the_best():
    def run(name, gain):
        values = np.stack([draw + gain, np.ones(40)], axis=-1)
        return Measured(name, 0, dict.fromkeys(PAPER_COLUMNS, values), {})

    draw = np.random.default_rng(0).normal(size=40)
    values = {name: lambda row: row[0] / row[1] for name in PAPER_COLUMNS}
    ours = [run(name, 3.0 * (name == "i2p_gan")) for name in METHODS]
    assert directions.share_not_best(ours, values, 50) == 0.0
    other = [run(name, 3.0 * (name == "seqgan")) for name in METHODS]
    assert directions.share_not_best(other, values, 50) == 1.0
    assert directions.share_not_best(ours[1:], values, 50) is None


def test_directions_without_the_runs():
    found = verdicts([row("seqgan", overall=1.0), row("with_dm", bleu_1=1.0)])
    assert set(found.values()) == {"not measured"}
