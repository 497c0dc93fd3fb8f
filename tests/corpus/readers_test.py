import gzip
import json

import pandas as pd
import pytest

from visualpoet.corpus import readers
from visualpoet.corpus.records import BadRow
from visualpoet.corpus.records import ImagePoemPair
from visualpoet.corpus.records import Photograph
from visualpoet.corpus.records import Poem

TEXT = "The kettle sings,\nthe window fogs."
OTHER = "A heron waits,\nthe reeds are dry."
POEMS = [
    Poem(TEXT, "kettle", "train", "Morning", "A. Tester"),
    Poem(OTHER, "heron", "test"),
]
ROWS = [
    {
        "id": "kettle",
        "text": TEXT,
        "title": "Morning",
        "author": "A. Tester",
    },
    {"id": "heron", "text": OTHER, "split": "test"},
]
CSV = (
    "id,text,title,author,split\n"
    f'kettle,"{TEXT}",Morning,A. Tester,\n'
    f'heron,"{OTHER}",,,test\n'
)


def _write(path, content):
    content = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(
        gzip.compress(content) if path.suffix == ".gz" else content
    )
    return path


def _jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def _read_rows(tmp_path, read, rows):
    return read(_write(tmp_path / "rows.jsonl", _jsonl(rows)))


def _reasons(bad_rows):
    return [(row.row, row.reason) for row in bad_rows]


# --- formats


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".csv", CSV),
        (".csv", "\ufeff" + CSV),
        (".csv", CSV.replace("\n", "\r\n")),
        (".json", json.dumps(ROWS)),
        (".json", "\ufeff" + json.dumps(ROWS, indent=1)),
        (".jsonl", _jsonl(ROWS)),
        (".jsonl", _jsonl(ROWS).replace("\n", "\r\n\r\n")),
    ],
)
def test_poems_of_every_row_format_are_the_same(
    tmp_path, suffix, content, ending
):
    path = _write(tmp_path / f"poems{suffix}{ending}", content)
    assert readers.read_poems(path) == (POEMS, [])


def test_parquet(tmp_path):
    path = tmp_path / "poems.parquet"
    pd.DataFrame(ROWS).to_parquet(path)
    assert readers.read_poems(path) == (POEMS, [])


@pytest.mark.parametrize("name", ["heron.txt", "heron.txt.gz"])
def test_one_text_file_is_one_poem(tmp_path, name):
    path = _write(tmp_path / name, f"\n{OTHER}\r\n\r\n")
    assert readers.read_poems(path) == ([Poem(OTHER, "heron")], [])


def test_folder_of_texts_is_read_at_any_depth_in_order(tmp_path):
    (tmp_path / "b" / "c").mkdir(parents=True)
    _write(tmp_path / "b" / "c" / "heron.txt", OTHER)
    _write(tmp_path / "a.txt", TEXT)
    _write(tmp_path / "notes.md", "not a poem")
    poems, bad_rows = readers.read_poems(tmp_path)
    assert poems == [Poem(TEXT, "a"), Poem(OTHER, "heron")]
    assert bad_rows == []


def test_path_may_be_a_string(tmp_path):
    path = _write(tmp_path / "heron.txt", OTHER)
    assert readers.read_poems(str(path))[0] == [Poem(OTHER, "heron")]


def test_poem_field_goes_before_text_field(tmp_path):
    rows = [{"text": "second", "poem": "first"}, {"text": "only"}]
    poems, _ = _read_rows(tmp_path, readers.read_poems, rows)
    assert [poem.text for poem in poems] == ["first", "only"]


def test_source_stands_in_for_id(tmp_path):
    rows = [{"text": "x", "source": "s"}, {"text": "y", "id": 7}]
    poems, _ = _read_rows(tmp_path, readers.read_poems, rows)
    assert [poem.id for poem in poems] == ["s", "7"]


# --- as people have them


