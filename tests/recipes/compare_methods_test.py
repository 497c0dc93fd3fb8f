import csv
import dataclasses
import json
import re

import pytest

from recipes import compare_methods
from recipes import smoke_data
from tests import tiny_runs
from visualpoet.evaluation import relevance

ALL = [text for texts in smoke_data.POEMS.values() for text in texts]
ADVERSARIAL = ("seqgan", "with_dm", "with_dp", "i2p_gan")
SEEDS = {
    "show_and_tell_1cnn": 2,
    "show_and_tell_3cnn": 2,
    "seqgan": 1,
    "no_discriminator": 2,
    "with_dm": 2,
    "with_dp": 2,
    "i2p_gan": 2,
    "lambda_0.2": 1,
    "lambda_0.5": 2,
}


def write_runs(folder, names):
    """Methods that know the subject of a picture more and more often."""
    for number, (method, seeds) in enumerate(SEEDS.items()):
        for seed in range(seeds):
            run = folder / method / f"seed{seed}"
            run.mkdir(parents=True)
            with (run / "poems.jsonl").open("w") as stream:
                for place, name in enumerate(names):
                    own = smoke_data.POEMS[name.split("-")[0]]
                    knows = (place + seed) % 7 < number
                    poem = own[seed] if knows else ALL[(number + place) % 15]
                    row = {"photograph": name, "poem": poem}
                    stream.write(json.dumps(row) + "\n")
            rows = [f"{step},{step / 7},{number}\n" for step in (1, 5, 9)]
            (run / "metrics.csv").write_text(
                "step,reward,loss\n" + "".join(rows)
            )
            if method in ADVERSARIAL:
                confusion = {"multimodal": [[8, 1, 1], [2, 7, 1], [6, 0, 4]]}
                (run / "confusion.json").write_text(json.dumps(confusion))
    before = folder / "discriminators" / "seed0"
    confusions = {
        "multimodal": [[9, 1, 0], [1, 9, 0], [0, 0, 10]],
        "poem_style": [
            [10, 0, 0, 0],
            [0, 10, 0, 0],
            [0, 0, 10, 0],
            [1, 2, 3, 4],
        ],
    }
    for name, confusion in confusions.items():
        (before / name).mkdir(parents=True)
        (before / name / "confusion.json").write_text(
            json.dumps({name: confusion})
        )


@pytest.fixture(scope="module")
def paths():
    return tiny_runs.made()


@pytest.fixture(scope="module")
def names(paths):
    lines = (paths.corpus / "photographs.jsonl").read_text().splitlines()
    rows = map(json.loads, lines)
    return [row["image"] for row in rows if row["split"] == "validation"]


def config(paths, root, **options):
    return dataclasses.replace(
        compare_methods.Config(
            runs=root / "runs",
            photographs=(paths.pictures,),
            corpus_dir=paths.corpus,
            features_dir=paths.features,
            embedding_dir=paths.embedding,
            run_dir=root / "comparison",
            others=3,
            examples=3,
            draws=50,
            exchanges=50,
        ),
        **options,
    )


@pytest.fixture(scope="module")
def compared(paths, names, tmp_path_factory):
    root = tmp_path_factory.mktemp("methods")
    write_runs(root / "runs", names)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(relevance, "embed_sentences", tiny_runs.embed_sentences)
        compare_methods.main(config(paths, root))
    return root / "comparison"


@pytest.fixture
def results(compared):
    return json.loads((compared / "results.json").read_text())


def test_files(compared):
    assert {path.name for path in compared.iterdir()} == {
        "config.json",
        "environment.json",
        "inputs.json",
        "log.txt",
        "report.html",
        "results.json",
        "table.csv",
    }


def test_rows_are_methods_then_lambdas_then_people(results):
    assert [row["name"] for row in results["rows"]] == [
        *SEEDS,
        "human_paired",
        "human_other",
        "human_shuffled",
    ]
    assert [len(row["seeds"]) for row in results["rows"][:9]] == [
        *SEEDS.values()
    ]


def test_missing_runs_are_reported(results, compared):
    assert results["problems"] == [
        "regions_hierarchical: no runs",
        "pairing_apart: no runs",
        "seqgan: no seed 1, which others have",
    ]
    assert "regions_hierarchical: no runs" in (compared / "log.txt").read_text()


