"""Write one poem for every photograph of a split, for compare_methods.py.

python recipes/write_poems.py --generator out/adversarial/generator.keras \
        --output out/liu18/i2p_gan/seed0/poems.jsonl
"""

import dataclasses
import json
import pathlib

import keras
import numpy as np
import tensorflow as tf

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus.prepared import VOCABULARY_FILE
from visualpoet.corpus.prepared import load_corpus
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.embedding.encoders import load_towers
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.features.store import load_features
from visualpoet.generator import hierarchical
from visualpoet.generator.generator_inputs import prepare_generator_inputs
from visualpoet.generator.generator_inputs import take_rows
from visualpoet.generator.poem_generator import PoemGenerator  # noqa: F401
from visualpoet.generator.poem_sampling import sample_poems
from visualpoet.generator.samplers import NEVER
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Write one poem for every photograph of a split."""

    generator: pathlib.Path = option(
        pathlib.Path("out/generator/generator.keras"),
        "generator.keras or hierarchical.keras",
    )
    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    features_dir: pathlib.Path = option(
        pathlib.Path("out/features"), "output of extract_features.py"
    )
    embedding_dir: pathlib.Path = option(
        pathlib.Path("out/embedding"),
        "output of train_embedding.py, with train_clues.py's in it if the "
        "generator takes clues",
    )
    regions: str = option("", "regions.npz, for hierarchical.keras")
    image_input: str = option("joint", "as of pretrain_generator.py")
    split: str = option("validation", "photographs to write for")
    output: pathlib.Path = option(pathlib.Path("poems.jsonl"), "output")
    form: str = option("", "of the poems, if the generator has learnt forms")
    max_tokens: int = option(48, "tokens of a poem, START and END included")
    temperature: float = option(0.0, "0: the likeliest token, as liu18")
    seed: int = option(0, "of the draws")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    runs.check_same_input(config.generator, config.corpus_dir / VOCABULARY_FILE)
    corpus = load_corpus(config.corpus_dir)
    names = [
        name
        for name in corpus.images(config.split)
        if corpus.photographs[name].captions
    ]
    model = keras.saving.load_model(config.generator)
    write = _write_lines if config.regions else _write_tokens
    names, token_ids = write(config, corpus, model, names)
    config.output.parent.mkdir(parents=True, exist_ok=True)
    partial = config.output.with_suffix(".partial")
    with partial.open("w") as stream:
        for name, ids in zip(names, token_ids):
            poem = corpus.vocabulary.decode(ids)
            row = {"photograph": name, "poem": poem}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    partial.rename(config.output)  # liu18.sh takes what is there for whole
    print(f"{config.output}: {len(names)} poems")


def _write_lines(config, corpus, model, names):
    with np.load(config.regions, allow_pickle=False) as arrays:
        rows = {name: row for row, name in enumerate(arrays["names"].tolist())}
        names = [name for name in names if name in rows]
        image_embeddings = arrays["rows"][[rows[name] for name in names]]
    line_break = corpus.vocabulary.line_break
    batches = np.array_split(
        image_embeddings, max(1, len(image_embeddings) // 250)
    )
    return names, [
        poem[: config.max_tokens]
        for number, batch in enumerate(batches)
        for poem in hierarchical.write_lines(
            model,
            batch.astype(np.float32),
            line_break,
            config.temperature,
            (config.seed, number),
        )
    ]


def _write_tokens(config, corpus, model, names):
    image_tower, _ = load_towers(config.embedding_dir)
    features = load_features(config.features_dir)
    rows, image_embeddings = embed_photographs(
        features, names, config.image_input, image_tower
    )
    photographs = prepare_generator_inputs(
        model, image_embeddings, config.embedding_dir, config.form
    )
    forbidden = tf.one_hot(UNKNOWN, model.vocabulary_size, NEVER, 0.0)

    @tf.function(reduce_retracing=True)
    def write(photograph, uniform):
        return sample_poems(
            model,
            photograph,
            config.max_tokens,
            uniform if config.temperature else None,
            temperature=config.temperature or 1.0,
            forbidden=forbidden,
        )

    rng = np.random.default_rng(config.seed)
    written = []
    for batch in np.array_split(np.arange(len(rows)), max(1, len(rows) // 250)):
        uniform = rng.random((len(batch), config.max_tokens), np.float32)
        written += list(write(take_rows(photographs, batch), uniform).numpy())
    return list(rows), written


if __name__ == "__main__":
    main(run_options.parse_config(Config))