@pytest.mark.parametrize("missing", ["NaN", "null", '""', '" "'])
def test_values_that_are_none(tmp_path, missing):
    names = ("id", "split", "title", "author", "label", "similarity")
    values = ", ".join(f'"{name}": {missing}' for name in names)
    row = (
        f'{{"file": "a.jpg", "text": "a\\nb", "captions": [{missing}, "c"], '
        f'"romantic": {missing}, {values}}}'
    )
    path = _write(tmp_path / "rows.jsonl", row)
    assert readers.read_poems(path) == ([Poem("a\nb")], [])
    assert readers.read_pairs(path) == (
        [ImagePoemPair("a.jpg", Poem("a\nb"), 1.0)],
        [],
    )
    assert readers.read_captions(path) == (
        [Photograph("a.jpg", captions=("c",))],
        [],
    )


@pytest.mark.parametrize("missing", ["NaN", "null", '" "', "[]", "3"])
def test_poem_that_is_none_is_a_bad_row(tmp_path, missing):
    path = _write(tmp_path / "rows.jsonl", f'{{"id": "a", "text": {missing}}}')
    poems, (bad_row,) = readers.read_poems(path)
    assert poems == []
    assert bad_row.reason.startswith("expected a text in poem or text.")


def test_missing_values_of_parquet(tmp_path):
    path = tmp_path / "poems.parquet"
    pd.DataFrame(
        {
            "id": [1, None],
            "text": ["a\r\nb", "c"],
            "title": [None, "T"],
            "split": [float("nan"), "test"],
        }
    ).to_parquet(path)
    assert readers.read_poems(path) == (
        [Poem("a\nb", "1"), Poem("c", "", "test", "T")],
        [],
    )


def test_bytes_in_parquet_are_decoded(tmp_path):
    path = tmp_path / "poems.parquet"
    pd.DataFrame(
        {"text": ["café".encode(), "d’or".encode("cp1252")]}
    ).to_parquet(path)
    assert readers.read_poems(path)[0] == [Poem("café"), Poem("d’or")]


def test_zero_is_an_id_and_a_label(tmp_path):
    rows = [{"id": 0, "file": "a.jpg", "text": "x", "label": 0}]
    assert _read_rows(tmp_path, readers.read_poems, rows)[0][0].id == "0"
    assert _read_rows(tmp_path, readers.read_captions, rows)[0][0].label == "0"


def test_poem_may_be_a_list_of_lines(tmp_path):
    rows = [{"text": ["one", "two", "", "three"]}]
    poems, _ = _read_rows(tmp_path, readers.read_poems, rows)
    assert poems == [Poem("one\ntwo\n\nthree")]


def test_field_names_have_capitals_blanks_and_other_words(tmp_path):
    rows = [
        {" Title ": "T", "POEM": "x", "Poet": "P", "Tags": "t"},
        {"\ufefftext": "y", "Author": "A"},
    ]
    assert _read_rows(tmp_path, readers.read_poems, rows) == (
        [Poem("x", title="T", author="P"), Poem("y", author="A")],
        [],
    )


def test_pairs_with_addresses_of_photographs(tmp_path):
    rows = [
        {"poem": "x", "image_url": "https://a.org/b/c%20d.jpg?size=m", "id": 7},
        {"poem": "x", "image_url": "http://a.org/"},
        {"text": "y", "file_name": ".\\train\\e.jpg"},
    ]
    pairs, bad_rows = _read_rows(tmp_path, readers.read_pairs, rows)
    assert pairs == [
        ImagePoemPair("c d.jpg", Poem("x", "7")),
        ImagePoemPair("train/e.jpg", Poem("y")),
    ]
    assert _reasons(bad_rows) == [
        (
            2,
            "expected an address that ends in the name of a photograph. "
            "Received: http://a.org/",
        )
    ]


@pytest.mark.parametrize(
    ("text", "received"),
    [
        ("a\0b", "NUL at offset 1"),
        ("one \ud83d", "U+D83D, half a character, at offset 4"),
        ("\udc92", "byte 0x92, which is no UTF-8, at offset 0"),
    ],
)
@pytest.mark.parametrize("field", ["text", "title"])
def test_broken_characters_are_a_bad_row(tmp_path, field, text, received):
    rows = [{"text": "x", field: text}, {"text": "ok"}]
    poems, bad_rows = _read_rows(tmp_path, readers.read_poems, rows)
    assert poems == [Poem("ok")]
    assert _reasons(bad_rows) == [
        (
            1,
            f"expected a text in {field}. Received: {received}; save the file "
            "as UTF-8",
        )
    ]


