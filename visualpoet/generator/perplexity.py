"""Perplexity of a generator on examples, whatever is shown of them."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visualpoet.corpus import datasets
from visualpoet.generator import examples
from visualpoet.generator.examples import ConditioningDropout
from visualpoet.generator.examples import Examples
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.teacher_forcing import token_losses

Score = Callable[[dict[str, Any]], tuple[tf.Tensor, tf.Tensor]]


def read_ahead(
    generator: PoemGenerator,
    view: keras.Model,
    batch: dict[str, tf.Tensor],
    training: bool,
) -> tf.Tensor:
    """Runs a view of a generator on all tokens of a batch but the last.

    Args:
        generator: The generator, whose inputs are taken from the batch.
        view: The generator itself, or its `hidden_view`.
        batch: As described by `examples.element_spec`.
        training: Whether units are left out.

    Returns:
        float `[B, T, V]`, or `[B, T, E]` of the hidden view.
    """
    inputs = {name: batch[name] for name in generator.input}
    inputs["token_ids"] = batch["token_ids"][:, :-1]
    return view(inputs, training=training)


def make_score(generator: PoemGenerator, spec: dict[str, tf.TensorSpec]) -> Any:
    """Makes what `measure_perplexity` measures a batch with.

    Args:
        generator: The generator.
        spec: As of `examples.element_spec`.

    Returns:
        Function of a batch: as of `teacher_forcing.token_losses`.
    """
    return tf.function(
        lambda batch: token_losses(
            read_ahead(generator, generator, batch, False), batch["token_ids"]
        ),
        input_signature=[spec],
    )


def measure_perplexity(
    score: Score,
    source: Examples,
    conditioning: ConditioningDropout,
    count: int = 1024,
    batch_size: int = 128,
) -> float:
    """Measures perplexity, on the same poems and draws every time.

    Args:
        score: As of `make_score`.
        source: The poems.
        conditioning: What is shown of what they are written for.
        count: Poems, at most.
        batch_size: Poems a batch.

    Returns:
        Perplexity of their tokens.
    """
    rng = np.random.default_rng(0)
    order = examples.choose_for_measuring(source.token_ids, count)
    totals, counts = [], []
    for chosen in np.split(order, range(batch_size, len(order), batch_size)):
        batch = examples.make_batch(source, chosen, conditioning, rng)
        total, number = score(batch)
        totals.append(float(total))
        counts.append(float(number))
    return float(np.exp(sum(totals) / max(sum(counts), 1)))


def measure_without_photograph(
    generator: PoemGenerator, token_ids: Sequence[Sequence[int]], form: int
) -> tuple[float, int]:
    """Measures perplexity on whole poems of a form, without photographs.

    Args:
        generator: The generator.
        token_ids: Poems, each with START and END, best sorted by length.
        form: Of the poems, as of `forms.number_form`.

    Returns:
        Perplexity, and the number of tokens that it is of.
    """

    @tf.function(reduce_retracing=True)
    def score(token_ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        size = tf.shape(token_ids)[0]
        inputs = {
            "token_ids": token_ids,
            "image_embedding": tf.zeros([size, generator.image_dim]),
            "clue_ids": tf.zeros([size, 1], tf.int32),
            "form": tf.fill([size], form),
        }
        return token_losses(
            read_ahead(generator, generator, inputs, False), token_ids
        )

    losses = [
        score(tf.constant(datasets.pad_token_ids(token_ids[i : i + 64])))
        for i in range(0, len(token_ids), 64)
    ]
    total, count = np.sum([[float(a), float(b)] for a, b in losses], axis=0)
    return float(np.exp(total / count)), int(count)
