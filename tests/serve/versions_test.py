import asyncio
import pathlib

import pytest

from visualpoet import model_folders
from visualpoet.serve import errors
from visualpoet.serve import versions
from visualpoet.serve.metrics import Metrics


class Fake:
    """A version that loads if its file says so."""

    closed: list = []

    def __init__(self, number, path):
        text = (path / "saved_model.pb").read_text()
        if text == "stop":
            raise StopIteration
        if text != "good":
            raise ValueError(f"{number} is broken")
        self.number, self.in_use = number, 0
        self.files = {file.name for file in path.iterdir()}

    def __enter__(self):
        self.in_use += 1
        return self

    def __exit__(self, *_):
        self.in_use -= 1

    def close(self):
        self.closed.append(self.number)


@pytest.fixture(autouse=True)
def _fake(monkeypatch):
    monkeypatch.setattr(versions, "Servable", Fake)
    monkeypatch.setattr(Fake, "closed", [])


def put(folder, name, text="good"):
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "saved_model.pb").write_text(text)


def remove(folder, name):
    (folder / name / "saved_model.pb").unlink()
    (folder / name).rmdir()


def states(model):
    return {n: state.name for n, state in model.status("m")}


def play(scene, folder, labels=()):
    async def run():
        gauge = Metrics().version
        model = versions.Versions("m", folder, dict(labels), gauge)
        try:
            await scene(model)
        finally:
            model.close()

    asyncio.run(run())


async def drained(model, number):
    async with asyncio.timeout(30):
        while model.states[number].name != "END":
            await asyncio.sleep(0.001)


def test_a_folder_whose_name_is_no_version_is_let_be(tmp_path):
    for name in ("2", "²", "9223372036854775808"):
        put(tmp_path, name)

    async def scene(model):
        await model.poll()
        assert model.resolve("m").number == 2
        assert model.states.keys() == {2}

    play(scene, tmp_path)


def test_the_highest_is_served(tmp_path):
    put(tmp_path, "2")
    put(tmp_path, "10")

    async def scene(model):
        await model.poll()
        assert model.resolve("m").number == 10
        assert states(model) == {10: "AVAILABLE"}
        with pytest.raises(errors.ServeError) as caught:
            model.resolve("m", 2)
        assert caught.value.http_status == 404

    play(scene, tmp_path)


def test_a_new_version_takes_over_when_the_old_one_is_drained(tmp_path):
    put(tmp_path, "1")

    async def scene(model):
        await model.poll()
        with model.resolve("m") as old:
            put(tmp_path, "2")
            await model.poll()
            assert model.resolve("m").number == 2
            assert states(model) == {2: "AVAILABLE", 1: "UNLOADING"}
            await asyncio.sleep(0.05)
            assert Fake.closed == []
            assert old.in_use == 1
        await drained(model, 1)
        assert Fake.closed == [1]
        assert states(model) == {2: "AVAILABLE", 1: "END"}
        assert [n for n, _ in model.status("m")] == [2, 1]

    play(scene, tmp_path)


def test_a_broken_version_is_refused(tmp_path):
    put(tmp_path, "1")

    async def scene(model):
        await model.poll()
        put(tmp_path, "2", "bad")
        await model.poll()
        assert model.resolve("m").number == 1
        ((number, state),) = model.status("m", 2)
        assert (number, state.name, state.code) == (2, "END", "INTERNAL")
        assert state.message == "2 is broken"
        assert states(model) == {2: "END", 1: "AVAILABLE"}

    play(scene, tmp_path)


def test_an_error_that_no_future_can_hold_refuses_a_version(tmp_path):
    put(tmp_path, "1")
    put(tmp_path, "2", "stop")

    async def scene(model):
        async with asyncio.timeout(30):
            await model.poll()
        assert model.resolve("m").number == 1
        ((_, state),) = model.status("m", 2)
        assert (state.name, state.message) == ("END", "StopIteration")

    play(scene, tmp_path)


def test_a_version_whose_files_cannot_be_listed_is_passed_over(
    tmp_path, monkeypatch
):
    put(tmp_path, "1")
    put(tmp_path, "2", "bad")
    list_files = pathlib.Path.rglob

    def fail(path, pattern):
        if path.name == "2":
            raise PermissionError("not for you")
        return list_files(path, pattern)

    monkeypatch.setattr(pathlib.Path, "rglob", fail)

    async def scene(model):
        await model.poll()
        assert states(model) == {2: "END", 1: "AVAILABLE"}

    play(scene, tmp_path)


