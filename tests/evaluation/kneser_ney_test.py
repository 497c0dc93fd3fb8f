import numpy as np
import pytest

from visualpoet.evaluation.kneser_ney import KneserNey

# 1 is START, 2 is END; words are 4 and 5; 0 and 3 do not occur.
CORPUS = [[1, 4, 5, 2], [1, 4, 4, 2]]
V = 6

# Bigrams: 1 4 twice; 4 5, 5 2, 4 4, 4 2 once each. D = 4 / (4 + 2 * 1) = 2/3.
# Left neighbours: of 4 two (1, 4), of 5 one (4), of 2 two (5, 4); of five
# bigrams in all, so D = 1 / (1 + 2 * 2) = 0.2, and three words share the rest:
#   p(4) = (2 - 0.2) / 5 + 0.2 * 3 / 5 / 6 = 0.36 + 0.02 = 0.38 = p(2)
#   p(5) = (1 - 0.2) / 5 + 0.02 = 0.18,  p(others) = 0.02
BIGRAMS = {
    # (2 - 2/3) / 2 + 2/3 * 1/2 * 0.38
    (1, 4): 2 / 3 + 0.38 / 3,
    # (1 - 2/3) / 3 + 2/3 * 3/3 * p
    (4, 5): 1 / 9 + 0.12,
    (4, 4): 1 / 9 + 0.76 / 3,
    (4, 2): 1 / 9 + 0.76 / 3,
    # (1 - 2/3) / 1 + 2/3 * 1/1 * 0.38
    (5, 2): 1 / 3 + 0.76 / 3,
    # After a token that was never seen: p
    (3, 4): 0.38,
    (3, 5): 0.18,
    # Not seen in this context
    (1, 5): 0.18 / 3,
    (5, 3): 0.04 / 3,
    (4, 3): 0.04 / 3,
}


@pytest.mark.parametrize("bigram", BIGRAMS)
def test_bigram_by_hand(bigram):
    before, token = bigram
    poem = [1, token] if before == 1 else [1, before, token]
    log_prob = KneserNey(CORPUS, V, order=2).log_probs([poem])[-1]
    assert np.exp(log_prob) == pytest.approx(BIGRAMS[bigram])


def test_every_token_after_start_is_scored():
    log_probs = KneserNey(CORPUS, V, order=2).log_probs([[1, 4, 5, 2], [1, 4]])
    first, second, third = (
        BIGRAMS[bigram] for bigram in [(1, 4), (4, 5), (5, 2)]
    )
    np.testing.assert_allclose(np.exp(log_probs), [first, second, third, first])


def test_perplexity_by_hand():
    probability = BIGRAMS[1, 4] * BIGRAMS[4, 5] * BIGRAMS[5, 2]
    model = KneserNey(CORPUS, V, order=2)
    assert model.perplexity([CORPUS[0]]) == pytest.approx(
        probability ** (-1 / 3)
    )


def test_order_one_by_hand():
    # Counts of 4 and 2: two each; none occurs once, so D = 0.5:
    # (2 - 0.5) / 4 + 0.5 * 2 / 4 / 6, and the latter alone for the others.
    model = KneserNey([[1, 4, 2], [1, 4, 2]], V, order=1)
    np.testing.assert_allclose(
        np.exp(model.log_probs([[1, 4, 5, 2]])),
        [0.375 + 0.25 / 6, 0.25 / 6, 0.375 + 0.25 / 6],
    )


def random_poems(number, seed):
    """Poems of a language in which three words may follow each word."""
    rng = np.random.default_rng(seed)
    poems = []
    for _ in range(number):
        poem = [4 + int(rng.integers(16))]
        for _ in range(9):
            step = 1 + int(rng.integers(3))
            poem.append(4 + (poem[-1] - 4 + step) % 16)
        poems.append([1, *poem, 2])
    return poems


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize(
    "context", [[], [5], [5, 6], [6, 5], [5, 3], [3, 5, 6, 7], [21], [3, 3]]
)
def test_probabilities_sum_to_one(order, context):
    # Of 23 tokens, 16 are words, and 20 to 22 do not occur.
    model = KneserNey(random_poems(30, seed=0), 23, order)
    poems = [[1, *context, token] for token in range(23) if token != 1]
    log_probs = model.log_probs(poems).reshape(22, -1)[:, -1]
    probabilities = np.exp(log_probs)
    # START is never written, and as likely as padding, which never is either.
    total = probabilities.sum() + probabilities[0]
    assert total == pytest.approx(1.0)
    assert probabilities.min() > 0


def test_seen_text_is_less_perplexing_than_shuffled():
    poems = random_poems(200, seed=0)
    model = KneserNey(poems[:150], 20)
    rng = np.random.default_rng(1)

    def shuffle(poem):
        return [1, *rng.permutation(poem[1:-1]).tolist(), 2]

    seen = model.perplexity(poems[:50])
    new = model.perplexity(poems[150:])
    shuffled = model.perplexity([shuffle(poem) for poem in poems[:50]])
    assert 1 < seen < new < shuffled
    # Three words may follow: no model does better than about 3 on new text.
    assert 3 < new < 6


def test_longer_context_helps():
    poems = random_poems(200, seed=0)
    unigram, bigram = (
        KneserNey(poems[:150], 20, order).perplexity(poems[150:])
        for order in (1, 2)
    )
    assert bigram < unigram / 2
