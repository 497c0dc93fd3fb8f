import json
import pathlib
import re
import shutil

import pytest
import tensorflow as tf

from tests import tiny
from visualpoet.export import checking
from visualpoet.export import serving_files
from visualpoet.export import warmup
from visualpoet.features import images

pytest.importorskip("tensorflow_serving")
ROWS = tf.TensorSpec([None], tf.string, "image_bytes")
SEED = tf.TensorSpec([None], tf.int64, "seed")
OPTIONS = {
    "seed": 0,
    "temperature": 0.6,
    "top_p": 0.95,
    "guidance": 1.4,
    "lines": 0,
    "num_candidates": 16,
    "banned": "",
}


def brightness(content):
    return tf.reduce_mean(tf.cast(images.decode_image(content), tf.float32))


def as_poem(values):
    return {"poem": tf.strings.as_string(values, 3), "score": values}


class Toy(tf.Module):
    """Whose poems are how bright a picture is; a defect is a method."""

    served = ("serving_default",)

    def look(self, image_bytes):
        return tf.map_fn(
            brightness, image_bytes, fn_output_signature=tf.float32
        )

    def default(self, image_bytes):
        return as_poem(self.look(image_bytes))

    def seeded(self, image_bytes, seed):
        draw = tf.cast(seed, tf.float32) / 8.0
        return as_poem(self.look(image_bytes) + draw)

    def or_error(self, image_bytes):
        is_read, pixels = images.load_readable(image_bytes, 16)
        values = tf.reduce_mean(pixels, axis=[1, 2, 3])
        error = tf.where(is_read, "", "broken")
        return {**as_poem(values), "error": error}

    def functions(self):
        serve = {
            "serving_default": (self.default, [ROWS]),
            "compose": (self.seeded, [ROWS, SEED]),
            "compose_or_error": (self.or_error, [ROWS]),
        }
        return {
            name: tf.function(function, input_signature=specs)
            for name, (function, specs) in serve.items()
        }

    def signatures(self):
        functions = self.functions()
        return {name: functions[name] for name in self.served}


class Sound(Toy):
    served = ("serving_default", "compose", "compose_or_error")


class NoDefault(Toy):
    def signatures(self):
        return {"write": self.functions()["serving_default"]}


class OtherInput(Toy):
    def signatures(self):
        return {"serving_default": self.functions()["compose"]}


class Scalar(Toy):
    def default(self, image_bytes):
        outputs = super().default(image_bytes)
        return {**outputs, "mean": tf.reduce_mean(outputs["score"])}


class Half(Toy):
    def default(self, image_bytes):
        outputs = super().default(image_bytes)
        return {**outputs, "fit": tf.cast(outputs["score"], tf.float16)}


class Bytes(Toy):
    def default(self, image_bytes):
        outputs = super().default(image_bytes)
        return {**outputs, "poem_bytes": outputs["poem"]}


class OneRow(Toy):
    def default(self, image_bytes):
        outputs = super().default(image_bytes)
        return {**outputs, "clues": outputs["poem"][:1]}


class NotFinite(Toy):
    def default(self, image_bytes):
        outputs = super().default(image_bytes)
        return {**outputs, "fit": tf.math.log(-1.0 - outputs["score"])}


class ColourOnly(Toy):
    def look(self, image_bytes):
        def brightness(content):
            image = tf.io.decode_image(content, expand_animations=False)
            image = tf.ensure_shape(image, [None, None, 3])
            return tf.reduce_mean(tf.cast(image, tf.float32))

        return tf.map_fn(
            brightness, image_bytes, fn_output_signature=tf.float32
        )


class AnswersAnything(Toy):
    def look(self, image_bytes):
        return tf.cast(tf.strings.length(image_bytes), tf.float32)


class ErrorEverywhere(Toy):
    served = ("compose_or_error",)

    def or_error(self, image_bytes):
        outputs = super().or_error(image_bytes)
        wrong = tf.reduce_any(outputs["error"] != "")
        error = tf.where(wrong, "broken", tf.zeros_like(outputs["error"]))
        return {**outputs, "error": error}


class Python(Toy):
    def look(self, image_bytes):
        values = super().look(image_bytes)
        values = tf.numpy_function(lambda x: x, [values], tf.float32)
        return tf.ensure_shape(values, [None])


class ReadsLines(Toy):
    def look(self, image_bytes):
        lines = tf.data.TextLineDataset("notes.txt").take(0)
        extra = lines.reduce(0.0, lambda total, _: total + 1.0)
        return super().look(image_bytes) + extra


