import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf

from visualpoet.generator import examples

V = 11
POEMS = [[1, 5, 6, 2], [1, 7, 2], [1, 8, 9, 10, 5, 2]]
SUBJECTS = np.array([[3.0, 4.0, 0.0], [0.0, 0.0, -2.0]], np.float16)
SOURCE = examples.Examples(POEMS, SUBJECTS, np.array([1, 0, 0]), noise=0.0)
WEIGHTS = np.array([0, 0, 0, 0, 0, 1, 0, 0.5, 0, 2, 0])  # 5, 7 and 9
SHOW_ALL = examples.ConditioningDropout(
    WEIGHTS, num_clues=3, no_photograph=0.0, no_image=0.0, no_clues=0.0
)


def rng(seed=0):
    return np.random.default_rng(seed)


def make_batch(conditioning=SHOW_ALL, source=SOURCE, chosen=(0, 1, 2), seed=0):
    return examples.make_batch(
        source, np.array(chosen), conditioning, rng(seed)
    )


TOKEN_IDS = np.array([[1, 5, 6, 7, 8, 2], [1, 9, 5, 2, 0, 0]], np.int32)


def test_clues_are_weighted_words_of_the_poem():
    conditioning = dataclasses.replace(SHOW_ALL, num_clues=2)
    found = [set(), set()]
    numbers = [set(), set()]
    for seed in range(100):
        clues = examples.draw_clues(TOKEN_IDS, conditioning, rng(seed))
        assert clues.shape == (2, 2)
        assert clues.dtype == np.int32
        for row, some in enumerate(clues):
            found[row].update(some[some > 0].tolist())
            numbers[row].add(int((some > 0).sum()))
    assert found == [{5, 7}, {9, 5}]
    assert numbers == [{0, 1, 2}, {0, 1, 2}]


def test_heavy_words_become_clues_more_readily():
    weights = np.where(np.arange(V) == 5, 1.0, 0.01)
    conditioning = dataclasses.replace(
        SHOW_ALL, clue_weights=weights, num_clues=1
    )
    clues = examples.draw_clues(
        np.tile([[5, 7]], [1000, 1]), conditioning, rng()
    )
    counts = np.bincount(clues[:, 0], minlength=V)
    # Half of the rows have no clue; of the others 1 / 1.01 have the word 5.
    assert counts[5] == pytest.approx(495, abs=60)
    assert 0 < counts[7] < 30
    assert counts[0] + counts[5] + counts[7] == 1000


def test_no_weights_give_no_clues():
    conditioning = dataclasses.replace(SHOW_ALL, clue_weights=np.zeros(V))
    for seed in range(20):
        clues = examples.draw_clues(TOKEN_IDS, conditioning, rng(seed))
        np.testing.assert_array_equal(clues, np.zeros([2, 3]))


def test_poems_shorter_than_the_clues_are_filled_up():
    conditioning = dataclasses.replace(SHOW_ALL, num_clues=6)
    clues = examples.draw_clues(np.array([[5, 7]] * 40), conditioning, rng())
    assert clues.shape == (40, 6)
    assert set(clues[:, :2].ravel().tolist()) == {0, 5, 7}
    np.testing.assert_array_equal(clues[:, 2:], np.zeros([40, 4]))


def test_batch_shows_the_subject_of_each_poem():
    batch = make_batch()
    np.testing.assert_array_equal(
        batch["token_ids"],
        [[1, 5, 6, 2, 0, 0], [1, 7, 2, 0, 0, 0], [1, 8, 9, 10, 5, 2]],
    )
    np.testing.assert_allclose(
        batch["image_embedding"],
        [[0.0, 0.0, -1.0], [0.6, 0.8, 0.0], [0.6, 0.8, 0.0]],
        atol=1e-6,
    )


def test_batch_holds_the_chosen_poems():
    batch = make_batch(chosen=(1, 0))
    np.testing.assert_array_equal(
        batch["token_ids"], [[1, 7, 2, 0], [1, 5, 6, 2]]
    )
    np.testing.assert_allclose(
        batch["image_embedding"], [[0.6, 0.8, 0], [0, 0, -1]], atol=1e-6
    )


def test_batch_is_as_the_spec_says():
    batch = make_batch()
    spec = examples.element_spec(image_dim=3, num_clues=3)
    assert set(spec) == set(batch)
    for name, array in batch.items():
        assert spec[name].is_compatible_with(tf.constant(array)), name


