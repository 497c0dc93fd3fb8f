"""Pre-train a discriminator on human texts and first samples (liu18).

    python recipes/pretrain_discriminator.py --discriminator poem_style \
        --run-dir out/discriminators/poem_style \
        --generator out/generator/generator.keras --paragraphs PARAGRAPHS.jsonl

Multi-modal and poem-style as in the paper, and the single real-or-generated
one of SeqGAN, for the comparison. Each has a folder of its own; the folder of
those folders is what `train_adversarial.py` takes.
"""

import dataclasses
import json
import pathlib

import keras
import numpy as np

from visualpoet import distribution
from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import readers
from visualpoet.corpus.prepared import VOCABULARY_FILE
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.corpus.words import ARCHAIC
from visualpoet.discriminators import gathering
from visualpoet.discriminators import material
from visualpoet.discriminators import tasks
from visualpoet.discriminators import training
from visualpoet.embedding.encoders import load_towers
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.features.store import feature_files
from visualpoet.features.store import load_features
from visualpoet.generator.generator_inputs import prepare_generator_inputs
from visualpoet.generator.poem_generator import PoemGenerator  # noqa: F401
from visualpoet.generator.poem_sampling import sample_rows
from visualpoet.run_options import option

_OF_HUMAN = "human texts, of human classes"


@dataclasses.dataclass(frozen=True)
class Config:
    """Pre-train a discriminator on human texts and first samples."""

    discriminator: str = option(
        "poem_style", "or multimodal, or real_or_generated (SeqGAN)"
    )
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
    run_dir: pathlib.Path = option(
        pathlib.Path("out/discriminators/poem_style"), "output"
    )
    word_dim: int = option(
        0, "width of the word vectors; 0: as wide as the poem tower's"
    )
    hidden_dim: int = option(256, "width of the GRU and of the product")
    dropout: float = option(
        0.1, "share of units left out; the multi-modal one needs 0.5"
    )
    form: str = option("", "of the poems, if the generator has learnt forms")
    max_tokens: int = option(
        48, "tokens of a text, START and END included; no longer poem is read"
    )
    max_unknown: float = option(0.1, "share of unknown words of a text")
    leave_out: tuple[str, ...] = option(
        ARCHAIC, "no poetic poem has these words; those of the generator's run"
    )
    min_similarity: float = option(0.3, "of a pair, to count as one")
    caption_share: float = option(
        0.0, "of the multi-modal one's pairs, captions cut like poems"
    )
    hard_negatives: int = option(
        1,
        "others drawn for each photograph; the poem of the nearest of them is "
        "unpaired",
    )
    num_samples: int = option(6000, "poems of the generator, written once")
    batch_size: int = option(128, "texts of each class a batch")
    num_steps: int = option(1200, "train steps")
    learning_rate: float = option(2e-3, "Adam, cosine to zero")
    seed: int = option(0, "of Python, NumPy and TensorFlow")
    resume: bool = option(False, "go on with the run in --run-dir")

    def __post_init__(self):
        if self.discriminator not in tasks.NAMES:
            raise ValueError(
                f"expected a --discriminator of {tasks.NAMES}. "
                f"Received: {self.discriminator!r}"
            )
        readers = [t.name for t in tasks.TASKS if t.draw is tasks.draw_pairs]
        is_plain = self.draws == material.PairDraws()
        if not is_plain and self.discriminator not in readers:
            raise ValueError(
                "expected --caption-share and --hard-negatives with "
                f"--discriminator {' or '.join(readers)} only: the others read "
                f"no pairs. Received: {self.discriminator}"
            )
        if self.hard_negatives < 1:
            raise ValueError(
                "expected --hard-negatives of 1 or more. Received: "
                f"{self.hard_negatives}"
            )

    @property
    def draws(self) -> material.PairDraws:
        """How pairs are drawn."""
        return material.PairDraws(self.caption_share, self.hard_negatives)

    @property
    def task(self) -> tasks.Task:
        """What the discriminator is to tell apart."""
        return tasks.find_task(self.discriminator)


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    distribution.connect()
    keras.utils.set_random_seed(config.seed)
    runs.check_same_input(config.generator, config.corpus_dir / VOCABULARY_FILE)
    given = [config.paragraphs, config.generator]
    inputs = [
        *corpus_files(config.corpus_dir),
        *feature_files(config.features_dir),
        *sorted(config.embedding_dir.glob("**/*.keras")),
        *(path for path in given if path.is_file()),
    ]
    run = runs.RunDirectory(config.run_dir, config, inputs)
    corpus = load_corpus(config.corpus_dir)
    image_tower, poem_tower = load_towers(config.embedding_dir)
    train, held_out = _gather_texts(config, corpus, image_tower, poem_tower)
    run.log(f"{len(train.samples)} samples to learn from")
    with distribution.scope():
        discriminator = training.build_discriminator(
            config.task,
            corpus.vocabulary,
            poem_tower,
            config.hidden_dim,
            config.dropout,
            config.word_dim,
        )
        given = training.prepare_discriminator(
            config.task,
            discriminator,
            keras.optimizers.schedules.CosineDecay(
                config.learning_rate, config.num_steps
            ),
        )
    runs.train(
        run,
        num_steps=config.num_steps,
        batches=lambda start: _batches(config, train, start),
        train_step=lambda batch: given.train_step(batch)[0],
        variables={
            config.discriminator: discriminator.variables,
            "optimizer": given.optimizer.variables,
        },
        evaluate=_evaluation(config, run, discriminator, held_out, poem_tower),
        evaluation_interval=200,
    )
    discriminator.save(run.path / f"{config.discriminator}.keras")
    results = json.loads((run.path / "results.json").read_text())
    run.log(f"held-out: {results}")


