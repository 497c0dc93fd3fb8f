"""Photograph to poem: the shipped model against others.

    python recipes/benchmark.py

The paper's architecture (liu18, and its authors' inference code): two VGG-16,
one CNN of the shape of CaffeNet, 12,288 features to a GRU of 512, 26,867
words, greedy for 70 steps; random weights, one TensorFlow function. With the
extra `evaluate` also what one would put together from public parts: a captioner
of ViT and GPT-2, 16 tokens, and GPT-2, 40 more; random weights, greedy, in
PyTorch. Each side runs in processes of its own, in turn, so that peak memory
can be told apart; times are medians after warming up. Nothing else should run
meanwhile.
"""

import dataclasses
import importlib
import importlib.util
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from visualpoet import model_folders
from visualpoet import run_options
from visualpoet.run_options import option

VOCABULARY, STATE, STEPS = 26_867, 512, 70
CAPTIONER, CAPTION_TOKENS, POEM_TOKENS = "captioner and GPT-2", 16, 40
LIBRARIES = ("torch", "transformers")
BATCH = 8
AT_ONCE = f"shipped, 1 candidate, {BATCH} photographs at once"


@dataclasses.dataclass(frozen=True)
class Config:
    """Photograph to poem: the shipped model against others."""

    model: str = option("", "an exported model; the shipped one if empty")
    photograph: str = option("", "a file; scikit-learn's china.jpg if empty")
    rounds: int = option(3, "processes of each side")
    calls: int = option(10, "timed calls in a process")
    side: str = option("", "used by the recipe itself: what to run here")


def _photograph(config: Config) -> bytes:
    if config.photograph:
        return pathlib.Path(config.photograph).read_bytes()
    import sklearn.datasets

    folder = pathlib.Path(sklearn.datasets.__file__).parent
    return (folder / "images" / "china.jpg").read_bytes()


def _shipped(config: Config, candidates: int | None) -> Callable[[bytes], str]:
    import visualpoet

    poet = visualpoet.load(config.model or None)
    return lambda photo: poet.write(photo, candidates=candidates).poem


def _shipped_batch(config: Config) -> Callable[[bytes], object]:
    """The signature that servers batch, with one candidate a photograph."""
    import tensorflow as tf

    from visualpoet.export import meta_graph
    from visualpoet.export import samples

    model = pathlib.Path(config.model or model_folders.default_model())
    folder = model_folders.newest_version(model)
    loaded = tf.saved_model.load(str(folder))
    described = meta_graph.describe_signatures(
        meta_graph.read_meta_graph(folder)
    )
    inputs = samples.sample_inputs(
        folder, described["compose"]["inputs"], BATCH
    )

    def write(photo):
        given = {**inputs, "image_bytes": [photo] * BATCH}
        tensors = {name: tf.constant(value) for name, value in given.items()}
        return loaded.signatures["compose"](**tensors)["poem"].numpy()

    return write


def _caffenet():
    import keras

    layers = keras.layers
    pool = {"pool_size": 3, "strides": 2}
    return keras.Sequential(
        [
            keras.Input([227, 227, 3]),
            layers.Conv2D(96, 11, 4, activation="relu"),
            layers.MaxPooling2D(**pool),
            layers.Conv2D(256, 5, padding="same", groups=2, activation="relu"),
            layers.MaxPooling2D(**pool),
            layers.Conv2D(384, 3, padding="same", activation="relu"),
            layers.Conv2D(384, 3, padding="same", groups=2, activation="relu"),
            layers.Conv2D(256, 3, padding="same", groups=2, activation="relu"),
            layers.MaxPooling2D(**pool),
            layers.Flatten(),
            layers.Dense(4096, activation="relu"),
            layers.Dense(4096, activation="relu"),
        ]
    )


def _vgg():
    import keras

    whole = keras.applications.VGG16(weights=None)
    return keras.Model(whole.input, whole.get_layer("fc2").output)


def _liu18(config: Config) -> Callable[[bytes], str]:
    import keras
    import tensorflow as tf

    from visualpoet.features import images

    cnns = [(_vgg(), 224), (_caffenet(), 227), (_vgg(), 224)]
    to_state = keras.layers.Dense(STATE)
    encoder, decoder = keras.layers.GRUCell(STATE), keras.layers.GRUCell(STATE)
    embedding = keras.layers.Embedding(VOCABULARY, STATE)
    output = keras.layers.Dense(VOCABULARY)

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def write(image_bytes):
        features = [
            cnn(images.load_view(image_bytes, size, 0)[None])
            for cnn, size in cnns
        ]
        seen = to_state(tf.concat(features, -1))
        state, _ = encoder(seen, [tf.zeros([1, STATE])])
        token = tf.zeros([1], tf.int32)
        tokens = tf.TensorArray(tf.int32, STEPS)
        for step in tf.range(STEPS):
            state, _ = decoder(embedding(token), [state])
            token = tf.argmax(output(state), -1, output_type=tf.int32)
            tokens = tokens.write(step, token[0])
        return tokens.stack()

    return lambda photo: write(photo).numpy()


