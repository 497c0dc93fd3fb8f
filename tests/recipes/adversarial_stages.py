"""What the adversarial training begins with, and itself, on small pictures."""

import dataclasses
import json
import pathlib
import shutil

import keras

from recipes import pretrain_discriminator
from recipes import train_adversarial
from tests.recipes import stages
from visualpoet.discriminators import tasks
from visualpoet.discriminators.multimodal import MultimodalDiscriminator

STEPS = 12
TEXTS = {"max_tokens": 18, "max_unknown": 1.0, "min_similarity": 0.0}


def given(paths, root):
    return {
        "corpus_dir": root / "corpus",
        "features_dir": paths.features,
        "embedding_dir": paths.embedding,
        "paragraphs": paths.data / "paragraphs.jsonl",
    }


def pretrain(paths, root):
    """A generator that has seen next to nothing, and discriminators."""
    paths = dataclasses.replace(
        paths, corpus=shutil.copytree(paths.corpus, root / "corpus")
    )
    _shorten(paths.corpus)
    stages.generate(
        paths,
        root / "generator",
        conditioning="first_state",
        num_steps=3,
        mixed_precision=False,
    )
    for discriminator in tasks.NAMES:
        pretrain_discriminator.main(
            pretrain_discriminator.Config(
                **given(paths, root),
                discriminator=discriminator,
                generator=root / "generator" / "generator.keras",
                run_dir=root / "discriminators" / discriminator,
                hidden_dim=6,
                num_samples=40,
                batch_size=4,
                num_steps=40,  # fewer, and all may look alike to it
                **TEXTS,
            )
        )
    _save_steady(root / "discriminators", root / "steady")


def _shorten(corpus: pathlib.Path) -> None:
    """Leaves three lines of three words of each poem: a step for each token."""
    for name in ("excerpts.jsonl", "pairs.jsonl"):
        rows = [json.loads(r) for r in (corpus / name).read_text().splitlines()]
        for row in rows:
            poem = row.get("poem", row)
            words = iter(poem["text"].split())
            lines = zip(words, words, words)
            poem["text"] = "\n".join(" ".join(next(lines)) for _ in range(3))
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (corpus / name).write_text(text)


def _save_steady(folder, steady):
    """The multi-modal discriminator, but that it leaves nothing out.

    Dropout is the one thing in which two workers differ from one.
    """
    model = keras.saving.load_model(tasks.MULTIMODAL.locate(folder))
    changed = model.get_config() | {"dropout": 0.0}
    copy = MultimodalDiscriminator.from_config(changed)
    copy.set_weights(model.get_weights())
    path = tasks.MULTIMODAL.locate(steady)
    path.parent.mkdir(parents=True)
    copy.save(path)


def train(paths, pretrained, run_dir, **options):
    config = train_adversarial.Config(
        **given(paths, pretrained),
        generator=pretrained / "generator" / "generator.keras",
        discriminators_dir=pretrained / "discriminators",
        run_dir=run_dir,
        batch_size=4,
        num_steps=STEPS,
        log_interval=3,
        num_shown=2,
        min_entropy=0.0,
        min_distinct=0.0,
        learning_rate=1e-3,
        **TEXTS,
    )
    train_adversarial.main(dataclasses.replace(config, **options))
