"""From captions and poems to pairs, by an encoder of texts on disk."""

import contextlib
import json

import numpy as np
import tensorflow as tf

from recipes import mine_pairs
from visualpoet.corpus.readers import read_pairs
from visualpoet.evaluation import mining

SEA = "the sea is wide\nthe sea is grey\nthe gulls go home"
WOOD = "the wood is deep\nthe wood is green\nthe birds go home"


class Encoder(tf.Module):
    """Whether there is a sea, whether there is a wood."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        found = [
            tf.strings.regex_full_match(texts, f".*{word}.*")
            for word in ("sea", "wood")
        ]
        return tf.cast(tf.stack(found, axis=1), tf.float32)


def test_texts_that_were_embedded_are_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(mining, "PART_SIZE", 2)
    asked = []

    def embed(texts):
        if "stop" in texts and asked.count(["stop", "d"]) == 0:
            asked.append(texts)
            raise KeyboardInterrupt
        asked.append(texts)
        return np.array([[len(text), 1.0] for text in texts])

    texts = ["a", "bc", "stop", "d", "efg"]
    for _ in range(2):
        asked.append([])
        with contextlib.suppress(KeyboardInterrupt):
            rows = mining.embed_in_parts(texts, embed, tmp_path / "parts")
    np.testing.assert_array_equal(rows[:, 0], [1, 2, 4, 1, 3])
    assert asked == [
        *([], ["a", "bc"], ["stop", "d"]),
        *([], ["stop", "d"], ["efg"]),
    ]
    assert len(list((tmp_path / "parts").iterdir())) == 3


def test_pairs_are_written_with_what_they_are_worth(tmp_path):
    tf.saved_model.save(Encoder(), str(tmp_path / "encoder"))
    captions = tmp_path / "captions.csv"
    captions.write_text(
        "file,caption,label,split\n"
        "a.jpg,a wide sea,,train\nb.jpg,,wood,validation\n"
    )
    poems = tmp_path / "poems.jsonl"
    poems.write_text(
        "".join(
            json.dumps({"id": key, "text": text}) + "\n"
            for key, text in (("s", SEA), ("w", WOOD))
        )
    )
    pairs = tmp_path / "pairs" / "mined.jsonl.gz"
    run_dir = tmp_path / "run"
    mine_pairs.main(
        mine_pairs.Config(
            captions=(captions,),
            poems=(poems,),
            pairs=pairs,
            run_dir=run_dir,
            encoder=str(tmp_path / "encoder"),
            pairs_each=1,
        )
    )
    found, bad_rows = read_pairs(pairs)
    assert bad_rows == []
    assert [
        (p.image, p.poem.text, p.poem.id, p.poem.split, p.similarity)
        for p in found
    ] == [
        ("a.jpg", SEA, "s", "train", 1.0),
        ("b.jpg", WOOD, "w", "validation", 1.0),
    ]
    results = json.loads((run_dir / "results.json").read_text())
    assert results["rank"] == [1.0]
    assert 0.4 < results["random"] < 0.6
    page = (run_dir / "examples.html").read_text()
    assert "a wide sea" in page and "the gulls go home" in page
