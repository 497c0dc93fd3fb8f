"""What composing needs of the models, as plain callables."""

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Networks:
    """What composing needs of the models.

    Attributes:
        start: Image embedding `[B, K]`, clue ids `[B, C]` and form `[B]` to
            state `[B, H]` and condition `[B, E]`.
        step: Token id `[N]`, state `[N, H]`, condition `[N, E]` to what the
            logits come from, `[N, E]`, and the next state.
        to_logits: What `step` gives to logits `[N, V]`; affine, so that it can
            be guided before.
        embed_poem: Token ids `[N, T]` to embeddings `[N, K]`.
        judge: State `[N, H]` without the photograph to what it adds to merit,
            `[N]`; None if readers have graded nothing.
    """

    start: Callable[..., tuple[tf.Tensor, tf.Tensor]]
    step: Callable[..., tuple[tf.Tensor, tf.Tensor]]
    to_logits: Callable[[tf.Tensor], tf.Tensor]
    embed_poem: Callable[[tf.Tensor], tf.Tensor]
    judge: Callable[[tf.Tensor], tf.Tensor] | None = None

    @property
    def gain_names(self) -> tuple[str, ...]:
        """Returns the scores that every token adds to."""
        return ("fluency", "merit") if self.judge else ("fluency",)


def wrap_networks(
    start_view: Callable,
    step_view: Callable,
    token_embedding: tf.Tensor,
    embed_poem: Callable[[tf.Tensor], tf.Tensor],
    names: Sequence[str] = ("image_embedding", "clue_ids"),
    judge: Callable[[tf.Tensor], tf.Tensor] | None = None,
) -> Networks:
    """Wraps the views of a generator.

    Args:
        start_view: Its `start_view`, or what calls it with stored weights.
        step_view: Its `step_view`, likewise.
        token_embedding: float `[V, E]`, which is the output matrix, too.
        embed_poem: The poem tower.
        names: Inputs of the start view.
        judge: The reader head, if there is one.

    Returns:
        The callables.
    """
    # Turned once: a product with a matrix turned on the fly rounds in another
    # way for 16 rows than for 2, and a poem would depend on its neighbours.
    output = tf.transpose(token_embedding)

    def start(
        image_embedding: tf.Tensor, clue_ids: tf.Tensor, form: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        given = {
            "image_embedding": image_embedding,
            "clue_ids": clue_ids,
            "form": form,
        }
        view = start_view({name: given[name] for name in names})
        return view["state"], view["condition"]

    def step(
        token_id: tf.Tensor, state: tf.Tensor, condition: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        view = step_view(
            {"token_id": token_id, "state": state, "condition": condition}
        )
        return view["hidden"], view["state"]

    return Networks(
        start, step, lambda x: tf.matmul(x, output), embed_poem, judge
    )
