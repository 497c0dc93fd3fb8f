import gzip
import json
import logging
import pathlib

import pytest

from visualpoet.corpus import formats

ROW = {"id": "a", "text": "one\ntwo"}


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(
        gzip.compress(content) if path.suffix.lower() == ".gz" else content
    )
    return path


def _rows(tmp_path, name, content):
    return list(formats.read_rows(_write(tmp_path / name, content)))


def _csv(tmp_path, content):
    return [
        (number, str(row) if isinstance(row, Exception) else row)
        for number, row in _rows(tmp_path, "a.csv", content)
    ]


# --- which files


def test_folder_has_texts_of_any_spelling(tmp_path):
    names = ["A.TXT", "b.txt.gz", "c.Txt", "d/E.TXT.GZ", "d/f.txt"]
    for name in names:
        _write(tmp_path / name, "x")
    found = formats.find_files(tmp_path)
    assert found == [tmp_path / name for name in names]
    ids = [row["id"] for file in found for _, row in formats.read_rows(file)]
    assert ids == ["A", "b", "c", "E", "f"]


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.txt",
        "._a.txt",
        ".git/a.txt",
        ".ipynb_checkpoints/a-checkpoint.txt",
        "b/.c/a.txt",
        "__MACOSX/a.txt",
        "__MACOSX/b/._a.txt",
    ],
)
def test_hidden_files_are_left_out(tmp_path, caplog, name):
    _write(tmp_path / name, "x")
    _write(tmp_path / "a.txt", "x")
    assert formats.find_files(tmp_path) == [tmp_path / "a.txt"]
    assert caplog.messages == []


def test_folder_that_is_hidden_itself_is_read(tmp_path):
    path = _write(tmp_path / ".poems" / "a.txt", "x")
    assert formats.find_files(tmp_path / ".poems") == [path]


def test_other_files_are_counted_and_said(tmp_path, caplog):
    for name in ("a.txt", "b.md", "c.JPG", "d/e.jpg", "LICENSE", "f.txt.bak"):
        _write(tmp_path / name, "x")
    assert formats.find_files(tmp_path) == [tmp_path / "a.txt"]
    assert caplog.messages == [
        f"{tmp_path}: files left out that are no .txt: 5 (.jpg 2, LICENSE 1, "
        ".md 1, .bak 1)"
    ]


# --- encodings


@pytest.mark.parametrize(
    "encoding", ["cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.csv.gz"])
def test_rows_of_every_encoding_are_read_and_it_is_said(
    tmp_path, caplog, encoding, name
):
    text = "She won’t tell\nthe “tide” — é"
    content = {
        ".csv": f'id,text\na,"{text}"\n',
        ".json": json.dumps([{"id": "a", "text": text}], ensure_ascii=False),
        ".jsonl": json.dumps({"id": "a", "text": text}, ensure_ascii=False),
    }[pathlib.Path(name.removesuffix(".gz")).suffix]
    found = _rows(tmp_path, name, content.encode(encoding))
    assert found == [(1, {"id": "a", "text": text})]
    said = encoding.replace("cp", "windows-")
    assert caplog.messages == [f"{tmp_path / name}: read as {said}"]


