"""Candidates for photographs, written side by side by guided decoding."""

import dataclasses
import functools
from typing import Any

import tensorflow as tf

from visualpoet.controls import MAX_CANDIDATES
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.generator import constraints
from visualpoet.generator import guidance
from visualpoet.generator import samplers
from visualpoet.generator.drafts import MAX_TOKENS
from visualpoet.generator.drafts import Draft
from visualpoet.generator.drafts import Prompt
from visualpoet.generator.drafts import append_token
from visualpoet.generator.drafts import begin_draft
from visualpoet.generator.networks import Networks
from visualpoet.generator.patterns import Pattern
from visualpoet.generator.patterns import pattern_mask
from visualpoet.generator.token_kinds import TokenKinds

TOP_K = 128
REPEATED = -12.0  # log probability that a repeated content word counts [nats]
MAX_SIDE_BY_SIDE = 64  # candidates that are written at once; bounds the memory
MIN_SIDE_BY_SIDE = 4  # fewer are not worth the sorting out
_MIX = 2**20  # more than there are lines


@dataclasses.dataclass(frozen=True)
class DecodingOptions:
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
        num_candidates: To choose from, where nobody says how many.
        fluency_weight: Weight of fluency against fit in the ranking.
        clue_weight: Weight of the share of clues in the poem.
        paired_weight: Weight of the multi-modal discriminator's p(paired).
        poetic_weight: Weight of the poem-style discriminator's p(poetic).
        copied_weight: What takes off the score, times the share of words that
            stand in runs known by heart, or of lines that are recited.
        common_weight: What takes off the score, times the share of lines that
            stand in many other poems.
        novelty_weight: What takes off the score, times the share of trigrams
            that no poem of people has.
        repetition_weight: What takes off the score, times the share of words
            that came before in the poem.
        merit_weight: Weight of what readers would grade the text beyond what
            the other scores say.
        pattern: Syllables and rhymes of the lines; or int32
            `[B, MAX_LINES, 2]`, as of `Pattern.encode`.
    """

    temperature: tf.Tensor | float = 0.5
    top_p: tf.Tensor | float = 0.95
    guidance: tf.Tensor | float = 1.4
    min_lines: tf.Tensor | int = 4
    max_lines: tf.Tensor | int = 4
    min_words: tf.Tensor | int = 3
    max_words: tf.Tensor | int = 9
    penalty: tf.Tensor | float = 2.0
    num_candidates: tf.Tensor | int = 16
    fluency_weight: tf.Tensor | float = 0.7
    clue_weight: tf.Tensor | float = 0.0
    paired_weight: tf.Tensor | float = 0.16
    poetic_weight: tf.Tensor | float = 0.04
    copied_weight: tf.Tensor | float = 3.0
    common_weight: tf.Tensor | float = 0.6
    novelty_weight: tf.Tensor | float = 0.0
    repetition_weight: tf.Tensor | float = 0.0
    merit_weight: tf.Tensor | float = 0.0
    pattern: tf.Tensor | Pattern = Pattern()


def write_candidates(
    networks: Networks,
    kinds: TokenKinds,
    image_embedding: tf.Tensor,
    clue_ids: tf.Tensor,
    form: tf.Tensor,
    owner: tf.Tensor,
    uniform: tf.Tensor,
    banned: tf.Tensor,
    options: DecodingOptions,
    opening: tf.Tensor | None = None,
    one_line: tf.Tensor | bool = False,
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Writes candidates for B photographs, N in all, side by side.

    A candidate depends on its own photograph and numbers alone.

    Args:
        networks: The models.
        kinds: Sorts of tokens.
        image_embedding: float `[B, K]`.
        clue_ids: int `[B, C]`.
        form: int `[B]`; which of the generator's forms, 0 for none.
        owner: int32 `[N]`. The photograph that each candidate is for.
        uniform: float `[N, MAX_TOKENS]` in [0, 1). Decides every draw.
        banned: bool `[B, V]`. Tokens that may not be used.
        options: How to write; of all photographs, or tensors `[B]`.
        opening: int32 `[B, L]`. Whole lines that the candidates begin with,
            each with its line break, padded with 0; none by default. If there
            are as many as `max_lines`, nothing is written.
        one_line: Whether to stop at the first line break; bool or `[B]`.

    Returns:
        Token ids int32 `[N, L + MAX_TOKENS]`: the opening, then, without a
        gap, what was written, END and padding; and, float of the same shape
        by name, what each written token adds to `fluency`: its log probability
        without the photograph, but a low constant for a content word that was
        used before, so that repetition cannot win; and to `merit`, where there
        is a reader head.
    """
    size = tf.shape(image_embedding)[0]
    if opening is None:
        opening = tf.zeros([size, 0], tf.int32)
    # Of each photograph, then of each candidate.
    length = tf.math.count_nonzero(opening > 0, axis=1, dtype=tf.int32)
    state, condition = guidance.start_both(
        networks, image_embedding, clue_ids, form
    )
    each = _spread_options(options, size)
    read = tf.pad(opening, [[0, 0], [1, 0]], constant_values=START)
    state = guidance.read_both(networks, state, condition, read, length)
    draft = begin_draft(kinds, state, read, length, each, networks.gain_names)
    one_line = _broadcast(one_line, size)
    draft, condition, length, one_line, each = _take(
        (draft, condition, length, one_line, each), owner
    )
    prompt = Prompt(condition, length, uniform, one_line, each)

    def write_some(draft: Draft) -> list[Draft]:
        rows = tf.where(~draft.done)[:MAX_SIDE_BY_SIDE, 0]
        unwritten = tf.gather(banned, tf.gather(owner, rows))
        some, its_prompt = _take((draft, prompt), rows)
        further = _write(networks, kinds, unwritten, some, its_prompt)
        put = functools.partial(_put, rows)
        return [tf.nest.map_structure(put, draft, further)]

    (draft,) = tf.while_loop(
        lambda draft: ~tf.reduce_all(draft.done), write_some, [draft]
    )
    return draft.tokens, draft.gains