def test_two_halves_of_a_character_are_one(tmp_path):
    path = _write(tmp_path / "a.jsonl", r'{"text": "the \ud83c\udf0a"}')
    assert readers.read_poems(path) == ([Poem("the 🌊")], [])


@pytest.mark.parametrize(
    "line_break", list("\r\v\f\x85\u2028\u2029") + ["\r\n"]
)
def test_line_breaks_of_every_kind_in_every_format(tmp_path, line_break):
    text = f"one{line_break}two{line_break}three"
    paths = [
        _write(tmp_path / "a.txt", text),
        _write(tmp_path / "a.csv", f'text,id\n"{text}",a\n'),
        _write(tmp_path / "a.jsonl", _jsonl([{"text": text, "id": "a"}])),
        _write(tmp_path / "a.json", json.dumps([{"text": text, "id": "a"}])),
    ]
    for path in paths:
        assert readers.read_poems(path) == ([Poem("one\ntwo\nthree", "a")], [])


def test_title_of_a_text_file(tmp_path):
    path = _write(tmp_path / "a.txt", f"Morning\r\n\r\n{TEXT}\n\n{OTHER}")
    assert readers.read_poems(path) == (
        [Poem(f"{TEXT}\n\n{OTHER}", "a", title="Morning")],
        [],
    )


def test_page_of_html_is_a_bad_row(tmp_path):
    rows = [{"text": "<!DOCTYPE html><p>x</p>"}, {"text": "<p>ok<br>so</p>"}]
    poems, bad_rows = _read_rows(tmp_path, readers.read_poems, rows)
    assert poems == [Poem("ok\nso")]
    assert _reasons(bad_rows) == [
        (
            1,
            "expected a poem. Received: a page of HTML, with <!DOCTYPE; give "
            "the poem alone",
        )
    ]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", '"nan"'])
def test_similarity_that_is_not_finite(tmp_path, value):
    row = f'{{"file": "a.jpg", "poem": "x", "similarity": {value}}}'
    pairs, bad_rows = readers.read_pairs(_write(tmp_path / "a.jsonl", row))
    if value == "NaN":  # a gap
        assert (pairs[0].similarity, bad_rows) == (1.0, [])
    else:
        assert pairs == []
        assert bad_rows[0].reason.startswith("expected a number in similarity")


def test_similarity_with_a_decimal_comma(tmp_path):
    path = _write(tmp_path / "a.csv", "file;poem;similarity\na.jpg;x;0,25\n")
    assert readers.read_pairs(path)[0] == [
        ImagePoemPair("a.jpg", Poem("x"), 0.25)
    ]


# --- what cannot be read


def test_bad_row_names_file_line_and_reason_and_the_rest_is_read(tmp_path):
    content = '{"text": "one"}\n\n{"text": \n{"text": "two"}\n'
    path = _write(tmp_path / "poems.jsonl", content)
    poems, bad_rows = readers.read_poems(path)
    assert [poem.text for poem in poems] == ["one", "two"]
    assert [str(row) for row in bad_rows] == [
        f"{path}:3: Expecting value: line 1 column 10 (char 9)"
    ]


def test_bad_row_in_one_file_of_a_folder(tmp_path):
    _write(tmp_path / "a.txt", "  \n \n")
    _write(tmp_path / "b.txt", OTHER)
    assert readers.read_poems(tmp_path) == (
        [Poem(OTHER, "b")],
        [
            BadRow(
                str(tmp_path / "a.txt"),
                1,
                "expected a text in poem or text. Received the fields: id",
            )
        ],
    )


DEEP = "[" * 100_000 + "]" * 100_000


