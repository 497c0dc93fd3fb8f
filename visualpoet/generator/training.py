"""How a generator is trained by teacher forcing: its batches, its loss."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

import keras
import tensorflow as tf

from visualpoet.corpus import datasets
from visualpoet.generator import examples
from visualpoet.generator.examples import ConditioningDropout
from visualpoet.generator.examples import Examples
from visualpoet.generator.perplexity import read_ahead
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.teacher_forcing import sampled_loss
from visualpoet.generator.teacher_forcing import teacher_forced_loss


def iterate_batches(
    sources: Sequence[Examples],
    shares: Sequence[float],
    batch_size: int,
    conditioning: ConditioningDropout,
    seed: int,
    start_step: int,
    spec: dict[str, tf.TensorSpec],
) -> Iterator[dict[str, tf.Tensor]]:
    """Iterates over batches from a step on, without an end.

    Args:
        sources: As for `examples.mixed_batches`.
        shares: As there.
        batch_size: As there.
        conditioning: As there.
        seed: As there.
        start_step: As there.
        spec: As of `examples.element_spec`.

    Returns:
        Batches as described by the `spec`.
    """
    return iter(
        datasets.batch_dataset(
            lambda: examples.mixed_batches(
                sources, shares, batch_size, conditioning, seed, start_step
            ),
            spec,
        )
    )


def make_loss(
    generator: PoemGenerator,
    optimizer: keras.optimizers.Optimizer,
    sampled_tokens: int,
    seed: int,
) -> Callable[[dict[str, tf.Tensor]], tf.Tensor]:
    """Makes the loss of a batch.

    Args:
        generator: What is trained.
        optimizer: Says which step it is.
        sampled_tokens: Tokens to normalise over, others each step; 0 for the
            whole vocabulary.
        seed: Of their draw.

    Returns:
        Maps a batch, as of `examples.element_spec`, to nats per token.
    """

    def loss(batch: dict[str, tf.Tensor]) -> tf.Tensor:
        token_ids = batch["token_ids"]
        if not sampled_tokens:
            logits = read_ahead(generator, generator, batch, True)
            return teacher_forced_loss(logits, token_ids)
        step = tf.cast(optimizer.iterations, tf.int32)
        return sampled_loss(
            read_ahead(generator, generator.hidden_view, batch, True),
            generator.get_layer("token_embedding").embeddings.value,
            token_ids,
            sampled_tokens,
            tf.stack([seed, step]),
        )

    return loss