def _broadcast(values: Any, size: tf.Tensor) -> Any:
    """Values as tensors of `size` rows."""
    return tf.nest.map_structure(
        lambda value: tf.broadcast_to(tf.convert_to_tensor(value), [size]),
        values,
    )


def _spread_options(
    options: DecodingOptions, size: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Decoding options as tensors of `size` rows."""
    values = dict(vars(options))
    pattern = values.pop("pattern")
    if isinstance(pattern, Pattern):
        pattern = tf.tile(pattern.encode()[None], [size, 1, 1])
    return {**_broadcast(values, size), "pattern": pattern}


def _take(values: Any, rows: tf.Tensor) -> Any:
    return tf.nest.map_structure(lambda value: tf.gather(value, rows), values)


def _put(rows: tf.Tensor, values: tf.Tensor, further: tf.Tensor) -> tf.Tensor:
    return tf.tensor_scatter_nd_update(values, rows[:, None], further)


def _write(
    networks: Networks,
    kinds: TokenKinds,
    banned: tf.Tensor,
    draft: Draft,
    prompt: Prompt,
) -> Draft:
    """Writes on, until at most half of the candidates are not done.

    Those go on with others then: rows that are done cost as much as the rest.
    """
    options = DecodingOptions(**prompt.options)
    # Here, for so many: for all candidates they would be the largest of all.
    offsets = constraints.begin_offsets(
        kinds, banned, draft.tokens, options.penalty
    )
    enough = tf.size(draft.written) // 2
    enough = tf.where(enough < MIN_SIDE_BY_SIDE, 0, enough)

    def write(draft: Draft, offsets: tf.Tensor) -> list[Any]:
        hidden, state = guidance.step_both(
            networks, draft.last, draft.state, prompt.condition
        )
        guided, fluent = guidance.both_logits(
            networks, hidden, options.guidance
        )
        guided = _constrain(
            guided + offsets, kinds, draft, prompt.length, options
        )
        chosen = samplers.sample(
            guided,
            # Those that are full stay for as long as others write on.
            tf.gather(
                prompt.uniform,
                tf.minimum(draft.written, MAX_TOKENS - 1),
                batch_dims=1,
            ),
            options.temperature,
            TOP_K,
            options.top_p,
        )
        chosen = tf.where(draft.done, END, chosen)
        gains = find_gains(
            networks, kinds, fluent, state[:, 1], draft.tokens, chosen
        )
        draft = append_token(kinds, draft, prompt, chosen, gains)
        offsets = constraints.add_use(offsets, kinds, chosen, options.penalty)
        return [draft._replace(state=state), offsets]

    draft, _ = tf.while_loop(
        lambda draft, _: _goes_on(draft.done) > enough, write, [draft, offsets]
    )
    return draft


def _goes_on(done: tf.Tensor) -> tf.Tensor:
    return tf.math.count_nonzero(~done, dtype=tf.int32)


def _constrain(
    logits: tf.Tensor,
    kinds: TokenKinds,
    draft: Draft,
    length: tf.Tensor,
    options: DecodingOptions,
) -> tf.Tensor:
    """Adds what may not be written."""
    logits += constraints.form_mask(
        kinds,
        draft.last,
        draft.words,
        draft.lines,
        options.min_words,
        options.max_words,
        options.min_lines,
        options.max_lines,
    )
    if kinds.rules:
        logits += pattern_mask(
            kinds.rules,
            options.pattern,
            draft.lines,
            draft.syllables,
            draft.ends,
            draft.last,
            options.max_lines,
        )
    length += draft.written
    logits = constraints.forbid_doubles(
        logits, kinds, draft.tokens, length, draft.last
    )
    return constraints.forbid_repeats(logits, draft.tokens, length, draft.last)


def find_gains(
    networks: Networks,
    kinds: TokenKinds,
    logits: tf.Tensor,
    state: tf.Tensor,
    token_ids: tf.Tensor,
    chosen: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """Returns what tokens add to fluency and merit.

    Args:
        networks: The models.
        kinds: Sorts of tokens.
        logits: float `[N, V]`, without the photograph.
        state: float `[N, H]`, without it, which the logits come from.
        token_ids: int32 `[N, T]`. Tokens so far.
        chosen: int32 `[N]`. The next one.

    Returns:
        float `[N]` for each of `networks.gain_names`.
    """
    gains = {"fluency": fluency_gain(logits, token_ids, chosen, kinds)}
    if networks.judge:
        gains["merit"] = networks.judge(state)
    return gains


def fluency_gain(
    logits: tf.Tensor,
    token_ids: tf.Tensor,
    chosen: tf.Tensor,
    kinds: TokenKinds,
) -> tf.Tensor:
    """Returns what tokens add to fluency.

    Args:
        logits: float `[N, V]`, without the photograph.
        token_ids: int32 `[N, T]`. Tokens so far.
        chosen: int32 `[N]`. The next one.
        kinds: Sorts of tokens.

    Returns:
        float `[N]` [nats]: the log probability, or `REPEATED` for a content
        word that came before.
    """
    is_content = tf.gather(tf.constant(kinds.is_content), chosen)
    came = tf.reduce_any(token_ids == chosen[:, None], axis=1)
    # Not reduce_logsumexp, which sums one row in another order than many.
    gain = tf.gather(tf.nn.log_softmax(logits), chosen, batch_dims=1)
    return tf.where(came & is_content, REPEATED, gain)


def draw_uniform(
    seed: tf.Tensor, clue_ids: tf.Tensor, line: tf.Tensor | int = 0
) -> tf.Tensor:
    """Draws the numbers that decide the candidates of one photograph.

    Candidate i gets row i, however many there are. Photographs with other
    clues get other numbers from the same seed, but for one pair in many: with
    the same ones they would take the same turns, and a line that is likely for
    many would be drawn for all of them. Clues, not the embedding, whose last
    bits are the processor's.

    Args:
        seed: int64 scalar.
        clue_ids: int `[C]`.
        line: int scalar. Another line, other numbers.

    Returns:
        float `[MAX_CANDIDATES, MAX_TOKENS]` in [0, 1).
    """
    places = tf.range(1, tf.size(clue_ids) + 1)
    mixed = tf.reduce_sum(tf.cast(clue_ids * places, tf.int64) * _MIX)
    return tf.random.stateless_uniform(
        [MAX_CANDIDATES, MAX_TOKENS],
        tf.stack([seed, mixed + tf.cast(line, tf.int64)]),
    )