def test_line_nested_too_deeply_is_bad_and_the_others_are_read(tmp_path):
    content = f'{{"text": "one"}}\n{{"text": {DEEP}}}\n{{"text": "two"}}\n'
    path = _write(tmp_path / "poems.jsonl", content)
    poems, (bad_row,) = readers.read_poems(path)
    assert [poem.text for poem in poems] == ["one", "two"]
    assert bad_row.row == 2
    assert "recursion" in bad_row.reason


def test_json_nested_too_deeply_is_bad_as_a_whole(tmp_path):
    path = _write(tmp_path / "poems.json", DEEP)
    poems, (bad_row,) = readers.read_poems(path)
    assert (poems, bad_row.row) == ([], 0)


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        ("poems.txt", 1, "expected a text in poem or text"),
        ("poems.csv", 0, "expected a row of field names. Received: none"),
        ("poems.json", 0, "Expecting value"),
        ("poems.parquet", 0, "Parquet file size is 0 bytes"),
    ],
)
def test_empty_file_is_named(tmp_path, name, row, reason):
    path = _write(tmp_path / name, b"")
    poems, (bad_row,) = readers.read_poems(path)
    assert poems == []
    assert (bad_row.file, bad_row.row) == (str(path), row)
    assert reason in bad_row.reason


def test_empty_jsonl_holds_nothing(tmp_path):
    path = _write(tmp_path / "poems.jsonl", b"")
    assert readers.read_poems(path) == ([], [])


@pytest.mark.parametrize(
    "read", [readers.read_poems, readers.read_pairs, readers.read_captions]
)
def test_missing_path(tmp_path, read):
    with pytest.raises(FileNotFoundError, match="nowhere.csv, which does not"):
        read(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("name", ["poems.doc", "poems", "poems.gz"])
def test_unknown_format_is_named_with_those_that_are_known(tmp_path, name):
    _, (bad_row,) = readers.read_poems(_write(tmp_path / name, "x"))
    assert bad_row.reason == (
        "expected a folder of .txt, or a file: .txt, .csv, .tsv, .json, .jsonl "
        f"(also .gz) or .parquet. Received: {name}; save the poems as one of "
        "these"
    )


def test_rows_that_are_no_objects(tmp_path):
    rows = [["a"], "b", 3, None, {"text": "ok"}]
    poems, bad_rows = _read_rows(tmp_path, readers.read_poems, rows)
    assert poems == [Poem("ok")]
    assert _reasons(bad_rows) == [
        (1, "expected a JSON object. Received: list"),
        (2, "expected a JSON object. Received: str"),
        (3, "expected a JSON object. Received: int"),
        (4, "expected a JSON object. Received: NoneType"),
    ]


SEA, FOX = "the sea\nis wide", "a fox\nin snow"


@pytest.mark.parametrize(
    "content",
    [
        {"poems": [{"poem": SEA}, {"poem": FOX}]},
        {"count": 2, "data": [{"text": SEA}, {"lines": FOX.split("\n")}]},
        {"poem": [SEA, FOX], "tags": ["", ""]},
        {"content": {"0": SEA, "1": FOX}, "year": {"0": 1, "1": 2}},
    ],
)
def test_json_that_holds_a_list(tmp_path, content):
    path = _write(tmp_path / "poems.json", json.dumps(content))
    assert readers.read_poems(path) == ([Poem(SEA), Poem(FOX)], [])


def test_json_of_one_poem(tmp_path):
    path = _write(tmp_path / "poems.json", json.dumps({"poem": SEA, "id": 7}))
    assert readers.read_poems(path) == ([Poem(SEA, "7")], [])


def test_json_without_a_list_of_objects(tmp_path):
    path = _write(tmp_path / "poems.json", json.dumps({"Sea": SEA, "Fox": FOX}))
    poems, bad_rows = readers.read_poems(path)
    assert poems == []
    assert _reasons(bad_rows) == [
        (0, "expected a JSON list of objects. Received: dict: Sea, Fox")
    ]


def test_commas_behind_json_lines(tmp_path):
    path = _write(tmp_path / "a.jsonl", '{"text": "a,"},\n{"text": "b"} , \n')
    assert readers.read_poems(path) == ([Poem("a,"), Poem("b")], [])


@pytest.mark.parametrize(
    "table",
    [
        f'"{SEA}"\n"{FOX}"\n',
        f'Sea,"{SEA}"\nFox,"{FOX}"\n',
        f'1;"{SEA}";Me\n2;"{FOX}";Me\n',
        f'verses\n"{SEA}"\n"{FOX}"\n',
        "the sea\\nis wide\na fox<br>in snow\n",
    ],
)
def test_table_without_known_field_names(tmp_path, table):
    path = _write(tmp_path / "poems.csv", table)
    assert readers.read_poems(path) == ([Poem(SEA), Poem(FOX)], [])


@pytest.mark.parametrize(
    ("table", "received"),
    [
        ("the sea,is wide\na fox,in snow\n", "the sea, is wide"),
        (f'"{SEA}","{FOX}"\n', "the sea is wide, a fox in snow"),
    ],
)
def test_table_whose_poems_are_not_plain(tmp_path, table, received):
    path = _write(tmp_path / "poems.csv", table)
    poems, bad_rows = readers.read_poems(path)
    assert poems == []
    assert _reasons(bad_rows) == [
        (
            0,
            "expected a row of field names, with poem or text for poems, file "
            f"for photographs. Received: {received}; write the names into the "
            "first line",
        )
    ]


def test_field_names_that_come_again_are_no_poem(tmp_path):
    path = _write(tmp_path / "poems.csv", "id,poem\n1,sea\nid,poem\n2,fox\n")
    assert readers.read_poems(path) == (
        [Poem("sea", "1"), Poem("fox", "2")],
        [],
    )


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04\x14", "a document of Word or the like, or an archive"),
        (rb"{\rtf1\ansi The sea\par}", "a document in rich text"),
        (b"%PDF-1.4\n1 0 obj", "a PDF"),
    ],
)
def test_document_by_the_name_of_a_text(tmp_path, content, kind):
    _, (bad_row,) = readers.read_poems(_write(tmp_path / "a.txt", content))
    assert bad_row.reason == (
        f"expected plain text. Received: a.txt, which is {kind}; save the "
        "poems as plain text, .txt"
    )


