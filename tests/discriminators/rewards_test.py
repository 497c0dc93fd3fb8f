import numpy as np
import pytest
import tensorflow as tf

from visualpoet.discriminators import rewards


def test_the_papers_reward():
    paired = tf.constant([1.0, 0.5, 0.0])
    poetic = tf.constant([0.0, 0.25, 1.0])
    reward = rewards.adversarial_reward(paired, poetic)
    np.testing.assert_allclose(reward, [0.8, 0.45, 0.2], rtol=1e-6)
    np.testing.assert_allclose(
        rewards.adversarial_reward(paired, poetic, 0.0), poetic
    )


def test_a_weight_out_of_range():
    with pytest.raises(ValueError, match=r"\[0, 1\]. Received: 1.5"):
        rewards.adversarial_reward(tf.zeros(1), tf.zeros(1), 1.5)


def test_probability_of_the_first_class():
    logits = np.log([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])
    np.testing.assert_allclose(
        rewards.first_class_probability(logits), [0.5, 0.1], rtol=1e-6
    )


def test_being_paired_is_being_human_and_going_with_the_photograph():
    logits = np.log([[0.3, 0.1, 0.6], [0.25, 0.25, 0.5]])
    pairing = rewards.pairing_probability(logits)
    human = rewards.human_probability(logits)
    np.testing.assert_allclose(pairing, [0.75, 0.5], rtol=1e-6)
    np.testing.assert_allclose(human, [0.4, 0.5], rtol=1e-6)
    np.testing.assert_allclose(
        pairing * human, rewards.first_class_probability(logits), rtol=1e-6
    )


def test_good_rewards_pass():
    checked = rewards.check_rewards([0, 0.5, 1], 3, "mine")
    assert checked.dtype == np.float32
    assert checked.tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.1, float("nan")], r"reward mine: .*Received: nan for poem 1"),
        ([1.5, 0.1], r"Received: 1.5 for poem 0, and 1 such"),
        ([-0.1, -0.2], r"and 2 such in all"),
        ([0.1], r"shape \(2,\). Received: shape \(1,\)"),
        ([[0.1], [0.2]], r"Received: shape \(2, 1\)"),
        (["high", "low"], r"one number a poem. Received: .*'high'"),
    ],
)
def test_bad_rewards_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        rewards.check_rewards(values, 2, "mine")


def test_a_reward_by_its_dotted_name():
    assert rewards.load_reward("math.sqrt")(4) == 2


def test_a_reward_with_its_weight():
    assert rewards.parse("my.rhyme=0.25") == ("my.rhyme", 0.25)
    assert rewards.parse("my.rhyme") == ("my.rhyme", 1.0)
    for given in ("my.rhyme=much", "my.rhyme=nan", "my.rhyme=inf"):
        with pytest.raises(ValueError, match=f"weight. Received: {given}"):
            rewards.parse(given)


@pytest.mark.parametrize(
    "name", ["math.nothing", "no_such.thing", "bare", "", ".x.y", "math.pi"]
)
def test_no_such_reward(name):
    with pytest.raises(ValueError, match=f"Received: {name} .*PYTHONPATH"):
        rewards.load_reward(name)