def test_utf_8_is_not_said(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    _rows(tmp_path, "a.txt", "café")
    _rows(tmp_path, "b.txt", "\ufeffcafé")
    assert caplog.messages == []


def test_one_line_in_another_encoding_leaves_the_others_as_they_are(tmp_path):
    lines = ['{"text": "é à ü"}'.encode(), '{"text": "’"}'.encode("cp1252")]
    assert _rows(tmp_path, "a.jsonl", b"\n".join(lines)) == [
        (1, {"text": "é à ü"}),
        (2, {"text": "\udc92"}),
    ]


def test_joined_files_have_marks_in_the_middle(tmp_path):
    content = '\ufeff{"text": "one"}\n\ufeff{"text": "two"}\n\x1a'
    assert _rows(tmp_path, "a.jsonl", content) == [
        (1, {"text": "one"}),
        (2, {"text": "two"}),
    ]


# --- JSON


def test_lines_called_json(tmp_path):
    content = '{"text": "one"}\n{"text": \n{"text": "two"}\r{"text": "three"}'
    found = _rows(tmp_path, "a.json", content)
    assert [number for number, _ in found] == [1, 2, 3, 4]
    assert [row["text"] for _, row in found if isinstance(row, dict)] == [
        "one",
        "two",
        "three",
    ]


@pytest.mark.parametrize("indent", [None, 1])
def test_a_list_called_jsonl(tmp_path, indent):
    content = json.dumps([ROW, ROW], indent=indent)
    assert _rows(tmp_path, "a.jsonl", content) == [(1, ROW), (2, ROW)]


def test_raw_line_breaks_inside_json_strings(tmp_path):
    assert _rows(tmp_path, "a.json", '[{"text": "one\ntwo\tx"}]') == [
        (1, {"text": "one\ntwo\tx"})
    ]
    assert _rows(tmp_path, "a.jsonl", '{"text": "one\u2028two\x0bx"}') == [
        (1, {"text": "one\u2028two\x0bx"})
    ]


def test_ndjson_is_jsonl(tmp_path):
    assert _rows(tmp_path, "a.ndjson", json.dumps(ROW)) == [(1, ROW)]


# --- tables


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_separators(tmp_path, separator, line_end):
    lines = [
        separator.join(["Id", "Text"]),
        separator.join(["a", '"x, y; z\t|' + line_end + 'w"']),
        "",
        separator.join(["b", "v"]),
    ]
    assert _csv(tmp_path, line_end.join(lines)) == [
        (1, {"Id": "a", "Text": f"x, y; z\t|{line_end}w"}),
        (2, {"Id": "b", "Text": "v"}),
    ]


@pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\n', "SEP=;\r"])
def test_separator_that_excel_names(tmp_path, line):
    assert _csv(tmp_path, f"{line}id;poem\na;b, c\n") == [
        (1, {"id": "a", "poem": "b, c"})
    ]


def test_tsv(tmp_path):
    assert _rows(tmp_path, "a.tsv", "id\ttext\na\tx, y\n") == [
        (1, {"id": "a", "text": "x, y"})
    ]


def test_comma_in_a_field_name_is_no_separator(tmp_path):
    assert _csv(tmp_path, "no, in print;poem\n1;x\n") == [
        (1, {"no, in print": "1", "poem": "x"})
    ]


def test_blank_before_a_quotation_mark(tmp_path):
    assert _csv(tmp_path, 'id, text\na, "x,\ny"\n') == [
        (1, {"id": "a", "text": "x,\ny"})
    ]


def test_empty_cells_behind_the_last_field(tmp_path):
    assert _csv(tmp_path, "id,text\na,x,,\n") == [(1, {"id": "a", "text": "x"})]


REASON = (
    "expected {} fields. Received: {}; put a text with commas or line breaks "
    "between quotation marks"
)


@pytest.mark.parametrize("position", [1, 2])
def test_row_with_an_unquoted_comma(tmp_path, position):
    lines = ["a,one", "b,two"]
    lines.insert(position - 1, "c,rain, and rain")
    found = _csv(tmp_path, "\n".join(["id,text", *lines]))
    assert found.pop(position - 1) == (position, REASON.format(2, 3))
    assert [row["text"] for _, row in found] == ["one", "two"]


def test_poem_over_several_rows_is_never_half_a_poem(tmp_path):
    content = "title,text,author\nTide,it comes in\nit goes out,N. N.\n"
    assert _csv(tmp_path, content) == [
        (1, REASON.format(3, 2)),
        (2, REASON.format(3, 2)),
    ]


def test_row_that_is_too_short(tmp_path):
    assert _csv(tmp_path, "id,text\na\nb,two\n") == [
        (1, REASON.format(2, 1)),
        (2, {"id": "b", "text": "two"}),
    ]


QUOTES = (
    "expected a text between quotation marks, with those inside doubled. "
    "Received: "
)


def test_quotation_mark_that_is_never_closed(tmp_path):
    content = 'id,text\na,one\nb,"two\nc,three\n'
    assert _csv(tmp_path, content) == [
        (1, {"id": "a", "text": "one"}),
        (2, f"{QUOTES}unexpected end of data"),
    ]


@pytest.mark.parametrize(
    "broken",
    ['"He said "yes"\nand went"', '"Hope" is', '"a "b" c\nd\ne "f" g"'],
)
def test_quotation_marks_that_are_not_doubled_cost_their_row(tmp_path, broken):
    content = f'text\n{broken}\n"two\nthree"\n'
    assert _csv(tmp_path, content) == [
        (1, f"{QUOTES}',' expected after '\"'"),
        (2, {"text": "two\nthree"}),
    ]
