"""The model that ships."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

import visualpoet
from recipes import render_pictures
from visualpoet import model_folders
from visualpoet import models
from visualpoet.corpus import datasets
from visualpoet.features import images
from visualpoet.generator.generator_inputs import find_form
from visualpoet.generator.teacher_forcing import token_losses
from visualpoet.model_folders import default_model

MEGABYTE = 1_000_000
ROOT = pathlib.Path(__file__).parents[1]
SHIPPED = model_folders.newest_version(ROOT / "savedmodels" / "visualpoet")
POEM = "A fox in the snow\nRuns under the moon;\nThe night is still."


@pytest.fixture(scope="module")
def poet():
    return visualpoet.load()


@pytest.fixture(scope="module")
def pictures():
    return {
        kind: render_pictures.render(kind, 3, 160)
        for kind in render_pictures.KINDS
    }


def test_size():
    files = [path for path in default_model().rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 40 * MEGABYTE


def test_poems_are_poems(poet, pictures):
    poems = [poet.write(picture, seed=4) for picture in pictures.values()]
    for poem in poems:
        assert len(poem.lines) == 3
        assert all(2 <= len(line.split()) <= 6 for line in poem.lines)
        assert not {"<unknown>", "<pad>", "<start>"} & set(poem.poem.split())
    assert len({poem.poem for poem in poems}) == len(poems)


def test_clues_tell_a_sea_from_a_forest(poet, pictures):
    sea = set(poet.write(pictures["sea"], candidates=1).clues)
    forest = set(poet.write(pictures["forest"], candidates=1).clues)
    assert sea & {"sunset", "sun", "sea", "sky", "cloud", "clouds", "sunrise"}
    assert forest & {"forest", "tree", "trees", "leaves", "woods", "green"}


def test_more_candidates_fit_no_worse(poet, pictures):
    one = poet.write(pictures["sea"], candidates=1)
    many = poet.write(pictures["sea"], candidates=16)
    # Products of one row and of many round apart on some processors.
    assert many.score >= one.score - 1e-6
    assert one.poem in {candidate.poem for candidate in many.candidates}


def test_session_loader_writes_the_same_poem(poet):
    content = ROOT / "docs/pictures/sea.jpg"
    expected = poet.write(content, seed=0)
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        meta = tf.compat.v1.saved_model.loader.load(
            session, ["serve"], str(default_model())
        )
        signature = meta.signature_def["serving_default"]
        poem, fit = session.run(
            [signature.outputs[name].name for name in ("poem", "fit")],
            {signature.inputs["image_bytes"].name: [content.read_bytes()]},
        )
    assert poem[0].decode() == expected.poem
    np.testing.assert_allclose(fit[0], expected.fit, atol=1e-5)


@pytest.fixture(scope="module")
def said():
    """What the signatures say of a photograph and a poem."""
    given = {
        "image_bytes": tf.constant(
            [(ROOT / "docs/pictures/sea.jpg").read_bytes()]
        ),
        "poem": tf.constant([POEM]),
    }
    loaded = tf.saved_model.load(str(SHIPPED)).signatures
    outputs = {}
    for name in ("embed_image", "embed_poem", "start_poem", "match"):
        _, inputs = loaded[name].structured_input_signature
        outputs[name] = loaded[name](**{key: given[key] for key in inputs})
    return outputs


@pytest.fixture(scope="module")
def token_ids():
    vocabulary = models.Vocabulary.from_preset(SHIPPED)
    return tf.constant(
        [datasets.frame(vocabulary.encode(POEM), max_tokens=100)]
    )


def test_models_read_back_see_as_the_shipped_one(said):
    content = (ROOT / "docs/pictures/sea.jpg").read_bytes()
    encode = models.VisualEncoder.from_preset(SHIPPED)
    pixels = tf.round(images.load_view(content, encode.image_size, 0))[None]
    place = models.ImageTower.from_preset(SHIPPED)(
        encode(pixels, training=False), training=False
    )
    expected = said["embed_image"]["embedding"]
    np.testing.assert_allclose(place, expected, atol=1e-5)
    clues = models.ClueHead.from_preset(SHIPPED).choose(expected.numpy())
    np.testing.assert_array_equal(clues, said["start_poem"]["clue_ids"])


def test_models_read_back_read_as_the_shipped_one(said, token_ids):
    place = models.PoemTower.from_preset(SHIPPED)(token_ids)
    expected = said["embed_poem"]["embedding"]
    np.testing.assert_allclose(place, expected, atol=1e-5)


def test_the_generator_read_back_is_as_fluent_as_the_shipped_one(
    said, token_ids
):
    generator = models.PoemGenerator.from_preset(SHIPPED)
    logits = generator(
        {
            "token_ids": token_ids[:, :-1],
            "image_embedding": tf.zeros([1, generator.image_dim]),
            "clue_ids": tf.zeros([1, 1], tf.int32),
            "form": tf.constant([find_form(generator, "haiku")]),
        }
    )
    total, number = token_losses(logits, token_ids)
    fluency = -float(total / number)
    assert fluency == pytest.approx(
        float(said["match"]["fluency"][0]), abs=1e-4
    )
