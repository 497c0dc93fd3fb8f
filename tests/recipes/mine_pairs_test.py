"""From captions and poems to pairs, by an encoder of texts on disk."""

import json

import tensorflow as tf

from recipes import mine_pairs
from visualpoet.corpus.readers import read_pairs

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
