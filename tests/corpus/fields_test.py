import numpy as np
import pandas as pd
import pytest

from visualpoet.corpus import fields


@pytest.mark.parametrize(
    "value",
    [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT, "", " \t\n"],
)
def test_values_that_are_none(value):
    assert fields.is_missing(value)
    assert fields.clean_row({"title": value}) == {}


@pytest.mark.parametrize("value", [0, 0.0, False, "0", "nan", "NA", [], {}])
def test_values_that_are_some(value):
    assert not fields.is_missing(value)
    assert fields.clean_row({"title": value}) == {"title": value}


def test_first_of_two_fields_of_one_name_counts():
    row = {"Poem": "", "POEM": "x", " poem": "y"}
    assert fields.clean_row(row) == {"poem": "x"}


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (0, "0"),
        (7.0, "7"),
        (1.5, "1.5"),
        ("  The\r\n Tide ", "The Tide"),
        ("&lt;i&gt;Tide&lt;/i&gt; &amp; Gull", "Tide & Gull"),
    ],
)
def test_values_in_one_line(value, line):
    assert fields.line_field({"title": value}, "id", "title") == line
    assert fields.line_field({}, "title") == ""


@pytest.mark.parametrize(
    ("value", "number"), [(0.5, 0.5), ("0.5", 0.5), ("0,5", 0.5), (1, 1.0)]
)
def test_numbers(value, number):
    assert fields.number_field({"similarity": value}, "similarity", 2) == number
