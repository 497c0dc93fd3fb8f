"""Candidates for a photograph: guided decoding, then ranking."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.generator import constraints
from visualpoet.generator import samplers

MAX_CANDIDATES = 64
MAX_TOKENS = 112
TOP_K = 128
REPEATED = -12.0  # log probability that a repeated content word counts [nats]


@dataclasses.dataclass(frozen=True)
class Networks:
    """What composing needs of the models, as plain callables.

    Attributes:
        start: Image embedding `[1, K]` and clue ids `[1, C]` to state
            `[1, H]` and condition `[1, E]`.
        step: Token id `[R]`, state `[R, H]`, condition `[R, E]` to logits
            `[R, V]` and the next state.
        embed_poem: Token ids `[N, T]` to embeddings `[N, K]`.
    """

    start: Callable[..., tuple[tf.Tensor, tf.Tensor]]
    step: Callable[..., tuple[tf.Tensor, tf.Tensor]]
    embed_poem: Callable[[tf.Tensor], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Options:
    """How to write and rank; numbers or scalar tensors.

    Attributes:
        temperature: Divides the logits; towards 0 the likeliest token.
        top_p: Share of the probability to draw from.
        guidance: Weight of the photograph: 0 none, 1 as trained, more than 1
            exaggerates it.
        min_lines: Fewest lines.
        max_lines: Most lines.
        min_words: Fewest words of a line.
        max_words: Most words of a line.
        penalty: What each use takes off a content word [nats].
        fluency_weight: Weight of fluency against fit in the ranking.
    """

    temperature: tf.Tensor | float = 0.6
    top_p: tf.Tensor | float = 0.95
    guidance: tf.Tensor | float = 1.4
    min_lines: tf.Tensor | int = 4
    max_lines: tf.Tensor | int = 8
    min_words: tf.Tensor | int = 3
    max_words: tf.Tensor | int = 11
    penalty: tf.Tensor | float = 2.0
    fluency_weight: tf.Tensor | float = 0.2


def guide(
    conditional: tf.Tensor, unconditional: tf.Tensor, guidance: tf.Tensor
) -> tf.Tensor:
    """Weighs the photograph.

    `unconditional + guidance * (conditional - unconditional)`

    Source: Ho and Salimans (2022), classifier-free guidance, on logits.

    Args:
        conditional: float `[N, V]`. Logits with the photograph.
        unconditional: float `[N, V]`. Logits without it.
        guidance: Its weight.

    Returns:
        float `[N, V]`, logits.
    """
    return unconditional + guidance * (conditional - unconditional)


def write_candidates(
    networks: Networks,
    kinds: constraints.TokenKinds,
    image_embedding: tf.Tensor,
    clue_ids: tf.Tensor,
    uniform: tf.Tensor,
    banned: tf.Tensor,
    options: Options,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Writes candidates for one photograph, in one batch.

    Args:
        networks: The models.
        kinds: Sorts of tokens.
        image_embedding: float `[1, K]`.
        clue_ids: int `[1, C]`.
        uniform: float `[N, MAX_TOKENS]` in [0, 1). Decides every draw.
        banned: bool `[V]`. Tokens that may not be used.
        options: How to write.

    Returns:
        Token ids int32 `[N, MAX_TOKENS]`, END and padding at the end, and the
        sum of what each token adds to fluency, float `[N, MAX_TOKENS]`: its
        log probability without the photograph, but a low constant for a
        content word that was used before, so that repetition cannot win.
    """
    num = tf.shape(uniform)[0]
    size = len(kinds.is_word)
    is_word = tf.constant(kinds.is_word)
    is_content = tf.constant(kinds.is_content, tf.float32)
    never = constraints.banned_mask(banned)
    state, condition = _both_sides(networks, image_embedding, clue_ids, num)

    def write(time, tokens, fluency, last, state, words, lines, counts, done):
        logits, state = networks.step(tf.tile(last, [2]), state, condition)
        conditional, unconditional = tf.split(logits, 2)
        guided = guide(conditional, unconditional, options.guidance)
        guided += never + constraints.repetition_penalty(
            counts, last, options.penalty
        )
        guided += constraints.repeated_ngram_mask(tokens, time, size)
        guided += constraints.form_mask(
            kinds,
            last,
            words,
            lines,
            options.min_words,
            options.max_words,
            options.min_lines,
            options.max_lines,
        )
        chosen = samplers.sample(
            guided,
            tf.gather(uniform, time, axis=1),
            options.temperature,
            TOP_K,
            options.top_p,
        )
        chosen = tf.where(done, END, chosen)
        repeated = tf.gather(counts, chosen, batch_dims=1) > 0
        gain = tf.gather(unconditional, chosen, batch_dims=1)
        gain -= tf.reduce_logsumexp(unconditional, axis=-1)
        gain = tf.where(repeated, REPEATED, gain)
        here = tf.range(MAX_TOKENS) == time  # [T]
        tokens = tf.where(here, tf.where(done, 0, chosen)[:, None], tokens)
        fluency = tf.where(here, tf.where(done, 0.0, gain)[:, None], fluency)
        breaks = chosen == kinds.line_break
        words += tf.cast(tf.gather(is_word, chosen), tf.int32)
        words = tf.where(breaks, 0, words)
        lines += tf.cast(breaks, tf.int32)
        counts += tf.one_hot(chosen, size) * is_content
        done |= chosen == END
        return (
            time + 1,
            tokens,
            fluency,
            chosen,
            state,
            words,
            lines,
            counts,
            done,
        )

    zeros = tf.zeros([num], tf.int32)
    result = tf.while_loop(
        lambda time, *rest: (time < MAX_TOKENS) & ~tf.reduce_all(rest[-1]),
        write,
        (
            0,
            tf.zeros([num, MAX_TOKENS], tf.int32),
            tf.zeros([num, MAX_TOKENS]),
            tf.fill([num], START),
            state,
            zeros,
            zeros,
            tf.zeros([num, size]),
            tf.zeros([num], tf.bool),
        ),
    )
    return result[1], result[2]


