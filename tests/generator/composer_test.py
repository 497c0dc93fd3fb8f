import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from visualpoet.embedding.encoders import PoemTower
from visualpoet.generator import composer
from visualpoet.generator import ranking
from visualpoet.generator.networks import Networks
from visualpoet.generator.networks import wrap_networks
from visualpoet.generator.poem_generator import PoemGenerator
from visualpoet.generator.token_kinds import TokenKinds

START, END, BREAK = 1, 2, 4
V = 12
WORDS = set(range(5, 12))
SEEN, UNSEEN = tf.constant([[1.0, 0.0, 0.0]]), tf.zeros([1, 3])
CLUES = tf.constant([[5, 6]])
POEM = [5, 6, BREAK, 7, 8, END]
OTHER = [9, 10, BREAK, 11, 9, END]
NONE_BANNED = tf.zeros([1, V], tf.bool)
# Two lines of two or three words, the likeliest word each time.
OPTIONS = composer.DecodingOptions(
    temperature=0.0,
    top_p=1.0,
    guidance=1.0,
    min_lines=2,
    max_lines=2,
    min_words=2,
    max_words=3,
    penalty=0.0,
)
LN_HIT = np.log(0.78)  # log probability of the token of a poem
LN_MISS = np.log(0.02)  # and of each of the eleven others


def make_kinds(content=()):
    ids = np.arange(V)
    return TokenKinds(
        is_word=np.isin(ids, list(WORDS)),
        is_mark=np.zeros(V, bool),
        is_content=np.isin(ids, list(content)),
        is_open=np.zeros(V, bool),
        is_pause=np.zeros(V, bool),
        is_numeral=np.zeros(V, bool),
        twin=ids,
        line_break=BREAK,
    )


def spell(seen, unseen):
    """Networks that spell one poem with a photograph, another without."""

    def as_logits(poem):
        poem = [*poem, *[END] * (composer.MAX_TOKENS - len(poem))]
        return tf.math.log(tf.one_hot(poem, V, 0.78, 0.02))

    table = tf.stack([as_logits(unseen), as_logits(seen)])

    def start(image_embedding, clue_ids, form):
        # Clues alone are something of a photograph, too.
        clues = tf.cast(clue_ids, tf.float32)
        condition = tf.concat([image_embedding, clues], axis=1)
        return tf.zeros([len(condition), 1], tf.int32), condition

    def step(token_id, state, condition):
        has_photograph = tf.reduce_any(condition != 0, axis=1)
        place = tf.stack([tf.cast(has_photograph, tf.int32), state[:, 0]], 1)
        return tf.gather_nd(table, place), state + 1

    return Networks(start, step, to_logits=tf.identity, embed_poem=None)


def spell_forms(poems):
    """Networks that spell a poem of each form, whatever the photograph."""
    width = composer.MAX_TOKENS
    poems = [[*poem, *[END] * (width - len(poem))] for poem in poems]
    table = tf.math.log(tf.one_hot(poems, V, 0.78, 0.02))

    def start(image_embedding, clue_ids, form):
        return tf.zeros([len(form), 1], tf.int32), form[:, None]

    def step(token_id, state, condition):
        place = tf.concat([condition, state], 1)
        return tf.gather_nd(table, place), state + 1

    return Networks(start, step, to_logits=tf.identity, embed_poem=None)


def babble():
    """Networks without a memory, that know only the last token."""
    table = np.random.default_rng(0).standard_normal([2, V, V])
    table = tf.constant(table, tf.float32)

    def start(image_embedding, clue_ids, form):
        return tf.zeros([len(image_embedding), 1]), image_embedding

    def step(token_id, state, condition):
        has_photograph = tf.reduce_any(condition != 0, axis=1)
        place = tf.stack([tf.cast(has_photograph, tf.int32), token_id], 1)
        return tf.gather_nd(table, place), state

    return Networks(start, step, to_logits=tf.identity, embed_poem=None)


def write(
    networks,
    options=OPTIONS,
    *,
    seed=0,
    num_candidates=2,
    content=(),
    image_embedding=SEEN,
    clue_ids=CLUES,
    banned=NONE_BANNED,
    **more,
):
    draws = composer.draw_uniform(tf.constant(seed, tf.int64), CLUES[0])
    tokens, gains = composer.write_candidates(
        networks,
        make_kinds(content),
        image_embedding,
        clue_ids,
        tf.zeros([1], tf.int32),
        tf.zeros([num_candidates], tf.int32),
        draws[:num_candidates],
        banned,
        options,
        **more,
    )
    return tokens.numpy(), gains["fluency"].numpy()


