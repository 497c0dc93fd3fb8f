"""What the multi-modal discriminator pays samples for.

`log p(paired) = log p(paired | human) + log(1 - p(generated))`: the first part
asks whether a poem goes with its photograph, the second who wrote it.
"""

import numpy as np
import tensorflow as tf

from visualpoet.discriminators import rewards


def decompose(own: tf.Tensor, other: tf.Tensor) -> dict[str, float]:
    """Takes the discriminator's answers for some poems apart.

    Args:
        own: float `[..., 3]`, logits beside the poems' own photographs.
        other: float `[..., 3]`, the same poems beside others.

    Returns:
        Means: `pairing`, p(paired | human); `generated`, p(generated); both
        also beside the other photographs, `pairing_other` and
        `generated_other`. A reward for going with the photograph has a high
        `pairing` less `pairing_other`; a discriminator that goes by the
        photograph to tell who wrote has `generated` apart from
        `generated_other`.
    """
    groups = {"": own, "_other": other}
    return {
        f"{name}{beside}": float(np.mean(values))
        for beside, logits in groups.items()
        for name, values in (
            ("pairing", rewards.pairing_probability(logits)),
            ("generated", 1 - rewards.human_probability(logits)),
        )
    }


def variances(logits: tf.Tensor) -> dict[str, float]:
    """Splits the variance of the reward within a photograph.

    Args:
        logits: float `[P, N, 3]`, of N poems for each of P photographs.

    Returns:
        Mean over the photographs of the variance over their poems, of
        `log_paired`, `log_pairing` and `log_human` [nats^2]. The first is the
        sum of the others and twice their covariance.
    """
    parts = {
        "log_paired": tf.nn.log_softmax(logits)[..., 0],
        "log_pairing": tf.math.log(rewards.pairing_probability(logits)),
        "log_human": tf.math.log(rewards.human_probability(logits)),
    }
    return {
        name: float(np.mean(np.var(values, axis=1)))
        for name, values in parts.items()
    }


def correlate(first: np.ndarray, second: np.ndarray) -> float:
    """Correlates two scores of poems for the same photograph.

    Args:
        first: float `[P, N]`.
        second: float `[P, N]`.

    Returns:
        Pearson's r of what is left without each photograph's mean; NaN where
        either does not vary.
    """
    centred = [x - np.mean(x, axis=1, keepdims=True) for x in (first, second)]
    norms = np.prod([np.linalg.norm(x) for x in centred])
    return float(np.sum(centred[0] * centred[1]) / norms) if norms else np.nan
