"""What the documents promise of each extra alone, tried one by one.

    python tests/promises.py EXTRA

Nothing here needs the tests' own packages: `.ci/fresh_extras` runs it in
environments that hold one extra, `extras_test.py` where all else is hidden.
"""

import collections
import concurrent.futures
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import socket
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).parents[1]
# Each recipe beside the extra that it needs to start.
RECIPES = {
    "base": (
        *("draw_curves", "export", "fit_ranking"),
        *("write_model_card", "write_poems"),
    ),
    "serve": ("attack_serving", "benchmark_memory", "benchmark_serving"),
    "train": (
        *("benchmark", "benchmark_parts"),
        *("caption_reward", "check_distribution"),
        *("distill_visual_encoder",),
        *("example_rewards", "export_again"),
        *("extract_features", "extract_regions", "grade_drafts"),
        *("measure_discriminator", "prepare_corpus", "pretrain_discriminator"),
        *("pretrain_generator", "pretrain_hierarchical", "reader_reward"),
        *("render_pictures", "smoke_data"),
        *("train_clues", "train_embedding", "train_expert"),
        *("train_reader_head", "tune_ranking", "fine_tune"),
    ),
    "adversarial": (
        *("benchmark_adversarial", "endure_adversarial", "train_adversarial"),
    ),
    "evaluate": (
        *("compare_methods", "evaluate", "human_study", "measure_voice"),
        *("mine_pairs", "train_reader"),
    ),
    "data": ("fetch_data",),
    "batch": ("write_album",),
}
_PATIENCE = 900  # s, of a busy machine that loads everything anew
POEM = "The sea is wide,\nThe sky is grey,\nThe gulls go home\n"


def _require(held: bool, promise: str) -> None:
    if not held:
        raise AssertionError(promise)


def _photograph() -> pathlib.Path:
    import sklearn

    return pathlib.Path(sklearn.__file__).parent / "datasets/images/china.jpg"


def try_base() -> None:
    """Tries `write`, `find`, `export` and `check`."""
    import visualpoet
    from visualpoet import cli
    from visualpoet import finding

    poet = visualpoet.load()
    _require(bool(poet.write(_photograph(), candidates=1).poem), "write")
    with tempfile.TemporaryDirectory() as folder:
        poems = pathlib.Path(folder, "poems.txt")
        poems.write_text(POEM)
        index = finding.PoemIndex(poet, finding.read_excerpts(poems))
        _require(len(index.nearest(_photograph(), 1)) == 1, "find")
        _require(cli.main(["export", folder]) == 0, "export")
        _require(cli.main(["check", folder]) == 2, "check, of no version")


def try_serve() -> None:
    """Tries the server, by its status and by the client over both wires."""
    from visualpoet import cli
    from visualpoet import model_folders
    from visualpoet.export import warmup

    model = model_folders.default_model()
    _require(bool(warmup.read_warmup(model)), "requests to warm up with")
    rest, grpc = _free_port(), _free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        # Without the warm-up requests, which take a minute.
        ignored = shutil.ignore_patterns(warmup.WARMUP_FILE.name)
        shutil.copytree(model, pathlib.Path(folder, "1"), ignore=ignored)
        asked = pool.submit(_ask_and_stop, rest, grpc)
        options = ["--rest-port", str(rest), "--grpc-port", str(grpc)]
        options += ["--timeout-seconds", str(_PATIENCE)]
        command = ["serve", "--model", folder, *options]
        _require(cli.main(command) == 0, "serve")
        asked.result()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _ask_and_stop(rest: int, grpc: int) -> None:
    from visualpoet.serve.client import PoemClient

    try:
        poems = set()
        for url in (f"http://127.0.0.1:{rest}", f"grpc://127.0.0.1:{grpc}"):
            # It tries again until the server is there.
            with PoemClient(url, timeout=_PATIENCE, retries=9999) as client:
                poems.add(client.write(_photograph(), candidates=1).poem)
        _require(len(poems) == 1, "one poem, over both wires")
        url = f"http://127.0.0.1:{rest}/v1/models/visualpoet"
        with urllib.request.urlopen(url) as reply:
            (status,) = json.load(reply)["model_version_status"]
        _require(status["state"] == "AVAILABLE", "status")
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def try_data() -> None:
    """Tries that builders of tensorflow-datasets can be opened."""
    from visualpoet.features import builders

    with tempfile.TemporaryDirectory() as cache:
        builder = builders.open_builder("coco_captions", pathlib.Path(cache))
        found = builders.find_features(builder)
    _require(found.captions == "captions", "captions of a builder")


def try_batch() -> None:
    """Tries a run of Beam, in this process, where it is installed."""
    if importlib.util.find_spec("apache_beam") is None:
        return  # the tests do without it, `.ci/fresh_extras` has it
    from visualpoet import pipelines

    found = pipelines.run(_count, [1, 2], beam_options=["--runner=FnApiRunner"])
    _require(found == {"ones": 1, "twos": 2}, "counts of a run of Beam")


def _count(piece: int) -> collections.Counter:
    return collections.Counter({1: {"ones": 1}, 2: {"twos": 2}}[piece])


def _import_recipes(extra: str) -> None:
    for name in RECIPES[extra]:
        path = ROOT / "recipes" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # where a dataclass looks its types up
        spec.loader.exec_module(module)


def try_extra(extra: str) -> None:
    """Tries all that is promised of an extra.

    Args:
        extra: One of RECIPES.

    Raises:
        AssertionError: With the promise that is not kept.
        ImportError: If a package is missing for it.
    """
    _import_recipes(extra)
    tries = {"base": try_base, "serve": try_serve, "data": try_data}
    tries["batch"] = try_batch
    tries.get(extra, lambda: None)()


if __name__ == "__main__":
    try_extra(sys.argv[1])
    print(f"{sys.argv[1]}: all promises kept")