def padded(values):
    row = np.zeros(composer.MAX_TOKENS)
    row[: len(values)] = values
    return row


def test_writes_the_poem_that_the_networks_spell():
    tokens, fluency = write(spell(POEM, POEM), num_candidates=3)
    np.testing.assert_array_equal(tokens, [padded(POEM)] * 3)
    np.testing.assert_allclose(fluency, [padded([LN_HIT] * 6)] * 3, atol=1e-5)
    assert tokens.dtype == np.int32


def test_each_photograph_has_its_form_on_both_sides():
    tokens, gains = composer.write_candidates(
        spell_forms([POEM, OTHER]),
        make_kinds([]),
        tf.repeat(SEEN, 2, axis=0),
        tf.repeat(CLUES, 2, axis=0),
        tf.constant([1, 0]),
        tf.constant([0, 1, 1]),
        tf.zeros([3, composer.MAX_TOKENS]),
        tf.repeat(NONE_BANNED, 2, axis=0),
        dataclasses.replace(OPTIONS, guidance=3.0),
    )
    expected = [padded(OTHER), padded(POEM), padded(POEM)]
    np.testing.assert_array_equal(tokens, expected)
    # The side without the photograph knows the form, too.
    hits = tf.boolean_mask(gains["fluency"], tokens > 0)
    np.testing.assert_allclose(hits, tf.fill(hits.shape, LN_HIT), atol=1e-5)


def test_guidance_of_zero_ignores_the_photograph():
    options = dataclasses.replace(OPTIONS, guidance=0.0)
    tokens, _ = write(spell(POEM, OTHER), options)
    np.testing.assert_array_equal(tokens, [padded(OTHER)] * 2)


def test_guidance_follows_the_photograph_and_fluency_does_not():
    tokens, fluency = write(spell(POEM, OTHER))
    np.testing.assert_array_equal(tokens, [padded(POEM)] * 2)
    # Both poems have a break and END at the same places.
    expected = [LN_MISS, LN_MISS, LN_HIT, LN_MISS, LN_MISS, LN_HIT]
    np.testing.assert_allclose(fluency, [padded(expected)] * 2, atol=1e-5)


@pytest.mark.parametrize(
    "image_embedding, clue_ids, poem",
    [
        (UNSEEN, tf.zeros([1, 2], tf.int32), OTHER),
        (SEEN, tf.zeros([1, 2], tf.int32), POEM),
        (UNSEEN, CLUES, POEM),
    ],
    ids=["nothing", "image", "clues"],
)
def test_image_and_clues_are_what_is_written_for(
    image_embedding, clue_ids, poem
):
    tokens, _ = write(
        spell(POEM, OTHER), image_embedding=image_embedding, clue_ids=clue_ids
    )
    np.testing.assert_array_equal(tokens, [padded(poem)] * 2)


def test_a_content_word_used_again_counts_as_not_fluent():
    poem = [5, 6, BREAK, 7, 5, END]
    tokens, fluency = write(spell(poem, poem), content=[5])
    np.testing.assert_array_equal(tokens, [padded(poem)] * 2)
    expected = [LN_HIT] * 4 + [composer.REPEATED, LN_HIT]
    np.testing.assert_allclose(fluency, [padded(expected)] * 2, atol=1e-5)
    assert composer.REPEATED == -12.0


def test_penalty_keeps_content_words_from_coming_again():
    poem = [5, 6, BREAK, 7, 5, END]
    # ln 0.78 - 4 is less than ln 0.02, so another word comes in its place.
    options = dataclasses.replace(OPTIONS, penalty=4.0)
    tokens, _ = write(spell(poem, poem), options, content=[5])
    assert tokens[0, 4] in WORDS - {5, 7}
    tokens, _ = write(spell(poem, poem), options, content=[6])
    np.testing.assert_array_equal(tokens[0], padded(poem))


def test_banned_words_are_not_written():
    networks, options = babble(), dataclasses.replace(OPTIONS, temperature=1.0)
    tokens, _ = write(networks, options, num_candidates=32)
    assert WORDS <= set(tokens.ravel().tolist())
    banned = tf.constant([np.isin(np.arange(V), [6, 9])])
    tokens, _ = write(networks, options, num_candidates=32, banned=banned)
    assert set(tokens.ravel().tolist()) == {0, END, BREAK, 5, 7, 8, 10, 11}


