import dataclasses

import numpy as np
import pytest

from recipes import reader_reward
from tests import tiny
from visualpoet.embedding.photographs import embed_photographs
from visualpoet.finetuning import base
from visualpoet.generator import networks
from visualpoet.generator import ranking

FIRST, SECOND = [t for t in tiny.vocabulary().tokens if t.isalpha()][:2]
POEMS = [f"{FIRST}\n{SECOND}", f"{FIRST} {SECOND} {FIRST}\n{SECOND} {FIRST}"]
PHOTOGRAPHS = ["boat", "shore"]


@pytest.fixture(scope="module")
def poet():
    read = base.read_poet(tiny.exported())
    return dataclasses.replace(read, reader_head=tiny.reader_head())


@pytest.fixture(autouse=True)
def stored(monkeypatch, poet):
    rng = np.random.default_rng(0)
    features = {
        expert: {
            name: rng.normal(size=size).astype(np.float32)
            for name in PHOTOGRAPHS
        }
        for expert, size in tiny.FEATURE_DIMS.items()
    }
    monkeypatch.setattr(reader_reward, "load_features", lambda _: features)
    monkeypatch.setattr(reader_reward.base, "read_poet", lambda _: poet)
    reader_reward._load.cache_clear()
    yield
    reader_reward._load.cache_clear()


def weigh(monkeypatch, **weights):
    for name in ("FIT", "FLUENCY", "REPETITION", "MERIT"):
        monkeypatch.setattr(reader_reward, name, weights.get(name, 0.0))
    monkeypatch.setattr(reader_reward, "MIDDLE", 0.0)
    monkeypatch.setattr(reader_reward, "STEEPNESS", 1.0)


def score(poems, photographs):
    reward = np.asarray(reader_reward.is_kept(poems, photographs))
    return np.log(reward / (1 - reward))


def test_fluency_and_merit_are_those_of_the_ranking_without_repeats(
    monkeypatch, poet
):
    wrapped = networks.wrap_networks(
        poet.generator.start_view,
        poet.generator.step_view,
        poet.generator.get_layer("token_embedding").embeddings,
        poet.poem_tower,
        list(poet.generator.start_view.input),
        judge=poet.reader_head,
    )
    ids = np.array(poet.vocabulary.encode(POEMS[0]))
    form = poet.number_form(next(iter(poet.options)))
    expected = ranking.measure_gains(wrapped, poet.kinds, 9, form, ids)
    for weight, name in (("FLUENCY", "fluency"), ("MERIT", "merit")):
        weigh(monkeypatch, **{weight: 1.0})
        found = score(POEMS[:1], PHOTOGRAPHS[:1])
        np.testing.assert_allclose(found, [expected[name]], atol=1e-4)


def test_fit_is_less_its_mean_over_the_photographs(monkeypatch, poet):
    weigh(monkeypatch, FIT=1.0)
    features = reader_reward.load_features(None)
    _, places = embed_photographs(
        features, PHOTOGRAPHS, "joint", poet.image_tower
    )
    ids = np.array([poet.vocabulary.encode(POEMS[0])])
    first, second = (poet.poem_tower(ids).numpy() @ places.T)[0]
    half = (first - second) / 2
    own = score(POEMS[:1] * 2, PHOTOGRAPHS)
    np.testing.assert_allclose(own, [half, -half], atol=1e-5)
    alone = score(POEMS[:1], PHOTOGRAPHS[:1])
    np.testing.assert_allclose(alone, [0.0], atol=1e-6)


def test_a_reader_head_is_asked_for(monkeypatch, poet):
    bare = dataclasses.replace(poet, reader_head=None)
    monkeypatch.setattr(reader_reward.base, "read_poet", lambda _: bare)
    with pytest.raises(ValueError, match="with a reader head. Received: out"):
        reader_reward.is_kept(POEMS, PHOTOGRAPHS)


def test_words_that_came_before_count_less(monkeypatch):
    weigh(monkeypatch, REPETITION=-1.0)
    found = score(POEMS, PHOTOGRAPHS)
    np.testing.assert_allclose(found, [0.0, -3 / 5], atol=1e-6)


def test_padding_changes_nothing(monkeypatch):
    weigh(monkeypatch, FLUENCY=1.0, MERIT=1.0)
    alone = score(POEMS[:1], PHOTOGRAPHS[:1])
    beside = score(POEMS, PHOTOGRAPHS)
    np.testing.assert_allclose(beside[:1], alone, atol=1e-4)
