import collections
import dataclasses
import html
import pathlib
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import visualpoet
from recipes import render_pictures
from tests import tiny
from visualpoet import model_folders
from visualpoet import poet as poet_module
from visualpoet import unwritten

SEA = tiny.photograph("sea")


def split_words(written):
    text = " ".join(candidate.poem for candidate in written.candidates)
    return collections.Counter(re.findall(r"[a-z']+", text.lower()))


def test_one_photograph_gives_one_poem():
    written = tiny.poet().write(SEA, candidates=2)
    assert isinstance(written, visualpoet.WrittenPoem)
    assert written.seed == 0
    assert written.lines == tuple(written.poem.split("\n"))
    assert 2 <= len(written.lines) <= 4
    assert len(set(written.clues)) == 6
    assert set(written.clues) <= set(tiny.vocabulary().tokens)


def test_many_photographs_give_a_list():
    night = tiny.photograph("night")
    for sequence in ([SEA, night], (SEA, night)):
        written = tiny.poet().write(sequence, candidates=1)
        assert isinstance(written, list)
        assert written == [
            tiny.poet().write(SEA, candidates=1),
            tiny.poet().write(night, candidates=1),
        ]
    assert tiny.poet().write([], candidates=1) == []
    assert len(tiny.poet().write([SEA], candidates=1)) == 1


def test_any_iterable_of_photographs(tmp_path):
    for kind in ("night", "sea"):
        (tmp_path / f"{kind}.jpg").write_bytes(tiny.photograph(kind))
    paths = sorted(tmp_path.glob("*.jpg"))
    expected = [tiny.poet().write(path, candidates=1) for path in paths]
    for photographs in (
        (path for path in paths),
        pd.Series(paths),
        np.array([str(path) for path in paths]),
    ):
        assert tiny.poet().write(photographs, candidates=1) == expected
    written = tiny.poet().write(tmp_path.glob("*.jpg"), candidates=1)
    assert sorted(w.poem for w in written) == sorted(w.poem for w in expected)
    batch = np.stack([np.zeros([8, 8, 3]), np.ones([8, 8, 3])])
    black, white = tiny.poet().write(batch, candidates=1)
    assert black == tiny.poet().write(batch[0], candidates=1)
    assert white == tiny.poet().write(batch[1], candidates=1)


def test_more_than_a_batch_are_written_for_as_alone(monkeypatch):
    monkeypatch.setattr(poet_module, "BATCH", 3)
    kinds = ["sea", "night", "meadow", "forest", "mountain"]
    photographs = [tiny.photograph(kind) for kind in kinds]
    calls = []
    run = tiny.poet()._run

    def counted(name, contents, values):
        calls.append(len(contents))
        return run(name, contents, values)

    monkeypatch.setattr(tiny.poet(), "_run", counted)
    together = tiny.poet().write(photographs, candidates=4, seed=7)
    assert calls == [3, 2]
    for photograph, written in zip(photographs, together, strict=True):
        alone = tiny.poet().write(photograph, candidates=4, seed=7)
        for one, other in zip(alone.candidates, written.candidates):
            assert one.poem == other.poem
            assert one.score == pytest.approx(other.score, abs=1e-6)


def test_a_broken_photograph_costs_only_itself():
    night = tiny.photograph("night")
    photographs = [b"", SEA, "no.jpg", SEA[:900], night]
    with pytest.raises(visualpoet.PictureError, match="the file is empty"):
        tiny.poet().write(photographs, candidates=1)
    empty, sea, missing, torn, dark = tiny.poet().write(
        photographs, candidates=1, on_error="return"
    )
    assert sea == tiny.poet().write(SEA, candidates=1)
    assert dark == tiny.poet().write(night, candidates=1)
    for error, message in (
        (empty, "picture: the file is empty"),
        (missing, "no.jpg: No such file or directory"),
        (torn, "picture: broken or truncated"),
    ):
        assert isinstance(error, visualpoet.PictureError)
        assert str(error).startswith(message)
    alone = tiny.poet().write("no.jpg", on_error="return")
    assert str(alone) == "no.jpg: No such file or directory"
    with pytest.raises(ValueError, match="raise, return. Received: 'skip'"):
        tiny.poet().write(photographs, on_error="skip")