def test_poems_keep_their_form():
    options = dataclasses.replace(
        OPTIONS, temperature=1.0, min_lines=2, max_lines=4
    )
    tokens, fluency = write(babble(), options, num_candidates=32)
    numbers = set()
    for row, gains in zip(tokens.tolist(), fluency):
        end = row.index(END)
        assert not any(row[end + 1 :]) and not gains[end + 1 :].any()
        assert (gains[: end + 1] < 0).all()
        lines = " ".join(map(str, row[:end])).split(f" {BREAK} ")
        numbers.add(len(lines))
        for line in lines:
            words = list(map(int, line.split()))
            assert set(words) <= WORDS
            assert 2 <= len(words) <= 3
            assert all(a != b for a, b in zip(words, words[1:]))
    assert numbers == {2, 3, 4}


def test_no_three_tokens_come_twice():
    # Greedy babble runs in circles if it may. Of more lines of seven words
    # some must end alike.
    options = dataclasses.replace(OPTIONS, min_lines=5, max_lines=5)
    tokens, _ = write(babble(), options, num_candidates=1)
    poem = tokens[0, : tokens[0].tolist().index(END)].tolist()
    runs = list(zip(poem, poem[1:], poem[2:]))
    assert len(runs) > 16
    assert len(set(runs)) == len(runs)


def test_candidates_of_many_photographs_are_those_of_each():
    """Other openings, options, bans and numbers of candidates side by side."""
    owner = np.repeat([0, 1, 2], [1, 3, 70])
    openings = [[0] * 6, [5, 6, BREAK, 0, 0, 0], [7, 8, BREAK, 9, 5, BREAK]]
    rows = {
        "image_embedding": [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 2.0, 0.0]],
        "clue_ids": [[5, 6]] * 3,
        "form": [0, 0, 0],
        "banned": [np.isin(np.arange(V), banned) for banned in ([], 9, 7)],
        "opening": openings,
        "one_line": [False, False, True],
    }
    options = {
        "temperature": [1.0, 0.5, 1.5],
        "top_p": [1.0, 0.9, 1.0],
        "guidance": [1.5, 1.0, 0.5],
        "max_lines": [2, 4, 6],
        "max_words": [3, 2, 5],
        "penalty": [0.0, 1.0, 2.0],
    }
    uniform = np.random.default_rng(0).random([74, composer.MAX_TOKENS])

    def write_rows(some, mine, owner):
        return composer.write_candidates(
            babble(),
            make_kinds([5, 6, 7]),
            owner=tf.constant(owner, tf.int32),
            uniform=tf.constant(uniform[mine], tf.float32),
            options=dataclasses.replace(
                OPTIONS, **{n: tf.constant(v[some]) for n, v in options.items()}
            ),
            **{name: tf.constant(value[some]) for name, value in rows.items()},
        )

    tokens, gains = write_rows(slice(None), slice(None), owner)
    for row in range(3):
        mine = owner == row
        alone, measured = write_rows(slice(row, row + 1), mine, [0] * sum(mine))
        np.testing.assert_array_equal(tokens[mine], alone)
        np.testing.assert_allclose(
            gains["fluency"][mine], measured["fluency"], atol=1e-6
        )
    assert len(np.unique(tokens[4:], axis=0)) > 10


def test_a_candidate_does_not_depend_on_how_many_there_are():
    options = dataclasses.replace(OPTIONS, temperature=1.0, guidance=1.5)
    four, fluency_of_four = write(babble(), options, num_candidates=4)
    eight, fluency_of_eight = write(babble(), options, num_candidates=8)
    assert len({tuple(row) for row in eight.tolist()}) >= 7
    np.testing.assert_array_equal(eight[:4], four)
    np.testing.assert_allclose(fluency_of_eight[:4], fluency_of_four, atol=1e-6)


def test_the_seed_decides():
    options = dataclasses.replace(OPTIONS, temperature=1.0)
    first, second, other, large = (
        write(babble(), options, seed=seed)[0] for seed in (7, 7, 8, 2**40 + 7)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, large)


def test_draws_are_uniform():
    draws = composer.draw_uniform(tf.constant(3, tf.int64), CLUES[0]).numpy()
    assert draws.shape == (64, composer.MAX_TOKENS)
    assert 0 <= draws.min() < 0.01 and 0.99 < draws.max() < 1
    assert draws.mean() == pytest.approx(0.5, abs=0.02)


