"""A BERT of random weights, as it is distributed, and what it computes."""

import json

import numpy as np
import scipy.special
import tokenizers
from safetensors.numpy import save_file

DIM, INNER, HEADS, BLOCKS, POSITIONS = 16, 24, 2, 2, 100
SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[UNK]")


def write(folder, words):
    """Writes the files of a BERT that knows some words."""
    vocabulary = {word: i for i, word in enumerate([*SPECIAL, *words])}
    weights = _draw(len(vocabulary))
    save_file(weights, folder / "model.safetensors")
    config = {
        "vocab_size": len(vocabulary),
        "max_position_embeddings": POSITIONS,
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": HEADS,
        "hidden_size": DIM,
        "intermediate_size": INNER,
    }
    (folder / "config.json").write_text(json.dumps(config))
    model = tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(t, vocabulary[t]) for t in ("[CLS]", "[SEP]")],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return weights


def _draw(vocabulary_size):
    rng = np.random.default_rng(0)
    shapes = {
        "embeddings.word_embeddings.weight": (vocabulary_size, DIM),
        "embeddings.position_embeddings.weight": (POSITIONS, DIM),
        "embeddings.token_type_embeddings.weight": (2, DIM),
    }
    norms, dense = ["embeddings.LayerNorm"], {}
    for block in range(BLOCKS):
        start = f"encoder.layer.{block}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            dense[f"{start}.attention.{name}"] = (DIM, DIM)
        dense[f"{start}.intermediate.dense"] = (INNER, DIM)
        dense[f"{start}.output.dense"] = (DIM, INNER)
        norms += [f"{start}.attention.output.LayerNorm"]
        norms += [f"{start}.output.LayerNorm"]
    for name in norms:
        shapes |= {f"{name}.weight": (DIM,), f"{name}.bias": (DIM,)}
    for name, shape in dense.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    # Small biases and gains about 1: else all texts would read alike.
    return {
        name: (
            rng.normal(1.0 if "Norm.weight" in name else 0.0, scale, shape)
        ).astype(np.float32)
        for name, shape in shapes.items()
        for scale in [0.1 if len(shape) == 1 else 0.7]
    }


def read(weights, token_ids, segment_ids):
    """States of one row without padding, `[T, DIM]`."""

    def dense(name, x):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def normalize(name, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-12)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def attend(name, x):
        q, k, v = (
            dense(f"{name}.self.{part}", x).reshape(len(x), HEADS, -1)
            for part in ("query", "key", "value")
        )
        scores = np.einsum("thd,shd->hts", q, k) / np.sqrt(DIM / HEADS)
        shares = scipy.special.softmax(scores, axis=-1)
        seen = np.einsum("hts,shd->thd", shares, v).reshape(len(x), -1)
        return dense(f"{name}.output.dense", seen)

    x = weights["embeddings.word_embeddings.weight"][token_ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(token_ids)]
    x = x + weights["embeddings.token_type_embeddings.weight"][segment_ids]
    x = normalize("embeddings.LayerNorm", x)
    for block in range(BLOCKS):
        name = f"encoder.layer.{block}"
        seen = attend(f"{name}.attention", x)
        x = normalize(f"{name}.attention.output.LayerNorm", x + seen)
        inner = dense(f"{name}.intermediate.dense", x)
        inner = inner * scipy.special.ndtr(inner)  # gelu
        outer = dense(f"{name}.output.dense", inner)
        x = normalize(f"{name}.output.LayerNorm", x + outer)
    return x
