import dataclasses
import functools
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from recipes import extract_features
from recipes import prepare_corpus
from recipes import pretrain_generator
from recipes import train_embedding
from tests import killing
from tests import tiny
from tests.recipes.stages import embed
from tests.recipes.stages import generate
from tests.recipes.stages import learn_sentiment
from tests.recipes.stages import prepare
from visualpoet import pictures
from visualpoet import run_options
from visualpoet.corpus.prepared import load_corpus
from visualpoet.features import store


def weights(run_dir):
    generator = keras.saving.load_model(run_dir / "generator.keras")
    return {variable.path: variable.numpy() for variable in generator.weights}


def checkpoints(run_dir):
    folder = run_dir / "checkpoints"
    return sorted(path.stem for path in folder.glob("*.index"))


def last_tensors(run_dir):
    path = tf.train.latest_checkpoint(str(run_dir / "checkpoints"))
    reader = tf.train.load_checkpoint(path)
    return {
        name: reader.get_tensor(name)
        for name, _ in tf.train.list_variables(path)
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    }


def copy_run(run_dir, to):
    """Copies what a kill would leave, as if the run had begun there."""
    config = shutil.copytree(run_dir, to) / "config.json"
    config.write_text(config.read_text().replace(str(run_dir), str(to)))


def assert_same(found, expected):
    assert sorted(found) == sorted(expected)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], name)


@pytest.fixture(scope="module")
def finished(paths, tmp_path_factory):
    """A run; beside it, `stopped`, as a kill after five steps leaves it."""
    run_dir = tmp_path_factory.mktemp("finished") / "run"
    copy = functools.partial(copy_run, run_dir, run_dir.with_name("stopped"))
    with pytest.MonkeyPatch.context() as patched:
        killing.watch_steps(patched, 5, copy)
        generate(paths, run_dir)
    return run_dir


@pytest.mark.slow
def test_resumed_run_ends_with_the_same_weights(paths, finished, monkeypatch):
    stopped = finished.with_name("stopped")
    assert checkpoints(stopped) == ["ckpt-4", "ckpt-5"]
    assert not (stopped / "generator.keras").exists()
    # A checkpoint that was being written when the run was killed.
    (stopped / "checkpoints" / "ckpt-6.index").write_text("half")
    done = killing.watch_steps(monkeypatch)
    generate(paths, stopped, resume=True)
    assert len(done) == 3
    assert_same(weights(stopped), weights(finished))
    assert checkpoints(stopped)[-1] == "ckpt-8"
    assert_same(last_tensors(stopped), last_tensors(finished))
    found, expected = (
        (run / "metrics.csv").read_text().splitlines()
        for run in (stopped, finished)
    )
    assert found[0] == expected[0]
    step, _, *perplexities = expected[1].split(",")
    assert found[1].split(",")[0] == step == "8"
    assert found[1].split(",")[2:] == perplexities


@pytest.mark.slow
def test_other_seed_ends_with_other_weights(paths, finished, tmp_path):
    generate(paths, tmp_path / "run", seed=4)
    found, expected = weights(tmp_path / "run"), weights(finished)
    same = [n for n in found if np.array_equal(found[n], expected[n])]
    assert same == []


@pytest.mark.slow
def test_resuming_a_finished_run_changes_nothing(paths, finished):
    before = weights(finished)
    metrics = (finished / "metrics.csv").read_text()
    generate(paths, finished, resume=True)
    assert_same(weights(finished), before)
    assert (finished / "metrics.csv").read_text() == metrics


@pytest.mark.slow
def test_other_option_on_resume_is_named(paths, finished):
    before = (finished / "config.json").read_text()
    with pytest.raises(
        ValueError,
        match=r"\(learning_rate=0.002\). Received: learning_rate=0.01; give",
    ):
        generate(paths, finished, learning_rate=0.01, resume=True)
    assert (finished / "config.json").read_text() == before


@pytest.mark.slow
def test_run_directory_is_not_overwritten(paths, finished):
    before = weights(finished)
    with pytest.raises(FileExistsError, match="add --resume to go on"):
        generate(paths, finished)
    assert_same(weights(finished), before)


@pytest.mark.slow
def test_pairs_of_photographs_that_are_missing_are_counted(paths, tmp_path):
    rows = (paths.data / "pairs.csv").read_text()
    assert rows.startswith("file,poem,source,split,similarity")
    for name in ("lost.jpg", "gone.jpg"):
        rows += f'{name},"A line\nand a line\nand a line.",,train,0.9\n'
    (tmp_path / "pairs.csv").write_text(rows)
    some = dataclasses.replace(
        paths, corpus=tmp_path / "corpus", embedding=tmp_path / "embedding"
    )
    prepare(some, tmp_path / "pairs.csv")
    learn_sentiment(some, tmp_path / "sentiment")
    embed(some)
    generate(some, tmp_path / "generator", num_steps=3)
    # One poem for each of 20 pictures, two for the held-out ones, and the two.
    expected = (
        "2 of 32 pairs name photographs without features and are left out"
    )
    for run in ("embedding", "generator"):
        assert expected in (tmp_path / run / "log.txt").read_text()
    assert (tmp_path / "generator" / "generator.keras").exists()