def test_a_poem_shows_itself(tmp_path):
    path = tmp_path / "sea.jpg"
    path.write_bytes(SEA)
    written = tiny.poet().write(path, candidates=2)
    assert str(written) == written.poem
    assert str(written.candidates[1]) == written.candidates[1].poem
    assert repr(written) == f"<WrittenPoem {written.lines[0]!r} ..., seed 0>"
    assert "photograph" not in written.to_dict()
    page = written._repr_html_()
    assert page.startswith('<figure><img src="data:image/jpeg;base64,/9j/')
    poem = html.escape(written.poem).replace("\n", "<br>")
    shown = f"<figcaption>{poem}</figcaption></figure>"
    assert page.endswith(shown)
    path.unlink()
    assert written._repr_html_() == f"<figure>{shown}"


def test_path_bytes_image_and_array_are_the_same_photograph(tmp_path):
    picture = render_pictures.render("meadow", 1, 40)
    content = tiny.encode(picture, "PNG")
    file = tmp_path / "meadow.png"
    file.write_bytes(content)
    expected = tiny.poet().write(content, candidates=2)
    for source in (file, str(file), picture, np.asarray(picture)):
        assert tiny.poet().write(source, candidates=2) == expected


def test_same_seed_same_poem_and_other_seed_other_poem():
    one = tiny.poet().write(SEA, seed=1, candidates=2)
    assert tiny.poet().write(SEA, seed=1, candidates=2) == one
    two = tiny.poet().write(SEA, seed=2, candidates=2)
    assert (one.seed, two.seed) == (1, 2)
    assert one.poem != two.poem
    assert one.clues == two.clues


def test_largest_seed():
    written = tiny.poet().write(SEA, seed=2**63 - 1, candidates=1)
    assert written.seed == 2**63 - 1
    assert written.poem != tiny.poet().write(SEA, candidates=1).poem


@pytest.mark.parametrize("lines", [1, 2, 5])
def test_lines(lines):
    written = tiny.poet().write(SEA, lines=lines, candidates=8)
    assert len(written.lines) == lines
    assert [c.poem.count("\n") for c in written.candidates] == [lines - 1] * 8


def test_0_lines_are_as_many_as_the_poem_wants():
    written = tiny.poet().write(SEA, lines=0, candidates=3)
    assert written == tiny.poet().write(SEA, candidates=3)


def test_banned_words_are_not_used():
    free = split_words(tiny.poet().write(SEA, candidates=16))
    common = [word for word, _ in free.most_common(3)]
    banned = [common[0].upper(), common[1].capitalize(), common[2]]
    written = tiny.poet().write(SEA, candidates=16, ban=banned)
    assert all(free[word] > 0 for word in common)
    assert not set(common) & set(split_words(written))


def test_banned_words_may_be_one_text():
    words = tiny.poet().write(SEA, candidates=2).poem.split()[:2]
    expected = tiny.poet().write(SEA, candidates=2, ban=words)
    found = tiny.poet().write(SEA, candidates=2, ban=" ".join(words))
    assert found == expected
    assert tiny.poet().write(SEA, candidates=2, ban="") == (
        tiny.poet().write(SEA, candidates=2)
    )


def test_opening_is_kept_and_goes_on():
    opening = "The sea,\nmy own words"
    written = tiny.poet().write(SEA, opening=opening, lines=4, candidates=3)
    assert written.lines[:2] == ("The sea,", "my own words")
    assert len(written.lines) == 4
    assert all(c.poem.startswith(opening) for c in written.candidates)
    assert written.poem != tiny.poet().write(SEA, lines=4, candidates=3).poem


def test_banning_a_word_that_is_not_known_changes_nothing():
    written = tiny.poet().write(SEA, candidates=2, ban=["xylophone"])
    assert written == tiny.poet().write(SEA, candidates=2)


def test_candidates_are_sorted_and_the_first_is_the_poem():
    written = tiny.poet().write(SEA, candidates=9)
    assert len(written.candidates) == 9
    assert len({candidate.poem for candidate in written.candidates}) == 9
    scores = [candidate.score for candidate in written.candidates]
    assert scores == sorted(scores, reverse=True)
    best = visualpoet.Candidate(
        written.poem,
        written.score,
        written.fit,
        written.fluency,
        written.clue_share,
    )
    assert written.candidates[0] == best
    for candidate in written.candidates:
        assert -1.001 <= candidate.fit <= 1.001
        assert candidate.fluency < 0
        expected = candidate.fit + 0.1 * candidate.fluency
        expected += 0.6 * candidate.clue_share
        assert candidate.score == pytest.approx(expected, abs=1e-5)


