import csv
import io
import re

import pytest

from visualpoet.evaluation import report
from visualpoet.evaluation.columns import MEASURES


def row(name, seeds=(0,), **values):
    columns = {}
    for measure, (mean, low, high) in values.items():
        columns[measure] = {
            "mean": mean,
            "low": low,
            "high": high,
            "seeds": [low, high],
            "interval": (low - 1, high + 1),
        }
    return {
        "name": name,
        "title": name,
        "seeds": list(seeds),
        "columns": columns,
    }


ROWS = [
    row(
        "no_discriminator",
        relevance=(2.0, 1.0, 3.0),
        perplexity=(9.0, 8.0, 9.5),
    ),
    row("with_dp", relevance=(4.0, 3.0, 5.0), perplexity=(7.0, 6.0, 8.0)),
    row("lambda_0.5", relevance=(6.0, 6.0, 6.0), perplexity=(5.0, 5.0, 5.0)),
    row("human_paired", relevance=(9.0, 9.0, 9.0)),
]


def render(**changes):
    results = {
        "photographs": 1234,
        "split": "validation",
        "bleu": "BLEU: as it is.",
        "problems": [],
        "rows": ROWS,
        "directions": [],
        "tests": [],
        "confusion": {},
    }
    return report.render_report(results | changes, {}, [])


def test_table_is_one_line_a_method():
    rows = list(csv.DictReader(io.StringIO(report.table_csv(ROWS))))
    assert [line["method"] for line in rows] == [r["name"] for r in ROWS]
    first = rows[0]
    assert first["relevance"] == "2.0"
    assert (first["relevance_low"], first["relevance_high"]) == ("1.0", "3.0")
    assert (first["relevance_from"], first["relevance_to"]) == ("0.0", "4.0")
    assert rows[3]["perplexity"] == ""


def test_best_is_of_the_compared_methods():
    names = ("relevance", "self_bleu", "perplexity")
    measures = [MEASURES[name] for name in names]
    alike = [
        row("seqgan", self_bleu=(9.0, 9.0, 9.0)),
        row("with_dm", self_bleu=(7.0, 7.0, 7.0)),
    ]
    # Neither the lambda run nor the human poems compete; of perplexity neither
    # end is better.
    assert report.best_values({"rows": ROWS + alike}, measures) == {
        "relevance": 4.0,
        "self_bleu": 7.0,
    }
    assert report.best_values({"rows": ROWS[:1]}, measures) == {}


def test_numbers_stand_in_the_page_as_measured():
    page = re.sub(r"\s+", " ", render())
    assert "1,234 photographs" in page
    assert (
        "<b>4.00</b><small>3.00 to 5.00</small><small>[2.00, 6.00]</small>"
        in page
    )
    assert "<td>9.0<small>8.0 to 9.5</small>" in page
    assert '<span class="soft">–</span>' in page


def test_parts_without_content_are_left_out():
    page = render()
    for anchor in ("training", "confusion"):
        assert f'"#{anchor}"' not in page
        assert f'id="{anchor}"' not in page
    assert "<h2>Missing</h2>" not in page
    assert "<h2>Missing</h2>" in render(problems=["seqgan: no runs"])


def test_what_others_wrote_is_escaped():
    page = render(problems=["<script>"], confusion={"<b>x": {"<i>y": [[1.0]]}})
    assert "<script>" not in page
    assert "<b>x" not in page
    assert "<i>y" not in page


def test_points_of_lambda_are_the_means_of_the_table():
    (panel, *_) = report._lambda_panels(ROWS)
    assert panel.title == "Relevance"
    (line,) = panel.lines
    # Means 4 at 0 and 6 at 0.5; seeds from 3 to 6; no discriminator at 2.
    assert [label for _, label in panel.y_ticks] == ["2", "3", "4", "5", "6"]
    heights = dict((label, place) for place, label in panel.y_ticks)
    assert [dot[1:] for dot in line.dots] == [
        (heights["4"], heights["3"], heights["5"]),
        (heights["6"], heights["6"], heights["6"]),
    ]
    assert panel.level == heights["2"]


@pytest.mark.parametrize(
    "p, text", [(0.0004, "p &lt; 0.001"), (0.02, "p = 0.020")]
)
def test_p_values(p, text):
    test = {
        "row": "with_dp",
        "against": "no_discriminator",
        "measure": "relevance",
        "difference": 2.0,
        "p": p,
    }
    tests = [test, {**test, "measure": "perplexity", "difference": -2.0}]
    page = render(tests=tests)
    assert f"<td>+2.00<small>{text}</small></td>" in page
    assert "<td>-2.0<small>" in page