def inputs_of(run_dir):
    inputs = json.loads((run_dir / "inputs.json").read_text())
    return [name for name in inputs if "/corpus/" not in name]


@pytest.mark.slow
def test_lineage_names_the_experts_and_the_towers(paths, finished, tmp_path):
    """`index.json` alone is the same whatever the experts."""
    names = ("index.json", "experts.json", "sentiment/sentiment.keras")
    features = [str(paths.features / name) for name in names]
    towers = [
        str(paths.embedding / f"{kind}_tower.keras")
        for kind in ("image", "poem")
    ]
    assert inputs_of(paths.features / "sentiment") == features[:2]
    assert inputs_of(paths.embedding) == features
    assert inputs_of(finished) == [*features, *towers]
    train_embedding.main(
        train_embedding.Config(
            corpus_dir=paths.corpus,
            features_dir=paths.features,
            poem_tower=towers[1],
            run_dir=tmp_path / "small",
            embedding_dim=6,
            num_steps=1,
        )
    )
    assert inputs_of(tmp_path / "small") == [*features, towers[1]]


def test_a_pair_is_enough_to_know_a_photograph(tmp_path):
    (tmp_path / "poems.jsonl").write_text('{"text": "rain\\nand\\nwind"}\n')
    (tmp_path / "pairs.csv").write_text("file,poem,split\na.jpg,rain,VAL\n")
    prepare_corpus.main(
        prepare_corpus.Config(
            poems=(tmp_path / "poems.jsonl",),
            pairs=(tmp_path / "pairs.csv",),
            run_dir=tmp_path / "corpus",
        )
    )
    corpus = load_corpus(tmp_path / "corpus")
    assert corpus.images("validation") == ["a.jpg"]
    assert len(corpus.select_pairs("validation", ["a.jpg"], 0.0)) == 1


@pytest.mark.slow
def test_photographs_are_turned_upright_and_broken_ones_named(paths, tmp_path):
    album = tmp_path / "pictures"
    album.mkdir()
    whole = (paths.pictures / "sea-0.jpg").read_bytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    phone = tiny.encode(tiny.decode(whole), "JPEG", exif=exif)
    (album / "phone.jpg").write_bytes(phone)
    (album / "sea.jpg").write_bytes(whole)
    (album / "torn.jpg").write_bytes(whole[:500])
    extract_features.main(
        extract_features.Config(
            photographs=(album,),
            object=str(paths.data / "object"),
            scene=str(paths.data / "scene"),
            run_dir=tmp_path / "features",
        )
    )
    index = json.loads((tmp_path / "features" / "index.json").read_text())
    assert index == {
        "phone.jpg": store.image_digest(pictures.read_picture(phone)),
        "sea.jpg": store.image_digest(whole),
    }
    unreadable = (tmp_path / "features" / "unreadable.txt").read_text()
    assert unreadable.startswith("torn.jpg: ")
    log = (tmp_path / "features" / "log.txt").read_text()
    assert "2 photographs, 1 unreadable" in log


@pytest.mark.parametrize("content", ["", '{"text": ""}\n', "{broken\n"])
def test_empty_corpus_is_an_error(tmp_path, content):
    (tmp_path / "poems.jsonl").write_text(content)
    with pytest.raises(
        ValueError,
        match="^expected a corpus of texts.*no token but the special ones",
    ):
        prepare_corpus.main(
            prepare_corpus.Config(
                poems=(tmp_path / "poems.jsonl",), run_dir=tmp_path / "corpus"
            )
        )
    bad_rows = (tmp_path / "corpus" / "bad_rows.txt").read_text()
    assert bad_rows.count("\n") == (1 if content else 0)


@pytest.mark.parametrize(
    ("recipe", "option"),
    [
        (prepare_corpus, "--poems"),
        (extract_features, "--photographs"),
    ],
)
def test_recipes_say_which_input_is_missing(recipe, option):
    with pytest.raises(ValueError, match=f"expected {option}. Received: none"):
        recipe.Config()


def test_command_line_names_a_wrong_option(capsys):
    with pytest.raises(SystemExit):
        run_options.parse_config(
            pretrain_generator.Config, ["--pair-share", "2"]
        )
    assert "--pair-share in [0, 1]. Received: 2.0" in capsys.readouterr().err


@pytest.mark.slow
def test_a_generator_of_another_vocabulary_is_no_start(
    paths, finished, tmp_path
):
    corpus = shutil.copytree(paths.corpus, tmp_path / "corpus")
    vocabulary = json.loads((corpus / "vocabulary.json").read_text())
    text = json.dumps(vocabulary, indent=2)  # other bytes, another digest
    (corpus / "vocabulary.json").write_text(text)
    with pytest.raises(ValueError, match="expected the vocabulary.json that"):
        generate(
            dataclasses.replace(paths, corpus=corpus),
            tmp_path / "run",
            start_from=str(finished / "generator.keras"),
        )
    assert not (tmp_path / "run").exists()
