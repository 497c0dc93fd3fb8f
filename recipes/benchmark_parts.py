"""What each part of a poem takes, beside what its arithmetic alone needs.

    python recipes/benchmark_parts.py

The floor of a part is the longer of two times: that of its multiplications and
additions at the speed of a large matrix product, and that of reading its
weights from memory once a step, all measured in the same run. A weight of the
generator counts for two operations a token, with the photograph and again
without it. Nothing else should run meanwhile.
"""

import dataclasses
import pathlib
import statistics
import timeit
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from visualpoet import model_folders
from visualpoet import run_options
from visualpoet.controls import MAX_CANDIDATES
from visualpoet.export import meta_graph
from visualpoet.export import samples
from visualpoet.finetuning import base
from visualpoet.run_options import option

SIDES = 2  # with the photograph and without it
FLOAT = 4  # bytes


@dataclasses.dataclass(frozen=True)
class Config:
    """What each part of a poem takes, beside what arithmetic alone needs."""

    model: str = option("", "an exported model; the shipped one if empty")
    candidates: int = option(64, "of the best of many")
    calls: int = option(20, "timed calls of a part; the median counts")

    def __post_init__(self):
        if not 1 <= self.candidates <= MAX_CANDIDATES:
            raise ValueError(
                f"expected --candidates of 1 to {MAX_CANDIDATES}. Received: "
                f"{self.candidates}"
            )


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    model = pathlib.Path(config.model or model_folders.default_model())
    folder = model_folders.newest_version(model)
    poet = base.read_poet(folder)
    speed, bandwidth = _matrix_speed(config), _bandwidth(config)
    print(f"matrix products: {speed / 1e9:.0f} GFLOP/s (float32)")
    print(f"reading of memory: {bandwidth / 1e9:.1f} GB/s")
    print("| part | milliseconds | of the floor | bound by |")
    print("|---|---|---|---|")
    parts = {"encoder": _measure_eye(config, poet.visual_encoder)}
    photograph = _Photograph(folder)
    for number in (1, config.candidates):
        parts[f"writing and ranking {number}"] = _measure_writing(
            config, poet, photograph, number
        )
    for name, part in parts.items():
        floors = {
            "arithmetic": part.operations / speed,
            "memory": part.bytes_read / bandwidth,
        }
        bound = max(floors, key=floors.__getitem__)
        share = floors[bound] / part.seconds
        taken = 1000 * part.seconds
        print(f"| {name} | {taken:.1f} | {share:.0%} | {bound} |")


@dataclasses.dataclass(frozen=True)
class _Part:
    seconds: float
    operations: int
    bytes_read: int


def _median(function: Callable, calls: int) -> float:
    function()  # traced
    return statistics.median(timeit.repeat(function, number=1, repeat=calls))


def _matrix_speed(config):
    """Operations a second of a large product."""
    a = tf.random.normal([1024, 1024])
    multiply = tf.function(lambda: tf.reduce_sum(tf.matmul(a, a)[:1]))
    return 2 * 1024**3 / _median(lambda: multiply().numpy(), config.calls)


def _bandwidth(config):
    """Bytes a second that are read from memory."""
    numbers = tf.zeros([2**26])
    add_up = tf.function(lambda: tf.reduce_sum(numbers))
    return FLOAT * 2**26 / _median(lambda: add_up().numpy(), config.calls)


# --- the encoder


def _measure_eye(config, eye):
    view = tf.random.uniform([1, *eye.input_shape[1:]])

    @tf.function(input_signature=[tf.TensorSpec(view.shape, tf.float32)])
    def see(view):
        return eye(view, training=False)

    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder.float_operation()
    counted = profiler.profile(
        see.get_concrete_function().graph, options={**options, "output": "none"}
    )
    return _Part(
        _median(lambda: see(view), config.calls),
        counted.total_float_ops,
        FLOAT * eye.count_params(),
    )


# --- the generator


class _Photograph:
    """Calls signatures of a model with one photograph."""

    def __init__(self, folder):
        self._folder = folder
        self._loaded = tf.saved_model.load(str(folder))
        self._described = meta_graph.describe_signatures(
            meta_graph.read_meta_graph(folder)
        )

    def prepare(self, name, **changed):
        """A call of a signature, without arguments."""
        names = self._described[name]["inputs"]
        inputs = samples.sample_inputs(self._folder, names, 1) | changed
        tensors = {key: tf.constant(value) for key, value in inputs.items()}
        return lambda: self._loaded.signatures[name](**tensors)


def _measure_writing(config, poet, photograph, number):
    compose = photograph.prepare(
        "compose", num_candidates=np.array([number], np.int32)
    )
    seen = _median(photograph.prepare("start_poem"), config.calls)
    # The rest of them is empty.
    candidates = compose()["candidates"][0, :number].numpy()
    texts = [text.decode() for text in candidates]
    # And END.
    lengths = [len(ids) + 1 for ids in poet.vocabulary.encode_batch(texts)]
    weights = poet.generator.count_params()
    return _Part(
        _median(compose, config.calls) - seen,
        2 * SIDES * weights * sum(lengths),
        FLOAT * weights * max(lengths),
    )


if __name__ == "__main__":
    main(run_options.parse_config(Config))