def test_a_poem_that_does_not_end_is_cut():
    # A line without end: nothing is as unlikely as END.
    table = tf.constant(np.random.default_rng(0).standard_normal([V, V]))
    table = tf.cast(table, tf.float32) - 50.0 * tf.one_hot(END, V)

    def step(token_id, state, condition):
        return tf.gather(table, token_id), state

    networks = dataclasses.replace(babble(), step=step)
    options = dataclasses.replace(
        OPTIONS, min_lines=1, max_lines=1, max_words=200
    )
    tokens, _ = write(networks, options, num_candidates=1)
    assert set(tokens[0].tolist()) <= WORDS


def test_candidates_that_are_full_wait_for_later_ones():
    """Without a photograph a poem ends soon, with it never."""
    table = np.random.default_rng(0).standard_normal([2, V, V])
    table[:, :, END] = [[50.0], [-50.0]]
    table = tf.constant(table, tf.float32)

    def step(token_id, state, condition):
        has_photograph = tf.reduce_any(condition != 0, axis=1)
        place = tf.stack([tf.cast(has_photograph, tf.int32), token_id], 1)
        return tf.gather_nd(table, place), state

    # 44 of the first 64 end at once, and 40 begin beside the other 20.
    owner = np.repeat([0, 1], [44, 60])
    uniform = np.random.default_rng(1).random([104, composer.MAX_TOKENS])
    tokens, _ = composer.write_candidates(
        dataclasses.replace(babble(), step=step),
        make_kinds(),
        tf.concat([UNSEEN, SEEN], axis=0),
        tf.zeros([2, 2], tf.int32),
        tf.zeros([2], tf.int32),
        tf.constant(owner, tf.int32),
        tf.constant(uniform, tf.float32),
        tf.tile(NONE_BANNED, [2, 1]),
        dataclasses.replace(
            OPTIONS, temperature=1.0, min_lines=1, max_lines=1, max_words=200
        ),
    )
    lengths = np.isin(tokens, list(WORDS)).sum(axis=1)
    assert set(lengths[:44]) == {2}
    assert lengths[44:].max() == composer.MAX_TOKENS


# --- openings and single lines


def test_an_opening_is_read_and_not_written():
    opening = tf.constant([POEM[:3]])
    tokens, fluency = write(spell(POEM, POEM), opening=opening)
    assert tokens.shape == (2, 3 + composer.MAX_TOKENS)
    np.testing.assert_array_equal(tokens[:, :6], [POEM] * 2)
    assert not tokens[:, 6:].any()
    expected = [0.0] * 3 + [LN_HIT] * 3
    np.testing.assert_allclose(fluency[:, :6], [expected] * 2, atol=1e-5)


def test_words_and_lines_of_an_opening_count():
    opening = tf.constant([[5, 6, BREAK]])
    poem = [5, 6, BREAK, 7, 5, END]
    networks = spell(poem, poem)
    tokens, fluency = write(networks, content=[5], opening=opening)
    np.testing.assert_array_equal(tokens[0, :6], poem)
    assert fluency[0, 4] == composer.REPEATED
    options = dataclasses.replace(OPTIONS, penalty=4.0)
    tokens, _ = write(networks, options, content=[5], opening=opening)
    assert tokens[0, 4] in WORDS - {5, 7}


def test_going_on_from_part_of_a_poem_gives_the_rest():
    # The likeliest words, whatever was drawn: reading is as good as writing.
    options = dataclasses.replace(OPTIONS, min_lines=4, max_lines=4)
    (poem,), _ = write(babble(), options, num_candidates=1)
    length = poem.tolist().index(BREAK) + 1
    tokens, _ = write(
        babble(),
        options,
        num_candidates=1,
        opening=tf.constant([poem[:length]]),
    )
    np.testing.assert_array_equal(tokens[0, : composer.MAX_TOKENS], poem)


def test_an_opening_of_all_lines_leaves_nothing_to_write():
    opening = tf.constant([[5, 6, BREAK, 7, 8, BREAK]])
    tokens, fluency = write(spell(POEM, POEM), opening=opening)
    np.testing.assert_array_equal(tokens[0, :6], opening[0])
    assert not tokens[:, 6:].any()
    assert not fluency.any()


def test_one_line_ends_with_its_break_or_the_poem():
    networks = spell(POEM, POEM)
    tokens, fluency = write(networks, one_line=True)
    np.testing.assert_array_equal(tokens, [padded(POEM[:3])] * 2)
    np.testing.assert_allclose(fluency, [padded([LN_HIT] * 3)] * 2, atol=1e-5)
    tokens, _ = write(networks, opening=tf.constant([POEM[:3]]), one_line=True)
    np.testing.assert_array_equal(tokens[0, :7], [*POEM, 0])


