"""Candidates for a photograph: guided decoding, then ranking."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

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
        judge: Token ids `[N, T]` and image embedding `[1, K]` to what the
            discriminators say: `paired` and `poetic` `[N]`, probabilities;
            nothing if there are none.
    """

    start: Callable[..., tuple[tf.Tensor, tf.Tensor]]
    step: Callable[..., tuple[tf.Tensor, tf.Tensor]]
    embed_poem: Callable[[tf.Tensor], tf.Tensor]
    judge: Callable[..., dict[str, tf.Tensor]] = lambda *_: {}


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
        judge_weight: Weight of each probability of the discriminators.
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
    judge_weight: tf.Tensor | float = 0.2


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


class Draft(NamedTuple):
    """Candidates on their way, what the writing loop carries.

    Attributes:
        time: int scalar. Where the next token goes.
        tokens: int32 `[N, T]`. Tokens so far, those of the opening first.
        fluency: float `[N, T]`. What each adds to fluency.
        last: int32 `[N]`. The token written last.
        state: `[2N, H]`. Of the network, with and without photograph.
        words: int32 `[N]`. Words of the line so far.
        lines: int32 `[N]`. Lines finished so far.
        counts: float `[N, V]`. How often each content word was used.
        done: bool `[N]`.
    """

    time: tf.Tensor | int
    tokens: tf.Tensor
    fluency: tf.Tensor
    last: tf.Tensor
    state: tf.Tensor
    words: tf.Tensor
    lines: tf.Tensor
    counts: tf.Tensor
    done: tf.Tensor