@dataclasses.dataclass(frozen=True)
class _Texts:
    """What a discriminator reads of one split.

    Attributes:
        task: What it is to tell apart.
        human: Texts of human hand.
        pairs: int `[S]`; for which pair each sample was written.
        samples: int `[S, T]`, poems of the generator.
    """

    task: tasks.Task
    human: material.Material
    pairs: np.ndarray
    samples: np.ndarray

    def batch(self, chosen, draws, rng):
        """Inputs and labels: the chosen samples, as many of each class."""
        pairs, generated = self.pairs[chosen], self.samples[chosen]
        texts = self.task.draw(self.human, pairs, draws, rng)
        images = self.human.image_embeddings[self.human.pair_images[pairs]]
        return self.task.make_batch(texts, generated, images, draws)


def _gather_texts(config, corpus, image_tower, poem_tower):
    """Texts to learn from, and held-out ones."""
    rows, image_embeddings = embed_photographs(
        load_features(config.features_dir),
        list(corpus.photographs),
        "joint",
        image_tower,
    )
    generator = keras.saving.load_model(config.generator)
    generator_inputs = prepare_generator_inputs(
        generator, image_embeddings, config.embedding_dir, config.form
    )
    texts = []
    for number, split in enumerate(("train", "validation")):
        human = _gather(config, corpus, split, rows, image_embeddings)
        samples = _sample(config, generator, human, generator_inputs, number)
        texts.append(_Texts(config.task, human, *samples))
    return texts


def _batches(config, texts, start):
    for step in range(start, config.num_steps):
        rng = np.random.default_rng((config.seed, step))
        chosen = rng.integers(len(texts.samples), size=config.batch_size)
        yield texts.batch(chosen, config.draws, rng)


def _evaluation(config, run, discriminator, texts, poem_tower):
    """What to call for the accuracies on all held-out samples."""
    everything = np.arange(len(texts.samples))

    def draw(**draws):
        given = material.PairDraws(**draws)
        return texts.batch(everything, given, np.random.default_rng(0))

    inputs, labels = draw()
    further = {}
    if config.caption_share:
        further["captions for poems"] = draw(caption_share=1.0)
    if config.hard_negatives > 1:
        hard = draw(hard_negatives=config.hard_negatives)
        further["hard negatives"] = hard
    floor = config.task.measure_floor(inputs, labels, poem_tower)

    def evaluate():
        confusion, results = _classify(discriminator, inputs, labels)
        run.write_json("confusion.json", {config.discriminator: confusion})
        for name, batch in further.items():
            of_human = _classify(discriminator, *batch)[1][_OF_HUMAN]
            results[f"human texts, {name}"] = of_human
        run.write_json("results.json", results | floor)
        return training.class_accuracies(confusion, discriminator.classes)

    return evaluate


def _gather(config, corpus, split, rows, image_embeddings):
    prose, _ = readers.read_poems(config.paragraphs)
    return gathering.gather_material(
        corpus,
        split,
        rows,
        image_embeddings,
        [text.text for text in prose if text.split == split],
        max_tokens=config.max_tokens,
        max_unknown=config.max_unknown,
        min_similarity=config.min_similarity,
        leave_out=config.leave_out,
        form=config.form,
    )


def _sample(config, generator, texts, generator_inputs, number):
    """Which pairs the samples are for, and the samples."""
    rng = np.random.default_rng((config.seed, number))
    chosen = rng.integers(len(texts.pair_images), size=config.num_samples)
    if number:
        chosen = chosen[:1000]
    rows = texts.pair_images[chosen]
    return chosen, sample_rows(
        generator, generator_inputs, rows, config.max_tokens, rng
    )


def _classify(discriminator, inputs, labels):
    """Confusion matrix, and accuracies on human texts."""
    logits = discriminator.predict(inputs, batch_size=256, verbose=0)
    confusion = training.confusion_matrix(logits, labels).numpy().tolist()
    human = labels < len(discriminator.classes) - 1
    results = {}
    for name, part in (
        ("human texts, of all classes", logits),
        (_OF_HUMAN, logits[:, :-1]),
    ):
        right = np.argmax(part, axis=1) == labels
        results[name] = float(right[human].mean())
    return confusion, results


if __name__ == "__main__":
    main(run_options.parse_config(Config))
