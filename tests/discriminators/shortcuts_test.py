"""What a multi-modal discriminator can learn without judging the match.

Poems are words of one of five kinds, and so are photographs. Generated poems
go with their photographs, and are else like human ones: who wrote them cannot
be told, neither from the poem nor from the photograph nor from both.
"""

import keras
import numpy as np
import pytest

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.discriminators import diagnostics
from visualpoet.discriminators import tasks
from visualpoet.discriminators.material import Material
from visualpoet.discriminators.material import PairDraws
from visualpoet.discriminators.training import make_loss
from visualpoet.optimization import make_train_step

KINDS, WORDS, FIRST_WORD, BATCH = 5, 6, 5, 64


def write_poems(kinds, rng):
    shape = [len(kinds), 4]
    words = rng.integers(WORDS, size=shape) + WORDS * kinds[:, None]
    return words + FIRST_WORD


def build_material(rng):
    kinds = np.arange(60) % KINDS
    seen = np.eye(KINDS)[kinds] + rng.normal(0, 0.1, [60, KINDS])
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    images = np.repeat(np.arange(60), 3)
    poems = write_poems(kinds[images], rng).tolist()
    size = FIRST_WORD + KINDS * WORDS
    return kinds, Material(
        image_embeddings=seen.astype(np.float32),
        pair_poems=poems,
        pair_images=images,
        captions={},
        poems=[],
        paragraphs=[],
        disordered=None,
        is_word=np.arange(size) >= FIRST_WORD,
        line_break=4,
        max_tokens=6,
    )


def frame(words):
    return np.pad(words, [(0, 0), (1, 1)], constant_values=[(START, END)] * 2)


def learn(draws, beside_own):
    """How a trained discriminator answers for samples (`decompose`)."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    kinds, material = build_material(rng)
    size = len(material.is_word)
    model = tasks.MULTIMODAL.build(size, [4], KINDS, 12, 16, 0.0)
    model.get_layer("token_embedding").embeddings.assign(
        rng.normal(0, 1, [size, 12])
    )
    update = make_train_step(
        make_loss(model), model.trainable_variables, keras.optimizers.Adam(0.01)
    )
    for _ in range(200):
        chosen = rng.integers(len(material.pair_images), size=BATCH)
        rows = material.pair_images[chosen]
        seen, samples = (
            material.image_embeddings[rows],
            frame(write_poems(kinds[rows], rng)),
        )
        texts = tasks.MULTIMODAL.draw(material, chosen, draws, rng)
        inputs, labels = tasks.MULTIMODAL.make_batch(
            texts, samples, seen, draws
        )
        if beside_own:
            inputs["image_embedding"][-BATCH:] = seen
        update((inputs, labels))
    samples = frame(write_poems(kinds, rng))
    return diagnostics.decompose(
        *(
            model({"token_ids": samples, "image_embedding": beside})
            for beside in (
                material.image_embeddings,
                np.roll(material.image_embeddings, 1, axis=0),
            )
        )
    )


@pytest.mark.parametrize("hard_negatives", [1, 4])
def test_the_photograph_does_not_tell_who_wrote(hard_negatives):
    found = learn(PairDraws(hard_negatives=hard_negatives), beside_own=False)
    assert abs(found["generated"] - found["generated_other"]) < 0.05
    assert found["pairing"] > found["pairing_other"] + 0.2


def test_beside_their_own_photographs_alone_it_does():
    """So that a poem would be paid for not going with its photograph."""
    found = learn(PairDraws(), beside_own=True)
    assert found["generated"] > found["generated_other"] + 0.15
