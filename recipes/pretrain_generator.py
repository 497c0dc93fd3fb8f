"""Pre-train the poem generator with teacher forcing (liu18).

First on poems, each written for its own place in the joint space:

    python recipes/pretrain_generator.py --run-dir out/generator_poems

then on pairs, poems mixed in:

    python recipes/pretrain_generator.py --run-dir out/generator \
        --start-from out/generator_poems/generator.keras --pair-share 0.5 \
        --learning-rate 5e-4
"""

import dataclasses
import pathlib

import keras
import numpy as np
import tensorflow as tf

from visualpoet import runs
from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import VOCABULARY_FILE
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.embedding import retrieval
from visualpoet.embedding.clues import clue_mask
from visualpoet.embedding.encoders import embed_token_ids
from visualpoet.embedding.encoders import load_towers
from visualpoet.embedding.photographs import IMAGE_INPUTS
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.features.store import feature_files
from visualpoet.features.store import load_features
from visualpoet.generator import examples
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.teacher_forcing import sampled_loss
from visualpoet.generator.teacher_forcing import teacher_forced_loss
from visualpoet.generator.teacher_forcing import token_losses
from visualpoet.optimization import make_train_step
from visualpoet.runs import option


@dataclasses.dataclass(frozen=True)
class Config:
    """Pre-train the poem generator with teacher forcing."""

    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    features_dir: pathlib.Path = option(
        pathlib.Path("out/features"),
        "experts: output of extract_features.py with train_expert.py's in it; "
        "small encoder: output of distill_visual_encoder.py",
    )
    embedding_dir: pathlib.Path = option(
        pathlib.Path("out/embedding"), "output of train_embedding.py"
    )
    start_from: str = option("", "generator.keras to start from, or empty")
    run_dir: pathlib.Path = option(pathlib.Path("out/generator"), "output")
    embedding_dim: int = option(320, "width of the token embedding")
    hidden_dim: int = option(640, "width of the GRU; liu18 512")
    conditioning: str = option("clues", "first_state, every_step or clues")
    image_input: str = option(
        "joint", "what is given of a photograph: joint, object or experts"
    )
    own_place: bool = option(
        True, "poems are written for their own place in the joint space"
    )
    dropout: float = option(0.1, "share of units left out")
    noise: float = option(1.0, "moves a poem's own place, relative to 1")
    pair_share: float = option(0.0, "share of batches that are pairs")
    min_similarity: float = option(0.3, "of a pair, to be learnt from")
    extra_pairs: int = option(
        4, "nearest excerpts of each photograph, added to the pairs (liu18)"
    )
    max_unknown: float = option(0.1, "share of unknown words of a poem")
    leave_out: tuple[str, ...] = option(
        ("thee", "thou", "thy", "thine", "hath", "doth"),
        "poems with these words are not learnt from",
    )
    batch_size: int = option(128, "poems a batch")
    max_tokens: int = option(100, "tokens of a poem, START and END included")
    num_steps: int = option(8000, "train steps")
    learning_rate: float = option(2e-3, "Adam, warmed up, cosine to zero")
    warmup_steps: int = option(400, "train steps of warming up")
    clip_norm: float = option(1.0, "largest norm of the gradient")
    sampled_tokens: int = option(
        2048, "tokens to normalise over in training; 0: the whole vocabulary"
    )
    mixed_precision: bool = option(
        True, "bfloat16 products, about twice as fast on recent CPUs"
    )
    seed: int = option(0, "of Python, NumPy and TensorFlow")
    resume: bool = option(False, "go on with the run in --run-dir")

    def __post_init__(self):
        if not 0 <= self.pair_share <= 1:
            raise ValueError(
                f"expected --pair-share in [0, 1]. Received: {self.pair_share}"
            )
        if self.image_input not in IMAGE_INPUTS:
            raise ValueError(
                f"expected an --image-input of {IMAGE_INPUTS}. "
                f"Received: {self.image_input}"
            )
        if self.own_place and self.image_input != "joint":
            raise ValueError(
                "expected --no-own-place with an --image-input other than "
                "joint: poems have no features. Received: --image-input "
                f"{self.image_input}"
            )
        if self.extra_pairs and not self.own_place:
            raise ValueError(
                "expected --extra-pairs 0 with --no-own-place: the nearest "
                f"poems need places. Received: {self.extra_pairs}"
            )


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    keras.utils.set_random_seed(config.seed)
    inputs = corpus_files(config.corpus_dir)
    inputs += feature_files(config.features_dir)
    inputs += sorted(config.embedding_dir.glob("*.keras"))
    inputs += [pathlib.Path(config.start_from)] if config.start_from else []
    if config.start_from:
        runs.check_same_input(
            pathlib.Path(config.start_from), config.corpus_dir / VOCABULARY_FILE
        )
    run = runs.RunDirectory(config.run_dir, config, inputs)
    corpus = load_corpus(config.corpus_dir)
    image_tower, poem_tower = load_towers(config.embedding_dir)
    images, image_embeddings = embed_photographs(
        load_features(config.features_dir),
        list(corpus.photographs),
        config.image_input,
        image_tower,
    )
    conditioning = examples.ConditioningDropout(
        _clue_weights(corpus, poem_tower)
    )
    sources = _train_examples(
        config, corpus, poem_tower, images, image_embeddings
    )
    _log_examples(run, corpus, images, *sources)
    checked = _validation_examples(
        config, corpus, images, image_embeddings, conditioning
    )

    if config.mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")
    generator = _build_generator(config, corpus, image_embeddings.shape[1])
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(
            0.0,
            config.num_steps - config.warmup_steps,
            warmup_target=config.learning_rate,
            warmup_steps=config.warmup_steps,
        ),
        global_clipnorm=config.clip_norm,
    )
    spec = examples.element_spec(
        image_embeddings.shape[1], conditioning.num_clues
    )

    def batches(start):
        return iter(
            datasets.batch_dataset(
                lambda: examples.mixed_batches(
                    sources,
                    [1 - config.pair_share, config.pair_share],
                    config.batch_size,
                    conditioning,
                    config.seed,
                    start,
                ),
                spec,
            )
        )

    score = tf.function(
        lambda batch: token_losses(
            _forward(generator, generator, batch, False), batch["token_ids"]
        ),
        input_signature=[spec],
    )
    runs.train(
        run,
        num_steps=config.num_steps,
        batches=batches,
        train_step=make_train_step(
            _loss(config, generator, optimizer),
            generator.trainable_variables,
            optimizer,
            spec,
        ),
        variables={
            "generator": generator.variables,
            "optimizer": optimizer.variables,
        },
        evaluate=lambda: {
            f"perplexity/{name}": _perplexity(score, *source)
            for name, source in checked.items()
        },
        evaluation_interval=500,
    )
    generator.save(config.run_dir / "generator.keras")


