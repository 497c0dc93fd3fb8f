import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tests.finetuning import poems
from visualpoet.corpus import datasets
from visualpoet.finetuning import base
from visualpoet.finetuning import corpus
from visualpoet.finetuning import exporting
from visualpoet.finetuning import material
from visualpoet.finetuning.options import Options
from visualpoet.generator.known_phrases import KnownPhrases
from visualpoet.generator.known_runs import KnownRuns
from visualpoet.generator.reader_head import ReaderHead
from visualpoet.generator.token_kinds import TokenKinds


def test_lines_and_words_are_those_of_the_poems():
    texts = ["The sea\nThe sea and the moon\nThe night"] * 8
    texts += ["The sea\n" * 20]
    found = exporting.fit_options(tiny.OPTIONS, texts, tiny.vocabulary())
    assert (found.min_lines, found.max_lines) == (3, 7)
    assert (found.min_words, found.max_words) == (2, 5)
    kept = dataclasses.replace(
        found,
        min_lines=tiny.OPTIONS.min_lines,
        max_lines=tiny.OPTIONS.max_lines,
        min_words=tiny.OPTIONS.min_words,
        max_words=tiny.OPTIONS.max_words,
    )
    assert kept == tiny.OPTIONS


def make_poet(level="word", known_runs=None, texts=poems.POEMS):
    """A poet that is asked for words and runs alone."""
    vocabulary = tiny.Vocabulary.train(texts, 300, level)
    size = len(vocabulary)
    nothing = np.zeros(size, bool)
    kinds = TokenKinds(
        vocabulary.is_word(),
        *[nothing] * 5,
        np.arange(size),
        vocabulary.line_break,
    )
    names = [field.name for field in dataclasses.fields(base.PoetParts)]
    parts = dict.fromkeys(names) | {
        "vocabulary": vocabulary,
        "kinds": kinds,
        "known_runs": known_runs,
    }
    return base.PoetParts(**parts)


def test_a_voice_writes_its_form_and_patterns(tmp_path):
    lines = [f"一二三四{chr(0x5000 + number)}" for number in range(60)]
    quatrains = ["\n".join(lines[i : i + 4]) for i in range(0, 60, 4)]
    poet = make_poet("character", texts=quatrains)
    voice = exporting.prepare_patterns(poet, quatrains, ["jueju-5"])
    syllables = voice.kinds.rules.sounds.syllables
    assert syllables[poet.vocabulary.encode(lines[0])].tolist() == [1] * 5
    minding = dataclasses.replace(
        tiny.OPTIONS, novelty_weight=1.0, repetition_weight=2.0, merit_weight=1
    )
    voice = dataclasses.replace(voice, options={"": minding})
    options = exporting.choose_options(voice, quatrains, "", ["jueju-5"])
    assert list(options) == ["plain", "jueju-5"]
    assert options["plain"].max_words == 5
    # Those weights were fitted to another corpus.
    assert options["plain"].novelty_weight == 0
    assert options["plain"].repetition_weight == 0
    assert options["plain"].merit_weight == 0
    assert options["jueju-5"].pattern.syllables == (5, 5, 5, 5)
    assert exporting.prepare_patterns(poet, quatrains, []) is poet


def test_a_voice_is_not_judged_as_its_base(tmp_path, monkeypatch):
    read = base.read_poet(tiny.exported())
    judged = dataclasses.replace(
        read,
        known_phrases=KnownPhrases([[5, 6, 7]], read.kinds),
        reader_head=ReaderHead(read.generator.hidden_dim),
    )
    monkeypatch.setattr(base, "read_poet", lambda folder: judged)
    options = Options(poems.write(tmp_path), base=str(tiny.exported()))
    voice = material.prepare_material(options).poet
    assert voice.known_phrases is None
    assert "reader_head" not in voice.models


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("limerick", "form limerick: expected at least 50 words"),
        ("sonnet", "expected patterns of .*Received: 'sonnet'"),
    ],
)
def test_patterns_out_of_reach_are_refused(pattern, message):
    with pytest.raises(ValueError, match=message):
        exporting.prepare_patterns(make_poet(), poems.POEMS, [pattern])


def measure(poet, allow_quotes, folder, texts):
    found = corpus.read_corpus(poems.write(folder), "", False)
    guard = exporting.guard(poet, found, allow_quotes)
    ids = datasets.pad_token_ids(poet.vocabulary.encode_batch(texts))
    return guard.measure_copied(tf.constant(ids)).numpy().tolist()


def test_all_poems_of_the_corpus_are_guarded(tmp_path):
    shares = measure(make_poet(), 5, tmp_path, poems.POEMS)
    assert shares == [1.0] * len(poems.POEMS)


def test_poems_of_given_pairs_are_guarded(tmp_path):
    found = corpus.read_corpus(poems.write(tmp_path), "", False)
    other = "Sea moon road hill rain fox\nlamp boat star"
    poet = make_poet()
    ids = datasets.pad_token_ids([poet.vocabulary.encode(other)])
    for paired, share in ([], 0.0), ([other], 1.0):
        with_pairs = dataclasses.replace(found, paired=paired)
        guard = exporting.guard(poet, with_pairs, 5)
        assert guard.measure_copied(tf.constant(ids)).numpy() == [share]


def test_quotes_may_be_allowed(tmp_path):
    seven = ["The grey sea is far from me sea sea"]
    share = pytest.approx([7 / 9])
    assert measure(make_poet(), 5, tmp_path, seven) == share
    assert measure(make_poet(), 6, tmp_path, seven) == share
    assert measure(make_poet(), 7, tmp_path, seven) == [0.0]


def test_six_letters_are_no_recital(tmp_path):
    shares = measure(
        make_poet("character"),
        5,
        tmp_path,
        ["The grey boat", poems.POEMS[0]],
    )
    assert shares == [0.0, 1.0]


def test_what_the_base_knew_is_guarded_too(tmp_path):
    poet = make_poet()
    text = "sea moon road hill rain fox lamp"
    known = KnownRuns([poet.vocabulary.encode(text)], poet.kinds)
    assert measure(poet, 5, tmp_path, [text]) == [0.0]
    poet = dataclasses.replace(poet, known_runs=known)
    assert measure(poet, 5, tmp_path / "again", [text]) == [1.0]
