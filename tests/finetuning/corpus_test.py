import json

import pytest

from tests.finetuning import poems
from visualpoet.corpus.records import Poem
from visualpoet.finetuning import corpus

PROSE = (
    "It was the best of {0}, it was the worst of {0}, it was the age of\n"
    "wisdom, it was the age of foolishness, it was the epoch of belief, it\n"
    "was the epoch of incredulity, it was the season of Light, and not dark."
)
HEBREW = "הים גדול {0}\nוהלילה שקט\nאור במפרץ"


def read(path, force=False):
    return corpus.read_corpus(path, "", force)


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_corpus_is_dealt_out_by_its_poems(tmp_path):
    found = read(poems.write(tmp_path / "poems"))
    assert len(found.poems) == 36
    sizes = [len(found.texts(s)) for s in ("train", "validation", "test")]
    assert sizes == [28, 4, 4]
    again = read(poems.write(tmp_path / "again", poems.POEMS[::-1]))
    assert sorted(again.texts("test")) == sorted(found.texts("test"))
    assert (found.script, found.duplicates, found.bad_rows) == ("LATIN", 0, [])
    assert len(found.lines()) == 4 * 36


def test_stanzas_of_a_poem_are_not_on_two_sides(tmp_path):
    long = [
        f"{one}\n\n{two}" for one, two in zip(poems.POEMS, poems.POEMS[::-1])
    ]
    found = read(poems.write(tmp_path, long))
    assert len(found.poems) == 36
    splits = {}
    for excerpt in found.excerpts:
        splits.setdefault(excerpt.id, set()).add(excerpt.split)
    assert all(len(names) == 1 for names in splits.values())


def test_own_splits_are_kept():
    given = [Poem("a", split="train"), Poem("b", split="validation")]
    given += [Poem(f"c{n}", split="train") for n in range(18)]
    dealt = corpus.deal_out(given)
    assert [poem.text for poem in dealt if poem.split == "validation"] == ["b"]
    assert sum(poem.split == "test" for poem in dealt) == 2
    assert [poem.text for poem in dealt] == [poem.text for poem in given]


def test_a_corpus_without_validation_poems_holds_some_out(tmp_path):
    rows = [{"text": poem, "split": "train"} for poem in poems.POEMS]
    found = read(write_rows(tmp_path / "a.jsonl", rows))
    assert len(found.texts("validation")) == len(found.texts("test")) == 4


def test_poems_of_no_split_take_nobodys_place(tmp_path):
    rows = [{"text": poem} for poem in poems.POEMS]
    none = [
        {"text": f"{poem}\nNone {number}", "split": "none"}
        for number, poem in enumerate(poems.POEMS * 9)
    ]
    found = read(write_rows(tmp_path / "a.jsonl", rows + none))
    assert len(found.poems) == 36
    sizes = [len(found.texts(s)) for s in ("train", "validation", "test")]
    assert sizes == [28, 4, 4]


def test_poems_that_are_too_short_are_not_held_out(tmp_path):
    short = [f"A {word}\nof two lines" for word in "abcdefghijklmnopqrstuvwxyz"]
    found = read(poems.write(tmp_path, [*poems.POEMS, *short]))
    assert len(found.short) == 26
    sizes = [len(found.texts(s)) for s in ("train", "validation", "test")]
    assert sizes == [28, 4, 4]
    rows = [{"text": poem, "split": "train"} for poem in poems.POEMS]
    rows += [{"text": one, "split": "test"} for one in short]
    found = read(write_rows(tmp_path / "a.jsonl", rows))
    assert len(found.texts("test")) == 4


def test_a_held_out_poem_is_found_again(tmp_path):
    texts = [
        f"{poem}\nLine {word} of it\nAnd {word} is new\nWith {word} more"
        for poem, word in zip(poems.POEMS, map("x".__mul__, range(1, 99)))
    ]
    found = read(poems.write(tmp_path, texts))
    held, learnt = found.texts("test")[0], found.texts("train")[0]
    half = "\n".join([*held.split("\n")[4:], "A line", "and another"])
    few = "\n".join([held.split("\n")[4], "A line", "and another"])
    texts = [held, held.upper(), half, few, learnt, ""]
    is_held = corpus.find_held_out(found, texts)
    assert is_held == [True, True, True, False, False, False]


