import pathlib
import re
from xml.etree import ElementTree

import pytest

from recipes import draw_curves

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "results.md"
SVG = "{http://www.w3.org/2000/svg}"
TEXT = """Two tables.

| poem | share |
|---|---|
| ours | 5 % |

| | share | memory |
|---|---|---|
| theirs & his | 20 % | 3,482 MB |
| ours | 40 % | 439 MB |
Behind it.
"""


def test_the_first_table_with_all_columns_is_read():
    assert draw_curves.read_table(TEXT, "share") == [
        {"poem": "ours", "share": "5 %"}
    ]
    assert draw_curves.read_table(TEXT, "memory", "share") == [
        {"": "theirs & his", "share": "20 %", "memory": "3,482 MB"},
        {"": "ours", "share": "40 %", "memory": "439 MB"},
    ]


def test_columns_that_no_table_has():
    with pytest.raises(ValueError, match="the columns share, speed. Received"):
        draw_curves.read_table(TEXT, "share", "speed")


@pytest.mark.parametrize(
    ("cell", "number"),
    [("-2.46", -2.46), ("51.8 %", 51.8), ("3,482 MB", 3482.0)],
)
def test_numbers(cell, number):
    assert draw_curves.read_number(cell) == number


def test_bars_are_as_long_as_their_numbers():
    rows = draw_curves.read_table(TEXT, "memory")
    svg = ElementTree.fromstring(
        draw_curves.draw_bars(rows, "share", "Shares", "of two")
    )
    lengths = [bar.get("width") for bar in svg.iter(f"{SVG}rect")]
    assert lengths == ["339", "135.0", "270.0"]
    assert [text.text for text in svg.iter(f"{SVG}text")] == [
        "Shares",
        "of two",
        "theirs & his",
        "20 %",
        "ours",
        "40 %",
    ]


def test_points_go_from_left_to_right_with_their_names():
    rows = [
        {"weight": "0", "cost": "4", "share": "10 %"},
        {"weight": "1", "cost": "0", "share": "50 %"},
    ]
    svg = ElementTree.fromstring(
        draw_curves.draw_lines(rows, "cost", ["share"], "A", "b", "weight")
    )
    line = svg.find(f".//{SVG}polyline")
    assert line.get("points") == "52.0,10.0 320.0,182.0"
    values = svg.findall(f".//{SVG}text[@class='value']")
    assert [(text.text, text.get("x")) for text in values] == [
        ("1", "52.0"),
        ("0", "320.0"),
    ]


def test_the_pictures_are_those_of_the_tables(tmp_path):
    """If not, run `python recipes/draw_curves.py`."""
    config = draw_curves.Config(document=DOCUMENT, run_dir=tmp_path)
    draw_curves.main(config)
    drawn, kept = (
        {path.name: path.read_text() for path in folder.iterdir()}
        for folder in (tmp_path, DOCUMENT.parent / "curves")
    )
    assert drawn == kept


def test_the_document_shows_each():
    shown = re.findall(r"!\[[^\]]{40,}\]\(curves/(\S+)\)", DOCUMENT.read_text())
    assert shown == ["speed.svg", "lambda.svg", "clues.svg"]