class WritesSummaries(Toy):
    def look(self, image_bytes):
        writer = tf.raw_ops.SummaryWriter()
        tf.raw_ops.CloseSummaryWriter(writer=writer)
        return super().look(image_bytes)


class SavesElsewhere(Toy):
    def look(self, image_bytes):
        values = super().look(image_bytes)
        tf.raw_ops.SaveV2(
            prefix="poem",
            tensor_names=["x"],
            shape_and_slices=[""],
            tensors=[values],
        )
        return values


class TableOfAFile(Toy):
    def __init__(self, path):
        super().__init__()
        path.write_text("a\nb\n")
        reader = tf.lookup.TextFileInitializer(
            str(path),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        self.table = tf.lookup.StaticHashTable(reader, 0)

    def look(self, image_bytes):
        found = tf.cast(self.table.lookup(image_bytes), tf.float32)
        return super().look(image_bytes) + found


class NamesAPath(Toy):
    def default(self, image_bytes):
        outputs = super().default(image_bytes)
        return {**outputs, "from": tf.fill(tf.shape(image_bytes), "/srv/poet")}


class OnTheGpu(Toy):
    def look(self, image_bytes):
        with tf.device("/device:GPU:1"):
            return 2.0 * super().look(image_bytes)


class Jit(Toy):
    def default(self, image_bytes):
        double = tf.function(lambda x: 2 * x, jit_compile=True)
        return as_poem(double(self.look(image_bytes)))


class Unseeded(Toy):
    served = ("compose",)

    def seeded(self, image_bytes, seed):
        values = self.look(image_bytes)
        return as_poem(values + tf.random.uniform(tf.shape(values)))


class SeedIgnored(Toy):
    served = ("compose",)

    def seeded(self, image_bytes, seed):
        return as_poem(self.look(image_bytes) + 0.0 * tf.cast(seed, tf.float32))


class Neighbours(Toy):
    def default(self, image_bytes):
        values = self.look(image_bytes)
        return as_poem(values - tf.reduce_mean(values))


def export(folder, toy):
    version = folder / "toy" / "7"
    tf.saved_model.save(toy, str(version), signatures=toy.signatures())
    (version / "assets.extra").mkdir()
    options = version / "assets.extra" / "options.json"
    options.write_text(json.dumps(OPTIONS))
    serving_files.complete_version(version, "toy")
    return version


def failures(version):
    return {
        result.point: result.reason
        for result in checking.check_export(version)
        if result.reason
    }


def reason_of(version, start):
    """Why the point that begins so, which alone is tried, is not kept."""
    points = [p for p in checking.POINTS if p.__doc__.startswith(start)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "POINTS", points)
        (result,) = checking.check_export(version)
    assert result.reason
    return result.reason


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return export(tmp_path_factory.mktemp("sound"), Sound())


@pytest.fixture
def version(sound, tmp_path):
    """A copy, to be broken."""
    return pathlib.Path(shutil.copytree(sound, tmp_path / "toy" / "7"))


def test_sound_export_passes_every_point(sound):
    results = list(checking.check_export(sound))
    assert [result.reason for result in results] == [""] * 15
    assert len({result.point for result in results}) == 15


@pytest.mark.slow
def test_tiny_poet_passes_every_point():
    assert failures(tiny.exported()) == {}


@pytest.mark.parametrize(
    ("defect", "point", "reason"),
    [
        (NoDefault, "`serving_default` takes", r"Received: \['write'\]"),
        (OtherInput, "`serving_default` takes", "inputs: expected .*'seed'"),
        (Scalar, "All inputs", r"mean: expected a shape .* Received: \[\]"),
        (Half, "All inputs", "fit: expected a type .* Received: float16"),
        (Bytes, "All inputs", r"poem_bytes: expected no output named \*"),
        (OneRow, "Every signature", r"clues, batch of 3: expected 3 rows"),
        (NotFinite, "Every signature", "fit, batch of 1: not finite"),
        (ColourOnly, "JPEG and PNG", "InvalidArgumentError"),
        (AnswersAnything, "A broken picture", "Received: an answer"),
        (
            ErrorEverywhere,
            "A broken picture",
            r"compose_or_error: .* \[True, True, True\]",
        ),
        (Python, "Core ops", r"Received: \['PyFunc'\]"),
        (ReadsLines, "Core ops", r"Received: \['TextLineDataset'\]"),
        (WritesSummaries, "Core ops", "'CloseSummaryWriter', 'SummaryWriter'"),
        (SavesElsewhere, "Core ops", r"Received: \['SaveV2'\]"),
        (NamesAPath, "No text of the graph", "has b'/srv/poet'"),
        (OnTheGpu, "Nothing asks for a device", "asks for '/device:GPU:1'"),
        (Jit, "Nothing asks for XLA", "_XlaMustCompile"),
        (Unseeded, "The same seed", "compose: the same seed gave"),
        (SeedIgnored, "The same seed", "compose: two seeds gave"),
        (Neighbours, "A row does not", "serving_default, .*: row 0 differs"),
    ],
)
def test_defect_of_the_graph_fails_its_point(
    tmp_path, monkeypatch, defect, point, reason
):
    monkeypatch.chdir(tmp_path)  # some write files
    found = reason_of(export(tmp_path, defect()), point)
    assert re.search(reason, found), found


def test_table_that_reads_a_file_fails(tmp_path):
    toy = TableOfAFile(tmp_path / "words.txt")
    version = export(tmp_path, toy)
    reason = reason_of(version, "Core ops")
    assert "InitializeTableFromTextFileV2" in reason
    (version / "assets" / "words.txt").unlink()
    assert reason_of(version, "Every file that the graph names") == (
        "expected files in assets/: ['words.txt']"
    )


def test_folder_that_is_no_version(version):
    other = version.rename(version.with_name("latest"))
    assert failures(other) == {
        "The folder's name is a version, an integer.": (
            "expected an integer from 0 to 9223372036854775807. Received: "
            "'latest'"
        )
    }


def test_changed_file_fails_the_metadata(version):
    with (version / "assets.extra" / "options.json").open("a") as file:
        file.write(" ")
    assert failures(version) == {
        "`metadata.json` says what the files are.": (
            "files differs: ['assets.extra/options.json']"
        )
    }


def test_added_file_fails_the_metadata(version):
    (version / "notes.txt").touch()
    reason = reason_of(version, "`metadata.json`")
    assert reason == "files differs: ['notes.txt']"


def test_missing_metadata(version):
    (version / "metadata.json").unlink()
    assert reason_of(version, "`metadata.json`") == (
        "expected a file metadata.json"
    )


@pytest.mark.parametrize("part", ["signatures", "defaults", "tensorflow"])
def test_metadata_of_another_export(version, part):
    path = version / "metadata.json"
    metadata = json.loads(path.read_text())
    metadata[part] = {"compose": 1} if part != "tensorflow" else "1.0"
    path.write_text(json.dumps(metadata))
    assert reason_of(version, "`metadata.json`").startswith(f"{part} differs")


def test_missing_warmup(version):
    (version / warmup.WARMUP_FILE).unlink()
    assert reason_of(version, "The warm-up") == (
        "expected a file assets.extra/tf_serving_warmup_requests"
    )


def test_warmup_that_cannot_be_read(version):
    (version / warmup.WARMUP_FILE).write_bytes(b"no records at all")
    reason = reason_of(version, "The warm-up")
    assert reason.startswith("expected PredictionLog records")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda request: request.model_spec.__setattr__("name", "poet"),
            "expected requests for 'toy'. Received: 'poet'",
        ),
        (
            lambda request: request.model_spec.__setattr__(
                "signature_name", "sing"
            ),
            "expected a signature. Received: 'sing'",
        ),
        (
            lambda request: request.inputs["seeds"].CopyFrom(
                tf.make_tensor_proto([1])
            ),
            "serving_default: expected inputs ['image_bytes']. Received: "
            "['image_bytes', 'seeds']",
        ),
        (
            lambda request: request.inputs["image_bytes"].CopyFrom(
                tf.make_tensor_proto([b"no picture"])
            ),
            "InvalidArgumentError: ",
        ),
    ],
    ids=["model", "signature", "inputs", "content"],
)
def test_warmup_that_would_not_succeed(version, change, reason):
    from tensorflow_serving.apis import prediction_log_pb2

    request = warmup.read_warmup(version)[-1]
    assert request.model_spec.signature_name == "serving_default"
    change(request)
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(request)
    with tf.io.TFRecordWriter(str(version / warmup.WARMUP_FILE)) as writer:
        writer.write(log.SerializeToString())
    assert reason_of(version, "The warm-up").startswith(reason)


def test_graph_that_cannot_be_read_fails_and_does_not_raise(version):
    (version / "saved_model.pb").write_bytes(b"\xff\xff")
    assert len(failures(version)) >= 10


def test_no_saved_model(tmp_path):
    with pytest.raises(FileNotFoundError, match="without saved_model.pb"):
        list(checking.check_export(tmp_path))
