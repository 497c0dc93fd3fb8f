import io
import json
import os
import pathlib
import re
import subprocess
import sys
import types

import pytest
from PIL import Image

from tests import tiny
from visualpoet import cli
from visualpoet import model_folders
from visualpoet import output
from visualpoet import pictures
from visualpoet import poet
from visualpoet.version import __version__

NO_MODEL = "/no/such/model"


@pytest.fixture(autouse=True)
def album(tmp_path, monkeypatch):
    """sea.jpg, night.png and a broken.jpg; the tiny poet is the default."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sea.jpg").write_bytes(tiny.photograph("sea"))
    (tmp_path / "night.png").write_bytes(tiny.photograph("night", "PNG"))
    (tmp_path / "broken.jpg").write_bytes(tiny.photograph("sea")[:900])
    load = poet.load

    def load_tiny(model, any_word=False):
        return tiny.poet() if model is None else load(model, any_word=any_word)

    monkeypatch.setattr(poet, "load", load_tiny)
    return tmp_path


def write(*arguments):
    return cli.main(["write", *arguments, "--candidates", "2"])


def poem_of(name, **options):
    kind, suffix = name.split(".")
    content = tiny.photograph(kind, "PNG" if suffix == "png" else "JPEG")
    return tiny.poet().write(content, candidates=2, **options).poem


def test_one_photograph(capsys):
    assert write("sea.jpg") == 0
    printed = capsys.readouterr()
    assert printed.out == poem_of("sea.jpg") + "\n"
    assert printed.err == ""


def test_options_reach_the_poet(capsys):
    options = ["--seed", "5", "--lines", "3", "--temperature", "1.5"]
    options += ["--guidance", "0.5", "--top-p", "0.4"]
    assert write("sea.jpg", *options, "--opening", "the sea") == 0
    expected = poem_of(
        "sea.jpg",
        seed=5,
        lines=3,
        temperature=1.5,
        guidance=0.5,
        top_p=0.4,
        opening="the sea",
    )
    assert expected.startswith("the sea\n")
    assert expected != poem_of("sea.jpg", seed=5, lines=3, opening="the sea")
    assert capsys.readouterr().out == expected + "\n"


def test_banned_words_reach_the_poet(capsys):
    word = poem_of("sea.jpg").lower().split()[0]
    assert write("sea.jpg", "--ban", word.upper(), "--ban", "sea") == 0
    poem = capsys.readouterr().out
    assert word not in poem.lower().split()
    assert poem == poem_of("sea.jpg", ban=[word, "sea"]) + "\n"
    assert write("--ban", f"{word},sea", "sea.jpg") == 0
    assert capsys.readouterr().out == poem


def test_one_bad_photograph_does_not_stop_the_others(capsys):
    assert write("sea.jpg", "broken.jpg", "no.jpg", "night.png") == 1
    printed = capsys.readouterr()
    assert printed.out == (
        f"# sea.jpg\n\n{poem_of('sea.jpg')}\n\n"
        f"# night.png\n\n{poem_of('night.png')}\n\n"
    )
    broken, missing = printed.err.splitlines()
    assert broken.startswith("visualpoet: broken.jpg: broken or truncated (")
    assert missing == "visualpoet: no.jpg: No such file or directory"


def test_poems_are_written_in_batches_and_printed_in_order(capsys, monkeypatch):
    monkeypatch.setattr(poet, "BATCH", 2)
    sizes, run = [], tiny.poet()._run

    def counted(name, contents, values):
        sizes.append(len(contents))
        return run(name, contents, values)

    monkeypatch.setattr(tiny.poet(), "_run", counted)
    pathlib.Path("night.png").rename("a.png")
    pathlib.Path("b.png").write_bytes(pathlib.Path("a.png").read_bytes())
    names = ["sea.jpg", "a.png", "broken.jpg", "b.png"]
    assert write(*names) == 1
    night = poem_of("night.png")
    assert sizes[:2] == [2, 1]
    assert capsys.readouterr().out == (
        f"# sea.jpg\n\n{poem_of('sea.jpg')}\n\n"
        f"# a.png\n\n{night}\n\n# b.png\n\n{night}\n\n"
    )


def test_a_batch_is_printed_before_the_next_is_read(monkeypatch):
    monkeypatch.setattr(poet, "BATCH", 1)
    read = []

    def entries():
        for name in ("sea.jpg", "night.png"):
            read.append(name)
            yield output.Entry(name, pathlib.Path(name).read_bytes())

    written = output.write_poems(tiny.poet, entries(), {"candidates": 1})
    assert next(written).name == "sea.jpg"
    assert read == ["sea.jpg"]


def test_folder_and_glob(capsys, album):
    assert write(".", "*.png") == 1
    printed = capsys.readouterr()
    titles = [line for line in printed.out.splitlines() if line[:1] == "#"]
    assert titles == ["# night.png", "# sea.jpg"]
    assert printed.err.startswith("visualpoet: broken.jpg: ")
    assert printed.err.count("\n") == 1
    assert write("s*.jpg") == 0
    assert capsys.readouterr().out == poem_of("sea.jpg") + "\n"


def test_photographs_are_looked_for_and_opened_once(capsys, monkeypatch):
    calls = []

    def count(module, name):
        function = getattr(module, name)

        def counted(*arguments, **options):
            calls.append(name)
            return function(*arguments, **options)

        monkeypatch.setattr(module, name, counted)

    count(pictures, "find_pictures")
    count(Image, "open")
    assert write("sea.jpg") == 0
    assert calls == ["find_pictures", "open"]


def test_a_name_that_is_no_utf_8_does_not_stop_the_others(capsys):
    os.rename("sea.jpg", b"caf\xe9.jpg")
    os.remove("broken.jpg")
    assert write(".") == 0
    printed = capsys.readouterr().out
    assert f"# caf\ufffd.jpg\n\n{poem_of('sea.jpg')}\n\n" in printed
    assert poem_of("night.png") in printed


def test_a_pattern_that_is_none_is_reported_by_name(capsys):
    assert write("sea.jpg", "album/**.jpg") == 1
    printed = capsys.readouterr()
    assert printed.out == f"# sea.jpg\n\n{poem_of('sea.jpg')}\n\n"
    assert printed.err.startswith("visualpoet: album/**.jpg: No such file")


def test_glob_that_matches_nothing(capsys):
    assert write("*.webp") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "visualpoet: *.webp: No such file or directory\n"


def test_standard_input(capsys, monkeypatch):
    stream = types.SimpleNamespace(buffer=io.BytesIO(tiny.photograph("sea")))
    monkeypatch.setattr(sys, "stdin", stream)
    assert write("-") == 0
    assert capsys.readouterr().out == poem_of("sea.jpg") + "\n"


def test_standard_input_that_is_no_picture(capsys, monkeypatch):
    stream = types.SimpleNamespace(buffer=io.BytesIO(b"text"))
    monkeypatch.setattr(sys, "stdin", stream)
    assert write("-") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("visualpoet: picture: not a JPEG, ")


def test_json(capsys):
    assert write("sea.jpg", "no.jpg", "--format", "json") == 1
    sea, missing = json.loads(capsys.readouterr().out)
    assert sea["photograph"] == "sea.jpg"
    assert sea["poem"] == poem_of("sea.jpg")
    assert len(sea["candidates"]) == 2
    assert missing == {
        "photograph": "no.jpg",
        "error": "no.jpg: No such file or directory",
    }


def test_json_lines(capsys):
    assert write("night.png", "sea.jpg", "--format", "jsonl") == 0
    rows = map(json.loads, capsys.readouterr().out.splitlines())
    assert [row["poem"] for row in rows] == [
        poem_of("night.png"),
        poem_of("sea.jpg"),
    ]


def test_html(capsys):
    assert write("sea.jpg", "broken.jpg", "--format", "html") == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("<!doctype html>")
    assert printed.out.count('src="data:image/jpeg;base64,') == 1
    assert '<div class="error">broken.jpg: broken or truncated' in printed.out
    assert "<p>" + poem_of("sea.jpg").split("\n")[0] in printed.out.replace(
        "&#39;", "'"
    )
    assert printed.err.startswith("visualpoet: broken.jpg: ")


def test_unknown_model(capsys):
    assert write("sea.jpg", "--model", NO_MODEL) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "visualpoet: expected a SavedModel, or a folder that holds numbered "
        f"versions of one. Received: {NO_MODEL}\n"
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--lines", "11"], "expected an integer from 0 to 10. Received: 11"),
        (["--temperature", "-1"], "a number from 0.0 to 10.0. Received: -1"),
        (["--top-p", "nan"], "expected a number from 0.0 to 1.0. Received: n"),
        (["--seed", "-1"], "Received: -1"),
        (["--seed", "x"], "expected an integer from 0 to 92233720368547758"),
        (["--candidates", "65"], "an integer from 1 to 64. Received: 65"),
    ],
)
def test_option_out_of_bounds(capsys, option, message):
    with pytest.raises(SystemExit) as caught:
        cli.main(["write", "sea.jpg", *option])
    assert caught.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"error: argument {option[0]}: expected a" in printed.err
    assert message in printed.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["write"],
        ["sing", "sea.jpg"],
        ["write", "sea.jpg", "--format", "xml"],
        ["find", "sea.jpg"],
        ["find", "sea.jpg", "--poems", "poems", "--format", "xml"],
    ],
)
def test_wrong_command(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: visualpoet" in capsys.readouterr().err


def test_no_command_prints_what_there_is(capsys):
    assert cli.main([]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("usage: visualpoet ")
    assert "write a poem for each photograph" in printed.out
    assert printed.err == ""


def stop(code, *arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == code


def test_version(capsys):
    stop(0, "--version")
    assert capsys.readouterr().out == f"visualpoet {__version__}\n"


def test_help_has_the_defaults_of_the_shipped_model(capsys):
    options = model_folders.default_model() / "assets.extra" / "options.json"
    given = json.loads(options.read_text())
    stop(0, "write", "--help")
    printed = " ".join(capsys.readouterr().out.split())
    assert f"0.0 to 10.0 ({given['temperature']})" in printed
    assert f"from 0.0 to 1.0 ({given['top_p']})" in printed
    assert f"from 1 to 64 ({given['num_candidates']})" in printed


def test_ctrl_c_is_silent(capsys, monkeypatch):
    def interrupt(model, any_word):
        raise KeyboardInterrupt

    monkeypatch.setattr(poet, "load", interrupt)
    assert write("sea.jpg") == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["write", "no.jpg"], 1),
        (["write", "sea.jpg", "--model", NO_MODEL], 2),
        (["write", "sea.jpg", "--model", ".", "--voice", "visualpoet"], 2),
        (["serve", "--model", ".", "--voice", "visualpoet"], 2),
        (["export", ".", "--model", ".", "--voice", "visualpoet"], 2),
        (["write", "sea.jpg", "--output", "no/such/folder/poem.txt"], 2),
        (["write", "sea.jpg", "--output", "poem.txt", "--form", "sonnet"], 2),
        (["find", "sea.jpg", "--poems", "no.jsonl"], 2),
    ],
)
def test_nothing_is_loaded_for_a_typo(monkeypatch, capsys, arguments, code):
    monkeypatch.setattr(poet, "load", None)  # not to be called
    pathlib.Path("poem.txt").write_text("kept")
    assert cli.main(arguments) == code
    assert capsys.readouterr().err.startswith("visualpoet: ")
    assert pathlib.Path("poem.txt").read_text() == "kept"


# --- where poems go


def test_output_into_a_file(capsys, album):
    assert write("sea.jpg", "-o", "poem.txt") == 0
    assert capsys.readouterr().out == ""
    assert (album / "poem.txt").read_text() == poem_of("sea.jpg") + "\n"


def use_ascii(monkeypatch):
    """Standard output from here on, and the bytes that it got."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    return stream.buffer.getvalue