# --- the generator and its update


def _build_generator(config, corpus, image_dim):
    if config.start_from:
        return keras.saving.load_model(config.start_from)
    return PoemGenerator(
        len(corpus.vocabulary),
        config.embedding_dim,
        config.hidden_dim,
        image_dim,
        config.conditioning,
        config.dropout,
    )


def _forward(generator, view, batch, training):
    inputs = {name: batch[name] for name in generator.input}
    inputs["token_ids"] = batch["token_ids"][:, :-1]
    return view(inputs, training=training)


def _loss(config, generator, optimizer):
    def loss(batch):
        if not config.sampled_tokens:
            logits = _forward(generator, generator, batch, True)
            return teacher_forced_loss(logits, batch["token_ids"])
        step = tf.cast(optimizer.iterations, tf.int32)
        return sampled_loss(
            _forward(generator, generator.hidden_view, batch, True),
            generator.get_layer("token_embedding").embeddings.value,
            batch["token_ids"],
            config.sampled_tokens,
            tf.stack([config.seed, step]),
        )

    return loss


# --- what it learns from, and what it is checked on


def _framed(config, corpus, split):
    return datasets.frame_poems(
        corpus.vocabulary,
        corpus.texts(split),
        config.max_tokens,
        config.max_unknown,
        config.leave_out,
    )


