"""The model that ships."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

import visualpoet
from recipes import render_pictures
from visualpoet.poet import default_model

MEGABYTE = 1_000_000


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
        assert 4 <= len(poem.lines) <= 5
        assert all(3 <= len(line.split()) <= 14 for line in poem.lines)
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
    assert many.score >= one.score
    assert one.poem in {candidate.poem for candidate in many.candidates}


def test_session_loader_writes_the_same_poem(poet):
    content = pathlib.Path("docs/pictures/sea.jpg")
    content = pathlib.Path(__file__).parents[1] / content
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
