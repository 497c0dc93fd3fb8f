import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf

from visualpoet.generator import examples

V = 11
POEMS = [[1, 5, 6, 2], [1, 7, 2], [1, 8, 9, 10, 5, 2]]
SUBJECTS = np.array([[3.0, 4.0, 0.0], [0.0, 0.0, -2.0]], np.float16)
SOURCE = examples.Examples(
    POEMS, SUBJECTS, [[9], []], [[1], [0], [0]], np.array([1, 2, 1])
)
WEIGHTS = np.array([0, 0, 0, 0, 0, 1, 0, 0.5, 0, 2, 0])  # 5, 7 and 9
SHOW_ALL = examples.ConditioningDropout(
    WEIGHTS,
    num_clues=3,
    own_clues=1.0,
    no_photograph=0.0,
    no_image=0.0,
    no_clues=0.0,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def make_batch(conditioning=SHOW_ALL, source=SOURCE, chosen=(0, 1, 2), seed=0):
    return examples.make_batch(
        source, np.array(chosen), conditioning, rng(seed)
    )


TOKEN_IDS = np.array([[1, 5, 6, 7, 8, 2], [1, 9, 5, 2, 0, 0]], np.int32)


def test_words_are_drawn_by_their_weights():
    conditioning = dataclasses.replace(SHOW_ALL, num_clues=1)
    found = [set(), set()]
    for seed in range(100):
        words = examples.draw_words(TOKEN_IDS, conditioning, rng(seed))
        assert words.shape == (2, 1)
        assert words.dtype == np.int32
        for row, some in zip(found, words):
            row.update(some.tolist())
    assert found == [{5, 7}, {9, 5}]


def test_heavy_words_are_drawn_more_readily():
    weights = np.where(np.arange(V) == 5, 1.0, 0.01)
    conditioning = dataclasses.replace(
        SHOW_ALL, clue_weights=weights, num_clues=1
    )
    words = examples.draw_words(
        np.tile([[5, 7]], [1000, 1]), conditioning, rng()
    )
    counts = np.bincount(words[:, 0], minlength=V)
    assert counts[5] == pytest.approx(990, abs=10)
    assert counts[5] + counts[7] == 1000


def test_no_weights_give_no_words():
    conditioning = dataclasses.replace(SHOW_ALL, clue_weights=np.zeros(V))
    for seed in range(20):
        words = examples.draw_words(TOKEN_IDS, conditioning, rng(seed))
        np.testing.assert_array_equal(words, np.zeros([2, 3]))


@pytest.mark.parametrize("length", [0, 2])
def test_texts_shorter_than_the_clues_are_filled_up(length):
    conditioning = dataclasses.replace(SHOW_ALL, num_clues=6)
    texts = np.array([[5, 7]] * 40)[:, :length]
    words = examples.draw_words(texts, conditioning, rng())
    expected = np.zeros([40, 6], int)
    expected[:, :length] = [5, 7][:length]
    np.testing.assert_array_equal(np.sort(words), np.sort(expected))


def test_clues_are_words_of_the_poem_and_of_the_photograph():
    source = dataclasses.replace(
        SOURCE,
        token_ids=[[1, 5, 5, 5, 2]],
        descriptions=[[], [7, 7, 7]],
        image_rows=[[1]],
    )
    conditioning = dataclasses.replace(SHOW_ALL, own_clues=0.4)
    clues = make_batch(conditioning, source, [0] * 1000)["clue_ids"]
    assert set(clues.ravel().tolist()) == {5, 7}
    assert (clues == 5).mean() == pytest.approx(0.4, abs=0.04)


def test_batch_shows_the_subject_and_the_form_of_each_poem():
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
    np.testing.assert_array_equal(batch["form"], [1, 2, 1])


def test_batch_holds_the_chosen_poems():
    batch = make_batch(chosen=(1, 0))
    np.testing.assert_array_equal(
        batch["token_ids"], [[1, 7, 2, 0], [1, 5, 6, 2]]
    )
    np.testing.assert_allclose(
        batch["image_embedding"], [[0.6, 0.8, 0], [0, 0, -1]], atol=1e-6
    )
    np.testing.assert_array_equal(batch["form"], [2, 1])


def test_a_poem_of_several_photographs_is_shown_with_each():
    source = dataclasses.replace(SOURCE, image_rows=[[0, 0, 1], [0], [0]])
    images = make_batch(source=source, chosen=[0] * 900)["image_embedding"]
    assert (images[:, 2] == -1).mean() == pytest.approx(1 / 3, abs=0.05)
    np.testing.assert_allclose(
        np.unique(images, axis=0), [[0, 0, -1], [0.6, 0.8, 0]], atol=1e-6
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
    assert batch["form"].all()


def test_shares_are_respected():
    conditioning = dataclasses.replace(
        SHOW_ALL, no_photograph=0.2, no_image=0.25
    )
    batch = make_batch(conditioning, chosen=[0] * 4000)
    hidden = 1 - np.any(batch["image_embedding"], axis=1).mean()
    assert hidden == pytest.approx(0.2 + 0.8 * 0.25, abs=0.03)


def test_perturbed_embeddings_have_the_cosines():
    moved = examples.perturb(
        np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]),
        np.array([[0.0, 0.0, 1.0], [0.0, 0.6, 0.8]]),
        np.array([0.8, -0.6]),
    )
    np.testing.assert_allclose(
        moved, [[0.48, 0.64, 0.6], [0.0, 0.8, -0.6]], atol=1e-9
    )