def _train_examples(config, corpus, poem_tower, images, image_embeddings):
    poems = _framed(config, corpus, "train")
    if config.own_place:
        places = embed_token_ids(poem_tower, poems)
        poem_examples = examples.Examples(
            poems, places, np.arange(len(poems)), config.noise
        )
    else:
        poem_examples = _without_photograph(poems, image_embeddings.shape[1])
    pair_examples = _pair_examples(
        config, corpus, "train", images, image_embeddings
    )
    if config.extra_pairs:
        pair_examples = _add_nearest(
            config, pair_examples, poem_examples, corpus, images
        )
    return [poem_examples, pair_examples]


def _without_photograph(poems, image_dim):
    nothing = np.zeros([1, image_dim], np.float16)
    return examples.Examples(poems, nothing, np.zeros(len(poems), int), 0.0)


def _log_examples(run, corpus, images, poem_examples, pair_examples):
    missing = sum(pair.image not in images for pair in corpus.pairs)
    if missing:
        run.log(
            f"{missing} of {len(corpus.pairs)} pairs name photographs without "
            "features and are left out"
        )
    poems = poem_examples.token_ids
    run.log(
        f"{len(poems)} poems of {sum(map(len, poems))} tokens, "
        f"{len(pair_examples.token_ids)} pairs"
    )


def _validation_examples(
    config, corpus, images, image_embeddings, conditioning
):
    return {
        "no_photograph": (
            _without_photograph(
                _framed(config, corpus, "validation"),
                image_embeddings.shape[1],
            ),
            dataclasses.replace(conditioning, no_photograph=1.0),
        ),
        "photograph": (
            _pair_examples(
                config, corpus, "validation", images, image_embeddings
            ),
            dataclasses.replace(
                conditioning, no_photograph=0.0, no_image=0.0, no_clues=1.0
            ),
        ),
    }


def _perplexity(score, source, conditioning, batch_size=128):
    if not len(source.token_ids):
        return float("nan")
    totals, counts = [], []
    order = examples.choose_for_measuring(source.token_ids, 2048)
    for chosen in np.split(order, range(batch_size, len(order), batch_size)):
        batch = examples.make_batch(
            source, chosen, conditioning, np.random.default_rng(0)
        )
        total, count = score(batch)
        totals.append(float(total))
        counts.append(float(count))
    return float(np.exp(sum(totals) / max(sum(counts), 1)))


def _pair_examples(config, corpus, split, images, image_embeddings):
    pairs = corpus.select_pairs(split, images, config.min_similarity)
    ids = corpus.vocabulary.encode_batch([pair.poem.text for pair in pairs])
    return examples.Examples(
        [datasets.frame(poem, config.max_tokens) for poem in ids],
        image_embeddings,
        np.array([images[pair.image] for pair in pairs], int),
        0.0,
    )


def _add_nearest(config, pairs, poems, corpus, images):
    train = [n for n in corpus.images("train") if n in images]
    rows = np.array([images[name] for name in train])
    queries = pairs.image_embeddings[rows].astype(np.float32)
    image_embeddings = poems.image_embeddings.astype(np.float32)
    nearest = retrieval.nearest(queries, image_embeddings, config.extra_pairs)
    added = [poems.token_ids[index] for index in nearest.ravel()]
    return examples.Examples(
        [*pairs.token_ids, *added],
        pairs.image_embeddings,
        np.concatenate([pairs.image_rows, np.repeat(rows, config.extra_pairs)]),
        0.0,
    )


def _clue_weights(corpus, poem_tower):
    log_weights = poem_tower.get_layer("log_weights").embeddings.numpy()
    usable = clue_mask(corpus.vocabulary)
    return np.exp(log_weights[:, 0]) * usable


if __name__ == "__main__":
    main(runs.parse_config(Config))
