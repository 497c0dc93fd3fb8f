"""What all.sh makes of a folder, with a stand-in for Python."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
STAND_IN = """#!/usr/bin/env bash
[ "$2" = --run-dir ] && mkdir -p "$3"
# As of photographs with captions.
[ -n "$UNCAPTIONED" ] || touch corpus/results.json
echo "$@" >> "$ASKED"
"""


def ask(tmp_path, *files, **environment):
    """The commands that it runs, and what it ends with."""
    data = tmp_path / "data"
    for file in files:
        (data / file).parent.mkdir(parents=True, exist_ok=True)
        (data / file).touch()
    python = tmp_path / "python"
    python.write_text(STAND_IN)
    python.chmod(0o755)
    asked = tmp_path / "asked"
    environment |= {"PYTHON": str(python), "ASKED": str(asked)}
    environment.setdefault("UNCAPTIONED", "")
    done = subprocess.run(
        ["bash", ROOT / "recipes" / "all.sh", data, tmp_path / "out"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    steps = asked.read_text() if asked.exists() else ""
    return steps.replace(f"{data}/", "").splitlines(), done


def run(tmp_path, *files):
    steps, done = ask(tmp_path, *files)
    assert done.returncode == 0, done.stderr
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


FETCHED = (
    *("poems/gutenberg-7.jsonl.gz", "pairs/mined.jsonl.gz"),
    *("images/coco_captions.jsonl", "images/coco_captions.tar"),
)


def test_sizes_have_the_same_steps_but_folds(tmp_path):
    recipes = {}
    for size in ("small", "full"):
        steps, done = ask(tmp_path / size, *FETCHED, SIZE=size)
        assert done.returncode == 0, done.stderr
        recipes[size] = [step.split()[:3] for step in steps]
    apart = ("/fold", "drafts/", "encoder_128")
    full = [s for s in recipes["full"] if not any(a in s[2] for a in apart)]
    names = [[pathlib.Path(s[0]).stem, *s[1:]] for s in full]
    small = [[pathlib.Path(s[0]).stem, *s[1:]] for s in recipes["small"]]
    place = small.index(["export", "--run-dir", "export"])
    assert names.pop(place) == ["export_again", "--run-dir", "export"]
    del small[place]
    assert names == small
    assert len(recipes["full"]) == len(full) + 4 + 2 + 1


def test_what_has_no_captions_is_not_measured(tmp_path):
    steps, done = ask(tmp_path, *FETCHED, UNCAPTIONED="1")
    assert done.returncode == 0, done.stderr
    assert not [step for step in steps if "recipes/evaluate.py" in step]
    assert steps[-2].endswith("--export-dir export --evaluation")
    assert steps[-1].startswith("-m visualpoet export")


def test_an_unknown_size(tmp_path):
    steps, done = ask(tmp_path, *FETCHED, SIZE="tiny")
    assert done.returncode == 2
    assert "expected SIZE small or full. Received: tiny" in done.stderr
    assert not steps


def test_a_folder_keeps_its_size(tmp_path):
    assert ask(tmp_path, *FETCHED, SIZE="small")[1].returncode == 0
    steps, done = ask(tmp_path, *FETCHED)
    assert done.returncode == 2
    assert "expected SIZE=small, as OUT was begun with" in done.stderr


def test_another_language(tmp_path):
    steps, done = ask(
        tmp_path, *FETCHED, ENGLISH="no", LEVEL="character", SIZE="small"
    )
    assert done.returncode == 0, done.stderr
    by_recipe = {pathlib.Path(step.split()[0]).stem: step for step in steps}
    assert "--level character" in by_recipe["prepare_corpus"]
    assert by_recipe["train_expert"].endswith(" --no-english")
    assert by_recipe["evaluate"].endswith(" --no-sentences")
