"""Quatrains of a language without blanks: from a file to poems."""

import dataclasses
import json

import pytest

from recipes import prepare_corpus
from recipes import write_poems
from tests import tiny_runs
from tests.recipes import stages
from visualpoet.corpus.prepared import load_corpus

# Written for this test: each character says which ones may follow.
QUATRAINS = """\
春山青風來 夏水白雲去 秋月黃霜起 冬花紅雪落
春水青煙來 夏月白雨去 秋花黃霧起 冬山紅冰落
春月白風來 夏花青雲去 秋山紅霜起 冬水黃雪落
春花紅煙來 夏山青雨去 秋水白霧起 冬月黃冰落
春山白風來 夏花紅雲去 秋水青霜起 冬月白雪落
春水紅煙來 夏山黃雨去 秋月白霧起 冬花青冰落
春月青風來 夏水紅雲去 秋花白霜起 冬山黃雪落
春花黃煙來 夏月青雨去 秋山白霧起 冬水紅冰落
春山紅風來 夏月黃雲去 秋花青霜起 冬水白雪落
春水白煙來 夏花青雨去 秋山黃霧起 冬月紅冰落
春月黃風來 夏山白雲去 秋水紅霜起 冬花青雪落
春花青煙來 夏水黃雨去 秋月紅霧起 冬山白冰落
"""
POEMS = [line.replace(" ", "\n") for line in QUATRAINS.splitlines()]
CAPTIONS = {
    "sea": "夕陽下的海",
    "mountain": "雪山",
    "forest": "青山上的樹",
    "night": "夜裏的月",
    "meadow": "春天的花",
}


def prepare(paths, run_dir):
    """A corpus of the quatrains, each paired with photographs."""
    photos, pairs, sources = [], [], {}
    splits = ["train"] * 8 + ["validation"] * 2 + ["test"] * 2
    for number, split in enumerate(splits):
        sources.setdefault(split, []).append(number)
    for row in (paths.data / "captions.jsonl").read_text().splitlines():
        photo = json.loads(row)
        photos.append({**photo, "captions": [CAPTIONS[photo["label"]]]})
        own = sources[photo["split"]]
        number = own[len(pairs) % len(own)]
        pair = {"poem": POEMS[number], "source": str(number)}
        pairs.append({key: photo[key] for key in ("file", "split")} | pair)
    poems = [
        {"id": str(number), "text": text, "split": split}
        for number, (text, split) in enumerate(zip(POEMS, splits))
    ]
    files = {}
    for name, rows in (("poems", poems), ("pairs", pairs), ("rows", photos)):
        files[name] = run_dir.parent / f"{name}.jsonl"
        files[name].write_text("".join(json.dumps(row) + "\n" for row in rows))
    prepare_corpus.main(
        prepare_corpus.Config(
            poems=(files["poems"],),
            forms=("quatrain",),
            pairs=(files["pairs"],),
            captions=(files["rows"],),
            level="character",
            run_dir=run_dir,
        )
    )


@pytest.mark.slow
def test_quatrains_become_a_generator_that_writes_some(tmp_path):
    paths = dataclasses.replace(
        tiny_runs.made(),
        corpus=tmp_path / "corpus",
        embedding=tmp_path / "embedding",
    )
    prepare(paths, paths.corpus)
    vocabulary = load_corpus(paths.corpus).vocabulary
    characters = set("".join(POEMS))
    assert set(vocabulary.tokens[4:]) == characters
    tiny_runs.write_embedding(paths)
    stages.generate(
        paths,
        tmp_path / "run",
        embedding_dim=16,
        hidden_dim=24,
        num_steps=150,
        learning_rate=0.03,
        ema_momentum=0.9,
        mixed_precision=False,
    )
    poems = tmp_path / "written.jsonl"
    write_poems.main(
        write_poems.Config(
            generator=tmp_path / "run" / "generator.keras",
            corpus_dir=paths.corpus,
            features_dir=paths.features,
            embedding_dir=paths.embedding,
            form="quatrain",
            output=poems,
        )
    )
    rows = [json.loads(row) for row in poems.read_text().splitlines()]
    assert len(rows) == 5
    for row in rows:
        assert set(row["poem"]) <= characters  # no blanks
        assert [len(line) for line in row["poem"].split("\n")] == [5] * 4
