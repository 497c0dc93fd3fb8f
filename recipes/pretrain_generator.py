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

from visualpoet import distribution
from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus.prepared import VOCABULARY_FILE
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.corpus.words import ARCHAIC
from visualpoet.embedding.clues import weigh_clues
from visualpoet.embedding.encoders import load_towers
from visualpoet.embedding.photographs import IMAGE_INPUTS
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.embedding.photographs import replace_by_folds
from visualpoet.features.store import feature_files
from visualpoet.features.store import load_features
from visualpoet.generator import corpus_examples
from visualpoet.generator import examples
from visualpoet.generator import perplexity
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.teacher_forcing import count_tokens
from visualpoet.generator.training import iterate_batches
from visualpoet.generator.training import make_loss
from visualpoet.optimization import make_train_step
from visualpoet.optimization import warm_up_and_decay
from visualpoet.run_options import option


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
    folds: tuple[pathlib.Path, ...] = option(
        (),
        "outputs of train_embedding.py with a fold left out each, in their "
        "order: training photographs are seen as new ones are",
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
    pair_share: float = option(0.0, "share of batches that are pairs")
    form_exponent: float = option(
        0.7, "share of a form: its poems to this power; 1 in proportion"
    )
    min_similarity: float = option(0.3, "of a pair, to be learnt from")
    extra_pairs: int = option(
        4, "nearest excerpts of each photograph, added to the pairs (liu18)"
    )
    max_unknown: float = option(0.1, "share of unknown words of a poem")
    leave_out: tuple[str, ...] = option(
        ARCHAIC, "excerpts with these words are not learnt from; pairs stay"
    )
    batch_size: int = option(128, "poems a batch")
    max_tokens: int = option(100, "tokens of a poem, START and END included")
    num_steps: int = option(8000, "train steps")
    learning_rate: float = option(2e-3, "Adam, warmed up, cosine to zero")
    warmup_steps: int = option(400, "train steps of warming up")
    ema_momentum: float = option(
        0.999, "of the average of the weights, which is what is saved"
    )
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
    distribution.connect()
    keras.utils.set_random_seed(config.seed)
    run = runs.RunDirectory(config.run_dir, config, _inputs(config))
    corpus = load_corpus(config.corpus_dir)
    image_tower, poem_tower = load_towers(config.embedding_dir)
    images, image_embeddings = _embed_photographs(config, corpus, image_tower)
    conditioning = _build_conditioning(config, corpus, poem_tower)
    sources, shares = _train_examples(
        config, corpus, poem_tower, images, image_embeddings
    )
    _log_examples(run, corpus, images, sources, shares)
    checked = _validation_examples(
        config, corpus, images, image_embeddings, conditioning
    )

    if config.mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")
    with distribution.scope():
        generator = _build_generator(config, corpus, image_embeddings.shape[1])
        optimizer = _build_optimizer(config)
    spec = examples.element_spec(
        image_embeddings.shape[1], conditioning.num_clues
    )
    score = perplexity.make_score(generator, spec)
    runs.train(
        run,
        num_steps=config.num_steps,
        batches=lambda start: iterate_batches(
            sources,
            shares,
            config.batch_size,
            conditioning,
            config.seed,
            start,
            spec,
        ),
        train_step=make_train_step(
            make_loss(generator, optimizer, config.sampled_tokens, config.seed),
            generator.trainable_variables,
            optimizer,
            spec,
            weight=lambda batch: count_tokens(batch["token_ids"]),
        ),
        variables={
            "generator": generator.variables,
            "optimizer": optimizer.variables,
        },
        evaluate=lambda: _evaluate(score, checked, generator, optimizer),
        evaluation_interval=1000,
    )
    optimizer.finalize_variable_values(generator.trainable_variables)
    generator.save(run.path / "generator.keras")


def _inputs(config):
    given = corpus_files(config.corpus_dir)
    given += feature_files(config.features_dir)
    given += sorted(config.embedding_dir.glob("*.keras"))
    given += [folder / "image_tower.keras" for folder in config.folds]
    if config.start_from:
        before = pathlib.Path(config.start_from)
        runs.check_same_input(before, config.corpus_dir / VOCABULARY_FILE)
        given.append(before)
    return given


# --- the generator


def _build_generator(config, corpus, image_dim):
    if config.start_from:
        before = keras.saving.load_model(config.start_from)
        _check_same_sizes(config, before.get_config())
        changed = before.get_config() | {"dropout": config.dropout}
        generator = PoemGenerator.from_config(changed)
        generator.set_weights(before.get_weights())
        return generator
    return PoemGenerator(
        len(corpus.vocabulary),
        config.embedding_dim,
        config.hidden_dim,
        image_dim,
        config.conditioning,
        config.dropout,
        corpus.forms(),
    )


def _check_same_sizes(config, before):
    for name in ("embedding_dim", "hidden_dim", "conditioning"):
        given = getattr(config, name)
        if given != before[name]:
            raise ValueError(
                f"expected --{name.replace('_', '-')} {before[name]}, as "
                f"{config.start_from} has. Received: {given}"
            )


def _build_optimizer(config):
    return keras.optimizers.Adam(
        warm_up_and_decay(
            config.learning_rate, config.num_steps, config.warmup_steps
        ),
        global_clipnorm=config.clip_norm,
        use_ema=True,
        ema_momentum=config.ema_momentum,
    )


# --- what it learns from, and what it is checked on


def _build_conditioning(config, corpus, poem_tower):
    clue_weights = weigh_clues(corpus.vocabulary, poem_tower)
    if config.conditioning == "first_state":  # it always sees its photograph
        return examples.ConditioningDropout(
            clue_weights, no_photograph=0.0, no_image=0.0
        )
    return examples.ConditioningDropout(clue_weights)


def _embed_photographs(config, corpus, image_tower):
    """Rows of the photographs, and their embeddings."""
    features = load_features(config.features_dir)
    images, image_embeddings = embed_photographs(
        features, list(corpus.photographs), config.image_input, image_tower
    )
    replace_by_folds(image_embeddings, images, features, corpus, config.folds)
    return images, image_embeddings


def _excerpts(config, corpus, split, image_dim):
    return corpus_examples.excerpt_examples(
        corpus,
        split,
        image_dim,
        config.max_tokens,
        config.max_unknown,
        config.leave_out,
    )


def _pairs(config, corpus, split, images, image_embeddings):
    pairs = corpus.select_pairs(split, images, config.min_similarity)
    return corpus_examples.pair_examples(
        corpus, pairs, images, image_embeddings, config.max_tokens
    )


def _train_examples(config, corpus, poem_tower, images, image_embeddings):
    """Sources of poems and of pairs, and their shares."""
    poems = _excerpts(config, corpus, "train", image_embeddings.shape[1])
    pairs = _pairs(config, corpus, "train", images, image_embeddings)
    if config.own_place:
        poems, pairs = corpus_examples.place_excerpts(
            poems,
            pairs,
            _pairs(config, corpus, "validation", images, image_embeddings),
            poem_tower,
            [images[n] for n in corpus.images("train") if n in images],
            config.extra_pairs,
        )
    poems, pairs = examples.by_form(poems), examples.by_form(pairs)
    shares = [
        (1 - config.pair_share) * examples.balance(poems, config.form_exponent),
        config.pair_share * examples.balance(pairs, config.form_exponent),
    ]
    return poems + pairs, np.concatenate(shares)


def _log_examples(run, corpus, images, sources, shares):
    missing = sum(pair.image not in images for pair in corpus.pairs)
    if missing:
        run.log(
            f"{missing} of {len(corpus.pairs)} pairs name photographs without "
            "features and are left out"
        )
    forms = ["", *corpus.forms()]
    for source, share in zip(sources, shares):
        ids = source.token_ids
        kind = "pairs" if any(source.descriptions) else "poems"
        form = forms[source.forms[0]] if len(ids) else ""
        run.log(
            f"{len(ids)} {form} {kind} of {sum(map(len, ids))} tokens, "
            f"{share:.1%} of batches"
        )


def _validation_examples(
    config, corpus, images, image_embeddings, conditioning
):
    """Sources by name, each with what is shown of the photograph."""
    poems = _excerpts(config, corpus, "validation", image_embeddings.shape[1])
    pairs, described = (
        _pairs(config, part, "validation", images, image_embeddings)
        for part in (corpus, _leave_undescribed_out(corpus))
    )
    nothing = dataclasses.replace(conditioning, no_photograph=1.0)
    everything = dataclasses.replace(
        conditioning, own_clues=0, no_photograph=0, no_image=0, no_clues=0
    )
    no_clues = dataclasses.replace(everything, no_clues=1.0)
    forms = ["", *(f"/{form}" for form in corpus.forms())]
    return {
        name + forms[source.forms[0]]: (source, shown)
        for name, whole, shown in (
            ("no_photograph", poems, nothing),
            ("photograph", pairs, no_clues),
            ("photograph_and_captions", described, everything),
        )
        for source in examples.by_form(whole)
        if len(source.token_ids)
    }


def _leave_undescribed_out(corpus):
    """Without pairs whose poems are all that is known of the photograph."""
    photographs = corpus.photographs
    pairs = [
        pair
        for pair in corpus.pairs
        if photographs[pair.image].captions or photographs[pair.image].label
    ]
    return dataclasses.replace(corpus, pairs=pairs)


def _evaluate(score, checked, generator, optimizer):
    """Perplexities of the averaged weights."""
    variables = generator.trainable_variables
    held = [variable.numpy() for variable in variables]
    optimizer.finalize_variable_values(variables)
    found = {
        f"perplexity/{name}": perplexity.measure_perplexity(score, *source)
        for name, source in checked.items()
    }
    for variable, value in zip(variables, held):
        variable.assign(value)
    return found


if __name__ == "__main__":
    main(run_options.parse_config(Config))
