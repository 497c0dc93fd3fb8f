"""Train the deep coupled visual-poetic embedding (liu18).

python recipes/train_embedding.py --corpus-dir out/corpus \
        --features-dir out/features --run-dir out/embedding
"""

import dataclasses
import pathlib

import keras
import numpy as np

from visualpoet import distribution
from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.embedding import retrieval
from visualpoet.embedding.encoders import ImageTower
from visualpoet.embedding.encoders import PoemTower
from visualpoet.embedding.ranking_loss import ranking_loss
from visualpoet.embedding.word_vectors import smooth_inverse_frequency
from visualpoet.embedding.word_vectors import train_word_vectors
from visualpoet.features.experts import FEATURE_NAMES
from visualpoet.features.store import feature_files
from visualpoet.features.store import load_features
from visualpoet.optimization import make_train_step
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Train the deep coupled visual-poetic embedding."""

    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    features_dir: pathlib.Path = option(
        pathlib.Path("out/features"),
        "experts: output of extract_features.py with train_expert.py's in it; "
        "small encoder: output of distill_visual_encoder.py",
    )
    poem_tower: str = option(
        "", "poem_tower.keras to keep fixed; empty to train one"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/embedding"), "output")
    embedding_dim: int = option(256, "width of the joint space")
    word_dim: int = option(256, "width of the word vectors")
    hidden_dim: int = option(512, "hidden layer of the image tower; 0: liu18")
    margin: float = option(0.2, "of the ranking loss")
    hardest: bool = option(False, "hardest negative only")
    caption_share: float = option(
        0.5, "share of texts that are captions where a photograph has some"
    )
    batch_size: int = option(256, "photographs a batch")
    num_steps: int = option(3000, "train steps")
    learning_rate: float = option(1e-3, "Adam, cosine to zero")
    max_tokens: int = option(96, "tokens of a text")
    num_folds: int = option(
        0, "folds of the training photographs, one of them left out; 0: none is"
    )
    left_out_fold: int = option(0, "which of --num-folds is left out")
    seed: int = option(0, "of Python, NumPy and TensorFlow")
    resume: bool = option(False, "go on with the run in --run-dir")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    distribution.connect()
    keras.utils.set_random_seed(config.seed)
    inputs = corpus_files(config.corpus_dir)
    inputs += feature_files(config.features_dir)
    inputs += [pathlib.Path(config.poem_tower)] if config.poem_tower else []
    run = runs.RunDirectory(config.run_dir, config, inputs)
    corpus = load_corpus(config.corpus_dir)
    features = load_features(config.features_dir)
    encoded = _encode_texts(corpus, features)
    _log_missing(run, corpus, features)
    with distribution.scope():
        image_tower, poem_tower = _build_towers(config, corpus, features, run)
        optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(
                config.learning_rate, config.num_steps
            )
        )
    distribution.normalize_over_all(image_tower)
    trainable = image_tower.trainable_variables
    if not config.poem_tower:
        trainable = trainable + poem_tower.trainable_variables

    def loss(batch):
        inputs, token_ids = batch
        # A pair's negatives are all others of the batch, of every worker.
        return ranking_loss(
            distribution.gather(image_tower(inputs, training=True)),
            distribution.gather(poem_tower(token_ids, training=True)),
            config.margin,
            config.hardest,
        )

    def evaluate():
        return _recalls(
            config, corpus, features, encoded, image_tower, poem_tower
        )

    runs.train(
        run,
        num_steps=config.num_steps,
        batches=lambda start: _batches(
            config, corpus, features, encoded, start
        ),
        train_step=make_train_step(loss, trainable, optimizer),
        variables={
            "image_tower": image_tower.variables,
            "poem_tower": poem_tower.variables,
            "optimizer": optimizer.variables,
        },
        evaluate=evaluate,
        evaluation_interval=500,
    )
    image_tower.save(run.path / "image_tower.keras")
    poem_tower.save(run.path / "poem_tower.keras")
    run.write_json("results.json", evaluate())


# --- texts and batches


def _encode_texts(corpus, features):
    """Token ids of the poems and captions of each photograph."""
    poems, captions = corpus.paired_poems(), {}
    for name, photo in corpus.photographs.items():
        captions[name] = [*photo.captions, *photo.moods]
        if photo.captions:
            captions[name].append("\n".join(photo.captions))
    return {
        kind: {
            name: corpus.vocabulary.encode_batch(chosen_names)
            for name, chosen_names in texts.items()
            if chosen_names and name in features["object"]
        }
        for kind, texts in (("poems", poems), ("captions", captions))
    }


def _log_missing(run, corpus, features):
    missing = sum(pair.image not in features["object"] for pair in corpus.pairs)
    if missing:
        run.log(
            f"{missing} of {len(corpus.pairs)} pairs name photographs without "
            "features and are left out"
        )


def _batches(config, corpus, features, encoded, start):
    left_out = set()
    if config.num_folds:
        left_out.update(corpus.folds(config.num_folds)[config.left_out_fold])
    names = [
        name
        for name in corpus.images("train")
        if (name in encoded["poems"] or name in encoded["captions"])
        and name not in left_out
    ]
    order = datasets.index_batches(
        len(names), config.batch_size, config.seed, start
    )
    for step, chosen in enumerate(order, start):
        rng = np.random.default_rng((config.seed, step))
        chosen_names = [names[index] for index in chosen]
        texts = [
            _choose_text(config, encoded, name, rng) for name in chosen_names
        ]
        token_ids = datasets.pad_token_ids(texts, config.max_tokens)
        yield _image_inputs(features, chosen_names), token_ids


def _choose_text(config, encoded, name, rng):
    kinds = [kind for kind in ("captions", "poems") if name in encoded[kind]]
    kind = kinds[-1]
    if len(kinds) == 2 and rng.random() < config.caption_share:
        kind = "captions"
    texts = encoded[kind][name]
    return texts[rng.integers(len(texts))]


def _image_inputs(features, names):
    return {
        kind: np.stack([features[kind][name] for name in names])
        for kind in FEATURE_NAMES
    }


# --- measuring


def _recalls(config, corpus, features, encoded, image_tower, poem_tower):
    """Recall both ways on validation photographs."""
    names = corpus.images("validation")
    chosen_names = [name for name in names if name in encoded["captions"]]
    chosen_names = chosen_names or [
        name for name in names if name in encoded["poems"]
    ]
    if not chosen_names:
        return {}  # everything is for training
    x = image_tower.predict(
        _image_inputs(features, chosen_names), 512, verbose=0
    )
    report = {"photographs": len(chosen_names)}
    for kind in ("poems", "captions"):
        if not all(name in encoded[kind] for name in chosen_names):
            continue
        index = 0 if kind == "poems" else -1
        texts = [encoded[kind][name][index] for name in chosen_names]
        token_ids = datasets.pad_token_ids(texts, config.max_tokens)
        m = poem_tower.predict(token_ids, batch_size=512, verbose=0)
        for way, scores in (("image", x @ m.T), (kind, m @ x.T)):
            recalls = retrieval.recall_report(scores)
            report |= {f"{kind}/{way}/{k}": v for k, v in recalls.items()}
    return report


# --- towers


def _build_towers(config, corpus, features, run):
    feature_dims = {
        name: len(next(iter(features[name].values()))) for name in FEATURE_NAMES
    }
    image_tower = ImageTower(
        feature_dims, config.embedding_dim, config.hidden_dim
    )
    if config.poem_tower:
        return image_tower, keras.saving.load_model(config.poem_tower)
    vocabulary = corpus.vocabulary
    texts = corpus.texts("train")
    for photo in corpus.photographs.values():
        if photo.split == "train":
            texts += photo.captions
    run.log(f"word vectors from {len(texts)} texts")
    token_ids = vocabulary.encode_batch(texts)
    vectors = train_word_vectors(
        token_ids, len(vocabulary), config.word_dim, seed=config.seed
    )
    weights = smooth_inverse_frequency(token_ids, len(vocabulary))
    poem_tower = PoemTower(
        len(vocabulary),
        vocabulary.line_break,
        config.word_dim,
        config.embedding_dim,
    )
    poem_tower.get_layer("word_vectors").embeddings.assign(vectors)
    poem_tower.get_layer("log_weights").embeddings.assign(
        np.log(weights)[:, None]
    )
    return image_tower, poem_tower


if __name__ == "__main__":
    main(run_options.parse_config(Config))