def test_a_terminal_that_cannot_spell_is_no_end(monkeypatch):
    os.rename("night.png", "n\u00e4he.png")
    shown = use_ascii(monkeypatch)
    assert write("n\u00e4he.png", "sea.jpg") == 0
    assert shown().startswith(b"# n?he.png\n\n")
    assert poem_of("sea.jpg").encode() in shown()


@pytest.mark.parametrize("output_format", ["json", "jsonl", "html"])
def test_json_and_pages_are_utf_8_everywhere(monkeypatch, output_format):
    os.rename("sea.jpg", "n\u00e4he.jpg")
    shown = use_ascii(monkeypatch)
    assert write("n\u00e4he.jpg", "--format", output_format) == 0
    assert "n\u00e4he.jpg" in shown().decode("utf-8")


def test_reader_that_goes_away_is_no_traceback(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert write("sea.jpg") == 1
    # What was left is written at the end of the program, to nobody.


# --- find


@pytest.fixture
def corpus(album):
    rows = [
        {"text": text, "id": f"poem-{number}"}
        for number, text in enumerate(tiny.POEMS)
    ]
    rows[1] |= {"title": "A Wave", "author": "N. N."}
    lines = [json.dumps(row) for row in rows]
    path = album / "poems.jsonl"
    path.write_text("\n".join([*lines, "{broken", ""]))
    return path


def fits(kind):
    (query,) = tiny.poet().embed_images([tiny.photograph(kind)])
    return tiny.poet().embed_poems(tiny.POEMS) @ query


def nearest_rows(kind):
    return (-fits(kind)).argsort()


def test_find_prints_the_nearest_poem_and_reports_bad_rows(capsys, corpus):
    assert cli.main(["find", "sea.jpg", "--poems", str(corpus)]) == 0
    printed = capsys.readouterr()
    row = nearest_rows("sea")[0]
    title = "A Wave, N. N." if row == 1 else f"poem-{row}"
    fit = f"{fits('sea')[row]:.2f}"
    assert printed.out == (
        f"# sea.jpg: {title} ({fit})\n\n{tiny.POEMS[row]}\n\n"
    )
    assert printed.err.startswith(f"visualpoet: {corpus}:16: ")
    assert printed.err.count("\n") == 1


def test_find_all_with_titles(capsys, corpus):
    arguments = ["find", "no.jpg", "sea.jpg", "--poems", str(corpus)]
    assert cli.main([*arguments, "--count", "15"]) == 1
    printed = capsys.readouterr()
    titles = [line for line in printed.out.splitlines() if line[:1] == "#"]
    assert [title.rsplit(" (")[0] for title in titles] == [
        "# sea.jpg: " + ("A Wave, N. N." if row == 1 else f"poem-{row}")
        for row in nearest_rows("sea")
    ]
    assert "visualpoet: no.jpg: No such file" in printed.err


def test_find_in_a_corpus_without_poems(capsys, album):
    (album / "short.txt").write_text("one line\n")
    assert cli.main(["find", "sea.jpg", "--poems", "short.txt"]) == 2
    assert capsys.readouterr().err == (
        "visualpoet: expected poems of three lines or more. Received: "
        "short.txt, 1 poems, none long enough\n"
    )


def test_find_in_a_corpus_that_is_missing(capsys):
    assert cli.main(["find", "sea.jpg", "--poems", "no.jsonl"]) == 2
    assert "no.jsonl, which does not exist\n" in capsys.readouterr().err


def test_find_as_json_has_the_fit(capsys, corpus):
    arguments = ["find", "no.jpg", "sea.jpg", "--poems", str(corpus)]
    assert cli.main([*arguments, "--count", "2", "--format", "json"]) == 1
    missing, sea = json.loads(capsys.readouterr().out)
    assert missing["error"] == "no.jpg: No such file or directory"
    rows = nearest_rows("sea")[:2]
    assert sea["photograph"] == "sea.jpg"
    assert [poem["poem"] for poem in sea["poems"]] == [
        tiny.POEMS[row] for row in rows
    ]
    assert [poem["fit"] for poem in sea["poems"]] == pytest.approx(
        fits("sea")[rows].tolist()
    )


@pytest.mark.parametrize("count", ["-1", "0", "2.0"])
def test_find_no_poems_at_all(capsys, corpus, count):
    stop(2, "find", "sea.jpg", "--poems", str(corpus), "--count", count)
    assert capsys.readouterr().err.endswith(
        "error: argument --count: expected an integer of 1 or more. Received: "
        f"{count}\n"
    )


# --- export and check


def export(*arguments):
    return cli.main(["export", "models", *arguments])


def test_export_makes_the_next_version(capsys, album):
    model = ("--model", str(tiny.exported()))
    assert export(*model) == 0
    assert export(*model, "--base-path", "/models") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["models/visualpoet/1", "models/visualpoet/2"]
    config = (album / "models" / "models.config").read_text()
    assert 'base_path: "/models/visualpoet"' in config
    assert config.count("base_path") == 1
    assert export(*model, "--name", "sea") == 0
    config = (album / "models" / "models.config").read_text()
    paths = re.findall('base_path: "(.*)"', config)
    assert paths == ["/models/visualpoet", f"{album}/models/sea"]
    written = poet.load(album / "models" / "visualpoet")
    assert written.model.name == "2"


def test_a_model_may_be_copied_beside_itself(capsys, album):
    folder = album / "models" / "visualpoet"
    folder.mkdir(parents=True)
    (folder / "1").symlink_to(tiny.exported())
    (folder / "MODEL_CARD.md").write_text("What it is.")
    assert export("--model", str(folder)) == 0
    assert capsys.readouterr().out == "models/visualpoet/2\n"
    assert (folder / "MODEL_CARD.md").read_text() == "What it is."
    assert sorted(path.name for path in folder.iterdir()) == [
        *("1", "2", "MODEL_CARD.md"),
    ]


def test_export_of_a_version_that_exists(capsys, album):
    (album / "models" / "sea" / "4").mkdir(parents=True)
    model = ("--model", str(tiny.exported()))
    assert export(*model, "--name", "sea", "--version", "4") == 2
    assert capsys.readouterr().err == (
        "visualpoet: expected a new version. Received: models/sea/4, which "
        "exists\n"
    )


def test_export_of_a_version_below_0(capsys):
    arguments = ["export", "models", "--model", str(tiny.exported())]
    assert cli.main([*arguments, "--version", "-1"]) == 2
    message = (
        "visualpoet: expected a version from 0 to 9223372036854775807. "
        "Received: -1\n"
    )
    assert capsys.readouterr().err.endswith(message)


def test_check_prints_each_point(capsys, monkeypatch):
    from visualpoet.export import checking

    def well(export):
        """The first point."""

    def badly(export):
        """The second point."""
        raise checking.Failure(f"expected no {export.folder.name}")

    monkeypatch.setattr(checking, "POINTS", (well, badly))
    assert cli.main(["check", str(tiny.exported().parent)]) == 1
    assert capsys.readouterr().out == (
        "passed  The first point.\n"
        "FAILED  The second point.\n"
        "        expected no 3\n"
    )
    monkeypatch.setattr(checking, "POINTS", (well,))
    assert cli.main(["check", str(tiny.exported())]) == 0


def test_check_of_no_model(capsys):
    assert cli.main(["check", NO_MODEL]) == 2
    assert f"Received: {NO_MODEL}\n" in capsys.readouterr().err


# --- as a command


def run_python(*arguments):
    root = pathlib.Path(cli.__file__).parents[1]
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )


def test_help_needs_no_tensorflow():
    code = (
        "import runpy, sys\n"
        "sys.argv = ['visualpoet', '--help']\n"
        "try:\n"
        "    runpy.run_module('visualpoet', run_name='__main__')\n"
        "except SystemExit as exit:\n"
        "    print('exit code', exit.code)\n"
        "print('tensorflow' in sys.modules)\n"
    )
    done = run_python("-c", code)
    assert done.stdout.startswith("usage: visualpoet ")
    assert done.stdout.endswith("exit code 0\nFalse\n")
    assert done.stderr == ""


def test_command_prints_one_line_for_a_bad_photograph():
    done = run_python(
        *("-m", "visualpoet", "write", "no.jpg", "sea.jpg"),
        *("--model", str(tiny.exported().parent), "--candidates", "2"),
    )
    assert done.stderr == "visualpoet: no.jpg: No such file or directory\n"
    assert done.stdout == f"# sea.jpg\n\n{poem_of('sea.jpg')}\n\n"
    assert done.returncode == 1
