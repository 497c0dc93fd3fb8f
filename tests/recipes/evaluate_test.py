import dataclasses
import json

import pytest

from recipes import evaluate
from tests import tiny
from tests import tiny_runs
from visualpoet.evaluation import relevance


@pytest.fixture(scope="module")
def paths():
    return tiny_runs.made()


@pytest.fixture
def embedded(monkeypatch):
    """What went through the sentence embedding, call by call."""
    calls = []

    def embed(some):
        calls.append(list(some))
        return tiny_runs.embed_sentences(some)

    monkeypatch.setattr(relevance, "embed_sentences", embed)
    return calls


def run(paths, run_dir, **options):
    config = evaluate.Config(
        photographs=(paths.pictures,),
        corpus_dir=paths.corpus,
        features_dir=paths.features,
        model=tiny.exported(),
        run_dir=run_dir,
        others=3,
        perplexity=False,
        candidates=2,
    )
    evaluate.main(dataclasses.replace(config, **options))
    results = json.loads((run_dir / "results.json").read_text())
    lines = (run_dir / "poems.jsonl").read_text().splitlines()
    return results, [json.loads(line) for line in lines]


def test_captions_are_embedded_once(paths, tmp_path, embedded):
    results, _ = run(paths, tmp_path / "run")
    assert results["photographs"] == 5
    assert len(results["relevance"]) == 5
    for measures in results["relevance"].values():
        assert set(measures) == {"tfidf", "sentences"}
    photographs = (paths.corpus / "photographs.jsonl").read_text().splitlines()
    captions = [
        caption
        for photograph in map(json.loads, photographs)
        if photograph["split"] == "validation"
        for caption in photograph["captions"]
    ]
    assert embedded.count(captions) == 1


def test_without_features_the_experts_choose_no_poem(paths, tmp_path, embedded):
    results, _ = run(paths, tmp_path / "run", features_dir=tmp_path / "none")
    rows = list(results["relevance"])
    assert len(rows) == 4
    assert not any("linear map" in row for row in rows)
    assert "sentences" in results["relevance"]["this model"]


def test_a_point_of_the_curve_is_the_table_at_its_guidance(
    paths, tmp_path, embedded
):
    results, rows = run(
        paths,
        tmp_path / "run",
        guidance=2.0,
        candidates=1,
        guidance_curve=(0.0, 2.0),
    )
    none, same = results["guidance_curve"]
    assert (none["guidance"], same["guidance"]) == (0.0, 2.0)
    assert none["photographs"] == same["photographs"] == 5
    ours = results["relevance"]["this model"]
    assert {name: same[name] for name in ours} == ours
    assert same["distinct_2"] == results["distinct_2"]["this model"]
    fluency = [row["fluency"] for row in rows]
    assert same["fluency"] == pytest.approx(sum(fluency) / 5)
    assert none["fluency"] != same["fluency"]


def test_the_curve_is_of_the_first_photographs(paths, tmp_path):
    results, _ = run(
        paths,
        tmp_path / "run",
        sentences=False,
        guidance_curve=(1.0,),
        curve_photographs=2,
    )
    (point,) = results["guidance_curve"]
    assert point["photographs"] == 2
    assert "sentences" not in point


def test_decoding_options_reach_the_poet(paths, tmp_path):
    options = {"temperature": 0.3, "top_p": 0.5, "guidance": 0.0, "seed": 4}
    _, rows = run(
        paths, tmp_path / "run", sentences=False, candidates=3, **options
    )
    content = (paths.pictures / rows[0]["photograph"]).read_bytes()
    written = tiny.poet().write(content, candidates=3, **options)
    assert rows[0]["poem"] == written.poem
    assert len(rows[0]["candidates"]) == 3


def test_without_options_poems_are_as_exported(paths, tmp_path):
    _, rows = run(paths, tmp_path / "run", sentences=False, candidates=0)
    content = (paths.pictures / rows[0]["photograph"]).read_bytes()
    assert rows[0]["poem"] == tiny.poet().write(content).poem


def test_wording_is_measured_where_there_are_no_captions_too(
    paths, tmp_path, monkeypatch
):
    load = evaluate.load_corpus

    def without_captions(folder):
        corpus = load(folder)
        first = corpus.images("validation")[0]
        photographs = corpus.photographs | {
            first: dataclasses.replace(corpus.photographs[first], captions=())
        }
        return dataclasses.replace(corpus, photographs=photographs)

    results, _ = run(paths, tmp_path / "captioned", sentences=False)
    assert "uncaptioned" not in results
    monkeypatch.setattr(evaluate, "load_corpus", without_captions)
    results, rows = run(paths, tmp_path / "run", sentences=False)
    assert results["photographs"] == len(rows) == 4
    assert results["uncaptioned"]["photographs"] == 1
    lines = (tmp_path / "run" / "poems_uncaptioned.jsonl").read_text()
    (row,) = map(json.loads, lines.splitlines())
    assert row["photograph"] not in {r["photograph"] for r in rows}
    words = {"copied_run", "distinct_2", "commonest_line"}
    assert words < results["uncaptioned"].keys()


def keep_captions(monkeypatch, count):
    """Leaves each photograph its first captions."""
    load = evaluate.load_corpus

    def load_less(folder):
        corpus = load(folder)
        photographs = {
            name: dataclasses.replace(photo, captions=photo.captions[:count])
            for name, photo in corpus.photographs.items()
        }
        return dataclasses.replace(corpus, photographs=photographs)

    monkeypatch.setattr(evaluate, "load_corpus", load_less)


def test_a_few_photographs_with_a_caption_each_will_do(
    paths, tmp_path, monkeypatch, embedded
):
    keep_captions(monkeypatch, 1)
    results, _ = run(paths, tmp_path / "run", others=99)
    assert results["others"] == 4
    assert len(results["relevance"]) == 5
    log = (tmp_path / "run" / "log.txt").read_text()
    assert "compared with 4 others, since there are no more" in log


def test_without_captions_nothing_can_be_measured(paths, tmp_path, monkeypatch):
    keep_captions(monkeypatch, 0)
    with pytest.raises(ValueError, match="Received: 0 of split validation"):
        run(paths, tmp_path / "run")


def test_a_photograph_that_is_missing_is_named(paths, tmp_path):
    with pytest.raises(ValueError, match="5 that are measured.* 5 of them"):
        run(paths, tmp_path / "run", photographs=(paths.data,))


def test_what_another_poet_wrote_is_measured_too(paths, tmp_path):
    run(paths, tmp_path / "before", sentences=False)
    theirs = tmp_path / "before" / "poems.jsonl"
    results, rows = run(
        paths, tmp_path / "run", sentences=False, against=str(theirs)
    )
    ours = results["relevance"]["this model"]["tfidf"]
    assert results["against"] == {"tfidf": {"share": ours, "p": 1.0}}
    theirs.write_text(json.dumps(rows[0]) + "\n")
    with pytest.raises(ValueError, match="same 5 photographs.* without 4"):
        run(paths, tmp_path / "again", sentences=False, against=str(theirs))
