import copy
import json

import jinja2
import keras
import pytest

from visualpoet.export import model_card

PARAMETERS = {"visual encoder": 1234567, "generator": 89}
RESULTS = {
    "photographs": 321,
    "relevance": {
        "this model": {"tfidf": 0.4567, "sentences": 0.6},
        "a random human poem": {"tfidf": 0.1, "sentences": 0.105},
    },
    "copied_run": {
        "median": 3.0,
        "95th percentile": 6.5,
        "share of 8 words or more": 0.0123,
    },
    "distinct_2": {"this model": 0.71234, "a random human poem": 0.8765},
    "commonest_line": {"line": "And all the <sea>", "share": 0.0222},
    "perplexity": {
        "generator": 98.76,
        "Kneser-Ney 5-gram": 123.45,
        "tokens": 1000,
    },
}


@pytest.fixture
def folder(tmp_path):
    version = tmp_path / "12"
    (version / "variables").mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(bytes(1_000_000))
    (version / "variables" / "data").write_bytes(bytes(1_539_900))
    (version / "assets.extra").mkdir()
    options = version / "assets.extra" / "options.json"
    options.write_text(json.dumps({"forms": {"": {}}}).ljust(100))
    return version


def write(folder, *results):
    model_card.write_model_card(folder, PARAMETERS, results)
    return (folder.parent / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_card_holds_notes_before_what_it_was_trained_on(folder):
    notes = "## Tried\n\n- Nothing.\n"
    model_card.write_model_card(folder, PARAMETERS, [RESULTS], notes)
    card = (folder.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "\n\n## Tried\n\n- Nothing.\n\n## Trained on\n" in card
    assert "Tried" not in write(folder, RESULTS)


def test_parameters_are_those_of_each_part():
    layer = keras.layers.Dense(2)
    inputs = keras.Input([3])
    model = keras.Model(inputs, layer(inputs))
    counted = model_card.count_parameters(image_tower=model, poetic=model)
    assert counted == {"image tower": 8, "poetic": 8}


def test_size_of_a_folder(folder):
    assert model_card.measure_size(folder) == 2_540_000


def test_card_says_what_is_copied_where_there_are_no_captions(folder):
    assert "without captions" not in write(folder, RESULTS)
    uncaptioned = {
        "photographs": 45,
        "copied_run": {**RESULTS["copied_run"], "median": 5.0},
        "commonest_line": {"line": "the sea", "share": 0.0333},
    }
    card = write(folder, {**RESULTS, "uncaptioned": uncaptioned})
    assert "The same for 45 photographs without captions" in card
    assert "median 5.0, 95th percentile 6.5; 1.2 % copy 8 words" in card
    assert "The commonest line is in 3.3 %." in card


def test_card_says_what_was_measured(folder):
    lines = write(folder, RESULTS).splitlines()
    assert lines[0] == f"# The model `{folder.parent.name}`, version 12"
    assert any(line.endswith("to poem; 2.5 MB.") for line in lines)
    assert "## Measured, on 321 photographs that no training saw" in lines
    for expected in (
        "- Longest run of words copied from a training poem: median 3.0, 95th "
        "percentile 6.5; 1.2 % of poems copy 8 words or more.",
        "- Distinct 2-grams: 0.712; as many human poems: 0.876.",
        '- The commonest line, "And all the <sea>", is in 2.2 % of poems.',
        "- Perplexity on test poems: 98.8; interpolated Kneser-Ney 5-gram on "
        "the same tokens: 123.5.",
    ):
        assert expected in lines


def table_after(lines, title):
    start = next(i for i, line in enumerate(lines) if line.startswith(title))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip(" |").split("|")])
    return rows


def test_tables_have_no_gaps(folder):
    lines = write(folder, RESULTS).splitlines()
    assert table_after(lines, "| part") == [
        ["part", "parameters"],
        ["---", "---"],
        ["visual encoder", "1,234,567"],
        ["generator", "89"],
    ]
    assert table_after(lines, "| poem") == [
        ["poem", "tfidf", "sentences"],
        ["---", "---", "---"],
        ["this model", "45.7 %", "60.0 %"],
        ["a random human poem", "10.0 %", "10.5 %"],
    ]


def test_sections(folder):
    lines = write(folder, RESULTS).splitlines()
    assert [line for line in lines if line.startswith("## ")] == [
        "## Use",
        "## Parts",
        "## Measured, on 321 photographs that no training saw",
        "## Trained on",
        "## Limits",
        "## Licence",
    ]


@pytest.mark.parametrize(
    "path",
    [
        ("photographs",),
        ("relevance", "this model"),
        ("copied_run",),
        ("copied_run", "median"),
        ("copied_run", "95th percentile"),
        ("copied_run", "share of 8 words or more"),
        ("distinct_2", "this model"),
        ("distinct_2", "a random human poem"),
        ("commonest_line", "line"),
        ("commonest_line", "share"),
        ("perplexity", "generator"),
        ("perplexity", "Kneser-Ney 5-gram"),
    ],
)
def test_missing_number_is_an_error(folder, path):
    results = copy.deepcopy(RESULTS)
    place = results
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    with pytest.raises(jinja2.UndefinedError):
        write(folder, results)
    assert not (folder.parent / "MODEL_CARD.md").exists()


def test_each_form_has_its_numbers(folder):
    forms = {"forms": {"haiku": {}, "verse": {}}}
    (folder / "assets.extra" / "options.json").write_text(json.dumps(forms))
    few = {**RESULTS, "form": "verse", "photographs": 5, "others": 4}
    lines = write(folder, {**RESULTS, "form": "haiku"}, few).splitlines()
    assert lines[2].startswith(
        "Writes a poem for a photograph: haiku, verse, the first if"
    )
    assert [line for line in lines if line.startswith("## Measured")] == [
        "## Measured: haiku, on 321 photographs that no training saw",
        "## Measured: verse, on 5 photographs that no training saw",
    ]
    assert sum("test poems of this form: 98.8" in line for line in lines) == 2
    shares = [line for line in lines if line.startswith("Share of poems")]
    assert [line[line.index("first") :].split(",")[0] for line in shares] == [
        "first ten of a hundred",
        "first tenth of 5",
    ]


def test_perplexity_may_be_left_unmeasured(folder):
    results = {k: v for k, v in RESULTS.items() if k != "perplexity"}
    card = write(folder, results)
    assert "Perplexity" not in card
    assert "in 2.2 % of poems.\n\n## Trained on" in card