def test_compressed_text_by_the_name_of_a_text(tmp_path):
    path = _write(tmp_path / "a.txt", gzip.compress(SEA.encode()))
    assert readers.read_poems(path) == ([Poem(SEA, "a")], [])


def test_link_to_nothing_is_named(tmp_path):
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone.txt")
    _, (bad_row,) = readers.read_poems(tmp_path)
    assert bad_row.file == str(tmp_path / "a.txt")
    assert "No such file" in bad_row.reason


def test_missing_field(tmp_path):
    rows = [{"id": "a", "verse": "x"}, {}, {"text": 5}, {"text": None}]
    _, bad_rows = _read_rows(tmp_path, readers.read_poems, rows)
    expected = "expected a text in poem or text. Received the fields: "
    assert _reasons(bad_rows) == [
        (1, f"{expected}id, verse"),
        (2, f"{expected}none"),
        (3, f"{expected}text"),
        (4, f"{expected}none"),
    ]


def test_csv_words_like_na_are_texts(tmp_path):
    path = _write(tmp_path / "poems.csv", "id,text\nNA,null\n")
    assert readers.read_poems(path)[0] == [Poem("null", "NA")]


def test_csv_poem_longer_than_the_usual_limit(tmp_path):
    text = "rain and " * 20_000
    path = _write(tmp_path / "poems.csv", f"id,text\na,{text}\n")
    ((poem,), bad_rows) = readers.read_poems(path)
    assert (len(poem.text), bad_rows) == (180_000, [])


