import contextlib
import io
import tarfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from visualpoet.features import pretrained
from visualpoet.features.experts import load_expert


def write(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def plain(name, content=b"x"):
    return tarfile.TarInfo(name), content


def link(name, target):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member, b""


def names(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


def test_an_archive_becomes_a_folder(tmp_path):
    members = [plain("m/saved_model.pb"), plain("m/variables/v")]
    path = write(tmp_path / "m.tar", members)
    pretrained.unpack_expert(path, tmp_path / "object")
    assert names(tmp_path / "object") == [
        "saved_model.pb",
        "variables",
        "variables/v",
    ]
    assert names(tmp_path)[0] == "m.tar"


@pytest.mark.parametrize(
    "member", [plain("../out"), link("l", "/etc/passwd")], ids=["out", "link"]
)
def test_an_archive_stays_in_its_folder(tmp_path, member):
    path = write(tmp_path / "m.tar", [plain("saved_model.pb"), member])
    with pytest.raises(ValueError, match="expected a tar archive of one Saved"):
        pretrained.unpack_expert(path, tmp_path / "experts" / "object")
    assert names(tmp_path) == ["experts", "m.tar"]


def test_an_archive_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "MAX_BYTES", 10)
    path = write(tmp_path / "m.tar", [plain("saved_model.pb", b"0" * 11)])
    with pytest.raises(ValueError, match="at most 10 bytes"):
        pretrained.unpack_expert(path, tmp_path / "object")
    assert names(tmp_path) == ["m.tar"]


def test_a_broken_archive_is_named(tmp_path):
    path = tmp_path / "m.tar"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(ValueError, match=r"Received: m\.tar"):
        pretrained.unpack_expert(path, tmp_path / "object")
    text = " ".join(map(str, range(20_000))).encode()
    content = write(path, [plain("saved_model.pb", text)]).read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + b"\xff" * 99 + content[half + 99 :])
    with pytest.raises(ValueError, match=r"Received: m\.tar"):
        pretrained.unpack_expert(path, tmp_path / "object")


def build(include_top, weights, pooling, input_shape):
    assert (include_top, pooling) == (False, "avg")
    pixels = keras.Input(input_shape)
    pooled = keras.layers.GlobalAveragePooling2D()(pixels)
    return keras.Model(pixels, pooled)


# Where it says that its pixels are wanted in [-1, 1].
build.__module__ = keras.applications.MobileNetV2.__module__


def test_an_application_is_called_as_an_expert(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.applications, "Tiny", build, raising=False)
    folder = tmp_path / "experts" / "object"
    pretrained.bring_expert("keras:Tiny", folder, None, tmp_path)
    pixels = np.full([2, 224, 224, 3], 0.75, np.float32)
    features = load_expert(str(folder))(tf.constant(pixels))
    assert features.numpy() == pytest.approx(np.full([2, 3], 0.5), abs=1e-4)
    assert names(folder.parent)[0] == "object"


def test_a_handle_is_asked_for_as_an_archive(tmp_path):
    asked = []

    @contextlib.contextmanager
    def fetch(address, path):
        asked.append(address)
        write(path, [plain("saved_model.pb")])
        yield

    for number, handle in enumerate(("https://a.b/m/1", "http://a.b/m.tar.gz")):
        folder = tmp_path / str(number)
        pretrained.bring_expert(handle, folder, fetch, tmp_path)
        assert names(folder) == ["saved_model.pb"]
    assert asked == [
        "https://a.b/m/1?tf-hub-format=compressed",
        "http://a.b/m.tar.gz",
    ]


def test_what_is_no_expert_is_named(tmp_path):
    for handle in ("keras:Nothing", str(tmp_path)):
        with pytest.raises(ValueError, match="expected"):
            pretrained.bring_expert(handle, tmp_path / "o", None, tmp_path)
    assert names(tmp_path) == []
