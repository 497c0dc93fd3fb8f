"""Candidates for photographs, written side by side by guided decoding."""

import dataclasses
import functools
from typing import Any
from typing import NamedTuple

import tensorflow as tf

from visualpoet.controls import MAX_CANDIDATES
from visualpoet.controls import MAX_LINES
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.generator import constraints
from visualpoet.generator import samplers
from visualpoet.generator.networks import Networks
from visualpoet.generator.patterns import Pattern
from visualpoet.generator.patterns import find_ends
from visualpoet.generator.patterns import pattern_mask

MAX_TOKENS = 112
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
        fluency_weight: Weight of fluency against fit in the ranking.
        clue_weight: Weight of the share of clues in the poem.
        paired_weight: Weight of the multi-modal discriminator's p(paired).
        poetic_weight: Weight of the poem-style discriminator's p(poetic).
        copied_weight: What takes off the score, times the share of words that
            stand in runs known by heart.
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
    fluency_weight: tf.Tensor | float = 0.7
    clue_weight: tf.Tensor | float = 0.0
    paired_weight: tf.Tensor | float = 0.16
    poetic_weight: tf.Tensor | float = 0.04
    copied_weight: tf.Tensor | float = 3.0
    pattern: tf.Tensor | Pattern = Pattern()


def guide(
    conditional: tf.Tensor, unconditional: tf.Tensor, guidance: tf.Tensor
) -> tf.Tensor:
    """Weighs the photograph.

    `unconditional + guidance * (conditional - unconditional)`

    Source: Ho and Salimans (2022), classifier-free guidance. Logits are affine
    in the last hidden vector: guiding that is the same, and cheaper.

    Args:
        conditional: float `[N, V]`. Logits with the photograph, or `[N, E]`,
            what they come from.
        unconditional: The same without it.
        guidance: Its weight.

    Returns:
        float of their shape.
    """
    return unconditional + guidance * (conditional - unconditional)


class Task(NamedTuple):
    """What a candidate is written for; one row each.

    Attributes:
        condition: `[N, 2, E]`. Of the network, with and without photograph.
        length: int32 `[N]`. Tokens of the opening.
        uniform: float `[N, MAX_TOKENS]`. Decides the draws.
        one_line: bool `[N]`. Whether to stop at a line break.
        options: Fields of `DecodingOptions`, each `[N]`.
    """

    condition: tf.Tensor
    length: tf.Tensor
    uniform: tf.Tensor
    one_line: tf.Tensor
    options: dict[str, tf.Tensor]


class Draft(NamedTuple):
    """Candidates on their way, what the writing loop carries; one row each.

    Attributes:
        tokens: int32 `[N, T]`. Those of the opening, then those written.
        written: int32 `[N]`. How many were written.
        fluency: float `[N, T]`. What each adds to fluency.
        last: int32 `[N]`. The last token.
        state: `[N, 2, H]`. Of the network, with and without photograph.
        words: int32 `[N]`. Words of the line so far.
        lines: int32 `[N]`. Lines finished so far.
        syllables: int32 `[N]`. Of the line so far, where forms have patterns.
        word: int32 `[N]`. The last word of the line so far, 0 for none.
        ends: int32 `[N, MAX_LINES]`. The last word of each finished line.
        offsets: float `[N, V]`. What bans and used words take off the logits.
        done: bool `[N]`.
    """

    tokens: tf.Tensor
    written: tf.Tensor
    fluency: tf.Tensor
    last: tf.Tensor
    state: tf.Tensor
    words: tf.Tensor
    lines: tf.Tensor
    syllables: tf.Tensor
    word: tf.Tensor
    ends: tf.Tensor
    offsets: tf.Tensor
    done: tf.Tensor


