import itertools

import numpy as np
import pytest
import tensorflow as tf

from visualpoet.corpus import datasets
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import Vocabulary


def _take(batches, count):
    return [batch.tolist() for batch in itertools.islice(batches, count)]


# --- padding and framing


def test_pad_on_the_right_to_the_longest():
    padded = datasets.pad_token_ids([[4, 5, 6], [], [7]])
    assert padded.dtype == np.int32
    np.testing.assert_array_equal(padded, [[4, 5, 6], [0, 0, 0], [7, 0, 0]])


@pytest.mark.parametrize(
    ("length", "expected"),
    [(2, [[4, 5], [7, 0]]), (9, [[4, 5, 6], [7, 0, 0]]), (0, [[], []])],
)
def test_pad_cuts_but_never_stretches(length, expected):
    padded = datasets.pad_token_ids([[4, 5, 6], [7]], length)
    np.testing.assert_array_equal(padded, expected)


def test_pad_nothing():
    assert datasets.pad_token_ids([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("max_tokens", "expected"),
    [
        (9, [START, 7, 8, 9, END]),
        (5, [START, 7, 8, 9, END]),
        (4, [START, 7, 8, 9]),
        (2, [START, 7]),
    ],
)
def test_frame_cuts_a_long_poem_and_its_end(max_tokens, expected):
    assert datasets.frame([7, 8, 9], max_tokens) == expected


@pytest.fixture(scope="module")
def vocabulary():
    # a: 4, b: 5, c: 6, line break: 7, by their counts.
    return Vocabulary.train(["a a a a a b b b b c c c"], 8)


def test_frame_poems(vocabulary):
    assert datasets.frame_poems(vocabulary, ["a b", "c\na b"], 5) == [
        [START, 4, 5, END],
        [START, 6, 7, 4, 5],
    ]


@pytest.mark.parametrize(
    ("max_unknown", "kept"), [(1.0, 3), (0.5, 2), (0.49, 1), (0.0, 1)]
)
def test_frame_poems_leaves_out_unknown_words(vocabulary, max_unknown, kept):
    framed = datasets.frame_poems(
        vocabulary, ["a b", "a x", "x y"], 9, max_unknown
    )
    assert framed == [[1, 4, 5, 2], [1, 4, 3, 2], [1, 3, 3, 2]][:kept]


def test_frame_poems_leaves_out_words(vocabulary):
    texts = ["a b", "a c", "a x"]
    # z is unknown itself and must not take x, unknown as well, with it.
    framed = datasets.frame_poems(vocabulary, texts, 9, leave_out=["B", "z"])
    assert framed == [[1, 4, 6, 2], [1, 4, 3, 2]]


# --- batches


def test_index_batches_cover_an_epoch_once():
    batches = _take(datasets.index_batches(11, 2, seed=3), 10)
    assert all(len(batch) == 2 for batch in batches)
    for epoch in (batches[:5], batches[5:]):
        # 11 examples, batches of 2: one is left out.
        indices = sum(epoch, [])
        assert len(set(indices)) == 10
        assert set(indices) < set(range(11))
    assert batches[:5] != batches[5:]


def test_every_example_once_if_the_batches_come_out_even():
    batches = _take(datasets.index_batches(12, 3, seed=3), 4)
    assert sorted(sum(batches, [])) == list(range(12))
    assert sum(batches, []) != list(range(12))


def test_every_example_is_seen_in_some_epoch():
    batches = _take(datasets.index_batches(5, 2, seed=0), 40)
    assert set(sum(batches, [])) == {0, 1, 2, 3, 4}


def test_fewer_examples_than_a_batch():
    batches = _take(datasets.index_batches(3, 8, seed=0), 2)
    assert [sorted(batch) for batch in batches] == [[0, 1, 2], [0, 1, 2]]


def test_seed_decides_the_order():
    first, again, other = (
        _take(datasets.index_batches(11, 2, seed), 5) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


LENGTHS = [9, 2, 5, 2, 9, 5, 2, 9, 5, 2, 9, 5]  # four of each length


@pytest.mark.parametrize("start_step", [1, 2, 3, 4, 7])
def test_resumed_batches_equal_those_from_the_start(start_step):
    whole = _take(datasets.bucketed_batches(LENGTHS, 4, 5), 12)
    resumed = _take(datasets.bucketed_batches(LENGTHS, 4, 5, start_step), 5)
    assert resumed == whole[start_step : start_step + 5]


def test_buckets_hold_one_length_and_every_example_once_an_epoch():
    batches = _take(datasets.bucketed_batches(LENGTHS, 2, seed=1), 12)
    for epoch in (batches[:6], batches[6:]):
        assert sorted(sum(epoch, [])) == list(range(12))
        for batch in epoch:
            assert len({LENGTHS[index] for index in batch}) == 1
    # Neither which examples meet nor the order of lengths is fixed.
    assert {frozenset(b) for b in batches[:6]} != {
        frozenset(b) for b in batches[6:]
    }
    order = [LENGTHS[batch[0]] for batch in batches]
    assert order[:6] != sorted(order[:6])


def test_batch_dataset_keeps_its_element_spec():
    spec = {
        "token_ids": tf.TensorSpec([2, None], tf.int32),
        "weight": tf.TensorSpec([2], tf.float32),
    }

    def batches():
        for length in (5, 3):
            yield {
                "token_ids": np.full([2, length], length, np.int32),
                "weight": np.array([0.5, 2.0], np.float32),
            }

    dataset = datasets.batch_dataset(batches, spec)
    assert dataset.element_spec == spec
    shapes = [tuple(batch["token_ids"].shape) for batch in dataset]
    assert shapes == [(2, 5), (2, 3)]
    first = next(iter(dataset))
    np.testing.assert_array_equal(first["token_ids"], np.full([2, 5], 5))
    np.testing.assert_array_equal(first["weight"], [0.5, 2.0])


def test_batch_dataset_refuses_another_shape():
    spec = {"token_ids": tf.TensorSpec([2, None], tf.int32)}
    dataset = datasets.batch_dataset(
        lambda: iter([{"token_ids": np.zeros([3, 5], np.int32)}]), spec
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="shape"):
        next(iter(dataset))


def test_no_examples():
    with pytest.raises(ValueError, match="examples to learn from"):
        next(datasets.index_batches(0, 4, seed=0))


def test_the_longest_examples_are_seen_too():
    batches = _take(datasets.bucketed_batches(range(11), 4, seed=0), 40)
    assert set(np.concatenate(batches)) == set(range(11))
