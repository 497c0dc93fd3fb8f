"""Measure what a multi-modal discriminator pays for, before it is trained on.

    python recipes/measure_discriminator.py \
        --discriminator out/discriminators/multimodal/multimodal.keras \
        --generator out/generator/generator.keras

Some poems for each of some validation photographs: how the variance of the
reward within a photograph splits into who wrote and whether it goes with the
photograph, and whether the photograph gives away who wrote. A reward in which
`log_pairing` is small beside `log_human` teaches nothing of photographs.
"""

import dataclasses
import pathlib

import keras
import numpy as np

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import VOCABULARY_FILE
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.corpus.vocabulary import END
from visualpoet.discriminators import diagnostics
from visualpoet.discriminators import multimodal  # noqa: F401
from visualpoet.discriminators import rewards
from visualpoet.embedding.encoders import load_towers
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.features.store import load_features
from visualpoet.generator.generator_inputs import prepare_generator_inputs
from visualpoet.generator.poem_generator import PoemGenerator  # noqa: F401
from visualpoet.generator.poem_sampling import sample_rows
from visualpoet.generator.ranking import measure_clue_share
from visualpoet.run_options import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Measure what a multi-modal discriminator pays for."""

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
        "whose poems are judged",
    )
    discriminator: pathlib.Path = option(
        pathlib.Path("out/discriminators/multimodal/multimodal.keras"),
        "output of pretrain_discriminator.py or train_adversarial.py",
    )
    run_dir: pathlib.Path = option(
        pathlib.Path("out/discriminator_measured"), "output"
    )
    form: str = option("", "of the poems, if the generator has learnt forms")
    max_tokens: int = option(48, "tokens of a poem, START and END included")
    max_unknown: float = option(0.1, "share of unknown words of a human poem")
    num_photographs: int = option(200, "most photographs of validation")
    num_samples: int = option(12, "poems for each")
    seed: int = option(0, "of the poems")
    resume: bool = option(False, "measure again into --run-dir")


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    runs.check_same_input(config.generator, config.corpus_dir / VOCABULARY_FILE)
    given = [config.generator, config.discriminator]
    inputs = [*corpus_files(config.corpus_dir), *given]
    run = runs.RunDirectory(config.run_dir, config, inputs)
    corpus = load_corpus(config.corpus_dir)
    features = load_features(config.features_dir)
    pairs = _choose_pairs(config, corpus, features)
    generator = keras.saving.load_model(config.generator)
    discriminator = keras.saving.load_model(config.discriminator)
    generator_inputs = _prepare(config, generator, features, pairs)
    seen = generator_inputs["image_embedding"]
    samples = _sample(config, generator, generator_inputs)
    own, other = (
        _judge(discriminator, samples, beside)
        for beside in (seen, np.roll(seen, 1, axis=0))
    )
    results = {
        "photographs": len(pairs),
        "samples": diagnostics.decompose(own, other),
        "variance": diagnostics.variances(own),
        "human": _judge_human(config, corpus, discriminator, pairs, seen),
    }
    if "clue_ids" in generator_inputs:
        results["correlation_with_clue_share"] = _correlate(
            samples, generator_inputs["clue_ids"], own
        )
    for name, value in results.items():
        run.log(f"{name}: {value}")
    run.write_json("results.json", results)


def _choose_pairs(config, corpus, features):
    """The best pair of each photograph."""
    pairs = corpus.select_pairs("validation", features["object"], 0.0)
    pairs = [p for p in pairs if config.form in ("", p.poem.form)]
    pairs = {p.image: p for p in sorted(pairs, key=lambda p: p.similarity)}
    return list(pairs.values())[: config.num_photographs]


def _prepare(config, generator, features, pairs):
    """Inputs of the generator for the photographs."""
    image_tower, _ = load_towers(config.embedding_dir)
    _, image_embeddings = embed_photographs(
        features, [pair.image for pair in pairs], "joint", image_tower
    )
    return prepare_generator_inputs(
        generator, image_embeddings, config.embedding_dir, config.form
    )


def _sample(config, generator, generator_inputs):
    """Poems, int32 `[P, N, T]`."""
    count = len(generator_inputs["image_embedding"])
    samples = sample_rows(
        generator,
        generator_inputs,
        np.repeat(np.arange(count), config.num_samples),
        config.max_tokens,
        np.random.default_rng(config.seed),
    )
    return samples.reshape(count, config.num_samples, -1)


def _judge(discriminator, poems, seen):
    """Logits `[P, N, C]` of poems `[P, N, T]` beside photographs `[P, K]`."""
    count = poems.shape[1]
    logits = discriminator.predict(
        {
            "token_ids": poems.reshape(-1, poems.shape[-1]),
            "image_embedding": np.repeat(seen, count, axis=0),
        },
        batch_size=256,
        verbose=0,
    )
    return logits.reshape(len(poems), count, -1)


def _judge_human(config, corpus, discriminator, pairs, seen):
    """The same of the poems paired with them, those that training reads."""
    texts = corpus.vocabulary.encode_batch([pair.poem.text for pair in pairs])
    framed = [datasets.frame(text, config.max_tokens) for text in texts]
    known = datasets.mostly_known(texts, config.max_unknown)
    whole = [row for row in known if framed[row][-1] == END]
    if not whole:
        return {}
    poems = datasets.pad_token_ids([framed[row] for row in whole])[:, None]
    seen = seen[whole]
    other = np.roll(seen, 1, axis=0)
    return diagnostics.decompose(
        _judge(discriminator, poems, seen), _judge(discriminator, poems, other)
    )


def _correlate(samples, clue_ids, logits):
    """How the reward and its parts go with the share of clues in a poem."""
    clues = np.repeat(clue_ids, samples.shape[1], axis=0)
    shares = measure_clue_share(samples.reshape(len(clues), -1), clues)
    shares = shares.numpy().reshape(samples.shape[:2])
    pairing = rewards.pairing_probability(logits)
    human = rewards.human_probability(logits)
    return {
        name: diagnostics.correlate(np.asarray(part), shares)
        for name, part in (
            ("paired", pairing * human),
            ("pairing", pairing),
            ("human", human),
        )
    }


if __name__ == "__main__":
    main(run_options.parse_config(Config))