def test_people_are_a_row_and_shuffled_people_the_floor(results):
    rows = {row["name"]: row["columns"] for row in results["rows"]}
    # Against the other one, which has the same lines in another order.
    assert rows["human_paired"]["bleu_1"]["mean"] == pytest.approx(100)
    assert rows["human_paired"]["bleu_2"]["mean"] < 99
    assert "bleu_1" in rows["human_other"]
    own, floor = (
        rows[name]["caption_tfidf"]["mean"]
        for name in ("human_paired", "human_shuffled")
    )
    assert floor < own
    assert "overall" not in rows["human_paired"]
    for measure in ("caption_tfidf", "caption_sentences"):
        assert set(rows["human_paired"][measure]) >= {"mean", "interval"}


def test_table_has_the_numbers_of_the_results(results, compared):
    with (compared / "table.csv").open(newline="") as stream:
        table = {row["method"]: row for row in csv.DictReader(stream)}
    assert list(table) == [row["name"] for row in results["rows"]]
    for row in results["rows"]:
        cells = table[row["name"]]
        assert int(cells["seeds"]) == len(row["seeds"])
        for measure, values in row["columns"].items():
            assert float(cells[measure]) == values["mean"]
            assert float(cells[f"{measure}_high"]) == values["high"]
            if "interval" in values:
                assert float(cells[f"{measure}_from"]) == values["interval"][0]
    assert table["human_shuffled"]["bleu_1_other"] == ""


def test_every_method_is_tested_against_two(results):
    methods = [name for name in SEEDS if not name.startswith("lambda")]
    found = {(test["row"], test["against"]) for test in results["tests"]}
    assert found == {
        (method, against)
        for method in methods
        for against in ("no_discriminator", "i2p_gan")
        if method != against
    }
    assert all(0 < test["p"] <= 1 for test in results["tests"])


def test_confusion_before_and_after(results):
    multimodal = results["confusion"]["multimodal"]
    assert list(multimodal) == [
        "before adversarial training",
        "after, SeqGAN",
        "after, I2P-GAN w/ D_m",
        "after, I2P-GAN w/ D_p",
        "after, I2P-GAN",
    ]
    assert multimodal["after, SeqGAN"][2] == pytest.approx([0.6, 0.0, 0.4])
    assert list(results["confusion"]["poem_style"]) == [
        "before adversarial training"
    ]


def test_page_needs_nothing_from_outside(compared):
    page = (compared / "report.html").read_text()
    assert not re.search(r"https?://|@import|url\(|<link|<script", page)
    assert page.count("data:image/jpeg;base64,") == 3


def test_page_has_every_part(results, compared):
    page = (compared / "report.html").read_text()
    for anchor in (
        "directions",
        "paper",
        "judged",
        "counted",
        "tests",
        "lambda",
        "training",
        "confusion",
        "photographs",
        "meaning",
    ):
        assert page.count(f'id="{anchor}"') == 1
        assert f'href="#{anchor}"' in page
    for claim in results["directions"]:
        assert claim["claim"] in page
    # Two quantities of training, seven of lambda.
    assert page.count("<figcaption>reward</figcaption>") == 1
    assert page.count('<svg class="plot"') == 2 + 7
    assert page.count("<article>") == 3
    assert page.count("<h3>I2P-GAN</h3>") == 3
    assert "regions_hierarchical: no runs" in page


def test_one_method_alone_is_a_table_still(paths, names, tmp_path):
    folder = tmp_path / "runs" / "seqgan" / "seed0"
    folder.mkdir(parents=True)
    rows = [json.dumps({"photograph": n, "poem": "salt"}) + "\n" for n in names]
    (folder / "poems.jsonl").write_text("".join(rows))
    compare_methods.main(
        config(paths, tmp_path, sentences=False, photographs=())
    )
    results = json.loads((tmp_path / "comparison" / "results.json").read_text())
    assert [row["name"] for row in results["rows"]][0] == "seqgan"
    assert "overall" not in results["rows"][0]["columns"]
    assert results["tests"] == []
    verdicts = {claim["verdict"] for claim in results["directions"]}
    assert verdicts == {"not measured"}
    page = (tmp_path / "comparison" / "report.html").read_text()
    assert "No two methods to compare." in page
    assert "<article>" not in page
