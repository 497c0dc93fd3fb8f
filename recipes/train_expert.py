"""Train the sentiment expert: multi-label, sigmoid cross-entropy (liu18).

python recipes/train_expert.py --corpus-dir out/corpus \
        --features-dir out/features --run-dir out/features/sentiment
"""

import dataclasses
import pathlib
from collections.abc import Container

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import average_precision_score

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus.datasets import index_batches
from visualpoet.corpus.prepared import PreparedCorpus
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.corpus.sentiment import label_sentiment
from visualpoet.features.experts import SentimentExpert
from visualpoet.features.store import feature_files
from visualpoet.features.store import load_features
from visualpoet.optimization import make_train_step
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Train the sentiment expert: multi-label, sigmoid cross-entropy."""

    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    features_dir: pathlib.Path = option(
        pathlib.Path("out/features"), "output of extract_features.py"
    )
    run_dir: pathlib.Path = option(
        pathlib.Path("out/features/sentiment"),
        "output; inside --features-dir, where every later step finds it",
    )
    num_words: int = option(328, "sentiment words; liu18 hand-picked 328")
    english: bool = option(
        True, "adjectives and verbs of English; else words of any language"
    )
    hidden_dim: int = option(256, "width of the sentiment features")
    batch_size: int = option(256, "photographs a batch")
    num_steps: int = option(1500, "train steps")
    learning_rate: float = option(1e-3, "AdamW, cosine to zero")
    seed: int = option(0, "of Python, NumPy and TensorFlow")
    resume: bool = option(False, "go on with the run in --run-dir")


def _texts(corpus: PreparedCorpus, names: Container[str]) -> dict:
    """The texts that go with each of some photographs."""
    paired = corpus.paired_poems()
    texts = {
        name: [*photo.captions, *photo.moods, *paired.get(name, [])]
        for name, photo in corpus.photographs.items()
    }
    return {n: own for n, own in texts.items() if own and n in names}


def _mean_average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    seen = labels.any(axis=0)
    if not seen.any():
        return float("nan")
    return average_precision_score(labels[:, seen], scores[:, seen])


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    keras.utils.set_random_seed(config.seed)
    inputs = corpus_files(config.corpus_dir)
    inputs += [
        path
        for path in feature_files(config.features_dir)
        if path.suffix == ".json"  # the sentiment expert comes of this run
    ]
    run = runs.RunDirectory(config.run_dir, config, inputs)
    corpus = load_corpus(config.corpus_dir)
    features = load_features(config.features_dir)
    texts = _texts(corpus, features["object"])
    names = list(texts)
    train_names = [n for n in corpus.images("train") if n in texts]
    words, labels = label_sentiment(
        texts, config.num_words, train_names, config.english
    )
    rows = {name: row for row, name in enumerate(names)}
    inputs = {
        kind: np.stack([features[kind][name] for name in names])
        for kind in ("object", "scene")
    }
    model = SentimentExpert(
        inputs["object"].shape[1],
        inputs["scene"].shape[1],
        config.hidden_dim,
        len(words),
    )
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(
            config.learning_rate, config.num_steps
        )
    )

    def loss(batch_and_targets):
        batch, targets = batch_and_targets
        logits = model(batch, training=True)["logits"]
        return tf.reduce_mean(
            tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
        )

    train_rows = np.array([rows[name] for name in train_names])

    def batches(start):
        order = index_batches(
            len(train_rows), config.batch_size, config.seed, start
        )
        for batch_rows in order:
            chosen = train_rows[batch_rows]
            batch = {kind: values[chosen] for kind, values in inputs.items()}
            yield batch, labels[chosen].astype(np.float32)

    frequency = labels[train_rows].mean(axis=0)

    def evaluate(split="validation"):
        batch_rows = [rows[n] for n in corpus.images(split) if n in rows]
        if not batch_rows:
            return {}  # everything is for training
        batch = {kind: values[batch_rows] for kind, values in inputs.items()}
        scores = model.predict(batch, batch_size=512, verbose=0)["logits"]
        baseline = np.broadcast_to(frequency, scores.shape)
        return {
            "mean_average_precision": _mean_average_precision(
                labels[batch_rows], scores
            ),
            "frequency_baseline": _mean_average_precision(
                labels[batch_rows], baseline
            ),
        }

    runs.train(
        run,
        num_steps=config.num_steps,
        batches=batches,
        train_step=make_train_step(loss, model.trainable_variables, optimizer),
        variables={"model": model.variables, "optimizer": optimizer.variables},
        evaluate=evaluate,
        evaluation_interval=250,
    )
    model.save(config.run_dir / "sentiment.keras")
    run.write_json("words.json", words)
    results = evaluate("test")
    run.write_json("results.json", results)
    run.log(f"test photographs: {results}")


if __name__ == "__main__":
    main(run_options.parse_config(Config))
