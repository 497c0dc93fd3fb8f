"""A set of rows of token ids in a few bits each, asked in a graph."""

import numpy as np
import tensorflow as tf

BITS_A_ROW = 20  # at most: one row in 7,000 is taken for one of the set
NUM_HASHES = 8
PRIME = 2**31 - 1


def choose_factors(length: int) -> np.ndarray:
    """Chooses what tokens are multiplied by.

    Fixed, so that a filter that was stored is read with the same numbers.

    Args:
        length: Tokens of a row; the sum of so many products of a token id and
            a factor stays within 64 bits, and so does that of two numbers
            below `PRIME`.

    Returns:
        int64 `[length, NUM_HASHES]`.
    """
    return np.random.default_rng(0).integers(1, PRIME, [length, NUM_HASHES])


def set_bits(rows: np.ndarray) -> np.ndarray:
    """Makes a filter.

    Source: Bloom (1970).

    Args:
        rows: int64 `[R, length]`, different ones.

    Returns:
        uint8 `[BYTES]`, the first place in the highest bit.
    """
    size = 8 * max(1, -(-len(rows) * BITS_A_ROW // 8))
    is_set = np.zeros(size, bool)
    for column in choose_factors(rows.shape[1]).T:
        is_set[(rows @ column) % PRIME % size] = True
    return np.packbits(is_set)


def has_rows(stored: tf.Tensor, rows: tf.Tensor, head: int = 0) -> tf.Tensor:
    """Asks a filter.

    Args:
        stored: uint8 `[head + BYTES]`, as of `set_bits`.
        rows: int64 `[..., length]`.
        head: Bytes before the filter.

    Returns:
        bool `[...]`. True for all rows of the set, and hardly any other.
    """
    places = tf.matmul(rows, choose_factors(rows.shape[-1])) % PRIME
    places %= 8 * (len(stored) - head)
    byte = tf.cast(tf.gather(stored, head + places // 8), tf.int64)
    bit = tf.bitwise.right_shift(byte, 7 - places % 8)
    return tf.reduce_all(bit % 2 == 1, axis=-1)
