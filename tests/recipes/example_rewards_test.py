from recipes import example_rewards


def test_rhyme_is_the_share_of_lines_that_rhyme():
    poems = ["the sea,\na plea.\na bird", "a\nb", "", "sea\nsea"]
    rewards = example_rewards.rhyme(poems, [""] * 4)
    # One rhyme of three lines; none; none; a word is no rhyme of itself.
    assert rewards == [2 / 3, 0.0, 0.0, 0.0]


def test_banned_words():
    rewards = example_rewards.no_banned_words(
        ["The grave\nis deep", "engraved"], ["", ""]
    )
    assert rewards == [0.0, 1.0]