def _both_sides(networks, image_embedding, clue_ids, num):
    """State and condition of all candidates, with and without photograph."""
    seen = networks.start(image_embedding, clue_ids)
    unseen = networks.start(
        tf.zeros_like(image_embedding), tf.zeros_like(clue_ids)
    )
    return tuple(
        tf.concat([tf.repeat(a, num, axis=0), tf.repeat(b, num, axis=0)], 0)
        for a, b in zip(seen, unseen)
    )


def rank_candidates(
    networks: Networks,
    image_embedding: tf.Tensor,
    token_ids: tf.Tensor,
    fluency: tf.Tensor,
    options: Options,
) -> dict[str, tf.Tensor]:
    """Orders candidates by fit to the photograph and by fluency.

    `score = cosine(poem, photograph) + fluency_weight * mean log probability`

    Args:
        networks: The models.
        image_embedding: float `[1, K]`, unit length.
        token_ids: int `[N, T]`.
        fluency: float `[N, T]`, as of `write_candidates`.
        options: How to rank.

    Returns:
        `token_ids` `[N, T]`, `fit` `[N]` (cosine), `fluency` `[N]` [nats per
        token] and `score` `[N]`, best first. A candidate that was cut before
        its end comes last.
    """
    written = tf.cast(token_ids > 0, tf.float32)
    fluency = tf.reduce_sum(fluency, 1) / tf.reduce_sum(written, 1)
    fit = tf.linalg.matvec(networks.embed_poem(token_ids), image_embedding[0])
    score = fit + options.fluency_weight * fluency
    ended = tf.reduce_any(token_ids == END, axis=1)
    order = tf.argsort(
        tf.where(ended, score, score - 100.0), direction="DESCENDING"
    )
    return {
        "token_ids": tf.gather(token_ids, order),
        "fit": tf.gather(fit, order),
        "fluency": tf.gather(fluency, order),
        "score": tf.gather(score, order),
    }


def draw_uniform(seed: tf.Tensor, num_candidates: tf.Tensor) -> tf.Tensor:
    """Draws the numbers that decide the candidates of one photograph.

    Candidate i gets the same numbers however many there are.

    Args:
        seed: int64 scalar.
        num_candidates: int scalar, at most MAX_CANDIDATES.

    Returns:
        float `[num_candidates, MAX_TOKENS]` in [0, 1).
    """
    uniform = tf.random.stateless_uniform(
        [MAX_CANDIDATES, MAX_TOKENS], tf.stack([seed, 0])
    )
    return uniform[:num_candidates]


def keras_networks(generator, poem_tower) -> Networks:
    """Wraps the Keras models.

    Args:
        generator: `PoemGenerator`.
        poem_tower: `PoemTower`.

    Returns:
        The callables.
    """
    names = list(generator.start_view.input)

    def start(image_embedding, clue_ids):
        given = {"image_embedding": image_embedding, "clue_ids": clue_ids}
        view = generator.start_view({name: given[name] for name in names})
        return view["state"], view["condition"]

    def step(token_id, state, condition):
        view = generator.step_view(
            {"token_id": token_id, "state": state, "condition": condition}
        )
        return view["logits"], view["state"]

    return Networks(start, step, poem_tower)
