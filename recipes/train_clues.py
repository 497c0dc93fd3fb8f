"""Train the clue head: which words a photograph calls for.

python recipes/train_clues.py --embedding-dir out/embedding_small \
        --features-dir out/encoder --run-dir out/embedding_small/clues
"""

import dataclasses
import pathlib

import keras
import numpy as np
import tensorflow as tf

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.corpus.words import find_twins
from visualpoet.embedding import clues
from visualpoet.embedding.encoders import load_towers
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.features.store import feature_files
from visualpoet.features.store import load_features
from visualpoet.generator.token_kinds import sort_tokens
from visualpoet.optimization import make_train_step
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Train the clue head: which words a photograph calls for."""

    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    features_dir: pathlib.Path = option(
        pathlib.Path("out/encoder"),
        "output of distill_visual_encoder.py or of extract_features.py",
    )
    embedding_dir: pathlib.Path = option(
        pathlib.Path("out/embedding_small"),
        "output of train_embedding.py for the same features",
    )
    run_dir: pathlib.Path = option(
        pathlib.Path("out/embedding_small/clues"), "output"
    )
    min_photographs: int = option(5, "with a word, for it to be a clue")
    min_count: int = option(20, "of a word in poems, for it to be a clue")
    max_frequency: float = option(
        0.002, "words more frequent than this in poems are no clues"
    )
    prior_weight: float = option(
        0.4, "of how common a word is, taken off its score; 1: all of it"
    )
    batch_size: int = option(128, "photographs a batch")
    num_steps: int = option(1500, "train steps")
    learning_rate: float = option(2e-3, "Adam, cosine to zero")
    seed: int = option(0, "of Python, NumPy and TensorFlow")
    resume: bool = option(False, "go on with the run in --run-dir")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    keras.utils.set_random_seed(config.seed)
    inputs = corpus_files(config.corpus_dir)
    inputs += feature_files(config.features_dir)
    inputs += sorted(config.embedding_dir.glob("*.keras"))
    run = runs.RunDirectory(config.run_dir, config, inputs)
    corpus = load_corpus(config.corpus_dir)
    image_tower, _ = load_towers(config.embedding_dir)
    rows, image_embeddings = embed_photographs(
        load_features(config.features_dir),
        [*corpus.images("train"), *corpus.images("validation")],
        "joint",
        image_tower,
    )
    train = [name for name in corpus.images("train") if name in rows]
    labels = clues.label_clues(corpus, train)
    head = _build_head(config, corpus, labels, image_embeddings.shape[1])
    labels = labels[:, head.word_ids]
    log_odds = clues.log_odds(labels)
    bias = head.get_layer("words").bias
    bias.assign(log_odds)
    places = image_embeddings[[rows[name] for name in train]]
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(
            config.learning_rate, config.num_steps
        )
    )

    def loss(batch):
        return tf.reduce_mean(
            tf.nn.sigmoid_cross_entropy_with_logits(
                batch["labels"], head(batch["places"], training=True)
            )
        )

    def batches(start):
        for chosen in datasets.index_batches(
            len(train), config.batch_size, config.seed, start
        ):
            yield {"places": places[chosen], "labels": labels[chosen]}

    def evaluate():
        return _measure(corpus, head, rows, image_embeddings)

    runs.train(
        run,
        num_steps=config.num_steps,
        batches=batches,
        train_step=make_train_step(loss, head.trainable_variables, optimizer),
        variables={"head": head.variables, "optimizer": optimizer.variables},
        evaluate=evaluate,
        evaluation_interval=500,
    )
    bias.assign_sub(config.prior_weight * log_odds)
    head.save(config.run_dir / "clue_head.keras")
    run.write_json("results.json", evaluate())


def _build_head(config, corpus, labels, image_dim):
    poems = datasets.frame_poems(
        corpus.vocabulary, corpus.texts("train"), max_tokens=200
    )
    usable = clues.clue_words(
        corpus,
        poems,
        sort_tokens(corpus.vocabulary, poems).is_open,
        config.min_count,
        config.max_frequency,
    )
    usable &= (labels > 0).sum(axis=0) >= config.min_photographs
    word_ids = np.flatnonzero(usable)
    if not word_ids.size:
        raise ValueError(
            f"expected words that {config.min_photographs} photographs or more "
            f"call for, that poems have {config.min_count} times or more, and "
            f"that are fewer than {config.max_frequency:.1%} of theirs. "
            f"Received: none in poems of {sum(map(len, poems)):,} tokens; add "
            "poems, or lower --min-count and raise --max-frequency"
        )
    twins = find_twins([corpus.vocabulary.tokens[i] for i in word_ids])
    return clues.ClueHead(word_ids, image_dim, twins=twins)


def _measure(corpus, head, rows, image_embeddings):
    """How many clues of held-out photographs are words of their captions."""
    names = [name for name in corpus.images("validation") if name in rows]
    if not names:
        return {}  # everything is for training
    names = [n for n in names if corpus.photographs[n].captions] or names
    chosen = head.choose(image_embeddings[[rows[name] for name in names]])
    labels = clues.label_clues(corpus, names)
    return {
        "words": len(head.word_ids),
        "photographs": len(names),
        "precision": float(np.take_along_axis(labels, chosen, 1).mean()),
        "another_photograph": float(
            np.take_along_axis(labels, np.roll(chosen, 1, 0), 1).mean()
        ),
        "distinct": len(np.unique(chosen)),
    }


if __name__ == "__main__":
    main(run_options.parse_config(Config))