def write_candidates(
    networks: Networks,
    kinds: constraints.TokenKinds,
    image_embedding: tf.Tensor,
    clue_ids: tf.Tensor,
    uniform: tf.Tensor,
    banned: tf.Tensor,
    options: Options,
    opening: tf.Tensor | None = None,
    one_line: tf.Tensor | bool = False,
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
        opening: int32 `[L]`. Whole lines that every candidate begins with,
            each with its line break; none by default. If there are as many as
            `max_lines`, nothing is written.
        one_line: Whether to stop at the first line break.

    Returns:
        Token ids int32 `[N, L + MAX_TOKENS]`, those of the opening first, END
        and padding at the end, and the sum of what each written token adds to
        fluency, float of the same shape: its log probability without the
        photograph, but a low constant for a content word that was used
        before, so that repetition cannot win.
    """
    opening = tf.zeros([0], tf.int32) if opening is None else opening
    num, length = tf.shape(uniform)[0], tf.size(opening)
    never = constraints.banned_mask(banned)
    state, condition = _both_sides(networks, image_embedding, clue_ids)
    state, last = _read(networks, state, condition, opening)
    state, condition = tf.repeat(state, num, 0), tf.repeat(condition, num, 0)
    draft = _begin(kinds, opening, num, last, state, options.max_lines)

    def write(draft):
        logits, state = networks.step(
            tf.tile(draft.last, [2]), draft.state, condition
        )
        conditional, unconditional = tf.split(logits, 2)
        guided = guide(conditional, unconditional, options.guidance)
        guided = _constrain(guided, kinds, draft, never, options)
        draws = tf.gather(uniform, draft.time - length, axis=1)
        chosen = samplers.sample(
            guided, draws, options.temperature, TOP_K, options.top_p
        )
        chosen = tf.where(draft.done, END, chosen)
        gain = _gain(unconditional, draft.counts, chosen)
        draft = _append(kinds, draft, chosen, gain, one_line)
        return [draft._replace(state=state)]

    (draft,) = tf.while_loop(
        lambda draft: (
            (draft.time < length + MAX_TOKENS) & ~tf.reduce_all(draft.done)
        ),
        write,
        [draft],
    )
    return draft.tokens, draft.fluency


def _both_sides(networks, image_embedding, clue_ids):
    """State `[2, H]` and condition, with and without the photograph."""
    seen = networks.start(image_embedding, clue_ids)
    unseen = networks.start(
        tf.zeros_like(image_embedding), tf.zeros_like(clue_ids)
    )
    return tuple(tf.concat(sides, axis=0) for sides in zip(seen, unseen))


def _read(networks, state, condition, opening):
    """State before the last token of an opening, and that token."""
    tokens = tf.concat([[START], opening], axis=0)

    def read(time, state):
        token_id = tf.repeat(tokens[time], 2)
        return time + 1, networks.step(token_id, state, condition)[1]

    _, state = tf.while_loop(
        lambda time, _: time < tf.size(opening), read, (0, state)
    )
    return state, tokens[-1]


def _begin(kinds, opening, num, last, state, max_lines) -> Draft:
    """The draft that holds the opening."""
    size, length = len(kinds.is_word), tf.size(opening)
    zeros = tf.zeros([num], tf.int32)
    used = tf.reduce_sum(tf.one_hot(opening, size), axis=0)
    used *= tf.constant(kinds.is_content, tf.float32)
    breaks = tf.cast(opening == kinds.line_break, tf.int32)
    lines = zeros + tf.reduce_sum(breaks)
    tokens = tf.pad(opening, [[0, MAX_TOKENS]])
    return Draft(
        time=length,
        tokens=tf.repeat(tokens[None], num, axis=0),
        fluency=tf.zeros([num, length + MAX_TOKENS]),
        last=tf.repeat(last, num),
        state=state,
        words=zeros,
        lines=lines,
        counts=tf.repeat(used[None], num, axis=0),
        done=(lines >= max_lines) & (length > 0),
    )


def _constrain(logits, kinds, draft, never, options):
    """Adds what may not be written."""
    logits += never + constraints.repetition_penalty(
        draft.counts, draft.last, options.penalty
    )
    logits += constraints.repeated_ngram_mask(
        draft.tokens, draft.time, len(kinds.is_word)
    )
    return logits + constraints.form_mask(
        kinds,
        draft.last,
        draft.words,
        draft.lines,
        options.min_words,
        options.max_words,
        options.min_lines,
        options.max_lines,
    )


def _gain(logits, counts, chosen):
    """What the chosen tokens `[N]` add to fluency."""
    repeated = tf.gather(counts, chosen, batch_dims=1) > 0
    gain = tf.gather(logits, chosen, batch_dims=1)
    gain -= tf.reduce_logsumexp(logits, axis=-1)
    return tf.where(repeated, REPEATED, gain)


def _append(kinds, draft, chosen, gain, one_line) -> Draft:
    """The draft with one token more."""
    here = tf.range(tf.shape(draft.tokens)[1]) == draft.time  # [T]
    done, breaks = draft.done, chosen == kinds.line_break
    token = tf.where(done, 0, chosen)[:, None]
    gain = tf.where(done, 0.0, gain)[:, None]
    is_word = tf.gather(tf.constant(kinds.is_word), chosen)
    words = draft.words + tf.cast(is_word, tf.int32)
    is_content = tf.constant(kinds.is_content, tf.float32)
    used = tf.one_hot(chosen, len(kinds.is_word)) * is_content
    return draft._replace(
        time=draft.time + 1,
        tokens=tf.where(here, token, draft.tokens),
        fluency=tf.where(here, gain, draft.fluency),
        last=chosen,
        words=tf.where(breaks, 0, words),
        lines=draft.lines + tf.cast(breaks, tf.int32),
        counts=draft.counts + used,
        done=done | (chosen == END) | (breaks & one_line),
    )


def measure_fluency(
    networks: Networks,
    kinds: constraints.TokenKinds,
    image_dim: int,
    token_ids: tf.Tensor,
) -> tf.Tensor:
    """Measures a text as candidates are measured.

    Args:
        networks: The models.
        kinds: Sorts of tokens.
        image_dim: Width of the joint space.
        token_ids: int32 `[T]`, without START and END.

    Returns:
        float scalar. Mean of what `write_candidates` gives for each token and
        for END [nats per token].
    """
    tokens = tf.concat([token_ids, [END]], axis=0)
    state, condition = networks.start(
        tf.zeros([1, image_dim]), tf.zeros([1, 1], tf.int32)
    )
    is_content = tf.constant(kinds.is_content, tf.float32)

    def read(time, last, state, counts, total):
        logits, state = networks.step(last, state, condition)
        token = tokens[time][None]
        total += _gain(logits, counts, token)[0]
        counts += tf.one_hot(token, len(kinds.is_word)) * is_content
        return time + 1, token, state, counts, total

    counts = tf.zeros([1, len(kinds.is_word)])
    result = tf.while_loop(
        lambda time, *_: time < tf.size(tokens),
        read,
        (0, tf.constant([START]), state, counts, 0.0),
    )
    return result[-1] / tf.cast(tf.size(tokens), tf.float32)


def rank_candidates(
    networks: Networks,
    image_embedding: tf.Tensor,
    token_ids: tf.Tensor,
    fluency: tf.Tensor,
    options: Options,
    opening_length: tf.Tensor | int = 0,
    ends: tf.Tensor | tuple[int, ...] = (END,),
) -> dict[str, tf.Tensor]:
    """Orders candidates by fit to the photograph, fluency and judgement.

    `score = cosine(poem, photograph) + fluency_weight * mean log probability
    + judge_weight * (p(paired) + p(poetic))`

    Args:
        networks: The models.
        image_embedding: float `[1, K]`, unit length.
        token_ids: int `[N, T]`.
        fluency: float `[N, T]`, as of `write_candidates`.
        options: How to rank.
        opening_length: Tokens at the beginning that all candidates share;
            they count for fit and not for fluency.
        ends: Tokens that finish a candidate.

    Returns:
        `token_ids` `[N, T]`, `fit` `[N]` (cosine), `fluency` `[N]` [nats per
        token], what `networks.judge` returns, and `score` `[N]`, best first. A
        candidate that was cut before its end comes last.
    """
    is_new = tf.range(tf.shape(token_ids)[1]) >= opening_length
    written = tf.cast((token_ids > 0) & is_new, tf.float32)
    fluency = tf.math.divide_no_nan(
        tf.reduce_sum(fluency, 1), tf.reduce_sum(written, 1)
    )
    fit = tf.linalg.matvec(networks.embed_poem(token_ids), image_embedding[0])
    score = fit + options.fluency_weight * fluency
    judged = networks.judge(token_ids, image_embedding)
    for probability in judged.values():
        score += options.judge_weight * probability
    is_end = tf.reduce_any(
        token_ids[..., None] == tf.convert_to_tensor(ends), axis=-1
    )
    ended = tf.reduce_any(is_end & is_new, axis=1)
    order = tf.argsort(
        tf.where(ended, score, score - 100.0), direction="DESCENDING"
    )
    measured = {"fit": fit, "fluency": fluency, **judged, "score": score}
    return {
        name: tf.gather(values, order)
        for name, values in {"token_ids": token_ids, **measured}.items()
    }


def draw_uniform(
    seed: tf.Tensor, num_candidates: tf.Tensor, line: tf.Tensor | int = 0
) -> tf.Tensor:
    """Draws the numbers that decide the candidates of one photograph.

    Candidate i gets the same numbers however many there are.

    Args:
        seed: int64 scalar.
        num_candidates: int scalar, at most MAX_CANDIDATES.
        line: int scalar. Another line, other numbers.

    Returns:
        float `[num_candidates, MAX_TOKENS]` in [0, 1).
    """
    uniform = tf.random.stateless_uniform(
        [MAX_CANDIDATES, MAX_TOKENS],
        tf.stack([seed, tf.cast(line, tf.int64)]),
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
