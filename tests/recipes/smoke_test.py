import json
import os
import pathlib
import subprocess
import sys

import pytest

from recipes import export
from recipes import smoke_data
from tests.recipes import forking

RECIPES = pathlib.Path(__file__).parents[2] / "recipes"
RUN = {"config.json", "environment.json", "inputs.json", "log.txt"}
TRAINING = RUN | {"metrics.csv", "checkpoints", "tensorboard"}
FEATURES = {"index.json", "experts.json", "store"}


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoke")
    with forking.start_python() as python:
        done = subprocess.run(
            ["bash", str(RECIPES / "smoke.sh"), str(folder)],
            env={**os.environ, "PYTHON": python},
            capture_output=True,
            text=True,
        )
    return folder / "out", done


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.slow
def test_a_recipe_in_a_process_of_its_own(tmp_path):
    """What the smoke run, whose recipes are forks of one process, leaves."""
    subprocess.run(
        [sys.executable, str(RECIPES / "render_pictures.py"), "--size", "60"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(RECIPES.parent)},
        check=True,
    )
    pictures = {"forest.jpg", "meadow.jpg", "mountain.jpg"}
    assert pictures < names(tmp_path / "out" / "pictures")


@pytest.mark.slow
def test_smoke_run_succeeds(smoke):
    _, done = smoke
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_run_directories(smoke):
    out, _ = smoke
    assert names(out) == {
        "pictures",
        "data",
        "corpus",
        "features",
        "encoder",
        "embedding",
        "embedding_small",
        "generator_poems",
        "generator",
        "poet",
        "poet_experts",
        "export",
        "export_experts",
        "evaluation",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "files"),
    [
        (
            "corpus",
            RUN
            | {
                "bad_rows.txt",
                "excerpts.jsonl",
                "pairs.jsonl",
                "photographs.jsonl",
                "results.json",
                "vocabulary.json",
            },
        ),
        (
            "features",
            RUN | FEATURES | {"parts", "unreadable.txt", "sentiment"},
        ),
        (
            "features/sentiment",
            TRAINING | {"sentiment.keras", "words.json", "results.json"},
        ),
        ("encoder", TRAINING | FEATURES | {"encoder.keras", "results.json"}),
        (
            "embedding",
            TRAINING
            | {
                "image_tower.keras",
                "poem_tower.keras",
                "results.json",
                "clues",
            },
        ),
        (
            "embedding_small/clues",
            TRAINING | {"clue_head.keras", "results.json"},
        ),
        ("generator", TRAINING | {"generator.keras"}),
        ("export", RUN | {"parameters.json"}),
        ("evaluation", RUN | {"poems.jsonl", "results.json"}),
    ],
)
def test_files_of_a_run_directory(smoke, run, files):
    out, _ = smoke
    assert names(out / run) == files


@pytest.mark.slow
def test_run_directory_says_how_it_came_about(smoke):
    out, _ = smoke
    run = out / "generator"
    config = json.loads((run / "config.json").read_text())
    assert config["num_steps"] == 30
    assert config["pair_share"] == 0.5
    assert config["start_from"] == "out/generator_poems/generator.keras"
    assert "resume" not in config
    environment = json.loads((run / "environment.json").read_text())
    assert environment["recipe"] == "pretrain_generator.py"
    assert set(environment["packages"]) >= {"tensorflow", "keras", "numpy"}
    inputs = json.loads((out / "corpus" / "inputs.json").read_text())
    assert sorted(inputs) == [
        "out/data/captions.jsonl",
        "out/data/pairs.csv",
        "out/data/poems.jsonl",
    ]
    assert all(len(digest) == 64 for digest in inputs.values())
    inputs = json.loads((run / "inputs.json").read_text())
    assert {
        "out/corpus/vocabulary.json",
        "out/embedding/image_tower.keras",
        "out/embedding/poem_tower.keras",
        "out/generator_poems/generator.keras",
    } <= set(inputs)
    assert names(run / "checkpoints") == {
        "checkpoint",
        "ckpt-30.data-00000-of-00001",
        "ckpt-30.index",
    }
    header, row = (run / "metrics.csv").read_text().splitlines()
    assert header.split(",") == [
        "step",
        "loss",
        "perplexity/no_photograph",
        "perplexity/photograph",
        "perplexity/photograph_and_captions",
    ]
    assert row.startswith("30,")
    assert "step 30/30: loss " in (run / "log.txt").read_text()


