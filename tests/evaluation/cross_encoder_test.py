import numpy as np
import pytest

from tests import bert
from visualpoet.evaluation.cross_encoder import begin_with

TOKENS, SEGMENTS = np.array([1, 5, 2, 7, 8, 2]), np.array([0, 0, 0, 1, 1, 1])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return tmp_path_factory.mktemp("bert")


@pytest.fixture(scope="module")
def begun(weights):
    given = bert.write(weights, ["a", "dog", "barks", "sea", "gull"])
    return given, begin_with(weights)


def grade(encoder, token_ids, segment_ids):
    pair = {"token_ids": token_ids[None], "segment_ids": segment_ids[None]}
    return encoder(pair).numpy()[0]


def test_it_reads_as_the_bert_does(begun):
    given, encoder = begun
    states = bert.read(given, TOKENS, SEGMENTS)
    read = np.concatenate([states[0], states[3:].mean(axis=0)])
    kernel, bias = encoder.get_layer("grades").get_weights()
    found = grade(encoder, TOKENS, SEGMENTS)
    np.testing.assert_allclose(found, read @ kernel + bias, rtol=1e-4)


def test_padding_changes_nothing(begun):
    found = grade(begun[1], np.pad(TOKENS, [0, 3]), np.pad(SEGMENTS, [0, 3]))
    expected = grade(begun[1], TOKENS, SEGMENTS)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_what_is_shown_moves_the_grades(begun):
    swapped = np.where(TOKENS == 5, 6, TOKENS)
    found = grade(begun[1], swapped, SEGMENTS)
    assert np.abs(found - grade(begun[1], TOKENS, SEGMENTS)).max() > 1e-3
