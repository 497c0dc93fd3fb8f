import json
import types

import numpy as np
import pytest

import visualpoet
from recipes import measure_voice
from tests.finetuning import poems

THINGS = poems.THINGS[:4]
OTHERS = [
    f"Who {verb} at the {place} all night?\nNobody {verb} or knows;\n"
    "They count their money in the light\nBefore the window close."
    for verb in ("waits", "works", "cooks", "reads", "drinks", "talks")
    for place in ("office", "kitchen", "market", "hotel")
]


class StubPoet:
    """Writes a poem about each photograph, and knows where both belong."""

    def __init__(self, template):
        self.options = {"form": "", "forms": {"": {}}}
        self._template = template
        self.given = []

    def write(self, photographs, **options):
        self.given.append(options)
        return [self._poem(content.decode()) for content in photographs]

    def _poem(self, thing):
        poem = self._template.format(thing)
        return types.SimpleNamespace(
            poem=poem, to_dict=lambda: {"poem": poem, "seed": 3}
        )

    def embed_images(self, photographs):
        places = [THINGS.index(content.decode()) for content in photographs]
        return np.eye(len(THINGS))[places]

    def embed_poems(self, texts):
        found = [[thing in text for thing in THINGS] for text in texts]
        return 0.5 * np.array(found, float)


@pytest.fixture
def poets(monkeypatch):
    found = {
        "voice": StubPoet(
            "A silver {0} by the hill,\nIs far away from me;\n"
            "I saw a harmonica go\nAnd sing to the {0} and sea."
        ),
        "base": StubPoet(
            "Who reads before the window now?\nThe market works all night;\n"
            "Nobody knows the kitchen well\nOr waits there in the light."
        ),
    }
    monkeypatch.setattr(visualpoet, "load", lambda path: found[path.name])
    return found


@pytest.fixture
def config(tmp_path):
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    rows = []
    for thing in THINGS:
        (photographs / f"{thing}.jpg").write_bytes(thing.encode())
        rows.append({"file": f"{thing}.jpg", "caption": f"one {thing}"})
    rows[0]["split"] = "train"
    captions = tmp_path / "captions.jsonl"
    captions.write_text("\n".join(map(json.dumps, rows)))
    others = tmp_path / "others.json"
    others.write_text(json.dumps([{"text": text} for text in OTHERS]))
    return {
        "voice": tmp_path / "voice",
        "base": tmp_path / "base",
        "corpus": poems.write(tmp_path / "poems"),
        "others": (others,),
        "photographs": (photographs,),
        "captions": str(captions),
        "sentences": False,
        "seed": 3,
        "run_dir": tmp_path / "run",
    }


def run(config, **options):
    config = measure_voice.Config(**{**config, **options})
    measure_voice.main(config)
    results = json.loads((config.run_dir / "results.json").read_text())
    lines = (config.run_dir / "poems.jsonl").read_text().splitlines()
    return results, [json.loads(line) for line in lines]


def test_a_voice_beside_its_base(config, poets, capsys):
    results, rows = run(config)
    assert results["photographs"] == 4
    classifier = results["classifier"]
    assert (classifier["voice"], classifier["base"]) == (1.0, 0.0)
    assert classifier["accuracy"] == 1.0
    # All poems of the voice have hill and sea: six of twelve others.
    assert results["joint_space"] == {
        "voice": {"own": 0.5, "shuffled": 0.25},
        "base": {"own": 0.0, "shuffled": 0.0},
    }
    # sing to the sea and
    assert results["copied"] == {"poems": 4, "longest": 5, "share": 0.0}
    assert results["form"] == {}
    assert [(row["by"], row["photograph"]) for row in rows[3:5]] == [
        ("voice", "sea.jpg"),
        ("base", "hill.jpg"),
    ]
    assert "called the corpus's own            1.000   0.000" in (
        capsys.readouterr().out
    )


def test_captions_judge_relevance(config, poets):
    results, _ = run(config, others=())
    assert results["classifier"] == {}
    assert results["relevance"]["base"] == {"tfidf": 0.0}
    assert results["relevance"]["voice"]["tfidf"] > 0.5


def test_only_photographs_held_out_are_written_for(config, poets, tmp_path):
    rows = [
        {"file": "sea.jpg", "caption": "a sea", "split": "train"},
        {"file": "moon.jpg", "caption": "a moon", "split": "validation"},
        {"file": "road.jpg", "caption": "a road", "split": "test"},
    ]
    (tmp_path / "captions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    _, rows = run(config, others=())
    assert {row["photograph"] for row in rows} == {"moon.jpg", "road.jpg"}


def test_a_pattern_of_another_script_needs_no_dictionary(
    config, poets, tmp_path
):
    lines = ["".join(map(chr, range(n, n + 5))) for n in range(0x4E00, 0x4E78)]
    quatrains = ["\n".join(lines[n : n + 4]) for n in range(0, 120, 4)]
    path = tmp_path / "quatrains.json"
    path.write_text(json.dumps([{"text": text} for text in quatrains]))
    poets["voice"]._template = quatrains[0][:-1]
    poets["voice"].options["forms"]["jueju-5"] = {}
    results, _ = run(config, corpus=path, others=(), form="jueju-5")
    assert results["form"] == {
        "in_form": 0.0,
        "lines": 1.0,
        "syllables": 0.75,
    }
    assert results["relevance"] == {}
    assert results["copied"] == {"poems": 4, "longest": 19, "share": 1.0}
    assert [poets[who].given[0].get("form") for who in poets] == [
        "jueju-5",
        None,
    ]


def test_without_photographs_it_says_so(config, poets):
    with pytest.raises(ValueError, match="expected --photographs.*Received: 0"):
        run(config, photographs=())
