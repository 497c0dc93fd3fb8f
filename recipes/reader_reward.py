"""A reward that knows what readers keep beside a photograph.

PYTHONPATH=recipes python recipes/train_adversarial.py --discriminators \
        --rewards reader_reward.is_kept --features-dir out/encoder \
        --embedding-dir out/embedding_small --form haiku --need-end \
        --max-tokens 28 --kl-weight 0.15

Reads the export that readers graded candidates of, with the reader head that
`train_reader_head.py` trained on them (`export_again.py --reader-head`), from
`out/graded/1`, and features of the same encoder from `out/encoder`.
"""

import functools
import pathlib
from collections.abc import Sequence

import keras
import numpy as np

from visualpoet.corpus import datasets
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.features.store import load_features
from visualpoet.finetuning import base
from visualpoet.generator.drafts import MAX_TOKENS
from visualpoet.generator.generator_inputs import show_nothing
from visualpoet.generator.ranking import measure_repetition

MODEL, FEATURES_DIR = pathlib.Path("out/graded/1"), pathlib.Path("out/encoder")
# What grades ask for (`weights` of `train_reader_head.py`), but more of fit and
# nothing of novelty, for which the divergence from the first generator stands.
FIT, FLUENCY, REPETITION, MERIT = 1.5, 0.17, -0.75, 0.5
STEEPNESS, MIDDLE = 3.0, 0.35


def is_kept(poems: Sequence[str], photographs: Sequence[str]) -> np.ndarray:
    """Sigmoid of fit, fluency, repetition and merit, weighed.

    Fit is less its mean over the photographs that are given: what goes with
    all of them says nothing of one. So it depends on the batch, and several
    workers, each with its rows, do not get what one would. A repeated word has
    its own probability in fluency here.

    Args:
        poems: Poems.
        photographs: Names of their photographs.

    Returns:
        float `[B]` in [0, 1].

    Raises:
        ValueError: If the export has no reader head.
    """
    poet, view, features = _load(MODEL, FEATURES_DIR)
    token_ids = datasets.pad_token_ids(
        datasets.frame_poems(poet.vocabulary, poems, MAX_TOKENS + 1)
    )
    fluency, merit = _read(poet, view, token_ids)
    score = (
        FIT * _measure_fit(poet, features, token_ids, photographs)
        + FLUENCY * fluency
        + REPETITION * measure_repetition(poet.kinds, token_ids).numpy()
        + MERIT * merit
    )
    return 1 / (1 + np.exp(-STEEPNESS * (score - MIDDLE)))


@functools.cache
def _load(model, features_dir):
    poet = base.read_poet(model)
    if poet.reader_head is None:
        raise ValueError(
            f"expected an export with a reader head. Received: {model}; run "
            "recipes/export_again.py --reader-head first"
        )
    decoder = poet.generator.get_layer("decoder")
    view = keras.Model(
        poet.generator.input, [decoder.output, poet.generator.output]
    )
    return poet, view, load_features(features_dir)


def _read(poet, view, token_ids):
    """Mean log probability without the photograph, and merit, `[B]` each."""
    form = poet.number_form(next(iter(poet.options)))
    given = {
        "token_ids": token_ids[:, :-1],
        **show_nothing(poet.generator, form, len(token_ids)),
    }
    states, logits = view.predict_on_batch({n: given[n] for n in view.input})
    drawn = token_ids[:, 1:, None]
    chosen = np.take_along_axis(logits, drawn, axis=2)[..., 0]
    gains = chosen - np.logaddexp.reduce(logits, axis=2)
    is_drawn = drawn[..., 0] > 0
    number = is_drawn.sum(axis=1)
    mean = (states * is_drawn[..., None]).sum(axis=1) / number[:, None]
    fluency = (gains * is_drawn).sum(axis=1) / number
    return fluency, poet.reader_head(mean).numpy()


def _measure_fit(poet, features, token_ids, photographs):
    names = list(dict.fromkeys(photographs))
    rows, places = embed_photographs(features, names, "joint", poet.image_tower)
    cosine = poet.poem_tower(token_ids[:, 1:]).numpy() @ places.T
    own = [rows[name] for name in photographs]
    return cosine[np.arange(len(own)), own] - cosine.mean(axis=1)
