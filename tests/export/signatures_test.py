"""What signatures compute; savedmodel_test.py has their wire form."""

import numpy as np
import pytest
import tensorflow as tf

from recipes import render_pictures
from tests import tiny
from tests.export import calls
from visualpoet.export import signatures
from visualpoet.export.poet_module import MAX_JUDGED


@pytest.fixture(scope="module")
def loaded():
    return tf.saved_model.load(str(tiny.exported())).signatures


def test_defaults_are_those_of_the_poet():
    assert signatures.defaults(tiny.module()) == {
        "form": "verse",
        "seed": 0,
        "temperature": 0.8,
        "top_p": 0.95,
        "guidance": 1.5,
        "lines": 0,
        "num_candidates": 16,
        "banned": "",
    }


# --- errors row by row


def test_each_row_has_its_form(loaded):
    forms = ["haiku", "verse", "ode"]
    mixed = calls.run(
        loaded["compose"],
        image_bytes=[calls.SEA] * 3,
        **calls.controls(3, form=forms, lines=0),
    )
    for row, form in enumerate(["haiku", "verse", "verse"]):
        alone = calls.run(
            loaded["compose"],
            image_bytes=[calls.SEA],
            **calls.controls(1, form=form, lines=0),
        )
        calls.assert_same_row(mixed, alone, row)
    assert [poem.count(b"\n") < 2 for poem in mixed["poem"]] == [
        True,
        False,
        False,
    ]
    assert set(mixed["candidates"][0]) != set(mixed["candidates"][1])


def test_each_form_is_ranked_by_its_own_weights(loaded):
    for form, own in (("haiku", tiny.HAIKU), ("verse", tiny.OPTIONS)):
        outputs = calls.run(
            loaded["compose"],
            image_bytes=[calls.SEA],
            **calls.controls(1, form=form),
        )
        score = (
            outputs["fit"]
            + own.fluency_weight * outputs["fluency"]
            + own.clue_weight * outputs["clue_share"]
        )
        np.testing.assert_allclose(outputs["score"], score, atol=1e-5)


def test_broken_pictures_cost_their_own_rows_only(loaded):
    broken = [b"", b"junk", calls.SEA[: len(calls.SEA) // 2], calls.NIGHT[:-20]]
    photographs = [calls.SEA, *broken, calls.NIGHT]
    outputs = calls.run(
        loaded["compose_or_error"],
        image_bytes=photographs,
        **calls.controls(6, seed=[1, 2, 3, 4, 5, 6]),
    )
    errors = outputs.pop("error")
    assert errors[[0, 5]].tolist() == [b"", b""]
    assert all(b"bytes that are none" in error for error in errors[1:5])
    for row, photograph, seed in ((0, calls.SEA, 1), (5, calls.NIGHT, 6)):
        alone = calls.run(
            loaded["compose"],
            image_bytes=[photograph],
            **calls.controls(1, seed=seed),
        )
        calls.assert_same_row(outputs, alone, row)
    for values in outputs.values():
        assert not any(map(bool, values[1:5].ravel()))


@pytest.mark.parametrize("photographs", [[b""], [b"junk", calls.SEA[:900]]])
def test_nothing_but_broken_pictures(loaded, photographs):
    size = len(photographs)
    outputs = calls.run(
        loaded["compose_or_error"],
        image_bytes=photographs,
        **calls.controls(size),
    )
    assert all(outputs["error"])
    assert outputs["poem"].tolist() == [b""] * size
    assert outputs["candidates"].shape == (size, 64)


# --- judging


def test_match_is_how_candidates_are_scored(loaded):
    written = tiny.poet().write(calls.SEA, candidates=6)
    outputs = calls.run(
        loaded["match"],
        image_bytes=[calls.SEA] * 6,
        poem=[candidate.poem for candidate in written.candidates],
    )
    for name in ("fit", "fluency", "clue_share"):
        expected = [getattr(c, name) for c in written.candidates]
        np.testing.assert_allclose(outputs[name], expected, atol=1e-4)


def test_of_a_long_poem_the_beginning_is_judged(loaded):
    long = "sea " * MAX_JUDGED + "hill " * 20_000
    embed = loaded["embed_poem"]
    short, cut, other = calls.run(embed, poem=["sea", long, "sea hill"])[
        "embedding"
    ]
    # Sums of a thousand words and of one round apart, more on some processors.
    np.testing.assert_allclose(cut, short, atol=1e-5)
    assert np.abs(other - short).max() > 1e-3


def test_match_of_nothing_is_finite(loaded):
    outputs = calls.run(loaded["match"], image_bytes=[calls.SEA], poem=[""])
    assert outputs["fit"].tolist() == [0.0]
    assert np.isfinite(outputs["fluency"]).all()


def test_embed_poem_reads_text(loaded):
    found = calls.run(loaded["embed_poem"], poem=tiny.POEMS[:3])["embedding"]
    for row, text in enumerate(tiny.POEMS[:3]):
        ids = tf.constant([tiny.vocabulary().encode(text)])
        expected = tiny.module().embed_token_ids(ids)
        np.testing.assert_allclose(found[row], expected[0], atol=1e-5)


# --- rows


def test_16_rows_of_mixed_sizes_are_as_alone(loaded):
    kinds = list(render_pictures.KINDS)
    photographs = [
        tiny.encode(
            render_pictures.render(kinds[row % len(kinds)], row, 20 + 7 * row),
            ("JPEG", "PNG")[row % 2],
        )
        for row in range(16)
    ]
    seeds = list(range(100, 116))
    openings = ["", "the sea", calls.OPENING, "a\nb"] * 4
    outputs = calls.run(
        loaded["continue_poem"],
        image_bytes=photographs,
        opening=openings,
        **calls.controls(16, seed=seeds, lines=[0, 3, 4, 5] * 4),
    )
    assert len(set(outputs["poem"].tolist())) == 16
    for row in (0, 6, 15):
        alone = calls.run(
            loaded["continue_poem"],
            image_bytes=[photographs[row]],
            opening=[openings[row]],
            **calls.controls(1, seed=seeds[row], lines=[0, 3, 4, 5][row % 4]),
        )
        calls.assert_same_row(outputs, alone, row)
