"""Export the poet: one SavedModel from image bytes to poems.

python recipes/export.py --features-dir out/encoder \
        --embedding-dir out/embedding_small \
        --generator out/generator/generator.keras --model out/poet/1
"""

import dataclasses
import itertools
import json
import pathlib

import keras
import numpy as np

from visualpoet import run_options
from visualpoet import runs
from visualpoet.corpus import datasets
from visualpoet.corpus.prepared import corpus_files
from visualpoet.corpus.prepared import load_corpus
from visualpoet.discriminators import tasks
from visualpoet.embedding import retrieval
from visualpoet.embedding.clues import load_clue_head
from visualpoet.embedding.encoders import embed_token_ids
from visualpoet.embedding.encoders import load_towers
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.export import model_card
from visualpoet.export import serving_files
from visualpoet.export.poet_module import PoetModule
from visualpoet.export.savedmodel import export_poet
from visualpoet.export.stored_weights import EncoderFeatures
from visualpoet.features.experts import SENTIMENT_FILE
from visualpoet.features.experts import ExpertEnsemble
from visualpoet.features.store import feature_files
from visualpoet.features.store import load_features
from visualpoet.features.visual_encoder import VisualEncoder  # noqa: F401
from visualpoet.generator import forms
from visualpoet.generator.known_phrases import KnownPhrases
from visualpoet.generator.known_runs import KnownRuns
from visualpoet.generator.poem_generator import PoemGenerator  # noqa: F401
from visualpoet.generator.token_kinds import add_rules
from visualpoet.generator.token_kinds import sort_tokens
from visualpoet.run_options import option

ENCODER_FILE = "encoder.keras"
RANKING = (tasks.MULTIMODAL, tasks.POEM_STYLE)  # they help to rank


@dataclasses.dataclass(frozen=True)
class Config:
    """Export the poet: one SavedModel from image bytes to poems."""

    corpus_dir: pathlib.Path = option(
        pathlib.Path("out/corpus"), "output of prepare_corpus.py"
    )
    features_dir: pathlib.Path = option(
        pathlib.Path("out/encoder"),
        "small encoder: output of distill_visual_encoder.py; experts: output "
        "of extract_features.py with train_expert.py's in it",
    )
    embedding_dir: pathlib.Path = option(
        pathlib.Path("out/embedding_small"),
        "output of train_embedding.py for the same features, with "
        "train_clues.py's in it",
    )
    generator: pathlib.Path = option(
        pathlib.Path("out/generator/generator.keras"),
        "output of pretrain_generator.py",
    )
    discriminators_dir: str = option(
        "",
        "outputs of pretrain_discriminator.py, or output of "
        "train_adversarial.py; they help to rank; empty for none",
    )
    model: pathlib.Path = option(
        pathlib.Path("out/poet/1"), "version folder to write"
    )
    run_dir: pathlib.Path = option(
        pathlib.Path("out/export"), "output: what the version came of"
    )
    form: str = option(
        "", "that it writes by default; empty if the generator has learnt none"
    )
    patterns: tuple[str, ...] = option(
        (),
        "forms besides, with syllables and rhymes: of generator/forms.py: "
        "PATTERNS",
    )
    decoding: str = option(
        "",
        "JSON file of decoding options by form, the default one first; empty "
        "for those of generator/forms.py",
    )
    extra_pairs: int = option(
        4, "as pretrain_generator.py; such poems are known by heart"
    )
    resume: bool = option(
        False, "go on with the run in --run-dir; a version it wrote is kept"
    )


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    if not (config.run_dir / "config.json").exists():
        serving_files.refuse_existing(config.model)
    run = runs.RunDirectory(config.run_dir, config, _inputs(config))
    corpus = load_corpus(config.corpus_dir)
    encoder, visual_encoder = _load_encoder(config.features_dir)
    image_tower, poem_tower = load_towers(config.embedding_dir)
    clue_head = load_clue_head(config.embedding_dir)
    generator = keras.saving.load_model(config.generator)
    poems = datasets.frame_poems(
        corpus.vocabulary, corpus.texts("train"), max_tokens=200
    )
    options = _decoding(config, generator)
    kinds = sort_tokens(corpus.vocabulary, poems)
    if any(one.pattern.syllables for one in options.values()):
        patterns = {form: one.pattern for form, one in options.items()}
        kinds = add_rules(kinds, corpus.vocabulary, poems, patterns)
    discriminators = _load_discriminators(config.discriminators_dir)
    poet = PoetModule(
        visual_encoder,
        image_tower,
        poem_tower,
        generator,
        corpus.vocabulary,
        clue_head,
        kinds,
        options,
        discriminators,
        _known_runs(config, corpus, poems, kinds, image_tower, poem_tower),
        known_phrases=_known_phrases(corpus, options, kinds),
    )
    if not config.model.exists():
        lineage = run.describe_lineage()
        export_poet(poet, corpus.vocabulary, config.model, lineage)
    parameters = model_card.count_parameters(
        visual_encoder=encoder,
        image_tower=image_tower,
        poem_tower=poem_tower,
        clue_head=clue_head,
        generator=generator,
        **discriminators,
    )
    run.write_json("parameters.json", parameters)
    megabytes = model_card.measure_size(config.model) / 1e6
    run.log(f"{config.model}: {megabytes:.1f} MB")