@pytest.mark.slow
def test_exported_versions(smoke):
    out, _ = smoke
    version = {
        "saved_model.pb",
        "fingerprint.pb",
        "variables",
        "assets",
        "assets.extra",
        "batching_params.pbtxt",
        "metadata.json",
    }
    assert names(out / "poet") == {"1", "MODEL_CARD.md"}
    assert names(out / "poet_experts") == {"1"}
    for name in ("poet", "poet_experts"):
        assert names(out / name / "1") == version


@pytest.mark.slow
def test_an_export_says_what_it_came_of(smoke):
    out, _ = smoke
    run, version = out / "export", out / "poet" / "1"
    said = json.loads((version / "metadata.json").read_text())
    held = json.loads((run / "environment.json").read_text())
    assert held["recipe"] == "export.py"
    assert said["lineage"] == {
        "commit": held["commit"],
        "inputs": json.loads((run / "inputs.json").read_text()),
    }
    assert {
        "out/corpus/vocabulary.json",
        "out/encoder/encoder.keras",
        "out/embedding_small/image_tower.keras",
        "out/embedding_small/clues/clue_head.keras",
        "out/generator/generator.keras",
    } < said["lineage"]["inputs"].keys()


@pytest.mark.slow
def test_a_finished_export_is_kept(smoke, monkeypatch):
    out, _ = smoke
    monkeypatch.chdir(out.parent)
    metadata = (out / "poet" / "1" / "metadata.json").read_bytes()
    with pytest.raises(FileExistsError, match="add --resume to go on"):
        export.main(export.Config())
    another = export.Config(run_dir=out / "another", resume=True)
    with pytest.raises(FileExistsError, match="expected a new version"):
        export.main(another)
    assert not another.run_dir.exists()
    with pytest.raises(ValueError, match="Received: extra_pairs=0"):
        export.main(export.Config(extra_pairs=0, resume=True))
    export.main(export.Config(resume=True))
    assert (out / "poet" / "1" / "metadata.json").read_bytes() == metadata
    log = (out / "export" / "log.txt").read_text()
    assert log.count("out/poet/1: ") == 2


@pytest.mark.slow
def test_model_card_has_the_measured_numbers(smoke):
    out, _ = smoke
    results = json.loads((out / "evaluation" / "results.json").read_text())
    text = (out / "poet" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "on 4 photographs" in text
    assert results["photographs"] == 4
    for row, measures in results["relevance"].items():
        assert f"| {row} | {100 * measures['tfidf']:.1f} % |" in text
    assert f"{results['distinct_2']['this model']:.3f}" in text
    assert f"{results['perplexity']['generator']:.1f}" in text
    assert f"{results['perplexity']['Kneser-Ney 5-gram']:.1f}" in text
    assert results["commonest_line"]["line"] in text
    assert f"median {results['copied_run']['median']}" in text


@pytest.mark.slow
def test_evaluated_poems_are_kept(smoke):
    out, _ = smoke
    lines = (out / "evaluation" / "poems.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len({row["photograph"] for row in rows}) == 4
    assert all(row["poem"].count("\n") >= 3 for row in rows)


@pytest.mark.slow
def test_command_line_at_the_end(smoke):
    _, done = smoke
    poems, found = done.stdout.split("# out/pictures/sea-0.jpg: ")
    _, poem = poems.split("\nout/poet/MODEL_CARD.md\n")
    assert len(poem.splitlines()) >= 8  # two poems of at least four lines
    title, blank, *lines = found.splitlines()
    assert title.split("-")[0] in smoke_data.POEMS
    assert blank == ""
    assert len([line for line in lines if line]) == 4
