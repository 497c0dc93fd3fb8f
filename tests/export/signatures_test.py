"""What signatures compute; savedmodel_test.py has their wire form."""

import numpy as np
import pytest
import tensorflow as tf

from recipes import render_pictures
from tests import tiny
from visualpoet.control import MAX_TEXT_BYTES
from visualpoet.export import signatures
from visualpoet.export.poet_module import MAX_JUDGED

SEA = tiny.photograph("sea")
NIGHT = tiny.photograph("night", "PNG")
OPENING = "The Sea,  xylophone—\nlies DOWN!"


@pytest.fixture(scope="module")
def loaded():
    return tf.saved_model.load(str(tiny.exported())).signatures


def controls(size, **given):
    values = {
        "form": "verse",
        "seed": 7,
        "temperature": 0.9,
        "top_p": 0.9,
        "guidance": 1.2,
        "lines": 4,
        "num_candidates": 3,
        "banned": "",
        **given,
    }
    return {
        name: tf.broadcast_to(tf.constant(values[name], dtype), [size])
        for name, dtype in signatures.control_inputs().items()
    }


def run(signature, **inputs):
    outputs = signature(
        **{name: tf.convert_to_tensor(v) for name, v in inputs.items()}
    )
    return {name: value.numpy() for name, value in outputs.items()}


def assert_same_row(found, expected, row, expected_row=0):
    for name, values in found.items():
        if values.dtype == np.float32:
            np.testing.assert_allclose(
                values[row], expected[name][expected_row], atol=1e-4
            )
        else:
            np.testing.assert_array_equal(
                values[row], expected[name][expected_row]
            )


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
    mixed = run(
        loaded["compose"],
        image_bytes=[SEA] * 3,
        **controls(3, form=forms, lines=0),
    )
    for row, form in enumerate(["haiku", "verse", "verse"]):
        alone = run(
            loaded["compose"],
            image_bytes=[SEA],
            **controls(1, form=form, lines=0),
        )
        assert_same_row(mixed, alone, row)
    assert [poem.count(b"\n") < 2 for poem in mixed["poem"]] == [
        True,
        False,
        False,
    ]
    assert set(mixed["candidates"][0]) != set(mixed["candidates"][1])


def test_each_form_is_ranked_by_its_own_weights(loaded):
    for form, own in (("haiku", tiny.HAIKU), ("verse", tiny.OPTIONS)):
        outputs = run(
            loaded["compose"], image_bytes=[SEA], **controls(1, form=form)
        )
        score = (
            outputs["fit"]
            + own.fluency_weight * outputs["fluency"]
            + own.clue_weight * outputs["clue_share"]
        )
        np.testing.assert_allclose(outputs["score"], score, atol=1e-5)


