import json

import pytest

from visualpoet.generator import forms
from visualpoet.generator.composer import DecodingOptions
from visualpoet.generator.patterns import Pattern


def test_patterns_stand_beside_what_was_learnt():
    options = forms.choose_options(["verse", "haiku"], "haiku", ["limerick"])
    assert list(options) == ["haiku", "verse", "limerick"]
    limerick = options["limerick"]
    assert limerick.pattern == Pattern((8, 8, 5, 5, 8), "aabba")
    assert (limerick.min_lines, limerick.max_lines) == (5, 5)
    assert options["verse"].pattern == Pattern()


def test_what_is_written_without_a_pattern_has_a_name_beside_them():
    assert list(forms.choose_options([], "")) == [""]
    assert list(forms.choose_options([], "", ["limerick"])) == [
        "plain",
        "limerick",
    ]


@pytest.mark.parametrize(
    "given", [(["verse"], "ode", ()), (["verse"], "verse", ["ode"])]
)
def test_a_form_that_is_not_there(given):
    with pytest.raises(ValueError, match="expected .* Received: 'ode'"):
        forms.choose_options(*given)


@pytest.mark.parametrize(
    ("form", "learnt", "found"),
    [
        ("haiku", ["verse", "haiku"], "haiku"),
        ("haiku-5-7-5", ["verse", "haiku"], "haiku"),
        ("limerick", ["haiku", "verse"], "verse"),
        ("limerick", ["haiku", "free"], "haiku"),
        ("limerick", [], ""),
    ],
)
def test_a_pattern_is_written_in_a_form_that_is_learnt(form, learnt, found):
    assert forms.find_learnt(form, learnt) == found


def test_options_are_read_with_their_pattern(tmp_path):
    given = {
        "mine": {"temperature": 0.5, "pattern": {"syllables": [4, 4]}},
        "free": {},
    }
    (tmp_path / "options.json").write_text(json.dumps(given))
    options = forms.read_options(tmp_path / "options.json")
    assert options["mine"].pattern.encode()[:3, 0].tolist() == [4, 4, 0]
    assert options["mine"].temperature == 0.5
    assert options["free"] == DecodingOptions()
