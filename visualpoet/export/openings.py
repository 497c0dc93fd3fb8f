"""The first lines that a person gives, as a part of the graph."""

import tensorflow as tf

from visualpoet.export.tokenizer import GraphTokenizer

# Of a text that is longer only the last tokens are read; the rest is kept.
MAX_READ = 256


def read_openings(
    tokenizer: GraphTokenizer, line_break: int, texts: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Reads openings as whole lines.

    Args:
        tokenizer: Reads texts.
        line_break: Id of the line break.
        texts: string `[B]`, empty for none.

    Returns:
        The last tokens of each, int32 `[B, L]`, padded with 0; its lines,
        int32 `[B]`, and how many of them stand before those tokens. Marks of
        which none is read are a line; lines before what the tokenizer reads
        are not counted.
    """
    ids = tf.pad(tokenizer.encode_batch(texts), [[0, 0], [0, 1]])
    length = tf.math.count_nonzero(ids, axis=1, dtype=tf.int32)
    places = tf.range(tf.shape(ids)[1])[None]  # [1, L + 1]
    is_end = (places == length[:, None]) & (length > 0)[:, None]
    ids = tf.where(is_end, line_break, ids)
    read = _keep_last(ids, length + tf.cast(length > 0, tf.int32))
    is_line = tf.cast(~_is_blank(texts), tf.int32)
    lines = tf.maximum(_count(ids, line_break), is_line)
    return read, lines, lines - _count(read, line_break)


def join_opening(opening: tf.Tensor, text: tf.Tensor) -> tf.Tensor:
    """Puts texts behind openings, which stay as they are.

    Args:
        opening: string `[...]`, blank for none.
        text: string `[...]`.

    Returns:
        string `[...]`; the text on a new line.
    """
    is_open = ~tf.strings.regex_full_match(opening, r"(?s).*\n")
    between = tf.where(is_open & (text != ""), "\n", "")
    return tf.where(_is_blank(opening), text, opening + between + text)


def _keep_last(ids: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """Of the first tokens `[B]` of each the last `MAX_READ`."""
    width = tf.reduce_max(tf.pad(tf.minimum(length, MAX_READ), [[0, 1]]))
    places = tf.range(width) + tf.maximum(length - MAX_READ, 0)[:, None]
    inside = tf.minimum(places, tf.shape(ids)[1] - 1)
    read = tf.gather(ids, inside, batch_dims=1)
    return tf.where(places < length[:, None], read, 0)


def _count(ids: tf.Tensor, line_break: int) -> tf.Tensor:
    return tf.math.count_nonzero(ids == line_break, axis=1, dtype=tf.int32)


def _is_blank(texts: tf.Tensor) -> tf.Tensor:
    """Whether there is nothing but blanks, as `str.strip` has them."""
    return tf.strings.regex_full_match(texts, r"[\s\pZ\x0b\x1c-\x1f\x85]*")