def test_parquet_row_without_text(tmp_path):
    path = tmp_path / "poems.parquet"
    pd.DataFrame({"id": ["a", "b"], "text": [None, "two"]}).to_parquet(path)
    poems, bad_rows = readers.read_poems(path)
    assert poems == [Poem("two", "b")]
    assert _reasons(bad_rows) == [
        (1, "expected a text in poem or text. Received the fields: id")
    ]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-12], "Compressed file ended before"),
        (lambda content: b"plain " + content, "Not a gzipped file"),
        # The first byte of the deflate stream announces a reserved block type.
        (
            lambda content: content[:10] + b"\xff" + content[11:],
            "invalid block type",
        ),
    ],
)
def test_damaged_gzip_file_is_named(tmp_path, damage, reason):
    path = tmp_path / "poems.jsonl.gz"
    path.write_bytes(damage(gzip.compress(_jsonl(ROWS).encode())))
    poems, (bad_row,) = readers.read_poems(path)
    assert poems == []
    assert (bad_row.file, bad_row.row) == (str(path), 0)
    assert reason in bad_row.reason


# --- pairs


def test_pairs(tmp_path):
    rows = [
        {"file": "sea.jpg", "poem": TEXT, "similarity": 0.25},
        {"image": "hill.jpg", "text": OTHER, "split": "val", "id": "h"},
        {"photo": "lake.jpg", "poem": "x", "similarity": None},
    ]
    assert _read_rows(tmp_path, readers.read_pairs, rows) == (
        [
            ImagePoemPair("sea.jpg", Poem(TEXT), 0.25),
            ImagePoemPair("hill.jpg", Poem(OTHER, "h", "validation"), 1.0),
            ImagePoemPair("lake.jpg", Poem("x"), 1.0),
        ],
        [],
    )


def test_csv_pairs_take_numbers_and_empty_cells(tmp_path):
    content = "file,poem,similarity\na.jpg,one,0.5\nb.jpg,two,\n"
    pairs, bad_rows = readers.read_pairs(
        _write(tmp_path / "pairs.csv", content)
    )
    assert [pair.similarity for pair in pairs] == [0.5, 1.0]
    assert bad_rows == []


@pytest.mark.parametrize("similarity", ["close", [0.5], {}])
def test_similarity_that_is_no_number(tmp_path, similarity):
    rows = [
        {"file": "a.jpg", "poem": "one", "similarity": similarity},
        {"file": "b.jpg", "poem": "two", "similarity": "0.5"},
    ]
    pairs, bad_rows = _read_rows(tmp_path, readers.read_pairs, rows)
    assert pairs == [ImagePoemPair("b.jpg", Poem("two"), 0.5)]
    assert _reasons(bad_rows) == [
        (1, f"expected a number in similarity. Received: {similarity!r}")
    ]


def test_pair_without_photograph(tmp_path):
    rows = [{"poem": "one", "split": "train"}]
    _, bad_rows = _read_rows(tmp_path, readers.read_pairs, rows)
    assert _reasons(bad_rows) == [
        (
            1,
            "expected a text in file or image or photograph or photo. "
            "Received the fields: poem, split",
        )
    ]


# --- photographs and splits


def test_captions(tmp_path):
    rows = [
        {
            "file": "a.jpg",
            "captions": ["a red boat", "a boat at rest"],
            "label": "boat",
            "romantic": "it dreams of the sea",
            "humorous": "it owes rent",
            "split": "test",
        },
        {"file": "b.jpg", "romantic": None, "captions": None},
        {"file": "c.jpg", "humorous": "ha", "captions": "a gull"},
    ]
    assert _read_rows(tmp_path, readers.read_captions, rows) == (
        [
            Photograph(
                "a.jpg",
                "test",
                "boat",
                ("a red boat", "a boat at rest"),
                ("it dreams of the sea", "it owes rent"),
            ),
            Photograph("b.jpg"),
            Photograph("c.jpg", captions=("a gull",), moods=("ha",)),
        ],
        [],
    )


def test_captions_in_parquet(tmp_path):
    path = tmp_path / "captions.parquet"
    frame = {"file": ["a.jpg", "b.jpg"], "captions": [["x", "y"], []]}
    pd.DataFrame(frame).to_parquet(path)
    assert readers.read_captions(path) == (
        [Photograph("a.jpg", captions=("x", "y")), Photograph("b.jpg")],
        [],
    )


