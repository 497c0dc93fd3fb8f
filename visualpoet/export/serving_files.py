"""The files that TensorFlow Serving wants around a SavedModel.

TARGET/models.config, TARGET/monitoring.config
TARGET/<name>/MODEL_CARD.md
TARGET/<name>/<version>/saved_model.pb, variables/, assets.extra/,
    batching_params.pbtxt, metadata.json
"""

import hashlib
import importlib.util
import json
import pathlib
import re
import shutil

from visualpoet import model_folders
from visualpoet import whole_files
from visualpoet.export import meta_graph
from visualpoet.export import warmup

BATCH_SIZES = (1, 2, 4, 8)
BATCHING_FILE = "batching_params.pbtxt"
LINEAGE_FILE = "assets.extra/lineage.json"
METADATA_FILE = "metadata.json"
_BATCHING = """\
max_batch_size { value: 64 }
max_execution_batch_size { value: 8 }
enable_large_batch_splitting { value: true }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 64 }
"""
_BEGIN, _END = "model_config_list {\n", "}\n"
_MODEL = """\
  config {{
    name: "{name}"
    base_path: "{base_path}"
    model_platform: "tensorflow"
    # Two, so that a label can be moved from one to the other and back.
    model_version_policy {{ latest {{ num_versions: 2 }} }}
  }}
"""
_MONITORING = """\
prometheus_config { enable: true path: "/monitoring/prometheus/metrics" }
"""


def copy_version(
    source: pathlib.Path,
    target: pathlib.Path,
    name: str,
    version: int | None = None,
    base_path: str | None = None,
) -> pathlib.Path:
    """Copies an export to where a server takes it from.

    Args:
        source: An exported SavedModel.
        target: Folder of models.
        name: Of the model.
        version: Of the copy; one more than the highest there is by default.
        base_path: Where the server sees `target`; its absolute path by
            default.

    Returns:
        The version folder.

    Raises:
        FileExistsError: If the version exists.
        ValueError: If it is no int64 of 0 or more.
    """
    if version is None:
        version = model_folders.next_version(target / name)
    if model_folders.parse_version(str(version)) is None:
        raise ValueError(
            f"expected a version from 0 to {model_folders.MAX_VERSION}. "
            f"Received: {version}"
        )
    folder = target / name / str(version)
    refuse_existing(folder)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    card = source.parent / "MODEL_CARD.md"
    try:
        _copy(source, partial)
        complete_version(partial, name)
        if card.exists() and not source.parent.samefile(target / name):
            shutil.copy(card, target / name)
        _write_configs(target, name, base_path)
    except BaseException:  # no half of it stays where a server looks
        shutil.rmtree(partial, ignore_errors=True)
        raise
    # Last: a server that watches the folder takes the version at once.
    partial.rename(folder)
    return folder


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    try:
        shutil.copytree(source, target)
    except shutil.Error as error:  # a list of all files
        reason = error.args[0][0][2]
        raise OSError(f"{target} cannot be written: {reason}") from error


def refuse_existing(folder: pathlib.Path) -> None:
    """Keeps versions from being overwritten.

    Args:
        folder: The version folder to write.

    Raises:
        FileExistsError: If it exists.
    """
    if folder.exists():
        raise FileExistsError(
            f"expected a new version. Received: {folder}, which exists"
        )


def complete_version(folder: pathlib.Path, name: str) -> None:
    """Adds warm-up, batching parameters and metadata to a SavedModel.

    The warm-up needs `tensorflow-serving-api`; there is none without it.

    Args:
        folder: What `tf.saved_model.save` wrote, with `assets.extra/`.
        name: Of the model.
    """
    (folder / warmup.WARMUP_FILE).unlink(missing_ok=True)
    if importlib.util.find_spec("tensorflow_serving"):
        warmup.write_warmup(folder, name, BATCH_SIZES)
    sizes = [f"allowed_batch_sizes: {size}\n" for size in BATCH_SIZES]
    (folder / BATCHING_FILE).write_text("".join([_BATCHING, *sizes]))
    metadata = json.dumps(describe_version(folder), indent=2) + "\n"
    (folder / METADATA_FILE).write_text(metadata)


def describe_version(folder: pathlib.Path) -> dict:
    """Describes an export as its files are.

    Args:
        folder: The version folder.

    Returns:
        `tensorflow` (version that wrote it), `signatures`, `defaults` of
        those inputs that `serving_default` does not have, `files`: SHA-256 of
        each but `metadata.json`, and `lineage`: `commit` of the code and
        SHA-256 of the `inputs`.
    """
    graph = meta_graph.read_meta_graph(folder)
    signatures = meta_graph.describe_signatures(graph)
    inputs = {
        name
        for signature in signatures.values()
        for name in signature["inputs"]
    }
    options = model_folders.read_options(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lineage = {}
    if (folder / LINEAGE_FILE).exists():  # a graph of other hands has none
        said = json.loads((folder / LINEAGE_FILE).read_text())
        lineage = {"lineage": said}
    return {
        "tensorflow": graph.meta_info_def.tensorflow_version,
        "signatures": signatures,
        "defaults": {name: options[name] for name in options if name in inputs},
        "files": {
            path.relative_to(folder).as_posix(): digest(path)
            for path in files
            if path.name != METADATA_FILE
        },
        **lineage,
    }


def digest(path: pathlib.Path) -> str:
    """Digests a file.

    Args:
        path: The file.

    Returns:
        SHA-256, hexadecimal.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_configs(
    target: pathlib.Path, name: str, base_path: str | None
) -> None:
    """Adds a model to the server's configuration; what is not ours is kept.

    A model that is there keeps its path, unless one is given.
    """
    monitoring, models = target / "monitoring.config", target / "models.config"
    if not monitoring.exists():
        monitoring.write_text(_MONITORING)
    text = models.read_text() if models.exists() else _BEGIN + _END
    is_ours = text.startswith(_BEGIN) and text.endswith(_END)
    is_known = f'name: "{name}"' in text
    if not is_ours or (is_known and not base_path):
        return
    path = f"{base_path or target.resolve()}/{name}"
    if is_known:
        known = rf'(name: "{re.escape(name)}"\s+base_path: )"[^"\n]*"'
        text = re.sub(known, lambda found: f'{found[1]}"{path}"', text)
    else:
        model = _MODEL.format(name=name, base_path=path)
        text = text.removesuffix(_END) + model + _END
    with whole_files.write_whole(models) as partial:
        partial.write_text(text)
