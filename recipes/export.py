"""Export the poet: one SavedModel from image bytes to poems, with its card.

python recipes/export.py --encoder out/encoder/encoder.keras \
        --embedding-dir out/embedding_small \
        --generator out/generator/generator.keras --model out/poet/1
"""

import dataclasses
import json
import pathlib

import keras
import numpy as np

from visualpoet import runs
from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import load_corpus
from visualpoet.embedding import retrieval
from visualpoet.embedding.encoders import load_towers
from visualpoet.export import model_card
from visualpoet.export.poet import Poet
from visualpoet.export.savedmodel import export_poet
from visualpoet.features.experts import FEATURE_NAMES
from visualpoet.features.store import load_features
from visualpoet.features.visual_encoder import VisualEncoder  # noqa: F401
from visualpoet.generator.composer import Options
from visualpoet.generator.constraints import token_kinds
from visualpoet.generator.poem_generator import PoemGenerator  # noqa: F401
from visualpoet.runs import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Export the poet: one SavedModel from image bytes to poems."""

    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    encoder_dir: pathlib.Path = option(
        pathlib.Path("out/encoder"), "output of distill_visual_encoder.py"
    )
    embedding_dir: pathlib.Path = option(
        pathlib.Path("out/embedding_small"),
        "output of train_embedding.py for the small encoder",
    )
    generator: pathlib.Path = option(
        pathlib.Path("out/generator/generator.keras"),
        "output of pretrain_generator.py",
    )
    model: pathlib.Path = option(
        pathlib.Path("out/poet/1"), "version folder to write"
    )
    evaluation: str = option(
        "", "results.json of evaluate.py for the card; empty for no card"
    )
    num_clue_words: int = option(
        4000, "clues are among the most frequent words"
    )
    max_clue_frequency: float = option(
        0.002, "words more frequent than this are no clues"
    )
    temperature: float = option(Options.temperature, "of the exported poet")
    top_p: float = option(Options.top_p, "of the exported poet")
    guidance: float = option(Options.guidance, "of the exported poet")
    penalty: float = option(Options.penalty, "of a repeated word [nats]")
    fluency_weight: float = option(
        Options.fluency_weight, "of fluency against fit in the ranking"
    )


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    corpus = load_corpus(config.corpus_dir)
    encoder = keras.saving.load_model(config.encoder_dir / "encoder.keras")
    image_tower, poem_tower = load_towers(config.embedding_dir)
    generator = keras.saving.load_model(config.generator)
    poems = datasets.frame_poems(
        corpus.vocabulary, corpus.texts("train"), max_tokens=200
    )
    poet = Poet(
        encoder,
        image_tower,
        poem_tower,
        generator,
        corpus.vocabulary,
        _clue_bias(config, corpus, poems, image_tower, poem_tower),
        token_kinds(corpus.vocabulary, poems),
        Options(
            temperature=config.temperature,
            top_p=config.top_p,
            guidance=config.guidance,
            penalty=config.penalty,
            fluency_weight=config.fluency_weight,
        ),
    )
    export_poet(poet, corpus.vocabulary, config.model)
    if config.evaluation:
        results = json.loads(pathlib.Path(config.evaluation).read_text())
        models = {
            "visual encoder": encoder,
            "image tower": image_tower,
            "poem tower": poem_tower,
            "generator": generator,
        }
        parameters = {name: m.count_params() for name, m in models.items()}
        model_card.write_model_card(config.model, parameters, results)
    print(f"{config.model}: {model_card.size_of(config.model) / 1e6:.1f} MB")


def _clue_bias(config, corpus, poems, image_tower, poem_tower):
    """Mean similarity of each word to photographs; much for no clue."""
    features = load_features(config.encoder_dir)
    names = [n for n in corpus.images("train") if n in features["object"]]
    embeddings = image_tower.predict(
        {k: np.stack([features[k][n] for n in names]) for k in FEATURE_NAMES},
        batch_size=512,
        verbose=0,
    )
    ids = np.arange(len(corpus.vocabulary), dtype=np.int32)[:, None]
    words = poem_tower.predict(ids, batch_size=1024, verbose=0)
    counts = np.bincount(np.concatenate(poems), minlength=len(words))
    usable = retrieval.clue_mask(corpus.vocabulary)
    usable &= counts < config.max_clue_frequency * counts.sum()
    usable[config.num_clue_words :] = False
    return np.where(usable, words @ embeddings.mean(axis=0), 9.0)


if __name__ == "__main__":
    main(runs.parse_config(Config))
