"""Poems line by line, by their signatures."""

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tests.export import calls


@pytest.fixture(scope="module")
def loaded():
    return tf.saved_model.load(str(tiny.exported())).signatures


def write_lines(loaded, photographs, **given):
    """Asks for lines until all poems are finished; all answers."""
    size = len(photographs)
    start = calls.run(loaded["start_poem"], image_bytes=photographs)
    poem, answers = [b""] * size, []
    for _ in range(9):
        answers.append(
            calls.run(
                loaded["next_line"],
                image_embedding=start["image_embedding"],
                clue_ids=start["clue_ids"],
                poem=poem,
                **calls.controls(size, **given),
            )
        )
        poem = answers[-1]["poem"]
        if answers[-1]["finished"].all():
            break
    return answers


def test_start_poem_gives_place_and_clues(loaded):
    start = calls.run(
        loaded["start_poem"], image_bytes=[calls.SEA, calls.NIGHT]
    )
    embedding = calls.run(
        loaded["embed_image"], image_bytes=[calls.SEA, calls.NIGHT]
    )
    np.testing.assert_array_equal(
        start["image_embedding"], embedding["embedding"]
    )
    expected = [
        list(tiny.poet().write(p, candidates=1).clues) for p in (calls.SEA,)
    ]
    assert [[c.decode() for c in row] for row in start["clues"]][:1] == expected
    tokens = tiny.vocabulary().tokens
    assert [tokens[index].encode() for index in start["clue_ids"][1]] == (
        start["clues"][1].tolist()
    )


def test_lines_add_up_to_a_poem(loaded):
    answers = write_lines(loaded, [calls.SEA])
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
        answers = write_lines(loaded, [calls.SEA], lines=0, seed=seed)
        assert answers[-1]["finished"][0]
        numbers.add(len(answers))
    assert numbers <= {2, 3, 4}
    assert len(numbers) > 1


def test_a_finished_poem_gets_no_line(loaded):
    (*_, last) = write_lines(loaded, [calls.SEA])
    start = calls.run(loaded["start_poem"], image_bytes=[calls.SEA])
    start.pop("clues")
    answer = calls.run(
        loaded["next_line"], **start, poem=last["poem"], **calls.controls(1)
    )
    assert answer["line"].tolist() == [b""]
    assert answer["poem"].tolist() == last["poem"].tolist()
    assert answer["finished"].tolist() == [True]


def test_the_same_seed_gives_the_same_lines_and_another_others(loaded):
    first, second, other = (
        write_lines(loaded, [calls.SEA], seed=seed)[-1]["poem"]
        for seed in (5, 5, 6)
    )
    assert first.tolist() == second.tolist()
    assert first.tolist() != other.tolist()


@pytest.mark.parametrize(("guidance", "same"), [(0.0, True), (3.0, False)])
def test_guidance_0_writes_without_the_photograph(loaded, guidance, same):
    start = calls.run(loaded["start_poem"], image_bytes=[calls.SEA])
    written = [
        calls.run(
            loaded["next_line"],
            image_embedding=embedding,
            clue_ids=start["clue_ids"],  # they decide the draws
            poem=[""],
            **calls.controls(1, guidance=guidance, num_candidates=1),
        )["line"].tolist()
        for embedding in (start["image_embedding"], -start["image_embedding"])
    ]
    assert (written[0] == written[1]) == same


def test_a_line_is_rolled_again_from_the_lines_before_it(loaded):
    answers = write_lines(loaded, [calls.SEA])
    start = calls.run(loaded["start_poem"], image_bytes=[calls.SEA])
    start.pop("clues")
    for seed, same in ((7, True), (8, False)):
        again = calls.run(
            loaded["next_line"],
            **start,
            poem=answers[1]["poem"],
            **calls.controls(1, seed=seed),
        )
        assert (again["line"] == answers[2]["line"]).tolist() == [same]
        assert again["poem"][0].startswith(answers[1]["poem"][0] + b"\n")


def test_clues_that_are_no_tokens_count_nothing(loaded):
    start = calls.run(
        loaded["start_poem"], image_bytes=[calls.SEA, calls.NIGHT]
    )
    clue_ids = start["clue_ids"].copy()
    clue_ids[0] = [10**6, -7, *[0] * (clue_ids.shape[1] - 2)]
    none = np.where([[True], [False]], 0, clue_ids)
    wild, plain = (
        calls.run(
            loaded["next_line"],
            image_embedding=start["image_embedding"],
            clue_ids=ids,
            poem=[b""] * 2,
            **calls.controls(2),
        )
        for ids in (clue_ids, none)
    )
    for row in (0, 1):
        calls.assert_same_row(wild, plain, row, row)


def test_lines_do_not_depend_on_other_rows(loaded):
    together = write_lines(loaded, [calls.SEA, calls.NIGHT], seed=[3, 4])
    for row, (photograph, seed) in enumerate(
        ((calls.SEA, 3), (calls.NIGHT, 4))
    ):
        alone = write_lines(loaded, [photograph], seed=seed)
        for one, both in zip(alone, together, strict=True):
            calls.assert_same_row(both, one, row)
