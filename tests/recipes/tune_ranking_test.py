import json
import types

import pandas as pd

from recipes import tune_ranking
from visualpoet.corpus.records import Photograph

CAPTIONS = {
    "boat.jpg": ["a boat on a lake"],
    "horse.jpg": ["a horse in a meadow"],
    "snow.jpg": ["snow on a mountain"],
}


def candidate(poem, fit, fluency, clue_share):
    scores = {"fit": fit, "fluency": fluency, "clue_share": clue_share}
    scores |= {"novelty": 0.5, "repetition": 0.1, "merit": 0.2}
    return {"poem": poem, **scores}


def test_the_weight_that_names_the_subject_is_found(tmp_path, monkeypatch):
    # The first candidate of each is fluent, the second names its subject.
    written = [
        ["the day is still", "the boat goes by the lake"],
        ["the day is long", "the horse has left the meadow"],
        ["the day is gone", "snow lies upon the mountain"],
    ]
    poems = tmp_path / "poems.jsonl"
    poems.write_text(
        "".join(
            json.dumps(
                {
                    "photograph": name,
                    "candidates": [
                        candidate(texts[0], 0.5, -1.0, 0.0),
                        candidate(texts[1], 0.5, -2.0, 1.0),
                    ],
                }
            )
            + "\n"
            for name, texts in zip(CAPTIONS, written)
        )
    )
    corpus = types.SimpleNamespace(
        photographs={
            name: Photograph(name, captions=tuple(captions))
            for name, captions in CAPTIONS.items()
        }
    )
    monkeypatch.setattr(tune_ranking, "load_corpus", lambda folder: corpus)
    tune_ranking.main(
        tune_ranking.Config(
            poems=poems,
            corpus_dir=tmp_path,
            run_dir=tmp_path / "run",
            fluency_weights=(0.3,),
            clue_weights=(0.0, 0.6),
            sentences=False,
            others=2,
        )
    )
    table = pd.read_csv(tmp_path / "run" / "weights.csv")
    assert table["clue_share"].tolist() == [0.0, 0.6]
    assert table["mean clue_share"].tolist() == [0.0, 1.0]
    assert table["mean fluency"].tolist() == [-1.0, -2.0]
    correlations = json.loads((tmp_path / "run/correlations.json").read_text())
    assert correlations["tfidf"]["clue_share"] > 0.9
    assert correlations["tfidf"]["fluency"] < -0.9
    assert correlations["tfidf"]["fit"] == 0.0