def test_16_candidates_by_default_and_64_at_most():
    assert len(tiny.poet().write(SEA).candidates) == 16
    assert len(tiny.poet().write(SEA, candidates=64).candidates) == 64


def test_more_candidates_keep_the_first_ones():
    few = {c.poem for c in tiny.poet().write(SEA, candidates=3).candidates}
    many = {c.poem for c in tiny.poet().write(SEA, candidates=6).candidates}
    assert few < many


def test_temperature_0_takes_the_likeliest_words():
    written = tiny.poet().write(SEA, temperature=0.0, candidates=4)
    assert len({candidate.poem for candidate in written.candidates}) == 1


def test_top_p_0_takes_the_likeliest_words():
    one = tiny.poet().write(SEA, top_p=0.0, candidates=1, seed=1)
    two = tiny.poet().write(SEA, top_p=0.0, candidates=1, seed=2)
    assert one.poem == two.poem


def test_guidance_0_forgets_the_photograph():
    def poems(guidance):
        return {
            tiny.poet()
            .write(
                tiny.photograph(kind),
                guidance=guidance,
                temperature=0.0,
                candidates=1,
            )
            .poem
            for kind in ("sea", "meadow", "night")
        }

    assert len(poems(0.0)) == 1
    assert len(poems(10.0)) > 1


@pytest.mark.parametrize(
    ("control", "message"),
    [
        (
            {"seed": -1},
            r"seed, an integer from 0 to 9223372036854775807. Received: -1",
        ),
        ({"seed": 2**63}, r"seed, .* Received: 9223372036854775808"),
        ({"temperature": -1.0}, r"temperature, .* 0.0 to 10.0.* -1.0"),
        ({"temperature": float("nan")}, r"temperature, .* Received: nan"),
        ({"top_p": 1.5}, r"top_p, .* 0.0 to 1.0. Received: 1.5"),
        ({"guidance": 11.0}, r"guidance, .* 0.0 to 10.0. Received: 11.0"),
        ({"guidance": float("inf")}, r"guidance, .* Received: inf"),
        ({"lines": 11}, r"lines, an integer from 0 to 10. Received: 11"),
        ({"lines": -1}, r"lines, an integer from 0 to 10. Received: -1"),
        ({"candidates": 65}, r"candidates, .* 1 to 64. Received: 65"),
        ({"candidates": 0}, r"candidates, .* 1 to 64. Received: 0"),
    ],
)
def test_controls_out_of_bounds_are_named(control, message):
    with pytest.raises(ValueError, match=f"^expected {message}$"):
        tiny.poet().write(SEA, **control)


@pytest.mark.parametrize(
    ("control", "message"),
    [
        ({"lines": 2.5}, "lines, an integer .* Received: 2.5"),
        ({"lines": True}, "lines, an integer .* Received: True"),
        ({"candidates": "3"}, "candidates, an integer .* Received: '3'"),
        ({"temperature": "hot"}, "temperature, a number .* Received: 'hot'"),
        (
            {"opening": 3},
            "opening, a text of at most 16,384 bytes. Received: 3",
        ),
        (
            {"ban": b"sea"},
            "ban, a text or a list of words of at most 16,384 bytes. "
            "Received: b'sea'",
        ),
    ],
)
def test_controls_of_another_type_are_named(control, message):
    with pytest.raises(ValueError, match=f"^expected {message}$"):
        tiny.poet().write(SEA, **control)


def test_a_control_that_is_none_is_named():
    known = (
        "form, seed, temperature, top_p, guidance, lines, candidates, opening"
    )
    with pytest.raises(
        TypeError, match=f"^expected only {known}, ban. Received: colour$"
    ):
        tiny.poet().write(SEA, colour="red")


def test_a_jpeg_that_tensorflow_alone_refuses_gets_its_poem():
    """Its pixels are whole, its end is not marked."""
    endless = SEA[:-2] + bytes(4096)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.decode_jpeg(endless)
    written = tiny.poet().write(endless, candidates=1)
    assert written.poem
    place = tiny.poet().embed_images([endless])[0]
    np.testing.assert_allclose(
        place, tiny.poet().embed_images([SEA])[0], atol=0.05
    )


def test_such_a_jpeg_changes_nothing_for_the_others():
    endless = SEA[:-2] + bytes(4096)
    night = tiny.photograph("night")
    assert tiny.poet().write([night, endless], candidates=2) == [
        tiny.poet().write(night, candidates=2),
        tiny.poet().write(endless, candidates=2),
    ]