def test_encodings_may_be_mixed_among_files(tmp_path):
    texts = [poem.replace("sigh", "séjour") for poem in poems.POEMS]
    encodings = ("utf-8", "cp1252", "utf-16")
    found = read(poems.write(tmp_path, texts, encodings))
    assert len(found.poems) == 36
    assert all(text.endswith("séjour.") for text in found.texts("train"))


@pytest.mark.parametrize(
    ("texts", "script"),
    [
        (
            [HEBREW.format(letter) for letter in "אבגדהוזחטיכלמנסעפצקרשת"],
            "HEBREW",
        ),
        (["🌊🌙" + "🌙" * n + "\n🌙🌊\n🌊🌊🌊" for n in range(24)], "none"),
        ([f"{poem} 🌊🌙" for poem in poems.POEMS], "LATIN"),
    ],
    ids=["right to left", "emoji alone", "emoji among words"],
)
def test_any_script_can_be_read(tmp_path, texts, script):
    found = read(poems.write(tmp_path, texts))
    assert len(found.poems) == len(texts)
    assert found.script == script


def test_a_line_of_ten_megabytes_costs_its_poem_alone(tmp_path):
    long = "A line,\nanother,\n" + "word " * 2_000_000
    found = read(poems.write(tmp_path, [*poems.POEMS, long]))
    assert len(found.poems) == 36
    (row,) = found.bad_rows
    assert str(row) == (
        "36:37: expected lines of at most 200 characters. Received: one of "
        "10,000,000"
    )


def three(path):
    return poems.write(path, poems.POEMS[:3])


def the_same(path):
    return write_rows(path, [{"text": "A fox\nin the\nsnow"}] * 500)


def empty(path):
    path.touch()
    return path


def binary(path):
    path.write_bytes(bytes(range(256)) * 20)
    return path


def mixed(path):
    """Encodings that change inside a file."""
    rows = [
        f'"{poem}, séjour"\n'.encode(("utf-8", "cp1252")[number % 2])
        for number, poem in enumerate(poems.POEMS)
    ]
    path.write_bytes(b"text\n" + b"".join(rows))
    return path


def short(path):
    return poems.write(path, [f"A line\nof {n}" for n in range(40)])


def held(path):
    rows = [{"text": poem, "split": "dev"} for poem in poems.POEMS]
    return write_rows(path, rows)


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (three, "poems", "expected 20 different poems or more.*Received: 3 in"),
        (the_same, "a.jsonl", "Received: 1 in .*; 499 were there before$"),
        (empty, "a.txt", "Received: 0 in .*: expected a text in poem or text"),
        (binary, "a.txt", "Received: 0 in .*bytes that are text in no encod"),
        (binary, "a.bin", "Received: 0 in .*expected a folder of .txt, or"),
        (
            mixed,
            "a.csv",
            "Received: 18 in .*UTF-8 among Windows-1252; save.*; \\.\\.\\.$",
        ),
        (short, "poems", "Received: 0 in .*; poems left out, with no excerpt"),
        (held, "a.jsonl", "expected poems to learn from, .*Received: 36 in"),
    ],
)
def test_what_cannot_be_learnt_from_is_said(tmp_path, make, name, message):
    path = make(tmp_path / name)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        read(path)


def test_prose_is_refused_unless_it_is_meant(tmp_path):
    words = [f"{a} {b}" for a in poems.THINGS for b in poems.COLOURS]
    path = poems.write(tmp_path, [PROSE.format(word) for word in words])
    with pytest.raises(
        ValueError, match="expected verse. Received: .*; --force goes on$"
    ):
        read(path)
    assert len(read(path, force=True).poems) == 36


def test_a_corpus_that_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="which does not exist"):
        read(tmp_path / "missing")