@pytest.mark.parametrize("captions", [["a boat", 3], 5, {"a": 1}])
def test_captions_that_are_no_texts(tmp_path, captions):
    rows = [{"file": "a.jpg", "captions": captions}, {"file": "b.jpg"}]
    photographs, bad_rows = _read_rows(tmp_path, readers.read_captions, rows)
    assert photographs == [Photograph("b.jpg")]
    assert _reasons(bad_rows) == [
        (1, f"expected captions as texts. Received: {captions!r}")
    ]


@pytest.mark.parametrize(
    ("named", "split"),
    [
        ("train", "train"),
        ("training", "train"),
        ("validation", "validation"),
        ("dev", "validation"),
        ("val", "validation"),
        ("valid", "validation"),
        ("test", "test"),
        ("Train", "train"),
        ("VAL", "validation"),
        (" Test ", "test"),
        ("testing", "test"),
        ("none", "none"),
        ("", "train"),
    ],
)
def test_split_names(tmp_path, named, split):
    rows = [{"file": "a.jpg", "text": "x", "split": named}]
    photographs, _ = _read_rows(tmp_path, readers.read_captions, rows)
    poems, _ = _read_rows(tmp_path, readers.read_poems, rows)
    assert [photographs[0].split, poems[0].split] == [split, split]


@pytest.mark.parametrize(
    "read", [readers.read_poems, readers.read_pairs, readers.read_captions]
)
def test_unknown_split_is_named(tmp_path, read):
    rows = [{"file": "a.jpg", "text": "x", "split": "Holdout"}]
    assert _reasons(_read_rows(tmp_path, read, rows)[1]) == [
        (
            1,
            "expected a split of train, validation, test or none. Received: "
            "holdout",
        )
    ]


@pytest.mark.parametrize(
    ("row", "split"),
    [
        ({"file": "training/sea/1.jpg"}, "train"),
        ({"file": "val/sea/1.jpg"}, "validation"),
        ({"file": "test/1.jpg"}, "test"),
        ({"file": "Test/1.jpg"}, "test"),
        ({"file": "sea/test/1.jpg"}, "train"),
        ({"file": "test/1.jpg", "split": "dev"}, "validation"),
    ],
)
def test_first_folder_of_a_photograph_gives_the_split(tmp_path, row, split):
    photographs, _ = _read_rows(tmp_path, readers.read_captions, [row])
    pairs, _ = _read_rows(tmp_path, readers.read_pairs, [{**row, "text": "x"}])
    assert [photographs[0].split, pairs[0].poem.split] == [split, split]


# --- one record a photograph


def test_rows_of_one_photograph_are_joined(tmp_path):
    content = (
        "file,caption,label,split\n"
        "a.jpg,a red boat,,\n"
        "b.jpg,a gull,,\n"
        "a.jpg,a boat at rest,boat,test\n"
        "a.jpg,a red boat,ship,train\n"
    )
    path = _write(tmp_path / "captions.csv", content)
    photographs, bad_rows = readers.read_captions(path)
    assert bad_rows == []
    assert readers.merge_photographs(photographs, []) == [
        Photograph("a.jpg", "test", "boat", ("a red boat", "a boat at rest")),
        Photograph("b.jpg", captions=("a gull",)),
    ]


def test_photographs_of_one_row_each_stay_as_they_are():
    photographs = [
        Photograph("a.jpg", "none", "", ("same", "same"), ("m",), "c"),
        Photograph("b.jpg", "train", "sea"),
    ]
    pairs = [ImagePoemPair("b.jpg", Poem(TEXT, split="test"))]
    assert readers.merge_photographs(photographs, pairs) == photographs


def test_paired_photograph_without_a_row_is_of_the_split_of_its_pairs():
    pairs = [
        ImagePoemPair("b.jpg", Poem(TEXT, split="validation")),
        ImagePoemPair("a.jpg", Poem(TEXT)),
        ImagePoemPair("c.jpg", Poem(TEXT)),
        ImagePoemPair("c.jpg", Poem(OTHER, split="test")),
    ]
    rows = [Photograph("a.jpg", "test")]
    assert readers.merge_photographs(rows, pairs) == [
        Photograph("a.jpg", "test"),
        Photograph("b.jpg", "validation"),
        Photograph("c.jpg", "test"),
    ]
