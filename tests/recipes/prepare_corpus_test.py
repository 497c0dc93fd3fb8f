"""What people bring is read, or said to have been left out."""

import json

from recipes import prepare_corpus
from visualpoet.corpus.prepared import load_corpus

LINES = "the gulls won’t sleep\nthe harbour hums\nthe ropes are wet"
REEDS = "the reeds are dry\nthe heron waits\nthe water waits"


def _prepare(tmp_path, **options):
    run_dir = tmp_path / "corpus"
    prepare_corpus.main(prepare_corpus.Config(run_dir=run_dir, **options))
    log = (run_dir / "log.txt").read_text()
    said = [line.split("] ", 1)[1] for line in log.splitlines()]
    bad_rows = (run_dir / "bad_rows.txt").read_text().splitlines()
    return load_corpus(run_dir), said, bad_rows


def test_a_folder_as_people_have_it(tmp_path):
    folder = tmp_path / "poems"
    folder.mkdir()
    (folder / "Gulls.TXT").write_bytes(f"Gulls\r\n\r\n{LINES}".encode("cp1252"))
    (folder / "reeds.txt").write_text(REEDS.replace("\n", "\r"))
    (folder / "short.txt").write_text("one line\nand another")
    (folder / "broken.txt").write_bytes(b"a\0b")
    (folder / "._reeds.txt").write_bytes(b"\0\5\x16\7")
    (folder / "cover.jpg").write_bytes(b"\xff\xd8")
    corpus, said, bad_rows = _prepare(tmp_path, poems=(folder,))
    assert [(p.id, p.title, p.text) for p in corpus.excerpts] == [
        ("Gulls", "Gulls", LINES),
        ("reeds", "", REEDS),
    ]
    assert "won't" in corpus.vocabulary.tokens
    assert said == [
        f"{folder}: files left out that are no .txt: 1 (.jpg 1)",
        f"{folder / 'Gulls.TXT'}: read as windows-1252",
        "poems left out, with no excerpt of 3 to 10 lines: 1 (short)",
        "3 poems, 2 excerpts {'train': 2}, 0 pairs, 0 photographs, "
        f"{len(corpus.vocabulary)} tokens; 1 bad rows, see bad_rows.txt",
    ]
    assert bad_rows == [
        f"{folder / 'broken.txt'}:1: expected a text in text. Received: NUL at "
        "offset 1; save the file as UTF-8"
    ]


def test_reasons_may_hold_what_cannot_be_written(tmp_path):
    rows = [{"text": LINES}, {"text": LINES, "split": "é"}, {"\ud83d": "x"}]
    path = tmp_path / "poems.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    corpus, _, bad_rows = _prepare(tmp_path, poems=(path,))
    assert [poem.text for poem in corpus.excerpts] == [LINES]
    assert [row.split(": ", 1)[1] for row in bad_rows] == [
        "expected a split of train, validation, test or none. Received: é",
        "expected a text in poem or text. Received the fields: \\ud83d",
    ]