def test_poems_lie_as_far_from_their_places_as_photographs_from_poems():
    perturbation = examples.Perturbation(
        np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]], np.float16),
        [[7], [9]],
        np.array([0.8]),
    )
    source = dataclasses.replace(SOURCE, perturbation=perturbation)
    conditioning = dataclasses.replace(SHOW_ALL, own_clues=0.0)
    batch = make_batch(conditioning, source, [1] * 500)
    found = np.column_stack([batch["image_embedding"], batch["clue_ids"]])
    # The clues are of the same photograph as the direction.
    np.testing.assert_allclose(
        np.unique(found.round(3), axis=0),
        [[0.48, 0.64, -0.6, 9, 0, 0], [0.48, 0.64, 0.6, 7, 0, 0]],
        atol=1e-3,
    )


def test_examples_of_each_form():
    first, second = examples.by_form(SOURCE)
    assert first.token_ids == [POEMS[0], POEMS[2]]
    assert first.image_rows == [[1], [0]]
    np.testing.assert_array_equal(first.forms, [1, 1])
    assert second.token_ids == [POEMS[1]]
    np.testing.assert_array_equal(second.forms, [2])


def test_no_examples_are_of_one_kind():
    nothing = dataclasses.replace(
        SOURCE, token_ids=[], image_rows=[], forms=np.zeros(0, int)
    )
    assert examples.by_form(nothing) == [nothing]


@pytest.mark.parametrize(
    "exponent, shares", [(1, [0.9, 0.1]), (0.5, [0.75, 0.25]), (0, [0.5, 0.5])]
)
def test_small_sources_get_more_than_their_share(exponent, shares):
    some = [
        dataclasses.replace(SOURCE, token_ids=[[1, 2]] * size)
        for size in (90, 10)
    ]
    np.testing.assert_allclose(examples.balance(some, exponent), shares)


def sources():
    """Two sources, of words 5 and 6; poems of three lengths each."""
    perturbation = examples.Perturbation(
        np.eye(3, dtype=np.float16), [[]] * 3, np.array([0.1, 0.2, 0.3])
    )
    return [
        examples.Examples(
            [[1, *[word] * length, 2] for length in (1, 1, 2, 2, 3, 3)],
            SUBJECTS,
            [[], []],
            [[0]] * 6,
            np.zeros(6, int),
            by,
        )
        for word, by in [(5, perturbation), (6, None)]
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