def test_each_line_has_draws_of_its_own():
    seed = tf.constant(3, tf.int64)
    first, second, again = (
        composer.draw_uniform(seed, CLUES[0], line)
        for line in (0, 1, tf.constant(1))
    )
    np.testing.assert_array_equal(first, composer.draw_uniform(seed, CLUES[0]))
    assert not np.any(np.isclose(first, second).all(axis=1))
    np.testing.assert_array_equal(second, again)


def test_measured_fluency_is_that_of_a_candidate():
    poem = [5, 6, BREAK, 7, 5]
    networks = spell(OTHER, [*poem, END])
    kinds = make_kinds(content=[5])
    found = ranking.measure_gains(networks, kinds, 3, 0, tf.constant(poem))
    expected = (5 * LN_HIT + composer.REPEATED) / 6
    np.testing.assert_allclose(found["fluency"], expected, atol=1e-5)
    assert list(found) == ["fluency"]


def count_states(networks):
    """Networks whose reader head says how many tokens were read before.

    It says a hundred more where there is a photograph.
    """

    def start(image_embedding, clue_ids, form):
        state, condition = networks.start(image_embedding, clue_ids, form)
        seen = tf.reduce_any(condition != 0, axis=1, keepdims=True)
        return tf.concat([state, 100 * tf.cast(seen, tf.int32)], 1), condition

    def step(token_id, state, condition):
        hidden, after = networks.step(token_id, state, condition)
        return hidden, tf.concat([after[:, :1], state[:, 1:]], axis=1)

    return dataclasses.replace(
        networks,
        start=start,
        step=step,
        judge=lambda state: tf.cast(tf.reduce_sum(state, 1), tf.float32),
    )


def test_merit_is_what_the_states_without_the_photograph_say():
    networks = count_states(spell(POEM, OTHER))
    tokens, gains = composer.write_candidates(
        networks,
        make_kinds([]),
        SEEN,
        CLUES,
        tf.zeros([1], tf.int32),
        tf.zeros([2], tf.int32),
        tf.zeros([2, composer.MAX_TOKENS]),
        NONE_BANNED,
        OPTIONS,
    )
    np.testing.assert_array_equal(tokens, [padded(POEM)] * 2)
    expected = [padded([1, 2, 3, 4, 5, 6])] * 2
    np.testing.assert_array_equal(gains["merit"], expected)
    found = ranking.measure_gains(
        networks, make_kinds([]), 3, 0, tf.constant(POEM[:-1])
    )
    np.testing.assert_allclose(found["merit"], 3.5)


@pytest.mark.parametrize(
    ("conditioning", "forms"),
    [("first_state", []), ("clues", []), ("clues", ["haiku", "verse"])],
)
def test_networks_are_the_models(conditioning, forms):
    generator = PoemGenerator(V, 4, 8, 3, conditioning, forms=forms)
    if forms:
        table = generator.get_layer("know_form").embeddings
        table.assign(np.random.default_rng(0).standard_normal(table.shape))
    tower = PoemTower(V, BREAK, 6, 3)
    networks = wrap_networks(
        generator.start_view,
        generator.step_view,
        generator.get_layer("token_embedding").embeddings,
        tower,
        names=tuple(generator.start_view.input),
    )
    state, condition = networks.start(SEEN, CLUES, tf.constant([2]))
    first, state = networks.step(tf.constant([START]), state, condition)
    second, _ = networks.step(tf.constant([5]), state, condition)
    first, second = map(networks.to_logits, (first, second))
    inputs = {
        "token_ids": tf.constant([[START, 5]]),
        "image_embedding": SEEN,
        "clue_ids": CLUES,
        "form": tf.constant([2]),
    }
    logits = generator({name: inputs[name] for name in generator.input})
    np.testing.assert_allclose(
        logits, tf.stack([first, second], axis=1), atol=1e-5
    )
    poems = tf.constant([POEM, OTHER])
    np.testing.assert_array_equal(networks.embed_poem(poems), tower(poems))


def test_photographs_with_other_clues_have_draws_of_their_own():
    seed = tf.constant(3, tf.int64)
    draws = [
        composer.draw_uniform(seed, tf.constant(clues))
        for clues in ([5, 6], [6, 5], [5, 7])
    ]
    again = composer.draw_uniform(seed, tf.constant([5, 6]))
    np.testing.assert_array_equal(draws[0], again)
    for one, other in [(0, 1), (0, 2), (1, 2)]:
        assert not np.any(np.isclose(draws[one], draws[other]).all(axis=1))
