import importlib.util
import json
import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2

from recipes import render_pictures
from tests import tiny
from visualpoet import model_folders
from visualpoet.corpus.vocabulary import Vocabulary
from visualpoet.export import savedmodel

SEA = tiny.photograph("sea")
OPTIONS = {
    "form": (b"verse", object),
    "seed": (7, np.int64),
    "temperature": (0.9, np.float32),
    "top_p": (0.9, np.float32),
    "guidance": (1.2, np.float32),
    "lines": (3, np.int32),
    "num_candidates": (4, np.int32),
    "banned": (b"sea moon", object),
}


@pytest.fixture(scope="module")
def loaded():
    return tf.saved_model.load(str(tiny.exported()))


def inputs_of(photographs, seeds=None):
    """Arrays for `compose`, one value a photograph."""
    size = len(photographs)
    values = {
        name: np.array([value] * size, dtype)
        for name, (value, dtype) in OPTIONS.items()
    }
    if seeds:
        values["seed"] = np.array(seeds, np.int64)
    return {"image_bytes": np.array(photographs, object), **values}


def run(signature, inputs):
    specs = signature.structured_input_signature[1]
    outputs = signature(
        **{
            name: tf.constant(value, specs[name].dtype)
            for name, value in inputs.items()
        }
    )
    return {name: value.numpy() for name, value in outputs.items()}


def mixed_photographs():
    """Sizes and formats that do not agree."""
    grey = render_pictures.render("forest", 2, 75).convert("L")
    clear = Image.new("RGBA", (33, 90), (20, 200, 30, 90))
    return [
        SEA,
        tiny.encode(render_pictures.render("meadow", 1, 51), "PNG"),
        tiny.encode(grey, "JPEG"),
        tiny.encode(clear, "PNG"),
    ]


def saved_model():
    message = saved_model_pb2.SavedModel()
    message.ParseFromString((tiny.exported() / "saved_model.pb").read_bytes())
    return message


def all_nodes():
    (meta_graph,) = saved_model().meta_graphs
    nodes = list(meta_graph.graph_def.node)
    for function in meta_graph.graph_def.library.function:
        nodes += function.node_def
    return nodes


# --- the folder


def warmup_files():
    # A warm-up needs tensorflow-serving-api.
    installed = importlib.util.find_spec("tensorflow_serving")
    return {"assets.extra/tf_serving_warmup_requests"} if installed else set()


def test_files_of_a_version_folder():
    folder = tiny.exported()
    files = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert (
        files
        == {
            "saved_model.pb",
            "fingerprint.pb",
            "variables/variables.index",
            "variables/variables.data-00000-of-00001",
            "assets.extra/vocabulary.json",
            "assets.extra/options.json",
            "assets.extra/lineage.json",
            "assets.extra/models.json",
            "batching_params.pbtxt",
            "metadata.json",
        }
        | warmup_files()
    )
    assert [path.name for path in folder.parent.iterdir()] == ["3"]


def test_vocabulary_and_options_beside_the_graph():
    extra = tiny.exported() / "assets.extra"
    vocabulary = Vocabulary.load(extra / "vocabulary.json")
    assert vocabulary.tokens == tiny.vocabulary().tokens
    options = json.loads((extra / "options.json").read_text())
    assert options["num_candidates"] == 16
    assert options["form"] == "verse"
    assert {
        form: own["max_lines"] for form, own in options["forms"].items()
    } == {
        "verse": 4,
        "haiku": 2,
    }


def test_existing_version_is_refused(tmp_path):
    (tmp_path / "1").mkdir()
    with pytest.raises(FileExistsError, match="expected a new version.*/1,"):
        savedmodel.export_poet(tiny.module(), None, tmp_path / "1", {})
    assert [path.name for path in tmp_path.rglob("*")] == ["1"]


@pytest.mark.parametrize("name", ["latest", "v1", "1.partial", "-1", "1.0"])
def test_folder_that_is_no_version_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=f"Received: '{re.escape(name)}'$"):
        savedmodel.export_poet(tiny.module(), None, tmp_path / name, {})
    assert list(tmp_path.iterdir()) == []


def test_failed_export_leaves_no_version(tmp_path, monkeypatch):
    (tmp_path / "2.partial").mkdir()
    (tmp_path / "2.partial" / "left over").touch()

    def save(module, path, signatures):
        assert not (tmp_path / "2.partial").exists()
        (tmp_path / "2.partial").mkdir()
        raise OSError("no space left")

    monkeypatch.setattr(tf.saved_model, "save", save)
    with pytest.raises(OSError, match="no space left"):
        savedmodel.export_poet(
            tiny.module(), tiny.vocabulary(), tmp_path / "2", {}
        )
    with pytest.raises(FileNotFoundError):
        model_folders.newest_version(tmp_path)


# --- signatures


def described(tensors):
    return {
        name: (spec.dtype.name, spec.shape.as_list())
        for name, spec in tensors.items()
    }


