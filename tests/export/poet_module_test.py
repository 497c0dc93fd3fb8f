import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from visualpoet.corpus.vocabulary import END
from visualpoet.corpus.vocabulary import START
from visualpoet.corpus.vocabulary import UNKNOWN
from visualpoet.embedding.clues import ClueHead
from visualpoet.features import images


def controls(size, num_candidates=2, **options):
    """One value for all photographs."""
    values = {
        "form": ("verse", tf.string),
        "seed": (0, tf.int64),
        "temperature": (0.8, tf.float32),
        "top_p": (0.95, tf.float32),
        "guidance": (1.5, tf.float32),
        "lines": (0, tf.int32),
        "num_candidates": (num_candidates, tf.int32),
        "banned": ("", tf.string),
    }
    return {
        name: tf.fill([size], tf.constant(options.get(name, value), dtype))
        for name, (value, dtype) in values.items()
    }


def compose(photographs, num_candidates=2, module=None, **options):
    """Composes in Python; options have one value for all photographs."""
    given = controls(len(photographs), num_candidates, **options)
    module = module or tiny.module()
    outputs = module.compose(tf.constant(photographs), **given)
    return {name: value.numpy() for name, value in outputs.items()}


def pixels(kind):
    view = images.load_view(
        tiny.photograph(kind), tiny.parts().encoder.image_size, 0
    )
    return tf.round(view)[None]


# --- photographs and poems into the joint space


def test_image_embedding_is_that_of_encoder_and_tower():
    parts = tiny.parts()
    expected = parts.image_tower(parts.encoder(pixels("sea"), training=False))
    found = tiny.module().embed_image(tf.constant([tiny.photograph("sea")]))
    np.testing.assert_allclose(found, expected, atol=5e-3)


class FakeSeer(tf.Module):
    """Features that do not depend on the picture; keeps what it was shown."""

    size = 10

    def __init__(self):
        super().__init__()
        self.seen = tf.Variable(tf.zeros([1, 10, 10, 3]))

    def read(self):
        return self

    def __call__(self, seen):
        self.seen.assign(seen)
        return {
            name: tf.fill([tf.shape(seen)[0], width], 0.5)
            for name, width in tiny.FEATURE_DIMS.items()
        }


@pytest.mark.parametrize(
    ("kind", "file_format"), [("sea", "JPEG"), ("night", "PNG")]
)
def test_the_visual_encoder_is_given_whole_pixels_of_its_size(
    kind, file_format
):
    visual_encoder = FakeSeer()
    content = tiny.photograph(kind, file_format)
    found = tiny.make_module(visual_encoder).embed_image(tf.constant([content]))
    view = images.load_view(content, 10, 0)
    np.testing.assert_array_equal(visual_encoder.seen[0], tf.round(view))
    expected = tiny.parts().image_tower(
        visual_encoder(tf.identity(visual_encoder.seen))
    )
    np.testing.assert_allclose(found, expected, atol=1e-2)


def test_a_row_is_embedded_as_alone():
    """To the last bit: a poem may hang on it."""
    some = [tiny.photograph(k) for k in ("sea", "night", "meadow", "forest")]
    together = tiny.module().embed_image(tf.constant(some * 4))
    for row, content in enumerate(some * 4):
        alone = tiny.module().embed_image(tf.constant([content]))
        np.testing.assert_array_equal(alone[0], together[row])


def test_poem_embedding_is_that_of_the_tower():
    token_ids = tf.constant([tiny.vocabulary().encode(tiny.POEMS[0])])
    expected = tiny.parts().poem_tower(token_ids)
    found = tiny.module().embed_token_ids(token_ids)
    np.testing.assert_allclose(found, expected, atol=1e-2)