def test_a_version_that_grew_while_it_was_served_is_loaded_again(tmp_path):
    put(tmp_path, "1")

    async def scene(model):
        await model.poll()
        first = model.resolve("m")
        (tmp_path / "1" / "options.json").touch()
        with first:
            await model.poll()
            assert states(model) == {1: "AVAILABLE"}
            assert Fake.closed == []
            second = model.resolve("m")
            assert second.files == {"saved_model.pb", "options.json"}
        async with asyncio.timeout(30):
            while Fake.closed != [1]:
                await asyncio.sleep(0.001)
        assert states(model) == {1: "AVAILABLE"}
        await model.poll()
        assert model.resolve("m") is second

    play(scene, tmp_path)


def test_a_served_version_that_breaks_serves_on(tmp_path, caplog):
    put(tmp_path, "1")

    async def scene(model):
        await model.poll()
        put(tmp_path, "1", "broken")
        await model.poll()
        await model.poll()
        assert model.resolve("m").number == 1
        assert states(model) == {1: "AVAILABLE"}
        assert caplog.text.count("version 1 of m is refused: 1 is broken") == 1

    play(scene, tmp_path)


def test_a_refused_version_is_tried_again_when_it_changes(tmp_path, caplog):
    put(tmp_path, "1", "bad")
    put(tmp_path, "0")

    async def scene(model):
        await model.poll()
        await model.poll()
        assert caplog.text.count("is refused") == 1
        assert model.resolve("m").number == 0
        put(tmp_path, "1", "good")
        await model.poll()
        assert model.resolve("m").number == 1

    play(scene, tmp_path)


def test_removing_a_version_goes_back(tmp_path):
    put(tmp_path, "1")
    put(tmp_path, "2")

    async def scene(model):
        await model.poll()
        remove(tmp_path, "2")
        await model.poll()
        assert model.resolve("m").number == 1
        await drained(model, 2)

    play(scene, tmp_path)


def test_what_is_loaded_serves_on_when_all_is_gone(tmp_path):
    put(tmp_path, "1")

    async def scene(model):
        await model.poll()
        remove(tmp_path, "1")
        await model.poll()
        assert model.resolve("m").number == 1
        assert states(model) == {1: "AVAILABLE"}

    play(scene, tmp_path)


def test_labels_keep_a_version(tmp_path):
    put(tmp_path, "1")
    put(tmp_path, "2")
    put(tmp_path, "3")

    async def scene(model):
        await model.poll()
        assert states(model) == {3: "AVAILABLE", 1: "AVAILABLE"}
        assert model.resolve("m").number == 3
        assert model.resolve("m", label="stable").number == 1
        with pytest.raises(errors.ServeError) as caught:
            model.resolve("m", label="canary")
        assert caught.value.message == (
            "Unrecognized servable version label: canary"
        )
        with pytest.raises(errors.ServeError) as caught:
            model.resolve("m", label="next")
        assert caught.value.message == (
            "Servable not found for request: Specific(m, 4)"
        )

    play(scene, tmp_path, {"stable": 1, "next": 4})


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("odd")])
def test_the_watch_finds_a_new_version_and_survives_errors(
    tmp_path, monkeypatch, caplog, error
):
    put(tmp_path, "1")
    find, failures = model_folders.find_versions, [error, None]

    def fail_once(folder):
        error = failures.pop() if failures else None
        if error:
            raise error
        return find(folder)

    monkeypatch.setattr(model_folders, "find_versions", fail_once)

    async def scene(model):
        await model.poll()
        watch = asyncio.create_task(versions.watch([model], 0.001))
        put(tmp_path, "2")
        async with asyncio.timeout(30):
            while model.resolve("m").number != 2:
                await asyncio.sleep(0.001)
        assert failures == []
        assert str(error) in caplog.text
        watch.cancel()
        await drained(model, 1)

    play(scene, tmp_path)


def test_nothing_to_serve(tmp_path):
    async def scene(model):
        await model.poll()
        assert model.states == {}
        with pytest.raises(errors.ServeError, match="Latest"):
            model.resolve("m")

    play(scene, tmp_path / "nothing")
