"""Candidates in order, by fit to the photograph, fluency and other scores."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.generator.composer import DecodingOptions
from visualpoet.generator.composer import find_gains
from visualpoet.generator.networks import Networks
from visualpoet.generator.token_kinds import TokenKinds


def measure_gains(
    networks: Networks,
    kinds: TokenKinds,
    image_dim: int,
    form: int,
    token_ids: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """Measures a text as candidates are measured.

    Args:
        networks: The models.
        kinds: Sorts of tokens.
        image_dim: Width of the joint space.
        form: Which of the generator's forms, 0 for none.
        token_ids: int32 `[T]`, without START and END.

    Returns:
        float scalars, `fluency` [nats per token] and, where there is a reader
        head, `merit`: means of what `write_candidates` gives for each token
        and for END.
    """
    tokens = tf.concat([token_ids, [END]], axis=0)
    state, condition = networks.start(
        tf.zeros([1, image_dim]), tf.zeros([1, 1], tf.int32), tf.fill([1], form)
    )

    def read(
        time: tf.Tensor,
        last: tf.Tensor,
        state: tf.Tensor,
        totals: dict[str, tf.Tensor],
    ) -> tuple[Any, ...]:
        hidden, state = networks.step(last, state, condition)
        token = tokens[time][None]
        gains = find_gains(
            networks,
            kinds,
            networks.to_logits(hidden),
            state,
            tokens[None, :time],
            token,
        )
        totals = {name: totals[name] + gains[name][0] for name in totals}
        return time + 1, token, state, totals

    result = tf.while_loop(
        lambda time, *_: time < tf.size(tokens),
        read,
        (
            0,
            tf.constant([START]),
            state,
            dict.fromkeys(networks.gain_names, 0.0),
        ),
    )
    number = tf.cast(tf.size(tokens), tf.float32)
    return {name: total / number for name, total in result[-1].items()}


def measure_clue_share(token_ids: tf.Tensor, clue_ids: tf.Tensor) -> tf.Tensor:
    """Measures the share of a photograph's clues that a poem has.

    Args:
        token_ids: int `[N, T]`.
        clue_ids: int `[N, C]`, or `[1, C]` for all poems.

    Returns:
        float `[N]` in [0, 1].
    """
    is_used = tf.reduce_any(
        tf.cast(token_ids, tf.int32)[:, :, None]
        == tf.cast(clue_ids, tf.int32)[:, None],
        axis=1,
    )
    return tf.reduce_mean(tf.cast(is_used, tf.float32), axis=1)


def measure_repetition(
    kinds: TokenKinds, token_ids: tf.Tensor, begin: tf.Tensor | int = 0
) -> tf.Tensor:
    """Measures the share of words that came before in the poem.

    Args:
        kinds: Sorts of tokens.
        token_ids: int `[N, T]`.
        begin: int32 `[N]`. The token from which on words count; they may have
            come before it.

    Returns:
        float `[N]` in [0, 1]; 0 without words.
    """
    is_behind = tf.range(tf.shape(token_ids)[1]) >= tf.reshape(begin, [-1, 1])
    is_word = tf.gather(tf.constant(kinds.is_word), token_ids)
    words = tf.where(is_word, token_ids, 0)
    new = _count_different(words) - _count_different(
        tf.where(is_behind, 0, words)
    )
    written = tf.math.count_nonzero(is_word & is_behind, 1, dtype=tf.float32)
    return tf.math.divide_no_nan(written - new, written)


def _count_different(token_ids: tf.Tensor) -> tf.Tensor:
    """Different tokens but 0 of each row, float `[N]`."""
    before, after = (
        tf.pad(tf.sort(token_ids, axis=1), padding)
        for padding in ([[0, 0], [1, 0]], [[0, 0], [0, 1]])
    )
    is_first = (after > before) & (after > 0)
    return tf.math.count_nonzero(is_first, axis=1, dtype=tf.float32)


def score_candidates(
    measured: dict[str, tf.Tensor], options: DecodingOptions
) -> tf.Tensor:
    """Scores candidates.

    `score = cosine(poem, photograph) + fluency_weight * mean log probability
    + clue_weight * share of clues in the poem
    + paired_weight * p(paired) + poetic_weight * p(poetic)
    - copied_weight * share of words in runs known by heart, or of lines, two
      of one poem
    - common_weight * share of lines that many other poems have
    - novelty_weight * share of trigrams that no poem of people has
    - repetition_weight * share of words that came before
    + merit_weight * what a reader's grade has beyond those of the wording`

    Without the terms `copied` and `common` a recital wins, or what can be said
    of everything: nothing is more fluent. What is new or repeated is what
    readers find broken.

    Args:
        measured: `fit` and `fluency`, and what there is of `clue_share`,
            `paired`, `poetic`, `copied`, `common`, `novelty`, `repetition` and
            `merit`, each float of one shape.
        options: The weights.

    Returns:
        float of that shape.
    """
    weights = {
        "fluency": options.fluency_weight,
        "clue_share": options.clue_weight,
        "paired": options.paired_weight,
        "poetic": options.poetic_weight,
        "copied": -options.copied_weight,
        "common": -options.common_weight,
        "novelty": -options.novelty_weight,
        "repetition": -options.repetition_weight,
        "merit": options.merit_weight,
    }
    score = measured["fit"]
    for name in weights:
        if name in measured:
            score = score + weights[name] * measured[name]
    return score


def rank_candidates(
    networks: Networks,
    image_embedding: tf.Tensor,
    clue_ids: tf.Tensor,
    token_ids: tf.Tensor,
    gains: dict[str, tf.Tensor],
    scores: dict[str, tf.Tensor],
    options: DecodingOptions,
    opening_length: tf.Tensor | int = 0,
    ends: Sequence[tf.Tensor | int] = (END,),
) -> dict[str, tf.Tensor]:
    """Orders candidates by `score_candidates`.

    Args:
        networks: The models.
        image_embedding: float `[1, K]`, unit length.
        clue_ids: int `[C]`.
        token_ids: int `[N, T]`.
        gains: float `[N, T]` by name, as of `write_candidates`.
        scores: What else `score_candidates` takes of them, float `[N]`.
        options: How to rank.
        opening_length: Tokens at the beginning that all candidates share;
            they count for fit and clues and not for fluency and merit.
        ends: Tokens that finish a candidate.

    Returns:
        `token_ids` `[N, T]`, `fit` `[N]` (cosine), `fluency` `[N]` [nats per
        token], `merit` `[N]` if it was given, `clue_share` `[N]`, those
        `scores`, and `score` `[N]`, best first. A candidate that was cut
        before its end comes last.
    """
    is_new = tf.range(tf.shape(token_ids)[1]) >= opening_length
    written = tf.cast((token_ids > 0) & is_new, tf.float32)
    number = tf.reduce_sum(written, 1)
    means = {
        name: tf.math.divide_no_nan(tf.reduce_sum(gain, 1), number)
        for name, gain in gains.items()
    }
    fit = tf.linalg.matvec(networks.embed_poem(token_ids), image_embedding[0])
    measured = {
        "fit": fit,
        **means,
        "clue_share": measure_clue_share(token_ids, clue_ids[None]),
        **scores,
    }
    measured["score"] = score_candidates(measured, options)
    is_end = tf.reduce_any(
        token_ids[..., None] == tf.convert_to_tensor(ends), axis=-1
    )
    ended = tf.reduce_any(is_end & is_new, axis=1)
    order = tf.argsort(
        tf.where(ended, measured["score"], measured["score"] - 100.0),
        direction="DESCENDING",
    )
    return {
        name: tf.gather(values, order)
        for name, values in {"token_ids": token_ids, **measured}.items()
    }