ANY_ROWS = [None]
PHOTOGRAPHS = {"image_bytes": ("string", ANY_ROWS)}
BEST = {
    "poem": ("string", ANY_ROWS),
    "score": ("float32", ANY_ROWS),
    "fit": ("float32", ANY_ROWS),
    "fluency": ("float32", ANY_ROWS),
    "clue_share": ("float32", ANY_ROWS),
}


CONTROLS = {
    "form": ("string", ANY_ROWS),
    "seed": ("int64", ANY_ROWS),
    "temperature": ("float32", ANY_ROWS),
    "top_p": ("float32", ANY_ROWS),
    "guidance": ("float32", ANY_ROWS),
    "lines": ("int32", ANY_ROWS),
    "num_candidates": ("int32", ANY_ROWS),
    "banned": ("string", ANY_ROWS),
}
ALL = {
    **BEST,
    "clues": ("string", [None, 6]),
    "candidates": ("string", [None, 64]),
    "candidate_score": ("float32", [None, 64]),
    "candidate_fit": ("float32", [None, 64]),
    "candidate_fluency": ("float32", [None, 64]),
    "candidate_clue_share": ("float32", [None, 64]),
}
PLACE = {
    "image_embedding": ("float32", [None, 9]),
    "clue_ids": ("int32", [None, 6]),
}


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("serving_default", PHOTOGRAPHS, BEST),
        ("compose", {**PHOTOGRAPHS, **CONTROLS}, ALL),
        (
            "compose_or_error",
            {**PHOTOGRAPHS, **CONTROLS},
            {**ALL, "error": ("string", ANY_ROWS)},
        ),
        (
            "continue_poem",
            {**PHOTOGRAPHS, "opening": ("string", ANY_ROWS), **CONTROLS},
            ALL,
        ),
        (
            "start_poem",
            PHOTOGRAPHS,
            {**PLACE, "clues": ("string", [None, 6])},
        ),
        (
            "next_line",
            {**PLACE, "poem": ("string", ANY_ROWS), **CONTROLS},
            {
                "line": ("string", ANY_ROWS),
                "poem": ("string", ANY_ROWS),
                "finished": ("bool", ANY_ROWS),
                "score": ("float32", ANY_ROWS),
            },
        ),
        (
            "match",
            {**PHOTOGRAPHS, "poem": ("string", ANY_ROWS)},
            {
                "fit": ("float32", ANY_ROWS),
                "fluency": ("float32", ANY_ROWS),
                "clue_share": ("float32", ANY_ROWS),
            },
        ),
        ("embed_image", PHOTOGRAPHS, {"embedding": ("float32", [None, 9])}),
        (
            "embed_poem",
            {"poem": ("string", ANY_ROWS)},
            {"embedding": ("float32", [None, 9])},
        ),
    ],
)
def test_signature(loaded, name, inputs, outputs):
    signature = loaded.signatures[name]
    assert described(signature.structured_input_signature[1]) == inputs
    assert described(signature.structured_outputs) == outputs


def test_no_other_signatures(loaded):
    assert sorted(loaded.signatures) == [
        "compose",
        "compose_or_error",
        "continue_poem",
        "embed_image",
        "embed_poem",
        "match",
        "next_line",
        "serving_default",
        "start_poem",
    ]


def test_wire_form_that_a_server_reads():
    (meta_graph,) = saved_model().meta_graphs
    assert list(meta_graph.meta_info_def.tags) == ["serve"]
    signature = meta_graph.signature_def["serving_default"]
    assert signature.method_name == "tensorflow/serving/predict"
    assert list(signature.inputs) == ["image_bytes"]
    assert sorted(signature.outputs) == [
        "clue_share",
        "fit",
        "fluency",
        "poem",
        "score",
    ]


# --- what they compute


def test_every_output_has_one_row_a_photograph(loaded):
    photographs = mixed_photographs()[:3]
    given = {"image_bytes": np.array(photographs, object)}
    for name, inputs in (
        ("serving_default", given),
        ("compose", inputs_of(photographs)),
        ("embed_image", given),
        ("embed_poem", {"poem": np.array(["the sea", "", "a\nb"])}),
    ):
        for value in run(loaded.signatures[name], inputs).values():
            assert value.shape[:1] == (3,)


def test_serving_default_is_compose_with_the_defaults(loaded):
    outputs = run(
        loaded.signatures["serving_default"],
        {"image_bytes": np.array([SEA], object)},
    )
    written = tiny.poet().write(SEA)
    assert outputs["poem"][0].decode() == written.poem
    assert outputs["score"][0] == pytest.approx(written.score, abs=1e-5)
    assert outputs["fit"][0] == pytest.approx(written.fit, abs=1e-5)
    assert outputs["fluency"][0] == pytest.approx(written.fluency, abs=1e-5)


