import numpy as np
import pytest
import tensorflow as tf

from visualpoet.controls import MAX_LINES
from visualpoet.corpus.sounds import Sounds
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.export import graph_constants
from visualpoet.generator import composer
from visualpoet.generator import patterns
from visualpoet.generator.networks import Networks
from visualpoet.generator.patterns import Pattern
from visualpoet.generator.samplers import NEVER
from visualpoet.generator.token_kinds import TokenKinds

END, BREAK, COMMA, SEA, TREE, MOON, WATER, THE = 2, 4, 5, 6, 7, 8, 9, 10
GENITIVE, V = 11, 12
SYLLABLES = {SEA: 1, TREE: 1, MOON: 1, WATER: 2, THE: 1}
RHYMES = {SEA: 1, TREE: 1, MOON: 2, WATER: 3}


def flags(*ids):
    return np.isin(np.arange(V), ids)


def numbers(values):
    return np.array([values.get(token, 0) for token in range(V)])


RULES = patterns.PatternRules(
    Sounds(numbers(SYLLABLES), numbers(RHYMES), flags(TREE)),  # as if: trees
    is_word=flags(*SYLLABLES),
    is_closing=flags(SEA, TREE, MOON, WATER),
    leans=flags(GENITIVE),
    is_pause=flags(COMMA),
    stops=flags(END, BREAK),
    is_rhymed=flags(SEA, TREE),
)


def allowed(
    pattern, lines=0, syllables=0, ends=(), last=THE, max_lines=MAX_LINES
):
    ends = [*ends, *[0] * (MAX_LINES - len(ends))]
    (mask,) = patterns.pattern_mask(
        RULES,
        tf.constant(pattern.encode()[None]),
        tf.constant([lines]),
        tf.constant([syllables]),
        tf.constant([ends]),
        tf.constant([last]),
        tf.constant([max_lines]),
    ).numpy()
    assert np.isin(mask, [0, NEVER]).all()
    return set(np.flatnonzero(mask == 0).tolist()) & {
        *SYLLABLES,
        *(END, BREAK, COMMA, GENITIVE),
    } - ({GENITIVE} if last == THE else set())


WORDS = set(SYLLABLES)


def test_a_line_is_filled_and_no_more():
    pattern = Pattern((3, 2))
    assert allowed(pattern) == {*WORDS, COMMA}
    # Two syllables are left, then one: no word of two, and no `the` at the end.
    assert allowed(pattern, syllables=1) == {*WORDS, COMMA}
    assert allowed(pattern, syllables=2) == {SEA, TREE, MOON, COMMA}
    assert allowed(pattern, syllables=3) == {BREAK, END, COMMA}
    # A pause at the end of the last line would have to be followed by a word.
    assert allowed(pattern, lines=1, syllables=2) == {BREAK, END}
    assert allowed(pattern, syllables=3, max_lines=1) == {BREAK, END}


def test_a_genitive_adds_no_syllable_and_ends_no_line():
    pattern = Pattern((3,))
    assert GENITIVE in allowed(pattern, syllables=1, last=SEA)
    assert GENITIVE not in allowed(pattern, syllables=1, last=TREE)
    assert GENITIVE not in allowed(pattern, syllables=3, last=SEA)


def test_the_open_words_stay_the_one_table_of_flags():
    """By which graph_constants.py finds them in an export."""
    pattern = tf.constant(Pattern((3,)).encode()[None])
    one, ends = tf.zeros([1], tf.int32), tf.zeros([1, MAX_LINES], tf.int32)
    traced = tf.function(
        lambda last: patterns.pattern_mask(
            RULES, pattern, one, one, ends, last, one
        )
    ).get_concrete_function(one)
    tables = graph_constants._read_tables(traced.graph.as_graph_def().node)
    assert tables
    assert not [table for table in tables if table.dtype == bool]


def test_lines_without_a_pattern_are_free():
    assert allowed(Pattern()) == {*WORDS, COMMA, BREAK, END}
    assert allowed(Pattern((1,)), lines=1) == {*WORDS, COMMA, BREAK, END}


def test_a_line_rhymes_with_the_one_before():
    pattern = Pattern((2, 2, 2), "aba")
    # Something must rhyme with the first line, nothing with the second.
    assert allowed(pattern, syllables=1) == {SEA, TREE, COMMA}
    assert allowed(pattern, 1, 1, [SEA]) == {SEA, TREE, MOON, COMMA}
    # Not with itself.
    assert allowed(pattern, 2, 1, [SEA, MOON]) == {TREE, COMMA}
    assert allowed(pattern, 2, 1, [TREE, MOON]) == {SEA, COMMA}
    # An opening that nothing rhymes with asks for nothing.
    assert allowed(pattern, 2, 1, [MOON, SEA]) == {SEA, TREE, MOON, COMMA}
    # Before the last word of the line all is as it was.
    assert allowed(pattern, 2, 0, [SEA, MOON]) == {*WORDS, COMMA} - {WATER}


SIZE = 90
RNG = np.random.default_rng(3)
SOME = np.arange(SIZE) > 9  # words: mostly of one syllable, of four rhymes
SOUNDS = Sounds(
    np.where(SOME, RNG.choice([1, 1, 1, 2, 3], SIZE), 0),
    np.where(SOME, RNG.integers(1, 5, SIZE), 0),
    np.zeros(SIZE, bool),
)
OPEN = np.isin(np.arange(SIZE), [*range(10, 20)])
NONE = np.zeros(SIZE, bool)
PAUSE = np.isin(np.arange(SIZE), [COMMA])


