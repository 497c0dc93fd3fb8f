import json

import pytest

from visualpoet.evaluation import method_runs
from visualpoet.evaluation.method_runs import MethodRun


def write_run(folder, poems):
    folder.mkdir(parents=True)
    rows = [
        json.dumps({"photograph": name, "poem": poem}) + "\n"
        for name, poem in poems.items()
    ]
    (folder / "poems.jsonl").write_text("".join(rows))


def test_find_runs_in_the_order_of_the_table(tmp_path):
    write_run(tmp_path / "i2p_gan" / "seed1", {"a.jpg": "salt"})
    write_run(tmp_path / "i2p_gan" / "seed0", {"a.jpg": "wind\nsnow"})
    write_run(tmp_path / "seqgan" / "seed0", {"a.jpg": "lamp"})
    write_run(tmp_path / "lambda_0.2" / "seed0", {"a.jpg": "moth"})
    found, problems = method_runs.find_runs(tmp_path)
    assert [run.name for run in found] == [
        "seqgan/seed0",
        "i2p_gan/seed0",
        "i2p_gan/seed1",
        "lambda_0.2/seed0",
    ]
    assert found[1].poems == {"a.jpg": "wind\nsnow"}
    assert found[2].seed == 1
    assert problems == [
        "show_and_tell_1cnn: no runs",
        "show_and_tell_3cnn: no runs",
        "regions_hierarchical: no runs",
        "no_discriminator: no runs",
        "with_dm: no runs",
        "with_dp: no runs",
        "pairing_apart: no runs",
        "lambda_0.5: no runs",
        "seqgan: no seed 1, which others have",
    ]


def test_runs_that_cannot_be_read_are_reported(tmp_path):
    (tmp_path / "seqgan" / "seed0").mkdir(parents=True)
    for number, content in enumerate(["{", '{"poem": "salt"}', "[1]"], 1):
        folder = tmp_path / "seqgan" / f"seed{number}"
        folder.mkdir()
        (folder / "poems.jsonl").write_text(content)
    write_run(tmp_path / "seqgan" / "seedling", {})
    found, problems = method_runs.find_runs(tmp_path)
    assert found == []
    told = [text for text in problems if text.startswith("seqgan")]
    assert told[0] == "seqgan/seed0: no poems.jsonl"
    assert [text.split(": ")[0] for text in told] == [
        "seqgan/seed0",
        "seqgan/seed1",
        "seqgan/seed2",
        "seqgan/seed3",
        "seqgan/seedling",
    ]
    assert all("cannot be read" in text for text in told[1:])


def runs_with(tmp_path, *names):
    return [
        MethodRun("seqgan", seed, tmp_path, dict.fromkeys(some, "salt"))
        for seed, some in enumerate(names)
    ]


def test_runs_without_some_photographs_are_left_out(tmp_path):
    runs = runs_with(tmp_path, "abcx", "abc", "ab")
    kept, names, problems = method_runs.complete_runs(
        runs, ["c", "b", "a", "d"]
    )
    assert names == ["c", "b", "a"]
    assert [run.seed for run in kept] == [0, 1]
    assert problems == [
        "seqgan/seed2: no poem for 1 of 3 photographs; left out"
    ]


def test_one_run_with_more_photographs_does_not_exclude_the_others(tmp_path):
    runs = runs_with(tmp_path, "abc", "a", "a")
    kept, names, problems = method_runs.complete_runs(runs, ["a", "b", "c"])
    assert (len(kept), names, problems) == (3, ["a"], [])


@pytest.mark.parametrize("photographs", ["", "x"])
def test_no_photograph_in_common_is_an_error(tmp_path, photographs):
    with pytest.raises(ValueError, match="Received: 1 runs and 2 photographs"):
        method_runs.complete_runs(runs_with(tmp_path, photographs), ["a", "b"])


def test_curves(tmp_path):
    (tmp_path / "metrics.csv").write_text(
        "step,loss,recall@1\n10,2.5,\n20,2.0,0.25\n30,nan,0.5\n"
    )
    assert method_runs.read_curves(tmp_path) == {
        "loss": [(10.0, 2.5), (20.0, 2.0)],
        "recall@1": [(20.0, 0.25), (30.0, 0.5)],
    }


@pytest.mark.parametrize("content", [None, "", "step,loss\n"])
def test_no_curves(tmp_path, content):
    if content is not None:
        (tmp_path / "metrics.csv").write_text(content)
    assert method_runs.read_curves(tmp_path) == {}


def test_confusion_is_the_mean_of_shares(tmp_path):
    matrices = [[[3, 1], [0, 0]], [[10, 10], [5, 15]]]
    for seed, counts in enumerate(matrices):
        folder = tmp_path / f"seed{seed}"
        folder.mkdir()
        (folder / "confusion.json").write_text(json.dumps({"style": counts}))
    folders = [tmp_path / f"seed{seed}" for seed in range(3)]
    # A seed counts as much as another, however much it was tested on; a
    # class that never occurred has no shares.
    assert method_runs.read_confusion(folders) == {
        "style": [[0.625, 0.375], [0.125, 0.375]]
    }