@pytest.mark.parametrize(
    "share, image, clues",
    [
        ("no_photograph", False, False),
        ("no_image", False, True),
        ("no_clues", True, False),
    ],
)
def test_shares_of_one_hide_what_they_name(share, image, clues):
    conditioning = dataclasses.replace(SHOW_ALL, **{share: 1.0})
    batch = make_batch(conditioning, chosen=[0, 1, 2] * 10)
    has_image = np.any(batch["image_embedding"], axis=1)
    np.testing.assert_array_equal(has_image, np.full(30, image))
    assert batch["clue_ids"].any() == clues


def test_shares_are_respected():
    conditioning = dataclasses.replace(
        SHOW_ALL, no_photograph=0.2, no_image=0.25
    )
    batch = make_batch(conditioning, chosen=[0] * 4000)
    hidden = 1 - np.any(batch["image_embedding"], axis=1).mean()
    assert hidden == pytest.approx(0.2 + 0.8 * 0.25, abs=0.03)


def test_noise_moves_and_keeps_unit_length():
    source = dataclasses.replace(
        SOURCE, image_embeddings=np.array([[0.6, 0.8, 0.0]]), noise=0.5
    )
    images = make_batch(source=source, chosen=[1] * 500)["image_embedding"]
    np.testing.assert_allclose(
        np.linalg.norm(images, axis=1), np.ones(500), atol=1e-5
    )
    assert images.std(axis=0).min() > 0.1
    # The step has a length of about 0.5, most of it across.
    cosines = images @ np.array([0.6, 0.8, 0.0])
    assert cosines.mean() == pytest.approx(0.9, abs=0.05)


def sources():
    """Two sources, of words 5 and 6; poems of three lengths each."""
    return [
        examples.Examples(
            [[1, *[word] * length, 2] for length in (1, 1, 2, 2, 3, 3)],
            SUBJECTS,
            np.zeros(6, int),
            noise,
        )
        for word, noise in [(5, 0.5), (6, 0.0)]
    ]


def batches(shares, start_step=0, seed=3):
    conditioning = examples.ConditioningDropout(WEIGHTS, num_clues=2)
    return examples.mixed_batches(
        sources(), shares, 2, conditioning, seed, start_step
    )


def assert_equal(first, second):
    assert set(first) == set(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize("start_step", [1, 7])
def test_batches_from_a_step_on_are_those_of_the_whole_run(start_step):
    whole = itertools.islice(batches([0.5, 0.5]), start_step, start_step + 8)
    resumed = itertools.islice(batches([0.5, 0.5], start_step), 8)
    for first, second in zip(whole, resumed, strict=True):
        assert_equal(first, second)


def test_other_seed_other_batches():
    first, second = (
        [b["image_embedding"] for b in itertools.islice(some, 8)]
        for some in (batches([1, 0], seed=3), batches([1, 0], seed=4))
    )
    assert any(not np.array_equal(a, b) for a, b in zip(first, second))


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_batches_come_from_the_sources_by_their_shares(share):
    some = itertools.islice(batches([1 - share, share]), 400)
    words = [set(batch["token_ids"][:, 1].tolist()) for batch in some]
    assert all(word in ({5}, {6}) for word in words)
    assert words.count({6}) / 400 == pytest.approx(share, abs=0.06)


def test_an_epoch_has_every_poem_once():
    # Three batches of two; poems of one length come together.
    epoch = itertools.islice(batches([1, 0]), 3)
    words = [(batch["token_ids"] == 5).sum(axis=1).tolist() for batch in epoch]
    assert sorted(words) == [[1, 1], [2, 2], [3, 3]]


def test_what_is_measured_is_a_fair_sample_by_length():
    token_ids = [[1] * length for length in range(1, 1001)]
    chosen = examples.choose_for_measuring(token_ids, 100)
    assert len(set(chosen)) == 100
    assert (np.diff(chosen) > 0).all()  # shortest first
    assert chosen.mean() == pytest.approx(500, abs=90)
    again = examples.choose_for_measuring(token_ids, 100)
    np.testing.assert_array_equal(chosen, again)


def test_few_poems_are_all_measured():
    chosen = examples.choose_for_measuring(POEMS, 2048)
    assert chosen.tolist() == [1, 0, 2]
    assert examples.choose_for_measuring([], 2048).tolist() == []