def test_clues_are_those_of_the_head():
    module, vocabulary = tiny.module(), tiny.vocabulary()
    photograph = tf.constant([tiny.photograph("night")])
    embedding = module.embed_image(photograph).numpy()
    found = module.choose_clues(embedding).numpy()[0]
    scores = dict(
        zip(tiny.clue_head().word_ids, tiny.clue_head()(embedding).numpy()[0])
    )
    # Eight bits may exchange neighbours.
    np.testing.assert_allclose(
        [scores[index] for index in found],
        [scores[index] for index in tiny.clue_head().choose(embedding)[0]],
        atol=1e-2,
    )
    clues = compose([tiny.photograph("night")])["clues"][0]
    expected = [vocabulary.tokens[index].encode() for index in found]
    assert clues.tolist() == expected


def test_fewer_words_than_clues():
    module = tiny.make_module(tiny.parts().encoder, ClueHead([7, 9], 9))
    clues = module.choose_clues(tf.constant([[1.0] * 9]))
    assert set(clues.numpy()[0]) == {7, 9}


# --- writing


def test_shapes_and_filling_up():
    outputs = compose([tiny.photograph("sea"), tiny.photograph("night")], 3)
    assert {name: value.shape for name, value in outputs.items()} == {
        "poem": (2,),
        "score": (2,),
        "fit": (2,),
        "fluency": (2,),
        "clue_share": (2,),
        "clues": (2, 6),
        "candidates": (2, 64),
        "candidate_score": (2, 64),
        "candidate_fit": (2, 64),
        "candidate_fluency": (2, 64),
        "candidate_clue_share": (2, 64),
    }
    for name in ("candidates", "candidate_score", "candidate_fluency"):
        written, missing = outputs[name][:, :3], outputs[name][:, 3:]
        assert all(map(bool, written.ravel()))
        assert not any(map(bool, missing.ravel()))
    assert outputs["poem"].tolist() == outputs["candidates"][:, 0].tolist()
    for name in ("score", "fit", "fluency", "clue_share"):
        np.testing.assert_array_equal(
            outputs[name], outputs[f"candidate_{name}"][:, 0]
        )


@pytest.mark.parametrize(("given", "written"), [(0, 1), (1, 1), (99, 64)])
def test_number_of_candidates_is_kept_within_bounds(given, written):
    poems = compose([tiny.photograph("sea")], given)["candidates"][0]
    assert sum(poem != b"" for poem in poems) == written


def test_text_is_that_of_the_vocabulary():
    texts = [
        "The sea lies down, the sea;\nand all its gold is pouring.",
        "i asked the hill how high it stood. it never thought to measure",
    ]
    vocabulary = tiny.vocabulary()
    rows = [[*vocabulary.encode(text), END] for text in texts]
    length = max(map(len, rows)) + 2
    token_ids = np.array([row + [0] * (length - len(row)) for row in rows])
    found = [
        text.decode() for text in tiny.module()._writer.spell(token_ids).numpy()
    ]
    assert found == [
        "The sea lies down, the sea;\nAnd all its gold is pouring.",
        "I asked the hill how high it stood. It never thought to measure",
    ]
    assert found == [vocabulary.decode(row) for row in rows]


def test_special_tokens_are_not_written():
    the, sea = tiny.vocabulary().encode("the sea")
    token_ids = tf.constant([[START, the, UNKNOWN, sea, END, 0, 0]])
    assert tiny.module()._writer.spell(token_ids).numpy().tolist() == [
        b"The sea"
    ]


def test_python_module_writes_what_the_saved_model_writes():
    written = tiny.poet().write(tiny.photograph("sea"), seed=4, candidates=3)
    outputs = compose([tiny.photograph("sea")], 3, seed=4)
    candidates = written.candidates
    assert outputs["poem"][0].decode() == written.poem
    assert [poem.decode() for poem in outputs["candidates"][0, :3]] == [
        candidate.poem for candidate in candidates
    ]
    for name in ("score", "fit", "fluency", "clue_share"):
        np.testing.assert_allclose(
            outputs[f"candidate_{name}"][0, :3],
            [getattr(candidate, name) for candidate in candidates],
            atol=1e-5,
        )
