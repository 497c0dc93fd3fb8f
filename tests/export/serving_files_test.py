import hashlib
import json
import re

import pytest

from tests import tiny
from visualpoet.export import meta_graph
from visualpoet.export import serving_files
from visualpoet.export import warmup


@pytest.fixture
def target(tmp_path):
    return tmp_path / "models"


def test_copy_has_everything_a_server_wants(target):
    folder = serving_files.copy_version(tiny.exported(), target, "sea")
    assert folder == target / "sea" / "1"
    assert {path.name for path in target.iterdir()} == {
        "sea",
        "models.config",
        "monitoring.config",
    }
    assert [path.name for path in folder.parent.iterdir()] == ["1"]
    assert (folder / "saved_model.pb").read_bytes() == (
        tiny.exported() / "saved_model.pb"
    ).read_bytes()
    assert json.loads((folder / "metadata.json").read_text()) == (
        serving_files.describe_version(folder)
    )


def test_lineage_stays_with_a_copy(target):
    folder = serving_files.copy_version(tiny.exported(), target, "sea")
    said = json.loads((folder / "metadata.json").read_text())
    assert said["lineage"] == tiny.LINEAGE
    assert "assets.extra/lineage.json" in said["files"]


def test_configuration_names_model_and_place(target):
    serving_files.copy_version(tiny.exported(), target, "sea")
    text = (target / "models.config").read_text()
    assert 'name: "sea"' in text
    assert f'base_path: "{target}/sea"' in text
    assert (
        'path: "/monitoring/prometheus/metrics"'
        in (target / "monitoring.config").read_text()
    )


def test_configuration_is_one_that_the_server_can_read(target):
    model_server = pytest.importorskip(
        "tensorflow_serving.config.model_server_config_pb2"
    )
    from google.protobuf import text_format

    for name in ("sea", "hill", "sea"):
        serving_files.copy_version(
            tiny.exported(), target, name, base_path="/models"
        )
    config = text_format.Parse(
        (target / "models.config").read_text(),
        model_server.ModelServerConfig(),
    )
    model, other = config.model_config_list.config
    assert (model.name, model.base_path) == ("sea", "/models/sea")
    assert (other.name, other.base_path) == ("hill", "/models/hill")
    assert model.model_platform == "tensorflow"
    assert model.model_version_policy.latest.num_versions == 2


def test_configuration_of_a_person_is_kept(target):
    target.mkdir()
    (target / "models.config").write_text("mine")
    serving_files.copy_version(tiny.exported(), target, "sea")
    assert (target / "models.config").read_text() == "mine"


def test_next_version(target):
    for name in ("2", "10", "11.partial", "latest"):
        (target / "sea" / name).mkdir(parents=True)
    folder = serving_files.copy_version(tiny.exported(), target, "sea")
    assert folder.name == "11"
    assert not (target / "sea" / "11.partial").exists()


@pytest.mark.parametrize("version", [-1, 2**63])
def test_a_version_that_is_none_is_refused(target, version):
    with pytest.raises(ValueError, match=f"from 0 to .* Received: {version}"):
        serving_files.copy_version(tiny.exported(), target, "sea", version)
    assert not target.exists()


def test_existing_version_is_refused(target):
    (target / "sea" / "5").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="expected a new version.*/5,"):
        serving_files.copy_version(tiny.exported(), target, "sea", version=5)
    assert list((target / "sea" / "5").iterdir()) == []


def test_card_comes_along(target, tmp_path):
    source = tmp_path / "made" / "1"
    serving_files.copy_version(tiny.exported(), source.parents[1], "made")
    (source.parent / "MODEL_CARD.md").write_text("a card")
    serving_files.copy_version(source, target, "sea")
    assert (target / "sea" / "MODEL_CARD.md").read_text() == "a card"


def test_batching_parameters_agree_with_each_other():
    text = (tiny.exported() / "batching_params.pbtxt").read_text()
    sizes = list(map(int, re.findall(r"allowed_batch_sizes: (\d+)", text)))
    assert sizes == sorted(set(sizes)) == list(serving_files.BATCH_SIZES)
    assert f"max_execution_batch_size {{ value: {sizes[-1]} }}" in text


def test_metadata():
    folder = tiny.exported()
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["tensorflow"].startswith("2.21.")
    assert metadata["signatures"] == meta_graph.describe_signatures(
        meta_graph.read_meta_graph(folder)
    )
    assert metadata["signatures"]["embed_poem"] == {
        "inputs": {"poem": {"dtype": "string", "shape": [None]}},
        "outputs": {"embedding": {"dtype": "float32", "shape": [None, 9]}},
    }
    assert metadata["defaults"]["temperature"] == 0.8
    assert metadata["defaults"]["num_candidates"] == 16
    digest = hashlib.sha256((folder / "saved_model.pb").read_bytes())
    assert metadata["files"]["saved_model.pb"] == digest.hexdigest()
    assert "metadata.json" not in metadata["files"]
    assert "variables/variables.index" in metadata["files"]


def test_without_the_serving_api_there_is_no_warmup(target, monkeypatch):
    monkeypatch.setattr(
        serving_files.importlib.util, "find_spec", lambda name: None
    )
    folder = serving_files.copy_version(tiny.exported(), target, "sea")
    assert not (folder / warmup.WARMUP_FILE).exists()
    assert (
        "assets.extra/tf_serving_warmup_requests"
        not in json.loads((folder / "metadata.json").read_text())["files"]
    )