def write_candidates(
    networks: Networks,
    kinds: constraints.TokenKinds,
    image_embedding: tf.Tensor,
    clue_ids: tf.Tensor,
    form: tf.Tensor,
    owner: tf.Tensor,
    uniform: tf.Tensor,
    banned: tf.Tensor,
    options: DecodingOptions,
    opening: tf.Tensor | None = None,
    one_line: tf.Tensor | bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
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
        gap, what was written, END and padding; and what each written token
        adds to fluency, float of the same shape: its log probability without
        the photograph, but a low constant for a content word that was used
        before, so that repetition cannot win.
    """
    size = tf.shape(image_embedding)[0]
    if opening is None:
        opening = tf.zeros([size, 0], tf.int32)
    # Of each photograph, then of each candidate.
    length = _count(opening > 0)
    state, condition = _both_sides(networks, image_embedding, clue_ids, form)
    each = _spread_options(options, size)
    draft = _begin(
        networks, kinds, state, condition, opening, length, banned, each
    )
    one_line = _of_each(one_line, size)
    draft, condition, length, one_line, each = _take(
        (draft, condition, length, one_line, each), owner
    )
    task = Task(condition, length, uniform, one_line, each)

    def write_some(draft: Draft) -> list[Draft]:
        rows = tf.where(~draft.done)[:MAX_SIDE_BY_SIDE, 0]
        further = _write(networks, kinds, *_take((draft, task), rows))
        put = functools.partial(_put, rows)
        return [tf.nest.map_structure(put, draft, further)]

    (draft,) = tf.while_loop(
        lambda draft: ~tf.reduce_all(draft.done), write_some, [draft]
    )
    return draft.tokens, draft.fluency


def _of_each(values: Any, size: tf.Tensor) -> Any:
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
    return {**_of_each(values, size), "pattern": pattern}


def _take(values: Any, rows: tf.Tensor) -> Any:
    return tf.nest.map_structure(lambda value: tf.gather(value, rows), values)


def _put(rows: tf.Tensor, values: tf.Tensor, further: tf.Tensor) -> tf.Tensor:
    return tf.tensor_scatter_nd_update(values, rows[:, None], further)


def _count(is_one: tf.Tensor) -> tf.Tensor:
    return tf.math.count_nonzero(is_one, axis=1, dtype=tf.int32)


def _both_sides(
    networks: Networks,
    image_embedding: tf.Tensor,
    clue_ids: tf.Tensor,
    form: tf.Tensor,
) -> tuple[tf.Tensor, ...]:
    """State `[B, 2, H]` and condition, with and without the photograph."""
    sides = networks.start(
        tf.concat([image_embedding, tf.zeros_like(image_embedding)], axis=0),
        tf.concat([clue_ids, tf.zeros_like(clue_ids)], axis=0),
        tf.tile(form, [2]),
    )
    return tuple(tf.stack(tf.split(side, 2), axis=1) for side in sides)


def _step(
    networks: Networks,
    token_id: tf.Tensor,
    state: tf.Tensor,
    condition: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """One step of both sides: `[2N, E]`, those without photograph last."""
    sides = (tf.concat(tf.unstack(x, axis=1), 0) for x in (state, condition))
    hidden, state = networks.step(tf.tile(token_id, [2]), *sides)
    return hidden, tf.stack(tf.split(state, 2), axis=1)


def _begin(
    networks: Networks,
    kinds: constraints.TokenKinds,
    state: tf.Tensor,
    condition: tf.Tensor,
    opening: tf.Tensor,
    length: tf.Tensor,
    banned: tf.Tensor,
    options: dict[str, tf.Tensor],
) -> Draft:
    """Reads the openings; the drafts that hold them."""
    lines = _count(opening == kinds.line_break)
    read = tf.pad(opening, [[0, 0], [1, 0]], constant_values=START)
    tokens = tf.pad(opening, [[0, 0], [0, MAX_TOKENS]])
    return Draft(
        tokens=tokens,
        written=tf.zeros_like(length),
        fluency=tf.zeros_like(tokens, tf.float32),
        last=tf.gather(read, length, batch_dims=1),
        state=_read(networks, state, condition, read, length),
        words=tf.zeros_like(length),
        lines=lines,
        syllables=tf.zeros_like(length),
        word=tf.zeros_like(length),
        ends=find_ends(kinds.is_word, kinds.line_break, opening),
        offsets=constraints.begin_offsets(
            kinds, banned, opening, options["penalty"]
        ),
        done=(lines >= options["max_lines"]) & (length > 0),
    )


def _read(
    networks: Networks,
    state: tf.Tensor,
    condition: tf.Tensor,
    tokens: tf.Tensor,
    length: tf.Tensor,
) -> tf.Tensor:
    """State before the last token of each opening `[B, L + 1]`."""

    def read(time: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        _, after = _step(networks, tokens[:, time], state, condition)
        after = tf.where((time < length)[:, None, None], after, state)
        return time + 1, tf.ensure_shape(after, state.shape)

    _, state = tf.while_loop(
        lambda time, _: time < tf.shape(tokens)[1] - 1, read, (0, state)
    )
    return state


def _write(
    networks: Networks,
    kinds: constraints.TokenKinds,
    draft: Draft,
    task: Task,
) -> Draft:
    """Writes on, until at most half of the candidates are not done.

    Those go on with others then: rows that are done cost as much as the rest.
    """
    options = DecodingOptions(**task.options)
    enough = tf.size(draft.written) // 2
    enough = tf.where(enough < MIN_SIDE_BY_SIDE, 0, enough)

    def write(draft: Draft) -> list[Draft]:
        hidden, state = _step(networks, draft.last, draft.state, task.condition)
        guided, fluent = _both_logits(networks, hidden, options.guidance)
        guided = _constrain(guided, kinds, draft, task.length, options)
        chosen = samplers.sample(
            guided,
            tf.gather(task.uniform, draft.written, batch_dims=1),
            options.temperature,
            TOP_K,
            options.top_p,
        )
        chosen = tf.where(draft.done, END, chosen)
        gain = fluency_gain(fluent, draft.tokens, chosen, kinds)
        draft = _append(kinds, draft, task, chosen, gain)
        offsets = constraints.add_use(
            draft.offsets, kinds, chosen, options.penalty
        )
        return [draft._replace(state=state, offsets=offsets)]

    (draft,) = tf.while_loop(
        lambda draft: _goes_on(draft.done) > enough, write, [draft]
    )
    return draft


def _goes_on(done: tf.Tensor) -> tf.Tensor:
    return tf.math.count_nonzero(~done, dtype=tf.int32)


def _both_logits(
    networks: Networks, hidden: tf.Tensor, guidance: tf.Tensor
) -> list[tf.Tensor]:
    """Logits `[N, V]`, guided and without the photograph."""
    conditional, unconditional = tf.split(hidden, 2)
    guided = guide(conditional, unconditional, guidance[:, None])
    both = networks.to_logits(tf.concat([guided, unconditional], axis=0))
    return tf.split(both, 2)


def _constrain(
    logits: tf.Tensor,
    kinds: constraints.TokenKinds,
    draft: Draft,
    length: tf.Tensor,
    options: DecodingOptions,
) -> tf.Tensor:
    """Adds what may not be written."""
    logits += draft.offsets
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
        )
    length += draft.written
    logits = constraints.forbid_doubles(
        logits, kinds, draft.tokens, length, draft.last
    )
    return constraints.forbid_repeats(logits, draft.tokens, length, draft.last)


def fluency_gain(
    logits: tf.Tensor,
    token_ids: tf.Tensor,
    chosen: tf.Tensor,
    kinds: constraints.TokenKinds,
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


def _append(
    kinds: constraints.TokenKinds,
    draft: Draft,
    task: Task,
    chosen: tf.Tensor,
    gain: tf.Tensor,
) -> Draft:
    """The draft with one token more."""
    places = tf.range(tf.shape(draft.tokens)[1])
    here = places == (task.length + draft.written)[:, None]  # [N, T]
    here &= ~draft.done[:, None]
    breaks = chosen == kinds.line_break
    is_word = tf.gather(tf.constant(kinds.is_word), chosen)
    words = draft.words + tf.cast(is_word, tf.int32)
    word = tf.where(is_word, chosen, draft.word)
    ends = (tf.range(MAX_LINES) == draft.lines[:, None]) & breaks[:, None]
    written = draft.written + tf.cast(~draft.done, tf.int32)
    is_end = (
        (chosen == END) | (breaks & task.one_line) | (written == MAX_TOKENS)
    )
    return draft._replace(
        tokens=tf.where(here, chosen[:, None], draft.tokens),
        written=written,
        fluency=tf.where(here, gain[:, None], draft.fluency),
        last=chosen,
        words=tf.where(breaks, 0, words),
        lines=draft.lines + tf.cast(breaks, tf.int32),
        syllables=tf.where(breaks, 0, _add_syllables(kinds, draft, chosen)),
        word=tf.where(breaks, 0, word),
        ends=tf.where(ends, word[:, None], draft.ends),
        done=draft.done | is_end,
    )


def _add_syllables(
    kinds: constraints.TokenKinds, draft: Draft, chosen: tf.Tensor
) -> tf.Tensor:
    if not kinds.rules:
        return draft.syllables
    syllables = tf.constant(kinds.rules.sounds.syllables, tf.int32)
    return draft.syllables + tf.gather(syllables, chosen)


def draw_uniform(
    seed: tf.Tensor, clue_ids: tf.Tensor, line: tf.Tensor | int = 0
) -> tf.Tensor:
    """Draws the numbers that decide the candidates of one photograph.

    Candidate i gets row i, however many there are. Photographs with other
    clues get other numbers from the same seed: with the same ones they would
    take the same turns, and a line that is likely for many would be drawn for
    all of them. Clues, not the embedding, whose last bits are the processor's.

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