def test_poem_is_the_same_alone_and_in_a_batch(loaded):
    photographs = mixed_photographs()
    seeds = [7, 8, 9, 2**40]
    together = run(loaded.signatures["compose"], inputs_of(photographs, seeds))
    assert len(set(together["poem"].tolist())) == 4
    for row, (photograph, seed) in enumerate(zip(photographs, seeds)):
        alone = run(
            loaded.signatures["compose"], inputs_of([photograph], [seed])
        )
        for name, values in alone.items():
            if values.dtype == object:
                assert (
                    values[0].tolist() == together[name][row].tolist()
                    if (values.ndim > 1)
                    else values[0] == together[name][row]
                )
            else:
                np.testing.assert_allclose(
                    values[0], together[name][row], atol=1e-4
                )


def test_session_of_the_cpp_loader_writes_the_same_poems():
    photographs = mixed_photographs()[:3]
    inputs = inputs_of(photographs, [7, 8, 9])
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta_graph = tf.compat.v1.saved_model.loader.load(
            session, ["serve"], str(tiny.exported())
        )
        signature = meta_graph.signature_def["compose"]
        fetched = session.run(
            {name: info.name for name, info in signature.outputs.items()},
            {signature.inputs[name].name: inputs[name] for name in inputs},
        )
    for row, photograph in enumerate(photographs):
        # `read_picture` passes these three as they are.
        written = tiny.poet().write(
            photograph,
            seed=7 + row,
            temperature=0.9,
            top_p=0.9,
            guidance=1.2,
            lines=3,
            candidates=4,
            ban=["sea", "moon"],
        )
        assert fetched["poem"][row].decode() == written.poem
        assert fetched["poem"][row].count(b"\n") == 2
        assert [text.decode() for text in fetched["candidates"][row, :4]] == [
            candidate.poem for candidate in written.candidates
        ]
        np.testing.assert_allclose(
            fetched["candidate_score"][row, :4],
            [candidate.score for candidate in written.candidates],
            atol=1e-4,
        )


@pytest.mark.parametrize("file_format", ["GIF", "BMP"])
def test_graph_decodes_other_formats_too(loaded, file_format):
    picture = render_pictures.render("sea", 0, 40)
    outputs = run(
        loaded.signatures["embed_image"],
        {"image_bytes": np.array([tiny.encode(picture, file_format)], object)},
    )
    length = np.linalg.norm(outputs["embedding"])
    assert length == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("content", [b"junk", b"", SEA[: len(SEA) // 2]])
@pytest.mark.parametrize("name", ["serving_default", "embed_image"])
def test_bytes_that_are_no_picture_are_an_invalid_argument(
    loaded, name, content
):
    with pytest.raises(tf.errors.InvalidArgumentError):
        loaded.signatures[name](image_bytes=tf.constant([SEA, content]))


def compose_without(loaded, banned):
    inputs = {**inputs_of([SEA]), "banned": np.array([banned.encode()], object)}
    outputs = run(loaded.signatures["compose"], inputs)
    return [poem.decode() for poem in outputs["candidates"][0, :4]]


@pytest.mark.parametrize("form", ["xyz  {} ", "{}, and", "{}’s"])
def test_words_are_banned_as_they_are_read(loaded, form):
    word = compose_without(loaded, "")[0].lower().split()[0]
    for poem in compose_without(loaded, form.format(word.upper())):
        assert word not in re.findall(r"[a-z]+", poem.lower())


@pytest.mark.parametrize("token", ["<end>", "<break>", "\x1e", "\n", "."])
def test_only_words_are_banned(loaded, token):
    assert compose_without(loaded, token) == compose_without(loaded, "")


# --- what is stored


def test_core_ops_only():
    ops = {node.op for node in all_nodes()}
    assert {"DecodeImage", "StatelessRandomUniformV2", "TopKV2"} <= ops
    assert not ops & {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
    assert [op for op in sorted(ops) if not hasattr(tf.raw_ops, op)] == []


def test_nothing_asks_for_xla():
    (meta_graph,) = saved_model().meta_graphs
    functions = meta_graph.graph_def.library.function
    assert len(functions) > 4
    for part in (*functions, *all_nodes()):
        assert not part.attr["_XlaMustCompile"].b


def test_of_matrices_eight_bits_a_number_are_stored():
    checkpoint = tf.train.load_checkpoint(
        str(tiny.exported() / "variables" / "variables")
    )
    dtypes = checkpoint.get_variable_to_dtype_map()
    matrices = {
        name: dtypes[name].name
        for name, shape in checkpoint.get_variable_to_shape_map().items()
        if np.sum(np.array(shape) > 1) > 1
    }
    assert set(matrices.values()) == {"int8"}
    assert len(matrices) > 20


def test_no_large_constant_is_hidden_in_the_graph():
    half, single, double = (
        tf.as_dtype(name).as_datatype_enum
        for name in ("float16", "float32", "float64")
    )
    sizes = [
        np.prod([side.size for side in value.tensor_shape.dim], dtype=int)
        for value in (
            node.attr["value"].tensor
            for node in all_nodes()
            if node.op == "Const"
        )
        if value.dtype in (half, single, double)
    ]
    assert max(sizes) == len(tiny.vocabulary())  # which tokens are content
