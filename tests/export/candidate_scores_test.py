import numpy as np
import tensorflow as tf

from tests import tiny
from tests.export.poet_module_test import compose
from tests.export.poet_module_test import controls
from visualpoet.corpus import datasets
from visualpoet.discriminators.poem_style import PoemStyleDiscriminator
from visualpoet.export.stored_weights import EncoderFeatures
from visualpoet.generator.common_lines import CommonLines
from visualpoet.generator.known_runs import KnownRuns


def scored_module():
    visual_encoder = EncoderFeatures(tiny.parts().encoder)
    return tiny.make_module(
        visual_encoder, discriminators=tiny.discriminators()
    )


def test_discriminators_judge_the_candidates():
    sea = [tiny.photograph("sea")]
    outputs = compose(sea, 4, scored_module())
    plain = compose(sea, 4)
    # The same poems, in another order, with two scores more.
    assert sorted(outputs["candidates"][0, :4]) == sorted(
        plain["candidates"][0, :4]
    )
    score = (
        outputs["candidate_fit"]
        + tiny.OPTIONS.fluency_weight * outputs["candidate_fluency"]
        + tiny.OPTIONS.clue_weight * outputs["candidate_clue_share"]
        + tiny.OPTIONS.paired_weight * outputs["candidate_paired"]
        + tiny.OPTIONS.poetic_weight * outputs["candidate_poetic"]
    )
    np.testing.assert_allclose(
        outputs["candidate_score"][0, :4], score[0, :4], atol=1e-5
    )
    for name in ("paired", "poetic"):
        np.testing.assert_allclose(
            outputs[name], outputs[f"candidate_{name}"][:, 0]
        )


def test_a_poem_that_the_model_knows_by_heart_comes_last():
    sea = [tiny.photograph("sea")]
    plain = compose(sea, 4)
    best, second = (text.decode() for text in plain["candidates"][0, :2])
    visual_encoder = EncoderFeatures(tiny.parts().encoder)
    vocabulary = tiny.vocabulary()
    known = KnownRuns([vocabulary.encode(best)], tiny.kinds())
    module = tiny.make_module(visual_encoder, known_runs=known)
    outputs = compose(sea, 4, module)
    assert outputs["poem"][0].decode() == second
    np.testing.assert_array_equal(
        outputs["candidate_copied"][0, :4], [0, 0, 0, 1]
    )
    np.testing.assert_allclose(
        outputs["candidate_score"][0, 3],
        plain["candidate_score"][0, 0] - tiny.OPTIONS.copied_weight,
        atol=1e-5,
    )
    np.testing.assert_array_equal(
        module.match(tf.constant(sea * 2), tf.constant([best, second]))[
            "copied"
        ],
        [1, 0],
    )


def test_what_an_opening_copies_is_not_the_poems():
    opening = tiny.POEMS[0].split("\n")[0]
    ids = tiny.vocabulary().encode(opening)
    assert len(ids) >= 6
    module = tiny.make_module(
        EncoderFeatures(tiny.parts().encoder),
        known_runs=KnownRuns([ids], tiny.kinds()),
        common_lines=CommonLines.count([[ids]] * 2, tiny.kinds(), 1.0),
        reader_head=tiny.reader_head(),
    )
    sea = tf.constant([tiny.photograph("sea")])
    outputs = module.continue_poem(
        sea, opening=tf.constant([opening]), **controls(1)
    )
    assert outputs["poem"][0].numpy().decode().startswith(opening + "\n")
    for name in ("copied", "common"):
        assert module.match(sea, tf.constant([opening]))[name] == [1.0]
        assert not outputs[f"candidate_{name}"].numpy().any()
    assert outputs["candidate_merit"][0, 0] != 0
    whole = module.match(sea, outputs["poem"])["merit"]
    assert abs(outputs["merit"] - whole).numpy().item() > 1e-3


def test_where_no_picture_is_read_there_is_nothing_to_score():
    ids = tiny.vocabulary().encode(tiny.POEMS[0])
    module = tiny.make_module(
        EncoderFeatures(tiny.parts().encoder),
        known_runs=KnownRuns([ids], tiny.kinds()),
        common_lines=CommonLines.count([[ids]] * 2, tiny.kinds(), 1.0),
    )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def compose(content):
        return module.compose_or_error(content, **controls(1))

    broken = compose(tf.constant([b"junk"]))
    assert broken["error"][0] != b""
    assert broken["candidate_common"].shape == (1, 64)


def test_probabilities_are_the_discriminators_own():
    module = scored_module()
    image = tf.constant([tiny.photograph("sea"), tiny.photograph("night")])
    poems = [tiny.POEMS[0], tiny.POEMS[1]]
    scores = module.match(image, tf.constant(poems))
    ids = [tiny.vocabulary().encode(poem) for poem in poems]
    given = {
        "token_ids": tf.constant(datasets.pad_token_ids(ids)),
        "image_embedding": module.embed_image(image),
    }
    for name, model in tiny.discriminators().items():
        logits = model({key: given[key] for key in model.input})
        np.testing.assert_allclose(
            scores[name], tf.nn.softmax(logits)[:, 0], atol=2e-3
        )


def test_padding_changes_nothing():
    score = scored_module()._candidate_scores.read()
    ids = datasets.pad_token_ids([[5, 6, 7, 8], [9, 6]])
    place = tf.constant([[0.6, 0.8, *[0.0] * 7]] * 2)
    begin = tf.zeros([2], tf.int32)
    plain = score(tf.constant(ids), place, begin)
    wide = tf.constant(np.pad(ids, [(0, 0), (0, 30)]))
    padded = score(wide, place, begin)
    empty = score(tf.zeros([2, 0], tf.int32), place, begin)
    for name in ("paired", "poetic"):
        np.testing.assert_array_equal(padded[name], plain[name])
        assert np.isfinite(empty[name]).all()


def test_a_poem_is_judged_as_it_is_alone():
    score = scored_module()._candidate_scores.read()
    ids = tf.constant(np.random.default_rng(0).integers(5, 12, [9, 7]))
    places = tf.math.l2_normalize(tf.random.stateless_normal([9, 9], [1, 2]), 1)
    begin = tf.zeros([9], tf.int32)
    together = score(ids, places, begin)
    for row in range(9):
        some = slice(row, row + 1)
        alone = score(ids[some], places[some], begin[some])
        for name in ("paired", "poetic"):
            # On some processors products round by the number of rows.
            np.testing.assert_allclose(
                alone[name][0], together[name][row], atol=1e-6
            )


def test_word_vectors_are_stored_once_while_they_are_the_poem_towers():
    visual_encoder = EncoderFeatures(tiny.parts().encoder)
    other = PoemStyleDiscriminator(len(tiny.vocabulary()), [], 11, 5)
    same, different = (
        tiny.make_module(visual_encoder, discriminators={"poetic": model})
        for model in (tiny.discriminators()["poetic"], other)
    )
    sizes = [
        sum(int(tf.size(variable)) for variable in module.variables)
        for module in (same, different)
    ]
    # Their scales, too.
    assert sizes[1] - sizes[0] == len(tiny.vocabulary()) * (11 + 1)