def write(pattern, opening=()):
    """Poems of a network whose scores are noise."""
    table = tf.constant(RNG.normal(size=[SIZE, SIZE]), tf.float32)
    networks = Networks(
        start=lambda image, clues, form: (image, image),
        step=lambda token, state, condition: (tf.gather(table, token), state),
        to_logits=tf.identity,
        embed_poem=None,
    )
    stops = np.isin(np.arange(SIZE), [END, BREAK])
    kinds = TokenKinds(
        is_word=SOME,
        is_mark=PAUSE,
        is_content=SOME,
        is_open=OPEN,
        is_pause=PAUSE,
        is_numeral=np.zeros(SIZE, bool),
        twin=np.arange(SIZE),
        line_break=BREAK,
        rules=patterns.make_rules(
            SOUNDS, SOME, SOME & ~OPEN, NONE, PAUSE, stops
        ),
    )
    lines = len(pattern.syllables)
    token_ids, _ = composer.write_candidates(
        networks,
        kinds,
        tf.zeros([1, 3]),
        tf.zeros([1, 2], tf.int32),
        tf.zeros([1], tf.int32),
        tf.zeros([8], tf.int32),
        tf.random.stateless_uniform([8, composer.MAX_TOKENS], [1, 2]),
        tf.zeros([1, SIZE], tf.bool),
        composer.DecodingOptions(
            min_lines=lines,
            max_lines=lines,
            min_words=1,
            max_words=12,
            pattern=pattern,
        ),
        tf.constant([[*opening]], tf.int32) if opening else None,
    )
    return [row[: row.index(END)] for row in token_ids.numpy().tolist()]


def split_lines(poem):
    text = " ".join(map(str, poem)).split(f" {BREAK} ")
    words = [[int(token) for token in line.split()] for line in text]
    return [[word for word in line if SOME[word]] for line in words]


@pytest.mark.parametrize("opening", [(), (20, BREAK), (20, COMMA, BREAK)])
def test_poems_keep_to_their_pattern(opening):
    pattern = Pattern((6, 6, 4, 4, 6), "aabba")
    for poem in write(pattern, opening):
        lines = split_lines(poem)[bool(opening) :]
        expected = pattern.syllables[bool(opening) :]
        assert [sum(SOUNDS.syllables[line]) for line in lines] == [*expected]
        ends = [line[-1] for line in split_lines(poem)]
        assert len(set(ends)) == 5
        a, a2, b, b2, a3 = SOUNDS.rhyme[ends]
        assert a == a2 == a3
        assert b == b2
        assert not OPEN[ends[1:]].any()


def test_words_that_are_short_and_many_can_be_rhymed_with():
    size = 12
    syllables = np.array([0, 0, 0, 0, 0, *[1] * 6, 2])
    rhyme = np.array([0, 0, 0, 0, 0, *[1] * 6, 1])
    is_word = np.arange(size) > 4
    none = np.zeros(size, bool)
    sounds = Sounds(syllables, rhyme, syllables < 0)
    rules = patterns.make_rules(sounds, is_word, is_word, none, none, none)
    np.testing.assert_array_equal(rules.is_rhymed, is_word)
    # One of the six ends no line.
    rules = patterns.make_rules(
        sounds,
        *(is_word, is_word & (np.arange(size) != 5)),
        *(none, none, none),
    )
    assert not rules.is_rhymed.any()


def test_a_vocabulary_that_cannot_fill_a_pattern():
    with pytest.raises(ValueError, match="(?s)form mine: .*one syll.* with 3"):
        patterns.check_reachable(RULES, Pattern((2,)), "mine")
    patterns.check_reachable(RULES, Pattern(), "mine")


@pytest.mark.parametrize(
    "given", [{"syllables": (5, 7), "rhyme": "aba"}, {"syllables": (1,) * 11}]
)
def test_a_pattern_that_does_not_hold_together(given):
    with pytest.raises(ValueError, match="expected syllables of at most 10"):
        Pattern(**given)


def test_lines_that_stand_elsewhere_are_skipped():
    pattern = Pattern((8, 8, 5), "aab").encode()
    skipped = patterns.skip_lines(
        tf.constant([pattern] * 3), tf.constant([0, 1, 12])
    ).numpy()
    np.testing.assert_array_equal(skipped[0], pattern)
    assert skipped[1, :3].tolist() == [[8, 1], [5, 2], [0, 0]]
    assert not skipped[1, 3:].any() and not skipped[2].any()


def test_the_last_words_of_an_opening():
    ids = [
        [SEA, COMMA, BREAK, THE, MOON, BREAK, 0],
        [BREAK, TREE, WATER, COMMA, COMMA, BREAK, 0],
        [0] * 7,
        # What is not known ends a line, too: nothing is to rhyme with THE.
        [SEA, BREAK, THE, UNKNOWN, COMMA, BREAK, 0],
    ]
    ends = patterns.find_ends(RULES.is_word, BREAK, tf.constant(ids))
    assert ends[:, :3].numpy().tolist() == [
        [SEA, MOON, 0],
        [0, WATER, 0],
        [0, 0, 0],
        [SEA, UNKNOWN, 0],
    ]
    assert not ends[:, 3:].numpy().any()
