"""The stages before and at the generator, on 20 small pictures."""

import dataclasses
import json
import pathlib

import keras

from recipes import extract_features
from recipes import prepare_corpus
from recipes import pretrain_generator
from recipes import render_pictures
from recipes import smoke_data
from recipes import train_embedding
from recipes import train_expert
from visualpoet.embedding.encoders import ImageTower
from visualpoet.embedding.encoders import load_towers

STEPS = 8


@dataclasses.dataclass(frozen=True)
class Paths:
    pictures: pathlib.Path
    data: pathlib.Path
    corpus: pathlib.Path
    features: pathlib.Path
    embedding: pathlib.Path


def prepare(paths, pairs):
    prepare_corpus.main(
        prepare_corpus.Config(
            poems=(paths.data / "poems.jsonl",),
            pairs=(pairs,),
            captions=(paths.data / "captions.jsonl",),
            vocabulary_size=300,
            run_dir=paths.corpus,
        )
    )


def embed(paths):
    train_embedding.main(
        train_embedding.Config(
            corpus_dir=paths.corpus,
            features_dir=paths.features,
            run_dir=paths.embedding,
            embedding_dim=6,
            word_dim=7,
            hidden_dim=8,
            batch_size=4,
            num_steps=2,
        )
    )


def make_folds(paths, folder):
    """Towers that have learnt nothing yet, as of train_embedding.py."""
    image_tower, _ = load_towers(paths.embedding)
    for number in (0, 1):
        fold = ImageTower(image_tower.feature_dims, image_tower.embedding_dim)
        (folder / str(number)).mkdir()
        fold.save(folder / str(number) / "image_tower.keras")
        options = {"num_folds": 2, "left_out_fold": number}
        (folder / str(number) / "config.json").write_text(json.dumps(options))
    return folder / "0", folder / "1"


def learn_sentiment(paths, run_dir):
    train_expert.main(
        train_expert.Config(
            corpus_dir=paths.corpus,
            features_dir=paths.features,
            run_dir=run_dir,
            num_words=8,
            hidden_dim=5,
            batch_size=4,
            num_steps=2,
        )
    )


def generate(paths, run_dir, **options):
    keras.config.set_dtype_policy("float32")
    config = pretrain_generator.Config(
        corpus_dir=paths.corpus,
        features_dir=paths.features,
        embedding_dir=paths.embedding,
        run_dir=run_dir,
        embedding_dim=9,
        hidden_dim=10,
        pair_share=0.5,
        extra_pairs=1,
        max_unknown=1.0,
        batch_size=4,
        num_steps=STEPS,
        warmup_steps=2,
        sampled_tokens=40,
        seed=3,
    )
    pretrain_generator.main(dataclasses.replace(config, **options))


def locate(root):
    """Where `build` puts the stages."""
    names = [field.name for field in dataclasses.fields(Paths)]
    return Paths(**{name: root / name for name in names})


def build(root):
    """What comes before the generator."""
    paths = locate(root)
    render_pictures.main(
        render_pictures.Config(run_dir=paths.pictures, count=4, size=60)
    )
    smoke_data.main(
        smoke_data.Config(pictures=paths.pictures, run_dir=paths.data)
    )
    prepare(paths, paths.data / "pairs.csv")
    extract_features.main(
        extract_features.Config(
            photographs=(paths.pictures,),
            object=str(paths.data / "object"),
            scene=str(paths.data / "scene"),
            run_dir=paths.features,
        )
    )
    learn_sentiment(paths, paths.features / "sentiment")
    embed(paths)
