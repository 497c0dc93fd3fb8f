import contextlib
import json
import re
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from visualpoet import models
from visualpoet import presets
from visualpoet.corpus import datasets
from visualpoet.export import signatures
from visualpoet.export.poet_module import PoetModule
from visualpoet.export.savedmodel import export_poet
from visualpoet.export.stored_weights import EncoderFeatures
from visualpoet.export.stored_weights import StoredWeight
from visualpoet.features import images

PHOTOGRAPHS = [tiny.photograph("sea"), tiny.photograph("night")]
POEMS = [tiny.POEMS[0], tiny.POEMS[1]]
SIGNATURES = {
    "embed_image": ["image_bytes"],
    "embed_poem": ["poem"],
    "start_poem": ["image_bytes"],
    "match": ["image_bytes", "poem"],
}
CLASSES = [
    models.VisualEncoder,
    models.ImageTower,
    models.PoemTower,
    models.ClueHead,
    models.PoemGenerator,
    models.MultimodalDiscriminator,
    models.PoemStyleDiscriminator,
    models.ReaderHead,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A version with all models, and of the signatures those that read."""
    version = tmp_path_factory.mktemp("models") / "tiny" / "3"
    poet = tiny.make_module(
        EncoderFeatures(tiny.parts().encoder),
        discriminators=tiny.discriminators(),
        reader_head=tiny.reader_head(),
    )
    served = signatures.make_signatures(poet)
    chosen = {name: served[name] for name in SIGNATURES}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signatures, "make_signatures", lambda _: chosen)
        export_poet(poet, tiny.vocabulary(), version, tiny.LINEAGE)
    return version


@pytest.fixture(scope="module")
def read(folder):
    return {cls: cls.from_preset(folder) for cls in CLASSES}


@pytest.fixture(scope="module")
def said(folder):
    """What the signatures say of the photographs and poems."""
    loaded = tf.saved_model.load(str(folder)).signatures
    given = {"image_bytes": PHOTOGRAPHS, "poem": POEMS}
    return {
        name: loaded[name](**{key: tf.constant(given[key]) for key in inputs})
        for name, inputs in SIGNATURES.items()
    }


@pytest.fixture(scope="module")
def places(said):
    return said["embed_image"]["embedding"]


def pixels():
    views = [
        images.load_view(p, tiny.parts().encoder.image_size, 0)
        for p in PHOTOGRAPHS
    ]
    return tf.round(tf.stack(views))


def token_ids(poems=POEMS):
    return datasets.pad_token_ids(tiny.vocabulary().encode_batch(poems))


def original(cls):
    parts = tiny.parts()
    found = (
        parts.encoder,
        parts.image_tower,
        parts.poem_tower,
        parts.generator,
        tiny.clue_head(),
        tiny.reader_head(),
        *tiny.discriminators().values(),
    )
    return next(model for model in found if type(model) is cls)


# --- what is read


@pytest.mark.parametrize("cls", CLASSES)
def test_weights_are_those_of_the_trained_model(read, cls):
    trained = original(cls)
    model = read[cls]
    assert type(model) is cls
    configs = [json.dumps(m.get_config()) for m in (model, trained)]
    assert configs[0] == configs[1]
    assert len(model.weights) == len(trained.weights) > 0
    for found, expected in zip(model.weights, trained.weights):
        assert found.path == expected.path
        assert found.dtype == "float32"
        assert found.trainable == expected.trainable
        np.testing.assert_array_equal(found, StoredWeight(expected).read())


def test_photographs_lie_where_the_export_puts_them(read, places):
    features = read[models.VisualEncoder](pixels(), training=False)
    found = read[models.ImageTower](features, training=False)
    np.testing.assert_allclose(found, places, atol=1e-5)


def test_poems_lie_where_the_export_puts_them(read, said):
    found = read[models.PoemTower](token_ids())
    expected = said["embed_poem"]["embedding"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_clues_are_those_of_the_export(read, said, places):
    chosen = read[models.ClueHead].choose(places.numpy())
    np.testing.assert_array_equal(chosen, said["start_poem"]["clue_ids"])


def test_discriminators_say_what_the_export_says(read, said, places):
    given = {"token_ids": tf.constant(token_ids()), "image_embedding": places}
    for name, cls in (
        ("paired", models.MultimodalDiscriminator),
        ("poetic", models.PoemStyleDiscriminator),
    ):
        model = read[cls]
        logits = model({key: given[key] for key in model.input})
        found = tf.nn.softmax(logits)[:, 0]
        np.testing.assert_allclose(found, said["match"][name], atol=1e-5)


def test_a_poet_of_the_models_is_the_export(read, said):
    poet = PoetModule(
        EncoderFeatures(read[models.VisualEncoder]),
        read[models.ImageTower],
        read[models.PoemTower],
        read[models.PoemGenerator],
        tiny.vocabulary(),
        read[models.ClueHead],
        tiny.kinds(),
        {"verse": tiny.OPTIONS, "haiku": tiny.HAIKU},
        {
            "paired": read[models.MultimodalDiscriminator],
            "poetic": read[models.PoemStyleDiscriminator],
        },
        reader_head=read[models.ReaderHead],
    )
    found = poet.match(tf.constant(PHOTOGRAPHS), tf.constant(POEMS))
    assert found.keys() == said["match"].keys()
    assert "fluency" in found
    for name, values in said["match"].items():
        np.testing.assert_allclose(found[name], values, atol=1e-5)


def test_vocabulary_is_that_of_the_export(folder):
    vocabulary = models.Vocabulary.from_preset(folder)
    assert vocabulary.tokens == tiny.vocabulary().tokens
    assert vocabulary.encode(POEMS[0]) == tiny.vocabulary().encode(POEMS[0])


def test_the_newest_version_is_taken(folder, tmp_path):
    tower = models.ImageTower.from_preset(str(folder.parent))
    assert tower.embedding_dim == 9
    shutil.copytree(folder, tmp_path / "3")
    (tmp_path / "10").mkdir()
    (tmp_path / "10" / "saved_model.pb").touch()
    with pytest.raises(FileNotFoundError, match="Received: .*/10, which"):
        models.ImageTower.from_preset(tmp_path)


# --- what can be done with it


def example(cls):
    """Inputs, targets and loss of two examples."""
    rng = np.random.default_rng(0)
    place = rng.normal(size=[2, 9]).astype(np.float32)
    features = {
        name: rng.normal(size=[2, size]).astype(np.float32)
        for name, size in tiny.FEATURE_DIMS.items()
    }
    poems = {"token_ids": token_ids()}
    classify = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    num_clues = len(tiny.clue_head().word_ids)
    return {
        models.VisualEncoder: (pixels(), features, "mse"),
        models.ImageTower: (features, place, "cosine_similarity"),
        models.PoemTower: (token_ids(), place, "cosine_similarity"),
        models.ClueHead: (
            place,
            np.ones([2, num_clues]),
            keras.losses.BinaryCrossentropy(from_logits=True),
        ),
        models.PoemGenerator: (
            {
                **poems,
                "image_embedding": place,
                "clue_ids": token_ids()[:, :2],
                "form": np.array([0, 2]),
            },
            token_ids(),
            classify,
        ),
        models.MultimodalDiscriminator: (
            {**poems, "image_embedding": place},
            np.array([0, 2]),
            classify,
        ),
        models.PoemStyleDiscriminator: (poems, np.array([0, 2]), classify),
        models.ReaderHead: (
            rng.normal(size=[2, tiny.reader_head().hidden_dim]),
            np.array([0.5, -1.0]),
            "mse",
        ),
    }[cls]


@pytest.mark.parametrize("cls", CLASSES)
def test_a_model_can_be_trained_and_saved(folder, tmp_path, cls):
    model = cls.from_preset(folder)
    lines = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    assert f"{model.count_params():,}" in "\n".join(lines)

    inputs, targets, loss = example(cls)
    before = [weight.numpy() for weight in model.trainable_weights]
    model.compile("sgd", loss)
    history = model.fit(inputs, targets, batch_size=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert not all(map(np.array_equal, before, model.trainable_weights))

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is cls
    found, expected = (
        tf.nest.flatten(some(inputs, training=False))
        for some in (loaded, model)
    )
    for value, wanted in zip(found, expected):
        np.testing.assert_array_equal(value, wanted)


# --- folders that cannot be read


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "3")


@contextlib.contextmanager
def configurations(folder):
    """They can be changed inside."""
    path = folder / presets.MODELS_FILE
    configs = json.loads(path.read_text())
    yield configs
    path.write_text(json.dumps(configs))


@pytest.mark.parametrize("name", ["", "missing"])
def test_a_folder_without_models_is_refused(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(
        FileNotFoundError,
        match=f"expected a SavedModel, .*Received: {re.escape(str(path))}$",
    ):
        models.PoemTower.from_preset(path)


def test_foreign_models_are_refused(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path))
    with pytest.raises(
        FileNotFoundError,
        match="with a file assets.extra/models.json.*exported before models",
    ):
        models.PoemTower.from_preset(tmp_path)


def test_a_model_that_the_export_has_not_is_refused(copy):
    with configurations(copy) as configs:
        del configs["PoemStyleDiscriminator"]
    with pytest.raises(
        ValueError,
        match="has a PoemStyleDiscriminator. Received: .*/3, which has "
        "ClueHead, ImageTower, MultimodalDiscriminator, PoemGenerator, "
        "PoemTower, ReaderHead, VisualEncoder$",
    ):
        models.PoemStyleDiscriminator.from_preset(copy)


def test_an_export_without_weights_is_refused(copy):
    (copy / "variables" / "variables.index").unlink()
    with pytest.raises(
        FileNotFoundError,
        match="Received: .*/3, without variables/variables.index; copy it",
    ):
        models.PoemTower.from_preset(copy)


@pytest.mark.parametrize("kept", [0, 5000])
def test_an_export_with_a_part_of_its_weights_is_refused(copy, kept):
    path = copy / "variables" / "variables.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(
        ValueError, match="expected all weights .*copy it again"
    ):
        models.PoemTower.from_preset(copy)


def test_an_export_without_a_file_of_weights_is_refused(copy):
    (copy / "variables" / "variables.data-00000-of-00001").unlink()
    with pytest.raises(
        ValueError, match="expected all weights .*copy it again"
    ):
        models.PoemTower.from_preset(copy)


def test_a_configuration_of_other_weights_is_refused(copy):
    with configurations(copy) as configs:
        configs["ImageTower"]["hidden_dim"] = 0
    with pytest.raises(
        ValueError,
        match=r"expected the weights \['normalize_object/beta', .*'to_space/"
        r"kernel'\] of ImageTower. Received: \['hidden/bias', .*export it",
    ):
        models.ImageTower.from_preset(copy)
    with configurations(copy) as configs:
        configs["ImageTower"]["hidden_dim"] = 11
    with pytest.raises(ValueError, match=r"\(18, 11\), Received: .*\(18, 10\)"):
        models.ImageTower.from_preset(copy)