def test_broken_pictures_cost_their_own_rows_only(loaded):
    broken = [b"", b"junk", SEA[: len(SEA) // 2], NIGHT[:-20]]
    photographs = [SEA, *broken, NIGHT]
    outputs = run(
        loaded["compose_or_error"],
        image_bytes=photographs,
        **controls(6, seed=[1, 2, 3, 4, 5, 6]),
    )
    errors = outputs.pop("error")
    assert errors[[0, 5]].tolist() == [b"", b""]
    assert all(b"bytes that are none" in error for error in errors[1:5])
    for row, photograph, seed in ((0, SEA, 1), (5, NIGHT, 6)):
        alone = run(
            loaded["compose"],
            image_bytes=[photograph],
            **controls(1, seed=seed),
        )
        assert_same_row(outputs, alone, row)
    for values in outputs.values():
        assert not any(map(bool, values[1:5].ravel()))


@pytest.mark.parametrize("photographs", [[b""], [b"junk", SEA[:900]]])
def test_nothing_but_broken_pictures(loaded, photographs):
    size = len(photographs)
    outputs = run(
        loaded["compose_or_error"], image_bytes=photographs, **controls(size)
    )
    assert all(outputs["error"])
    assert outputs["poem"].tolist() == [b""] * size
    assert outputs["candidates"].shape == (size, 64)


# --- going on from an opening


def continued(loaded, openings, **given):
    size = len(openings)
    return run(
        loaded["continue_poem"],
        image_bytes=[SEA] * size,
        opening=openings,
        **controls(size, **given),
    )


def test_every_candidate_begins_with_the_opening_as_it_was_written(loaded):
    outputs = continued(loaded, [OPENING])
    candidates = [text.decode() for text in outputs["candidates"][0, :3]]
    assert len(set(candidates)) == 3
    for text in candidates:
        assert text.startswith(OPENING + "\n")
        assert text.count("\n") == 3  # `lines` counts the whole poem
        assert text.split("\n")[2][0].isupper()
    assert outputs["poem"][0].decode() == candidates[0]


@pytest.mark.parametrize(
    ("opening", "head"),
    [
        ("the sea\n", "the sea\n"),
        ("the sea\n\n", "the sea\n\n"),
        ("  the sea  ", "  the sea  \n"),
        ("the sea\r\n", "the sea\r\n"),
    ],
)
def test_white_space_of_an_opening_stays(loaded, opening, head):
    poem = continued(loaded, [opening])["poem"][0].decode()
    assert poem.startswith(head)
    assert poem[len(head)].isupper()


@pytest.mark.parametrize("opening", ["", " ", "\n \n"])
def test_no_opening_is_compose(loaded, opening):
    outputs = continued(loaded, [opening])
    expected = run(loaded["compose"], image_bytes=[SEA], **controls(1))
    assert_same_row(outputs, expected, 0)


@pytest.mark.parametrize("opening", ["\u3000", "\u00a0\n", "\x1c"])
def test_blanks_of_other_scripts_are_no_opening(loaded, opening):
    outputs = continued(loaded, [opening])
    expected = run(loaded["compose"], image_bytes=[SEA], **controls(1))
    assert_same_row(outputs, expected, 0)


def test_marks_that_are_not_read_are_a_line(loaded):
    three, one = continued(loaded, ["* * *"] * 2, lines=[3, 1])["poem"]
    assert three.startswith(b"* * *\n")
    assert three.count(b"\n") == 2
    assert one == b"* * *"


@pytest.mark.parametrize(
    ("name", "wild", "bound"),
    [
        ("temperature", 1e9, 10.0),
        ("guidance", 1e38, 10.0),
        ("guidance", -5.0, 0.0),
    ],
)
def test_numbers_are_kept_within_their_bounds(loaded, name, wild, bound):
    outputs = run(
        loaded["compose"],
        image_bytes=[SEA, SEA],
        **controls(2, **{name: [wild, bound]}),
    )
    assert outputs["poem"][0] == outputs["poem"][1] != b""


def test_where_everything_is_banned_nothing_of_it_is_written(loaded):
    tokens = tiny.vocabulary().tokens
    words = [t for t, is_word in zip(tokens, tiny.kinds().is_word) if is_word]
    outputs = run(
        loaded["compose"],
        image_bytes=[SEA],
        **controls(1, banned=" ".join(words)),
    )
    found = set(" ".join(t.decode() for t in outputs["candidates"][0]).split())
    assert not found & {*words, *map(str.capitalize, words)}


def test_an_opening_with_all_lines_is_left_as_it_is(loaded):
    poems = continued(loaded, [OPENING, OPENING], lines=[2, 1])["poem"]
    assert [poem.decode() for poem in poems] == [OPENING, OPENING]


def test_free_lines_go_on_by_one_at_least(loaded):
    # The tiny poet writes four lines at most.
    opening = "\n".join(["the sea lies down"] * 5)
    poem = continued(loaded, [opening], lines=0)["poem"][0].decode()
    assert poem.startswith(opening + "\n")
    assert poem.count("\n") == 5


def test_an_opening_decides_how_it_goes_on(loaded):
    one, two = continued(loaded, ["the sea", "the hill"])["poem"]
    assert one.split(b"\n")[1:] != two.split(b"\n")[1:]


def test_words_of_an_opening_are_not_banned_in_it(loaded):
    outputs = continued(loaded, ["The sea"], banned="sea", num_candidates=9)
    for poem in outputs["candidates"][0, :9]:
        first, *others = poem.decode().lower().split("\n")
        assert first == "the sea"
        assert "sea" not in " ".join(others).split()


@pytest.mark.parametrize(("lines", "written"), [(0, 1), (402, 2), (399, 0)])
def test_a_long_opening_is_kept_whole(loaded, lines, written):
    opening = "\n".join(["the sea lies down and the sky is wide"] * 400)
    poem = continued(loaded, [opening], lines=lines)["poem"][0].decode()
    assert poem.startswith(opening)
    assert poem.count("\n") == 399 + written


def test_of_an_opening_without_end_the_end_stays(loaded):
    poem = continued(loaded, ["sea " * 100_000], lines=1)["poem"][0]
    assert poem == b"sea " * (MAX_TEXT_BYTES // 4)


# --- line by line


def write_lines(loaded, photographs, **given):
    """Asks for lines until all poems are finished; all answers."""
    size = len(photographs)
    start = run(loaded["start_poem"], image_bytes=photographs)
    poem, answers = [b""] * size, []
    for _ in range(9):
        answers.append(
            run(
                loaded["next_line"],
                image_embedding=start["image_embedding"],
                clue_ids=start["clue_ids"],
                poem=poem,
                **controls(size, **given),
            )
        )
        poem = answers[-1]["poem"]
        if answers[-1]["finished"].all():
            break
    return answers


def test_start_poem_gives_place_and_clues(loaded):
    start = run(loaded["start_poem"], image_bytes=[SEA, NIGHT])
    embedding = run(loaded["embed_image"], image_bytes=[SEA, NIGHT])
    np.testing.assert_array_equal(
        start["image_embedding"], embedding["embedding"]
    )
    expected = [list(tiny.poet().write(p, candidates=1).clues) for p in (SEA,)]
    assert [[c.decode() for c in row] for row in start["clues"]][:1] == expected
    tokens = tiny.vocabulary().tokens
    assert [tokens[index].encode() for index in start["clue_ids"][1]] == (
        start["clues"][1].tolist()
    )


def test_lines_add_up_to_a_poem(loaded):
    answers = write_lines(loaded, [SEA])
    lines = [answer["line"][0] for answer in answers]
    assert [answer["poem"][0] for answer in answers] == [
        b"\n".join(lines[: number + 1]) for number in range(4)
    ]
    assert [bool(answer["finished"][0]) for answer in answers] == [
        False,
        False,
        False,
        True,
    ]
    assert all(b"\n" not in line and line for line in lines)
    assert len(set(lines)) == 4


def test_free_poems_end_by_themselves(loaded):
    numbers = set()
    for seed in range(6):
        answers = write_lines(loaded, [SEA], lines=0, seed=seed)
        assert answers[-1]["finished"][0]
        numbers.add(len(answers))
    assert numbers <= {2, 3, 4}
    assert len(numbers) > 1


def test_a_finished_poem_gets_no_line(loaded):
    (*_, last) = write_lines(loaded, [SEA])
    start = run(loaded["start_poem"], image_bytes=[SEA])
    start.pop("clues")
    answer = run(loaded["next_line"], **start, poem=last["poem"], **controls(1))
    assert answer["line"].tolist() == [b""]
    assert answer["poem"].tolist() == last["poem"].tolist()
    assert answer["finished"].tolist() == [True]


def test_the_same_seed_gives_the_same_lines_and_another_others(loaded):
    first, second, other = (
        write_lines(loaded, [SEA], seed=seed)[-1]["poem"] for seed in (5, 5, 6)
    )
    assert first.tolist() == second.tolist()
    assert first.tolist() != other.tolist()


@pytest.mark.parametrize(("guidance", "same"), [(0.0, True), (3.0, False)])
def test_guidance_0_writes_without_the_photograph(loaded, guidance, same):
    start = run(loaded["start_poem"], image_bytes=[SEA])
    written = [
        run(
            loaded["next_line"],
            image_embedding=embedding,
            clue_ids=start["clue_ids"],  # they decide the draws
            poem=[""],
            **controls(1, guidance=guidance, num_candidates=1),
        )["line"].tolist()
        for embedding in (start["image_embedding"], -start["image_embedding"])
    ]
    assert (written[0] == written[1]) == same


def test_a_line_is_rolled_again_from_the_lines_before_it(loaded):
    answers = write_lines(loaded, [SEA])
    start = run(loaded["start_poem"], image_bytes=[SEA])
    start.pop("clues")
    for seed, same in ((7, True), (8, False)):
        again = run(
            loaded["next_line"],
            **start,
            poem=answers[1]["poem"],
            **controls(1, seed=seed),
        )
        assert (again["line"] == answers[2]["line"]).tolist() == [same]
        assert again["poem"][0].startswith(answers[1]["poem"][0] + b"\n")


def test_clues_that_are_no_tokens_count_nothing(loaded):
    start = run(loaded["start_poem"], image_bytes=[SEA, NIGHT])
    clue_ids = start["clue_ids"].copy()
    clue_ids[0] = [10**6, -7, *[0] * (clue_ids.shape[1] - 2)]
    none = np.where([[True], [False]], 0, clue_ids)
    wild, plain = (
        run(
            loaded["next_line"],
            image_embedding=start["image_embedding"],
            clue_ids=ids,
            poem=[b""] * 2,
            **controls(2),
        )
        for ids in (clue_ids, none)
    )
    for row in (0, 1):
        assert_same_row(wild, plain, row, row)


def test_lines_do_not_depend_on_other_rows(loaded):
    together = write_lines(loaded, [SEA, NIGHT], seed=[3, 4])
    for row, (photograph, seed) in enumerate(((SEA, 3), (NIGHT, 4))):
        alone = write_lines(loaded, [photograph], seed=seed)
        for one, both in zip(alone, together, strict=True):
            assert_same_row(both, one, row)


# --- judging


def test_match_is_how_candidates_are_scored(loaded):
    written = tiny.poet().write(SEA, candidates=6)
    outputs = run(
        loaded["match"],
        image_bytes=[SEA] * 6,
        poem=[candidate.poem for candidate in written.candidates],
    )
    for name in ("fit", "fluency", "clue_share"):
        expected = [getattr(c, name) for c in written.candidates]
        np.testing.assert_allclose(outputs[name], expected, atol=1e-4)


def test_of_a_long_poem_the_beginning_is_judged(loaded):
    long = "sea " * MAX_JUDGED + "hill " * 20_000
    embed = loaded["embed_poem"]
    short, cut, other = run(embed, poem=["sea", long, "sea hill"])["embedding"]
    np.testing.assert_allclose(cut, short, atol=1e-6)
    assert np.abs(other - short).max() > 1e-3


def test_match_of_nothing_is_finite(loaded):
    outputs = run(loaded["match"], image_bytes=[SEA], poem=[""])
    assert outputs["fit"].tolist() == [0.0]
    assert np.isfinite(outputs["fluency"]).all()


def test_embed_poem_reads_text(loaded):
    found = run(loaded["embed_poem"], poem=tiny.POEMS[:3])["embedding"]
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
    openings = ["", "the sea", OPENING, "a\nb"] * 4
    outputs = run(
        loaded["continue_poem"],
        image_bytes=photographs,
        opening=openings,
        **controls(16, seed=seeds, lines=[0, 3, 4, 5] * 4),
    )
    assert len(set(outputs["poem"].tolist())) == 16
    for row in (0, 6, 15):
        alone = run(
            loaded["continue_poem"],
            image_bytes=[photographs[row]],
            opening=[openings[row]],
            **controls(1, seed=seeds[row], lines=[0, 3, 4, 5][row % 4]),
        )
        assert_same_row(outputs, alone, row)
