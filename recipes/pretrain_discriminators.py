"""Pre-train the discriminators on human texts and first samples (liu18).

    python recipes/pretrain_discriminators.py --run-dir out/discriminators \
        --generator out/generator/generator.keras --paragraphs PARAGRAPHS.jsonl

Three of them: multi-modal and poem-style as in the paper, and the single
real-or-generated critic of SeqGAN, for the comparison.
"""

import dataclasses
import json
import pathlib

import keras
import numpy as np
import tensorflow as tf

from visualpoet import runs
from visualpoet.corpus import readers
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.discriminators import material
from visualpoet.discriminators import multimodal
from visualpoet.discriminators import poem_style
from visualpoet.discriminators import training
from visualpoet.embedding.encoders import load_towers
from visualpoet.embedding.photographs import see_photographs
from visualpoet.features.store import load_features
from visualpoet.generator.poem_generator import PoemGenerator  # noqa: F401
from visualpoet.generator.sampling import sample_poems
from visualpoet.generator.subjects import subjects_of
from visualpoet.generator.subjects import take
from visualpoet.runs import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Pre-train the discriminators on human texts and first samples."""

    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    features_dir: pathlib.Path = option(
        pathlib.Path("out/features"), "output of extract_features.py"
    )
    embedding_dir: pathlib.Path = option(
        pathlib.Path("out/embedding"), "output of train_embedding.py"
    )
    generator: pathlib.Path = option(
        pathlib.Path("out/generator/generator.keras"),
        "output of pretrain_generator.py; its samples are the class generated",
    )
    paragraphs: pathlib.Path = option(
        pathlib.Path("paragraphs.jsonl.gz"), "prose, for the class paragraphic"
    )
    run_dir: pathlib.Path = option(pathlib.Path("out/discriminators"), "output")
    word_dim: int = option(
        0, "width of the word vectors; 0: as wide as the poem tower's"
    )
    hidden_dim: int = option(256, "width of the GRU and of the product")
    dropout: float = option(0.1, "share of units left out")
    pair_dropout: float = option(0.5, "the same of the multi-modal one")
    max_tokens: int = option(48, "tokens of a text, START and END included")
    max_unknown: float = option(0.1, "share of unknown words of a text")
    min_similarity: float = option(0.3, "of a pair, to count as one")
    num_samples: int = option(6000, "poems of the generator, written once")
    batch_size: int = option(128, "texts of each class a batch")
    num_steps: int = option(1200, "train steps")
    learning_rate: float = option(2e-3, "Adam, cosine to zero")
    seed: int = option(0, "of Python, NumPy and TensorFlow")
    resume: bool = option(False, "go on with the run in --run-dir")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    keras.utils.set_random_seed(config.seed)
    inputs = [*corpus_files(config.corpus_dir), config.generator]
    run = runs.RunDirectory(config.run_dir, config, inputs)
    corpus = load_corpus(config.corpus_dir)
    image_tower, poem_tower = load_towers(config.embedding_dir)
    rows, seen = see_photographs(
        load_features(config.features_dir),
        list(corpus.photographs),
        "joint",
        image_tower,
    )
    texts = {
        split: _gather(config, corpus, split, rows)
        for split in ("train", "validation")
    }
    generator = keras.saving.load_model(config.generator)
    subjects = subjects_of(generator, corpus, rows, seen, poem_tower)
    samples = {
        split: _sample(config, generator, texts[split], subjects, number)
        for number, split in enumerate(("train", "validation"))
    }
    run.log(f"{len(samples['train'][0])} samples to learn from")
    critics = _build(config, corpus, poem_tower)
    optimizers = {}
    for name, critic in critics.items():
        optimizers[name] = keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(
                config.learning_rate, config.num_steps
            )
        )
        optimizers[name].build(critic.trainable_variables)
    steps = {
        name: training.train_step_of(critic, optimizers[name])
        for name, critic in critics.items()
    }

    def batches(start):
        for step in range(start, config.num_steps):
            random = np.random.default_rng((config.seed, step))
            chosen = random.integers(
                len(samples["train"][0]), size=config.batch_size
            )
            yield _batch(texts["train"], samples["train"], chosen, seen, random)

    def train_step(batch):
        losses = [steps[name](*batch[name])[0] for name in critics]
        return tf.add_n(losses) / len(losses)

    held_out = _hold_out(texts["validation"], samples["validation"], seen)
    by_cosine = _by_cosine(*held_out["multimodal"], poem_tower)

    def evaluate():
        confusions, results = _judge(critics, held_out)
        results["multimodal, by the cosine of the joint space"] = by_cosine
        run.write_json("confusion.json", confusions)
        run.write_json("results.json", results)
        return {
            f"{name}/{label}": share
            for name, critic in critics.items()
            for label, share in training.class_accuracies(
                confusions[name], critic.classes
            ).items()
        }

    runs.train(
        run,
        num_steps=config.num_steps,
        batches=batches,
        train_step=train_step,
        variables={
            **{name: critic.variables for name, critic in critics.items()},
            **{f"{n}_optimizer": o.variables for n, o in optimizers.items()},
        },
        evaluate=evaluate,
        evaluation_interval=200,
    )
    for name, critic in critics.items():
        critic.save(config.run_dir / f"{name}.keras")
    results = json.loads((run.path / "results.json").read_text())
    run.log(f"held-out: {results}")


def _gather(config, corpus, split, rows):
    prose, _ = readers.read_poems(config.paragraphs)
    return material.gather_material(
        corpus,
        split,
        rows,
        [text.text for text in prose if text.split == split],
        max_tokens=config.max_tokens,
        max_unknown=config.max_unknown,
        min_similarity=config.min_similarity,
    )


def _sample(config, generator, texts, subjects, number, batch_size=250):
    """Which pairs the samples are for, and the samples."""
    random = np.random.default_rng((config.seed, number))
    chosen = random.integers(len(texts.pair_images), size=config.num_samples)
    if number:
        chosen = chosen[:1000]

    @tf.function(reduce_retracing=True)
    def write(photograph, uniform):
        return sample_poems(generator, photograph, config.max_tokens, uniform)

    written = []
    for some in np.array_split(chosen, max(1, len(chosen) // batch_size)):
        photograph = take(subjects, texts.pair_images[some])
        uniform = random.random((len(some), config.max_tokens), np.float32)
        written.append(write(photograph, uniform).numpy())
    return chosen, np.concatenate(written)


def _build(config, corpus, poem_tower):
    """The discriminators; they begin with the joint space's word vectors.

    The multi-modal one keeps them: with 31,000 pairs it would learn those by
    heart. The others need to learn the order of words, and train them.
    """
    vocabulary = corpus.vocabulary
    size, marks = len(vocabulary), vocabulary.mark_ids()
    vectors = _narrow(
        np.array(poem_tower.get_layer("word_vectors").embeddings),
        config.word_dim or poem_tower.word_dim,
    )
    dims = (vectors.shape[1], config.hidden_dim)
    critics = {
        "multimodal": multimodal.MultimodalDiscriminator(
            size, marks, poem_tower.embedding_dim, *dims, config.pair_dropout
        ),
        "poem_style": poem_style.PoemStyleDiscriminator(
            size, marks, *dims, dropout=config.dropout
        ),
        "real_or_generated": poem_style.PoemStyleDiscriminator(
            size, marks, *dims, poem_style.REAL_OR_GENERATED, config.dropout
        ),
    }
    for name, critic in critics.items():
        words = critic.get_layer("token_embedding")
        words.embeddings.assign(vectors)
        words.trainable = name != "multimodal"
    return critics


def _narrow(vectors, width):
    """What is left of vectors along their `width` longest directions."""
    if width == vectors.shape[1]:
        return vectors
    directions = np.linalg.svd(vectors, full_matrices=False)[2]
    return vectors @ directions[:width].T


def _batch(texts, samples, chosen, seen, random):
    pairs, generated = samples[0][chosen], samples[1][chosen]
    image_embedding = seen[texts.pair_images[pairs]]
    human = texts.style_batch(len(chosen), random)
    return {
        "multimodal": material.multimodal_batch(
            image_embedding, texts.pair_batch(pairs, random), generated
        ),
        "poem_style": material.style_batch(human, generated, 4),
        "real_or_generated": material.style_batch(human, generated, 2),
    }


def _hold_out(texts, samples, seen):
    """One batch of all held-out samples, the same each time."""
    everything = np.arange(len(samples[0]))
    return _batch(texts, samples, everything, seen, np.random.default_rng(0))


def _judge(critics, batch):
    """Confusion matrices, and accuracies on human texts."""
    confusions, results = {}, {}
    for name, critic in critics.items():
        inputs, labels = batch[name]
        logits = critic.predict(inputs, batch_size=256, verbose=0)
        confusions[name] = training.confusion_matrix(logits, labels).numpy()
        confusions[name] = confusions[name].tolist()
        human = labels < len(critic.classes) - 1
        for of, some in (("all", logits), ("human", logits[:, :-1])):
            right = np.argmax(some, axis=1) == labels
            results[f"{name}, human texts, of {of} classes"] = float(
                right[human].mean()
            )
    return confusions, results


def _by_cosine(inputs, labels, poem_tower):
    """How well paired and unpaired are told apart without a discriminator."""
    human = labels < 2
    places = poem_tower.predict(inputs["token_ids"][human], 256, verbose=0)
    cosine = (places * inputs["image_embedding"][human]).sum(axis=1)
    is_paired = cosine > np.median(cosine)
    return float((is_paired == (labels[human] == 0)).mean())


if __name__ == "__main__":
    main(runs.parse_config(Config))