def test_one_photograph_and_one_poem_have_one_place(tmp_path):
    (tmp_path / "sea.jpg").write_bytes(SEA)
    place = tiny.poet().embed_images(str(tmp_path / "sea.jpg"))
    np.testing.assert_array_equal(place, tiny.poet().embed_images([SEA])[0])
    place = tiny.poet().embed_poems("the sea")
    np.testing.assert_array_equal(
        place, tiny.poet().embed_poems(["the sea"])[0]
    )


def test_nothing_has_no_places():
    assert tiny.poet().embed_images([]).shape == (0, 9)
    assert tiny.poet().embed_poems([]).shape == (0, 9)


def test_photograph_that_cannot_be_used_is_named():
    with pytest.raises(visualpoet.PictureError, match="^no.jpg: No such file"):
        tiny.poet().write(["no.jpg"])
    with pytest.raises(visualpoet.PictureError, match="^picture: not a JPEG"):
        tiny.poet().write(b"no picture")


def test_options_of_the_model_are_the_defaults():
    no_pattern = {"pattern": {"syllables": [], "rhyme": ""}}
    assert tiny.poet().options == {
        "form": "verse",
        "seed": 0,
        "num_candidates": 16,
        "lines": 0,
        "banned": " ".join(unwritten.WORDS),
        "temperature": 0.8,
        "top_p": 0.95,
        "guidance": 1.5,
        "forms": {
            "verse": dataclasses.asdict(tiny.OPTIONS) | no_pattern,
            "haiku": dataclasses.asdict(tiny.HAIKU) | no_pattern,
        },
    }
    written = tiny.poet().write(
        SEA, seed=0, temperature=0.8, top_p=0.95, guidance=1.5, candidates=16
    )
    assert written == tiny.poet().write(SEA)


def test_embeddings_have_unit_length():
    photographs = [SEA, render_pictures.render("night", 0, 30)]
    embeddings = tiny.poet().embed_images(photographs)
    assert embeddings.shape == (2, 9)
    poems = tiny.poet().embed_poems(tiny.POEMS[:3])
    assert poems.shape == (3, 9)
    for vectors in (embeddings, poems):
        lengths = np.linalg.norm(vectors, axis=1)
        np.testing.assert_allclose(lengths, 1.0, atol=1e-3)


def test_fit_is_the_cosine_of_poem_and_photograph():
    written = tiny.poet().write(SEA, candidates=3)
    (photograph,) = tiny.poet().embed_images([SEA])
    poems = tiny.poet().embed_poems(
        [candidate.poem for candidate in written.candidates]
    )
    expected = [candidate.fit for candidate in written.candidates]
    np.testing.assert_allclose(poems @ photograph, expected, atol=1e-5)


# --- which model


def make_versions(folder, *names):
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "saved_model.pb").touch()


def test_damaged_model_is_named(tmp_path):
    damaged = shutil.copytree(tiny.exported(), tmp_path / "1")
    graph = damaged / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:1000])
    with pytest.raises(ValueError, match="a whole SavedModel. Received: .*/1"):
        visualpoet.load(damaged)


@pytest.mark.parametrize("convert", [str, lambda path: path])
def test_missing_model_is_named(tmp_path, convert):
    with pytest.raises(
        FileNotFoundError,
        match=f"^expected a SavedModel, .*Received: {tmp_path}/nothing$",
    ):
        visualpoet.load(convert(tmp_path / "nothing"))


def test_foreign_saved_model_is_named(tmp_path):
    make_versions(tmp_path, "1")
    with pytest.raises(
        ValueError, match=f"`visualpoet.export` wrote. Received: {tmp_path}/1,"
    ):
        visualpoet.load(tmp_path)


def test_load_takes_a_folder_of_versions():
    loaded = visualpoet.load(str(tiny.exported().parent))
    assert loaded.model == tiny.exported()
    written = loaded.write(SEA, candidates=2)
    assert written == tiny.poet().write(SEA, candidates=2)


def test_load_takes_the_model_of_the_package_by_default(monkeypatch):
    loaded = []
    monkeypatch.setattr(model_folders, "default_model", lambda: "the default")
    monkeypatch.setattr(poet_module, "Poet", lambda *a: loaded.append(a))
    visualpoet.load()
    assert loaded == [(pathlib.Path("the default"), False)]
