"""What all.sh makes of a folder, with a stand-in for Python."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
STAND_IN = """#!/usr/bin/env bash
[ "$2" = --run-dir ] && mkdir -p "$3"
echo "$@" >> "$ASKED"
"""


def run(tmp_path, *files):
    data = tmp_path / "data"
    for file in files:
        (data / file).parent.mkdir(parents=True, exist_ok=True)
        (data / file).touch()
    python = tmp_path / "python"
    python.write_text(STAND_IN)
    python.chmod(0o755)
    asked = tmp_path / "asked"
    subprocess.run(
        ["bash", ROOT / "recipes" / "all.sh", data, tmp_path / "out"],
        env={**os.environ, "PYTHON": str(python), "ASKED": str(asked)},
        check=True,
        capture_output=True,
    )
    steps = asked.read_text().replace(f"{data}/", "").splitlines()
    return steps[0].split()[4:], steps[-2].split("--evaluation ")[1]


def test_a_folder_of_ours(tmp_path):
    words, last = run(
        tmp_path,
        *("poems/english-poems.jsonl.gz", "poems/gutenberg-stanzas.jsonl.gz"),
        *("poems/haiku.jsonl.gz", "poems/multim-poem.jsonl.gz"),
        *("poems/paragraphs.jsonl.gz", "pairs/flickr8k-poems.jsonl.gz"),
        *("images/flickr8k.jsonl", "images/flowers.csv", "images/a.tar"),
    )
    assert words == [
        *("10000", "--poems", "poems/english-poems.jsonl.gz"),
        *("poems/gutenberg-stanzas.jsonl.gz", "poems/multim-poem.jsonl.gz"),
        *("poems/haiku.jsonl.gz", "--forms", "verse", "verse", "free", "haiku"),
        *("--pairs", "pairs/flickr8k-poems.jsonl.gz", "--captions"),
        *("images/flickr8k.jsonl", "images/flowers.csv"),
    ]
    assert last.startswith(
        "evaluation_haiku/results.json evaluation_verse/results.json"
    )


def test_a_folder_that_was_fetched(tmp_path):
    words, last = run(
        tmp_path,
        *("poems/gutenberg-7.jsonl.gz", "poems/paragraphs.jsonl.gz"),
        *("pairs/mined.jsonl.gz", "images/coco_captions.jsonl"),
        "images/coco_captions.tar",
    )
    assert words == [
        *("10000", "--poems", "poems/gutenberg-7.jsonl.gz", "--forms", "verse"),
        *("--pairs", "pairs/mined.jsonl.gz", "--captions"),
        "images/coco_captions.jsonl",
    ]
    assert last.endswith("evaluation_verse/results.json")