def _captioner(config: Config) -> Callable[[bytes], list[int]]:
    import io

    import torch
    import transformers
    from PIL import Image

    writes = transformers.GPT2Config(add_cross_attention=True)
    both = transformers.VisionEncoderDecoderConfig
    captioner = transformers.VisionEncoderDecoderModel(
        both.from_encoder_decoder_configs(transformers.ViTConfig(), writes)
    ).eval()
    poet = transformers.GPT2LMHeadModel(transformers.GPT2Config()).eval()
    start = writes.bos_token_id

    def go_on(model, given, number, **kwargs):
        return model.generate(
            given,
            min_new_tokens=number,
            max_new_tokens=number,
            do_sample=False,
            pad_token_id=start,
            **kwargs,
        )

    @torch.inference_mode()
    def write(photo):
        opened = Image.open(io.BytesIO(photo)).convert("RGB")
        pixels = np.asarray(opened.resize((224, 224)), np.float32) / 127.5 - 1
        seen = torch.tensor(pixels).permute(2, 0, 1)[None]
        caption = go_on(
            captioner, seen, CAPTION_TOKENS, decoder_start_token_id=start
        )
        return go_on(poet, caption, POEM_TOKENS)[0].tolist()

    return write


def _measure(config: Config) -> None:
    sides = {
        "shipped": lambda: _shipped(config, None),
        "shipped, 1 candidate": lambda: _shipped(config, 1),
        "liu18": lambda: _liu18(config),
        AT_ONCE: lambda: _shipped_batch(config),
        CAPTIONER: lambda: _captioner(config),
    }
    photo = _photograph(config)
    # Their share of the memory is measured apart.
    for library in LIBRARIES if config.side == CAPTIONER else ["tensorflow"]:
        importlib.import_module(library)
    imported = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    write = sides[config.side]()
    for _ in range(3):
        write(photo)
    seconds = []
    for _ in range(config.calls):
        started = time.perf_counter()
        write(photo)
        seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    photographs = BATCH if config.side == AT_ONCE else 1
    measured = {
        "milliseconds": 1000 * statistics.median(seconds),
        "photographs_a_second": photographs / statistics.median(seconds),
        "peak_megabytes": peak,
        "above_import_megabytes": peak - imported,
    }
    print(json.dumps(measured))


def main(config: Config) -> None:
    """Runs the recipe.

    Args:
        config: Its options.
    """
    if config.side:
        _measure(config)
        return
    names = ["shipped", "shipped, 1 candidate", "liu18", AT_ONCE]
    if all(map(importlib.util.find_spec, LIBRARIES)):
        names.append(CAPTIONER)
    else:
        print("without a captioner: it needs the extra `evaluate`")
    rows = {name: [] for name in names}
    for _ in range(config.rounds):
        for name in names:
            command = [sys.executable, __file__, "--side", name]
            command += ["--calls", str(config.calls), "--model", config.model]
            command += ["--photograph", config.photograph]
            output = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True
            ).stdout
            rows[name].append(json.loads(output.splitlines()[-1]))
    medians = {
        name: {
            key: float(np.median([row[key] for row in measured_rows]))
            for key in measured_rows[0]
        }
        for name, measured_rows in rows.items()
    }
    for name, row in medians.items():
        line = ", ".join(f"{key} {value:.4g}" for key, value in row.items())
        print(f"{name}: {line}")
    for other in (name for name in ("liu18", CAPTIONER) if name in medians):
        # What is above an import compares where both import the same.
        left_out = {"photographs_a_second"}
        if other == CAPTIONER:
            left_out.add("above_import_megabytes")
        for name in names[:2]:
            ratios = {
                key: medians[other][key] / medians[name][key]
                for key in medians[name]
                if key not in left_out
            }
            line = ", ".join(f"{k} {value:.1f}" for k, value in ratios.items())
            print(f"{other} over {name}: {line}")


if __name__ == "__main__":
    main(run_options.parse_config(Config))