def _inputs(config):
    given = [config.features_dir / ENCODER_FILE, config.generator]
    given += [pathlib.Path(config.decoding)] if config.decoding else []
    if config.discriminators_dir:
        folder = config.discriminators_dir
        given += [task.locate(folder) for task in RANKING]
    return [
        *corpus_files(config.corpus_dir),
        *feature_files(config.features_dir),
        *sorted(config.embedding_dir.glob("**/*.keras")),
        *(path for path in given if path.is_file()),
    ]


def _decoding(config, generator):
    if config.decoding:
        return forms.read_options(pathlib.Path(config.decoding))
    return forms.choose_options(generator.forms, config.form, config.patterns)


def _load_encoder(features_dir: pathlib.Path):
    """The small encoder, or the experts, whose features the folder holds."""
    if (features_dir / ENCODER_FILE).exists():
        encoder = keras.saving.load_model(features_dir / ENCODER_FILE)
        return encoder, EncoderFeatures(encoder)
    handles = json.loads((features_dir / "experts.json").read_text())["handles"]
    sentiment = keras.saving.load_model(features_dir / SENTIMENT_FILE)
    return sentiment, ExpertEnsemble(handles, sentiment)


def _known_runs(config, corpus, poems, kinds, image_tower, poem_tower):
    """Runs of the poems that pre-training repeats; None for letters.

    Those are the paired ones, the nearest to each photograph, here where this
    encoder puts it, there where the experts do, and all of the smaller forms,
    which are shown the oftener for it.
    """
    if corpus.vocabulary.level != "word":
        return None  # six letters are not known by heart
    images, places = embed_photographs(
        load_features(config.features_dir),
        corpus.images("train"),
        "joint",
        image_tower,
    )
    paired = {
        pair.poem.text for pair in corpus.select_pairs("train", images, 0.0)
    }
    by_form = [corpus.texts("train", form) for form in corpus.forms()]
    smaller = sorted(by_form, key=len)[:-1]
    learnt = corpus.vocabulary.encode_batch(
        [*sorted(paired), *itertools.chain(*smaller)]
    )
    if config.extra_pairs:
        nearest = retrieval.nearest(
            places,
            embed_token_ids(poem_tower, poems).astype(np.float32),
            config.extra_pairs,
        )
        learnt += [poems[index] for index in np.unique(nearest)]
    return KnownRuns(learnt, kinds)


def _known_phrases(corpus, options, kinds):
    """Those of the form that is written by default, if it minds them."""
    default = next(iter(options))
    if not options[default].novelty_weight:
        return None
    form = forms.find_learnt(default, corpus.forms())
    texts = corpus.texts("train", form or None)
    return KnownPhrases(corpus.vocabulary.encode_batch(texts), kinds)


def _load_discriminators(folder: str) -> dict[str, keras.Model]:
    if not folder:
        return {}
    return {
        task.classes[0]: keras.saving.load_model(task.locate(folder))
        for task in RANKING
    }


if __name__ == "__main__":
    main(run_options.parse_config(Config))
